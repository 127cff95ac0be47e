import gc
import json

import pytest

import flatwater as fw
from flatwater import errors


@pytest.fixture(autouse=True)
def small_heap():
    """What pytest itself holds is set apart, so that counting takes milliseconds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Order:
    def __init__(self, text):
        self.text = text


def rows_of(difference):
    return {row.type_name.rpartition(".")[2]: row for row in difference.rows}


def test_what_was_added_is_the_difference():
    """Objects of a class, and the strings they hold, by number and bytes."""
    before = fw.snapshot()
    kept = [Order(f"text number {n}") for n in range(5_000)]
    difference = before.diff(fw.snapshot())
    found = rows_of(difference)
    assert found["Order"].objects == len(kept)
    assert 4_900 <= found["str"].objects < 5_300
    assert found["str"].bytes > 5_000 * 50
    assert found["Order"].bytes > 0
    assert difference.complete
    assert "+5,000" in str(difference)


def test_what_went_away_is_negative():
    """A type that is gone shows with a minus, and not among the grown."""
    kept = [Order("a") for _ in range(1_000)]
    before = fw.snapshot()
    del kept
    difference = before.diff(fw.snapshot())
    assert rows_of(difference)["Order"].objects == -1_000
    assert "Order" not in {row.type_name.rpartition(".")[2] for row in difference.grown}


def test_nothing_changed():
    """Two snapshots in a row differ by next to nothing: the instrument does not count itself."""
    before = fw.snapshot()
    difference = before.diff(fw.snapshot())
    assert sum(row.bytes for row in difference.rows) < 100_000


def test_shared_strings_count_once():
    """One string in a thousand lists is one string."""
    text = "shared " * 1000
    before = fw.snapshot()
    kept = [[text] for _ in range(1_000)]
    found = rows_of(before.diff(fw.snapshot()))
    assert found["list"].objects >= len(kept)
    strings = found.get("str")
    assert strings is None or strings.bytes < 100_000


def test_it_holds_no_objects():
    """A snapshot keeps numbers, so what it counted can die."""
    import weakref

    row = Order("a")
    taken = fw.snapshot()
    ghost = weakref.ref(row)
    del row
    assert ghost() is None
    assert taken.objects > 0
    assert json.loads(json.dumps(taken.to_dict()))["complete"] is True


def test_it_is_bounded(monkeypatch):
    """Beyond the bound it says that it is partial."""
    monkeypatch.setattr(fw.limits, "SNAPSHOT_OBJECTS_MAX", 100)
    taken = fw.snapshot()
    assert not taken.complete
    assert taken.objects <= 200
    assert "only the first 100" in str(taken)
    assert not taken.diff(taken).complete


def test_only_snapshots_are_compared():
    """Anything else is refused with the way to write it."""
    with pytest.raises(errors.UsageError, match=r"before\.diff"):
        fw.snapshot().diff({})
