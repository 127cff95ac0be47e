"""watch.watched: what the watcher asks of a budget."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from flatwater.watch.watched import NEEDED, holder_pairs, is_watched


def test_the_real_budget_is_watched():
    """`fw.Budget` offers all that is asked."""
    budget = pytest.importorskip("flatwater.budget").Budget("1 MiB")
    assert is_watched(budget)
    with budget.reserve(1000, "flow"):
        assert holder_pairs(budget) == [("flow", 1000)]


@pytest.mark.parametrize("missing", NEEDED)
def test_a_part_missing_is_no_budget(missing):
    """Something without a gate, holders, shed, held or limit is taken for a size, and refused as one."""
    half = SimpleNamespace(**{name: None for name in NEEDED if name != missing})
    assert not is_watched(half)


@pytest.mark.parametrize("size", ["64 MiB", 5, None, 1.5, object()])
def test_sizes_are_no_budgets(size):
    """Plain values are not taken for budgets."""
    assert not is_watched(size)


def test_holders_without_a_peak_are_fine():
    """Rows of name and bytes, and of name, bytes and peak, give the same pairs; none where nobody lists any."""
    for rows in ([("a", 1), ("b", 2)], [("a", 1, 9), ("b", 2, 9)]):
        assert holder_pairs(SimpleNamespace(holders=lambda rows=rows: rows)) == [("a", 1), ("b", 2)]
    assert holder_pairs(object()) == []
