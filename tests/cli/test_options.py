"""cli.options: sizes and durations as option values, a budget for a block."""

from __future__ import annotations

import click
import pytest

from flatwater.budget.budget import Budget
from flatwater.cli.options import BytesType, SecondsType, budget_of

MIB = 1 << 20


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (BytesType(), "256MiB", 256 * MIB),
        (BytesType(), " 256 mib ", 256 * MIB),
        (BytesType(), "1.5GB", 1_500_000_000),
        (BytesType(), 256 * MIB, 256 * MIB),
        (BytesType(1, "at least"), "16", 16),
        (SecondsType(), "250ms", 0.25),
        (SecondsType(), "2h", 7200.0),
        (SecondsType(), 1.5, 1.5),
    ],
)
def test_what_people_write(kind, text, value):
    """Sizes become bytes and durations seconds; a default that is one already stays."""
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (BytesType(), "", "256MiB"),
        (BytesType(), "lots", "'lots' is not a size; write 256MiB"),
        (BytesType(), "12 XB", "unknown unit 'XB'"),
        (BytesType(), "-5MiB", "is not a size"),
        (BytesType(), "1KiB", "no program fits into less than 4.0 MiB"),
        (BytesType(), "9" * 30, "does not fit 63 bits"),
        (BytesType(1, "at least"), "0", "'0': at least 1 B"),
        (SecondsType(), "soon", "'soon' is not a duration; write 250ms"),
        (SecondsType(), "-1s", "is not a duration"),
        (SecondsType(), "1 fortnight", "unknown unit 'fortnight'"),
        (SecondsType(), "nan", "is not a duration"),
    ],
)
def test_what_makes_no_sense(kind, text, says):
    """Each is a usage error in a sentence, with what to write."""
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(text, None, None)
    assert says in str(caught.value)


def test_a_budget_for_a_block():
    """Or the one that there is."""
    before = Budget.current()
    with budget_of(MIB, "trial"):
        assert Budget.current().limit == MIB
    with budget_of(None, "trial"):
        assert Budget.current() is before
