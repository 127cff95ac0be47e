import flatwater as fw
from flatwater import limits
from flatwater.budget.holder import HolderTable


def test_idle_names_are_forgotten_and_busy_ones_are_not():
    """The table stays bounded beside those that hold something, and a name is entered once."""
    table = HolderTable()
    table.add("busy")
    busy = table.by_name["busy"]
    busy.now = 1
    for n in range(5_000):
        table.add(f"n{n}")
    assert len(table.by_name) <= limits.BUDGET_HOLDERS_MAX + 1
    table.add("busy")
    assert table.by_name["busy"] is busy


def test_the_largest_idle_names_are_remembered():
    """Names made per item go first; the one that once held much stays in the table."""
    budget = fw.Budget("1 MiB")
    budget.reserve(5_000, "large").release()
    for n in range(3_000):
        budget.reserve(1, f"n{n}").release()
    assert ("large", 0, 5_000) in budget.holders()


def test_looking_for_idle_names_is_rare():
    """Ten thousand new names beside four thousand busy ones cost a fixed number of looks each, not one at all names."""
    table = HolderTable()
    for n in range(4_000):
        table.add(f"busy{n}")
        table.by_name[f"busy{n}"].now = 1
    looked = []
    forget = HolderTable._forget_idle
    HolderTable._forget_idle = lambda self: (looked.append(len(self.by_name)), forget(self))
    try:
        for n in range(10_000):
            table.add(f"n{n}")
    finally:
        HolderTable._forget_idle = forget
    assert sum(looked) <= 12 * 10_000
    assert len(table.by_name) <= 4_000 + limits.BUDGET_HOLDERS_MAX
