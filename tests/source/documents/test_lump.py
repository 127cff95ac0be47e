"""source.documents.lump: the child's bytes, its start and its end."""

from __future__ import annotations

import pytest
from benchmarks.documents import making

from flatwater import errors
from flatwater.budget import Budget
from flatwater.source.documents import lump, serving


@pytest.fixture
def request_(tmp_path):
    making.make_pdf(tmp_path / "a.pdf", 3, 100)
    return serving.Request(str(tmp_path / "a.pdf"), "pdf", 1, 0, 500, 1 << 20, 1 << 30, 1 << 20, 5.0, 9, "", "")


def test_the_budget_holds_it_from_its_start_to_its_end(request_):
    """Its limit is one holder of the budget; nothing is held before the first document, nor after closing."""
    budget = Budget("200 MiB")
    child = lump.Child(budget, 64 << 20, 500, 30.0)
    assert budget.held == 0
    assert len(child.take(request_).parts) == 3
    assert budget.holders()[0][:2] == (lump.HOLDER, 64 << 20)
    child.close()
    child.close()
    assert budget.held == 0


def test_a_budget_without_room(request_):
    """The refusal says how much was asked for, and what to change."""
    child = lump.Child(Budget("32 MiB"), 64 << 20, 500, 30.0)
    with pytest.raises(errors.BudgetExceeded, match=r"refused 64\.0 MiB for 'documents\.worker'.*worker_limit"):
        child.take(request_)


def test_a_limit_below_which_nothing_loads(request_):
    """It is named: no document is to blame."""
    child = lump.Child(Budget("64 MiB"), 8 << 20, 500, 30.0)
    with pytest.raises(errors.FlatwaterError) as caught:
        child.take(request_)
    child.close()
    assert not isinstance(caught.value, serving.Unreadable)
    assert "worker_limit" in str(caught.value)


def test_an_interrupted_child_takes_no_more(request_):
    """Whoever ended it from another thread wants no more of it: no process is started anew."""
    child = lump.Child(Budget("256 MiB"), 96 << 20, 65_536, 30.0)
    child.take(request_)
    child.interrupt()
    with pytest.raises(errors.ClosedError):
        child.take(request_)
    child.close()


def test_bounds():
    """Larger pieces make larger answers; the child's limit is an addend."""
    assert lump.bytes_max(1 << 20, 0) > lump.bytes_max(1 << 10, 0)
    assert lump.bytes_max(500, 7 << 20) - lump.bytes_max(500, 0) == 7 << 20
