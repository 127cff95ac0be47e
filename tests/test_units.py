"""units: what people type becomes bytes, seconds and counts, and nonsense becomes a clear error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1", 1),
        ("256MiB", 256 << 20),
        ("256 mib", 256 << 20),
        ("256M", 256 << 20),
        ("256MB", 256_000_000),
        ("1.5 GiB", 3 << 29),
        (".5k", 512),
        ("1_000_000", 1_000_000),
        (" 7 B ", 7),
        (2**62, 2**62),
    ],
)
def test_sizes_people_write(text, expected):
    """A size with any usual unit reads as its bytes."""
    assert units.parse_bytes(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12 XB",
        "MiB",
        "-1",
        "1e6",
        "nan",
        "inf",
        "0x10",
        "1,5 GB",
        "٣ MiB",
        "8 EiB",
        "9" * 400 + ".0 T",
        2**63,
        -1,
        True,
        None,
        1.5,
        b"1",
    ],
)
def test_what_is_no_size_is_refused(text):
    """Anything else is a ValueError that shows a size one may write."""
    with pytest.raises(ValueError, match=r"write|negative|fit|too large"):
        units.parse_bytes(text)


@pytest.mark.parametrize("digits", [41, 400, 5000, 1_000_000])
@pytest.mark.parametrize("parse", [units.parse_bytes, units.parse_duration, units.parse_count])
@pytest.mark.parametrize("form", ["9{}", "9{}.5", ".{}", "9{}k"])
def test_a_number_without_end_is_refused(parse, digits, form):
    """Digits beyond any figure of this world are a short ValueError, not an overflow."""
    with pytest.raises(ValueError, match=r"write|unit|fit") as caught:
        parse(form.format("9" * digits))
    assert len(str(caught.value)) < 300


@given(st.integers(min_value=0, max_value=units.BYTES_VALUE_MAX))
def test_whole_bytes_are_exact(count):
    """A plain number of bytes of any size survives text without rounding."""
    assert units.parse_bytes(str(count)) == count


@given(st.integers(min_value=0, max_value=1 << 60))
def test_formatted_sizes_stay_within_five_percent(count):
    """What is shown reads back within the rounding of its one decimal."""
    assert abs(units.parse_bytes(units.format_bytes(count)) - count) <= max(1, count * 0.05)


@pytest.mark.parametrize("text", ["", "ten", "-1s", "1 fortnight", float("inf"), float("nan"), -0.1, True, None])
def test_what_is_no_duration_is_refused(text):
    """A duration is a finite number of seconds, 0 or more."""
    with pytest.raises(ValueError, match=r"duration|write"):
        units.parse_duration(text)


@pytest.mark.parametrize(("text", "expected"), [("25k", 25_000), ("1.5M", 1_500_000), (12, 12), ("400_000", 400_000)])
def test_counts(text, expected):
    """Counts use decimal suffixes."""
    assert units.parse_count(text) == expected
