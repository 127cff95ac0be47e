"""proof.sizes: ranges and lists of sizes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.proof.sizes import SIZES_MIN, SPAN_MIN, next_sizes, parse_sizes


@pytest.mark.parametrize(
    ("value", "sizes"),
    [
        ("25k..400k", [25_000, 50_000, 100_000, 200_000, 400_000]),
        ("1k..16k", [1_000, 2_000, 4_000, 8_000, 16_000]),
        (" 1k .. 16k ", [1_000, 2_000, 4_000, 8_000, 16_000]),
        ("1..16", [1, 2, 4, 8, 16]),
        ("1..5", [1, 2, 3, 4, 5]),
        ("1k,2k,4k,8k,16k", [1_000, 2_000, 4_000, 8_000, 16_000]),
        (["1k", 2_000, "4k", 8_000, "16k"], [1_000, 2_000, 4_000, 8_000, 16_000]),
        (range(10, 60, 10), [10, 20, 30, 40, 50]),
        (iter([1, 2, 3, 4, 5, 6]), [1, 2, 3, 4, 5, 6]),
        ("1.5M..6M", [1_500_000, 2_121_320, 3_000_000, 4_242_641, 6_000_000]),
    ],
)
def test_what_people_write(value, sizes):
    """Ranges are run in doublings or smaller steps, lists as they stand."""
    assert parse_sizes(value) == sizes


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("400k..25k", "'400k..25k' does not rise"),
        ("5..5", "does not rise"),
        ("100..399", "less than 4 times"),
        ([100, 150, 200, 250, 399], "less than 4 times"),
        ([10, 20, 15, 80, 160], "15 comes after 20: they must rise"),
        ([160, 80, 40, 20, 10], "80 comes after 160: they must rise"),
        ([10, 20, 20, 40, 80], "20 is there twice"),
        ([10, 20, 40, 80], "4 of them; a verdict needs 5 or more"),
        ("1..4", "has no 5 sizes in it"),
        ("2.5,5,10,20,40", "'2.5' is not a whole number"),
        ([], "0 of them"),
        ("", "'' is not a count"),
        ("many", "'many' is not a count"),
        ("1k..", "'' is not a count"),
        ("..1k", "'' is not a count"),
        ("1k...16k", "'.16k' is not a count"),
        ("1...16k", "'.16k' is not a count"),
        ("1..2..3", "is not a count"),
        ("0..16", "'0' is not between 1 and"),
        ([0, 1, 2, 4, 8], "0 is not between 1 and"),
        ([-1, 1, 2, 4, 8], "-1 is negative"),
        ([1.5, 2, 4, 8, 16], "1.5 is not a count"),
        ([True, 2, 4, 8, 16], "True is not a count"),
        ([None, 2, 4, 8, 16], "None is not a count"),
        ([float("nan"), 2, 4, 8, 16], "nan is not a count"),
        ("1..9e99", "is not a count"),
        ([1, 2, 4, 8, 10**16], "is not between 1 and"),
        (list(range(1, 30)), "29 of them; at most"),
        (None, "None is not a list of counts"),
        (7, "7 is not a list of counts"),
        (b"1k..16k", "must rise"),  # bytes are a list of counts in Python
    ],
)
def test_what_makes_no_sense(value, says):
    """Each is refused in a sentence that names the figure and says what to write."""
    with pytest.raises(errors.UsageError) as caught:
        parse_sizes(value)
    assert says in str(caught.value)
    assert "25k..400k" in caught.value.hint
    assert str(caught.value).startswith("sizes: ")


@settings(deadline=None, max_examples=25)
@given(low=st.integers(1, 10**9), factor=st.floats(4.0, 2.0**14))
def test_a_range_ends_where_it_says(low, factor):
    """Any range rises in steps of at most 2 and a little, keeps its end, and is never longer than the limit."""
    high = max(round(low * factor), low + 4 * SIZES_MIN)
    high = max(high, SPAN_MIN * low)
    sizes = parse_sizes(f"{low}..{high}")
    assert SIZES_MIN <= len(sizes) <= limits.PROOF_SIZES_MAX
    assert sizes[-1] == high
    assert sizes == sorted(set(sizes))
    assert all(after <= 2 * before + 1 for before, after in itertools.pairwise(sizes))
    if len(sizes) < limits.PROOF_SIZES_MAX:
        assert sizes[0] == low


def test_further_sizes_double():
    """After the last size come doublings of it, whatever the steps before were."""
    assert next_sizes([3, 5, 9], 3) == [18, 36, 72]
    assert next_sizes([3, 5, 9], 0) == []
