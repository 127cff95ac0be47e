"""Intervals, and times with them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from flatwater import errors
from flatwater.live.intervals import Months, added, interval_of, is_moment, midnight, moment_of, subtracted
from flatwater.live.statements import understood

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def node(text):
    return understood(f"SELECT {text}").tree.expressions[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'1 day'", timedelta(days=1)), ("'5 minutes'", timedelta(minutes=5)), ("'2 weeks'", timedelta(weeks=2)), ("'1.5 hours'", timedelta(minutes=90)),
        ("'-3 seconds'", timedelta(seconds=-3)), ("'1 day 2 hours'", timedelta(hours=26)), ("'7' MINUTE", timedelta(minutes=7)), ("'250 milliseconds'", timedelta(milliseconds=250)),
        ("'1 month'", Months(1, timedelta())), ("'1 year 2 months 3 days'", Months(14, timedelta(days=3))),
    ],
)  # fmt: skip
def test_what_an_interval_says(text, expected):
    """Numbers with units, added up; months stay months."""
    assert interval_of(node(f"INTERVAL {text}")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "'1 parsec'",
        "'day'",
        "''",
        "'1.5 months'",
        "'x day'",
        "'999999999999 weeks'",
        f"'{'9' * 5_000} days'",
    ],
)
def test_what_is_no_interval(text):
    """It is refused with examples."""
    with pytest.raises(errors.UsageError, match="no interval"):
        interval_of(node(f"INTERVAL {text}"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (NOW, timedelta(days=1), NOW + timedelta(days=1)), (timedelta(days=1), NOW, NOW + timedelta(days=1)), (NOW, Months(1, timedelta()), datetime(2026, 4, 30, 12, tzinfo=UTC)),
        (NOW, Months(-13, timedelta(days=1)), datetime(2025, 3, 1, 12, tzinfo=UTC)), (date(2026, 1, 1), timedelta(hours=1), datetime(2026, 1, 1, 1, tzinfo=UTC)),
        (date(2026, 1, 1), 3, date(2026, 1, 4)), (timedelta(1), timedelta(2), timedelta(3)),
    ],
)  # fmt: skip
def test_added(one, other, expected):
    """An interval makes a time of a date, as in PostgreSQL; a number is days; a month ends where it ends."""
    found = added(one, other)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (NOW, timedelta(days=1), NOW - timedelta(days=1)), (NOW, Months(1, timedelta()), datetime(2026, 2, 28, 12, tzinfo=UTC)), (date(2026, 1, 4), date(2026, 1, 1), 3),
        (NOW, NOW - timedelta(1), timedelta(1)), (NOW, date(2026, 3, 31), timedelta(hours=12)), (date(2026, 1, 4), 3, date(2026, 1, 1)),
    ],
)  # fmt: skip
def test_subtracted(one, other, expected):
    """Of two times an interval is left, of two dates the days."""
    assert subtracted(one, other) == expected


@pytest.mark.parametrize("act", [added, subtracted])
@pytest.mark.parametrize(("one", "other"), [(NOW, "1 day"), ("x", timedelta(1)), (1, timedelta(1)), (NOW, 1)])
def test_what_cannot_be_added(act, one, other):
    """Texts and numbers are no intervals."""
    with pytest.raises(TypeError):
        act(one, other)


def test_a_moment():
    """NOW() and CURRENT_DATE with intervals are one moment for all rows; what has a column in it is none."""
    assert moment_of(node("now() - interval '1 hour' + (interval '1 day')"), NOW) == NOW + timedelta(hours=23)
    assert moment_of(node("(current_date)"), NOW) == date(2026, 3, 31)
    assert moment_of(node("current_date - interval '1 day'"), NOW) == datetime(2026, 3, 30, tzinfo=UTC)
    assert midnight(NOW) is NOW
    for text in ("a + interval '1 day'", "now() - a", "current_timestamp(3)", "interval '1 day'", "now() + 1"):
        assert not is_moment(node(text))
    with pytest.raises(errors.UsageError, match="no time"):
        moment_of(node("now() + interval '9000 years'"), NOW)
