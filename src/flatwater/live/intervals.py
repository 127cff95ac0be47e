"""Intervals of SQL, and what becomes of times to which they are added.

Covers:     reading `INTERVAL '1 day 2 hours'`, times and dates with an interval or days more or less, months and years.
Not here:   where they may stand (`live.expressions`), those of the SQL engine (`live.engine`).
Holds:      nothing.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlglot import exp

from flatwater import errors
from flatwater.live.statements import Sql

_PART: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([a-z]+)\s*")
_SECONDS: Final = {
    "microsecond": Decimal("0.000001"), "millisecond": Decimal("0.001"), "second": Decimal(1), "minute": Decimal(60),
    "hour": Decimal(3_600), "day": Decimal(86_400), "week": Decimal(604_800),
}  # fmt: skip
_MONTHS: Final = {"month": 1, "year": 12}
_SHORT: Final = {"sec": "second", "s": "second", "min": "minute", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_HINT: Final = "Such as INTERVAL '5 minutes', INTERVAL '1 day 2 hours' or INTERVAL '1 month'."


class Months(NamedTuple):
    """An interval with months in it, whose days depend on where it begins.

    Attributes:
        months: years are twelve.
        rest: that is added behind them.
    """

    months: int
    rest: timedelta


def interval_of(node: exp.Interval) -> timedelta | Months:
    """What an interval says.

    Raises:
        UsageError: it is none that is known.
    """
    said, unit = node.this, node.args.get("unit")
    if not isinstance(said, exp.Literal) or (unit is not None and not isinstance(unit, exp.Var)):
        raise _unknown(node)
    text = f"{said.this} {unit.name if unit is not None else ''}".strip().lower()
    months, seconds, at = 0, Decimal(0), 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or len(part[1]) > 20:  # noqa: PLR2004 - digits: more are no time
            raise _unknown(node)
        name = _SHORT.get(part[2], part[2].removesuffix("s"))
        if name in _MONTHS and "." not in part[1]:
            months += int(part[1]) * _MONTHS[name]
        elif name in _SECONDS:
            seconds += Decimal(part[1]) * _SECONDS[name]
        else:
            raise _unknown(node)
        at = part.end()
    if not text:
        raise _unknown(node)
    try:
        rest = timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        raise _unknown(node) from None
    return Months(months, rest) if months else rest


def _unknown(node: Any) -> errors.UsageError:
    return errors.UsageError(f"{node.sql(dialect=Sql)!r:.80} is no interval that is known.", hint=_HINT)


def is_moment(node: Any) -> bool:
    """Whether a node is NOW(), CURRENT_DATE, or one of these with intervals: one moment for all rows."""
    node = node.unnest()
    while isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression.unnest(), exp.Interval):
        node = node.this.unnest()
    return isinstance(node, exp.CurrentTimestamp | exp.CurrentDate) and not node.this


def moment_of(node: Any, now: datetime) -> date:
    """Which one, if it is `now`.

    Raises:
        UsageError: there is no such time.
    """
    steps: list[tuple[Any, Any]] = []
    inner = node.unnest()
    while isinstance(inner, exp.Add | exp.Sub):
        steps.append((added if isinstance(inner, exp.Add) else subtracted, interval_of(inner.expression.unnest())))
        inner = inner.this.unnest()
    found: date = now if isinstance(inner, exp.CurrentTimestamp) else now.date()
    try:
        for act, interval in reversed(steps):
            found = act(found, interval)
    except (OverflowError, ValueError):
        raise errors.UsageError(f"{node.sql(dialect=Sql)!r:.80} is no time that there is.") from None
    return found


def added(one: Any, other: Any) -> Any:
    """A time and an interval, in any order, a date and days, or two intervals.

    Raises:
        TypeError: they are something else.
        OverflowError, ValueError: there is no such year.
    """
    if isinstance(one, timedelta | Months | int) and isinstance(other, date):
        one, other = other, one
    if isinstance(one, date) and isinstance(other, Months):
        return _later(midnight(one), other.months) + other.rest
    if isinstance(one, date) and isinstance(other, timedelta):
        return midnight(one) + other
    if isinstance(one, date) and not isinstance(one, datetime) and type(other) is int:
        return one + timedelta(days=other)
    if isinstance(one, timedelta) and isinstance(other, timedelta):
        return one + other
    raise TypeError


def subtracted(one: Any, other: Any) -> Any:
    """A time or a date without an interval or days; what is between two times; the days between two dates.

    Raises:
        TypeError, OverflowError, ValueError: as of `added`.
    """
    if isinstance(other, Months):
        return added(one, Months(-other.months, -other.rest))
    if isinstance(other, timedelta) or type(other) is int:
        return added(one, -other)
    if isinstance(one, datetime) or isinstance(other, datetime):
        return midnight(one) - midnight(other)
    if isinstance(one, date) and isinstance(other, date):
        return (one - other).days
    raise TypeError


def midnight(moment: date) -> datetime:
    """A date as the time at which it begins; a time as it is.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(moment, datetime):
        return moment
    if not isinstance(moment, date):
        raise TypeError
    return datetime.combine(moment, time(), UTC)


def _later(moment: datetime, months: int) -> datetime:
    """As many months later, on the last day of the month where it has none of that number."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9_999:  # noqa: PLR2004 - which Python's times have
        raise OverflowError
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))
