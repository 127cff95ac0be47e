import pytest

from flatwater import errors, limits
from flatwater.budget.holder import Holder, add_holder


def test_owners_are_counted():
    """A name may wait while all it holds belongs to others, and not while a part belongs to nobody known."""
    holder = Holder("a")
    holder.take(10, owner=1)
    assert not holder.may_wait(1)
    assert holder.may_wait(2)
    holder.take(5, owner=0)
    assert not holder.may_wait(2)
    holder.give_back(5, owner=0)
    holder.resize(7, owner=1)
    assert holder.may_wait(2)
    assert (holder.now, holder.peak) == (17, 17)
    holder.give_back(17, owner=1)
    assert holder.may_wait(1)


def test_idle_names_are_forgotten_and_busy_ones_are_not():
    """The table stays bounded beside those that hold something."""
    holders = {}
    busy = add_holder(holders, "busy")
    busy.take(1, owner=0)
    for n in range(5_000):
        add_holder(holders, f"n{n}")
    assert len(holders) <= limits.BUDGET_HOLDERS_MAX
    assert holders["busy"] is busy
    with pytest.raises(errors.UsageError):
        add_holder(holders, "")
