"""update_each changes entries in short transactions: once each, few commits, and nobody's write is lost."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import msgspec
import pytest

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.store.store import Store
from flatwater.store.updating import Updated

DELETED = Store.DELETE


class User(msgspec.Struct):
    name: str
    visits: int = 0


@dataclass
class Point:
    x: int


def fill(partition, count, value=b"0"):
    partition.write([((at,), value) for at in range(count)])


def dump(partition):
    return {key: value for batch in partition.batches() for key, value in batch}


def commits_of(store, monkeypatch):
    """A list that grows by the size of each transaction of update_each."""
    engine = store._space.engine
    seen, replace = [], engine.replace

    def counted(head, keys, *rest):
        seen.append(len(keys))
        return replace(head, keys, *rest)

    monkeypatch.setattr(engine, "replace", counted)
    return seen


# --- what it does -----------------------------------------------------------------------------------------------------


def test_each_entry_is_asked_for_once(store):
    """The function sees every entry in order; None leaves it, a value replaces it, DELETE deletes it."""
    fill(store, 1000)
    seen = []

    def third(key, value):
        seen.append((key, value))
        return (None, b"1", DELETED)[key[0] % 3]

    assert store.update_each(third, rows=70) == Updated(seen=1000, changed=333, deleted=333, repeated=0)
    assert seen == [((at,), b"0") for at in range(1000)]
    assert dump(store) == {(at,): b"01"[at % 3 : at % 3 + 1] for at in range(1000) if at % 3 < 2}
    assert store.count_estimate() == 667


def test_twice_is_as_once(store):
    """A function that leaves alone what it has changed writes nothing the second time, nor does an equal value."""
    fill(store, 100)
    assert store.update_each(lambda _key, value: b"1" if value == b"0" else None).changed == 100
    assert store.update_each(lambda _key, value: b"1" if value == b"0" else None).changed == 0
    assert store.update_each(lambda _key, _value: b"1") == Updated(seen=100)


@pytest.mark.parametrize(("write_rows", "commits"), [(1, 100), (30, 4), (100, 1), (101, 1), (500, 1)])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_changes_are_gathered(store, monkeypatch, write_rows, commits, rows):
    """There are as many transactions as changes need at write_rows each, however many are read at a time."""
    fill(store, 1000)
    sizes = commits_of(store, monkeypatch)
    store.update_each(lambda key, _value: b"1" if key[0] % 10 == 0 else None, write_rows=write_rows, rows=rows)
    assert len(sizes) == commits
    assert (max(sizes), sum(sizes)) == (min(write_rows, 100), 100)
    assert sum(value == b"1" for value in dump(store).values()) == 100


def test_a_pass_without_changes_commits_nothing(store, monkeypatch):
    """Reading is all that happens where nothing changes."""
    fill(store, 100)
    sizes = commits_of(store, monkeypatch)
    store.update_each(lambda _key, _value: None)
    store.update_each(lambda _key, value: value)
    assert sizes == []


def test_large_changes_are_written_by_their_bytes(store, monkeypatch):
    """Values that are large are not gathered up to write_rows: limits.STORE_GATHERED_BYTES are enough."""
    monkeypatch.setattr(limits, "STORE_GATHERED_BYTES", 100_000)
    fill(store, 100)
    sizes = commits_of(store, monkeypatch)
    store.update_each(lambda _key, _value: b"x" * 10_000, write_rows=1000)
    assert max(sizes) <= 11
    assert set(dump(store).values()) == {b"x" * 10_000}


def test_it_goes_where_it_is_told(store):
    """Prefix, start and stop bound the pass."""
    store.write([((a, at), b"0") for a in "ab" for at in range(10)])
    done = store.update_each(lambda _key, _value: b"1", prefix=("a",), start=("a", 3), stop=("a", 7))
    assert done.changed == 4
    assert [key for key, value in dump(store).items() if value == b"1"] == [("a", at) for at in range(3, 7)]


@pytest.mark.parametrize("form", ["msgpack", "json"])
def test_typed_values_are_changed(store, form):
    """A changed object is written, whether it is the same or another one; one that encodes the same is not."""
    users = store.partition("users", type=User, format=form)
    fill(users, 100, User("Ann"))

    def visit(key, user):
        if key[0] % 2:
            user.visits += 1
            return user
        return User("Ann") if key[0] % 4 else DELETED

    done = users.update_each(visit)
    assert done == Updated(seen=100, changed=50, deleted=25)
    assert dump(users) == {(at,): User("Ann", at % 2) for at in range(100) if at % 4}


# --- others write meanwhile -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 5, 499, 500, 700, 999])
@pytest.mark.parametrize("write_rows", [1, 7, 500, 1000])
def test_a_write_of_others_is_not_lost(store, at, write_rows):
    """An entry that others change between reading and writing is asked for again, with what stands there now.

    Whether it is in the first or a later transaction of its batch.
    """
    fill(store, 1000)
    is_first = True

    def more(key, value):
        nonlocal is_first
        if is_first:
            is_first = False
            store.put((at,), b"other")
        return value + b"+"

    done = store.update_each(more, write_rows=write_rows)
    assert store.get((at,)) == b"other+"
    assert done == Updated(seen=1000, changed=1000, repeated=1)
    assert list(dump(store).values()).count(b"0+") == 999


def test_a_write_of_others_to_a_long_key_is_not_lost(store):
    """Keys that LMDB cannot take whole are compared as all others are."""
    fill(store.partition("other"), 10)
    keys = [("x" * size, at) for size in (10, 470, 500, 1500) for at in range(5)]
    store.write([(key, b"0") for key in keys])
    is_first = True

    def more(_key, value):
        nonlocal is_first
        if is_first:
            is_first = False
            store.write([(key, b"other") for key in keys[3::4]])
        return value + b"+"

    done = store.update_each(more, write_rows=6, rows=20)
    assert done == Updated(seen=20, changed=20, repeated=5)
    assert store.get_many(keys) == [b"other+" if at % 4 == 3 else b"0+" for at in range(20)]
    assert store.update_each(lambda _key, _value: DELETED).deleted == 20
    assert (dump(store), store.count_estimate(), len(dump(store.partition("other")))) == ({}, 0, 10)


def test_what_the_function_returns_is_not_piled_up(store, monkeypatch):
    """Large new values are written as they come: no more of them exist at a time than are gathered."""
    monkeypatch.setattr(limits, "STORE_GATHERED_BYTES", 100_000)
    fill(store, 200)
    written = commits_of(store, monkeypatch)
    calls = 0

    def grown(_key, _value):
        nonlocal calls
        calls += 1
        assert calls - sum(written) <= 2 * 10 + 1  # those of one write, and those of the next one
        return b"x" * 10_000

    store.update_each(grown)
    assert sum(written) == 200


@pytest.mark.parametrize("first", [b"small", b"x" * 10_000])
def test_values_that_grow_heavy_are_written_as_they_come(store, monkeypatch, first):
    """However light the first ones are: when heavy ones come, no more of them exist than are gathered."""
    monkeypatch.setattr(limits, "STORE_GATHERED_BYTES", 100_000)
    fill(store, 300)
    written = commits_of(store, monkeypatch)

    def grown(key, _value):
        assert key[0] < 200 or key[0] - sum(written) <= 200
        return first if key[0] < 200 else b"x" * 90_000

    assert store.update_each(grown, write_rows=200).changed == 300
    assert max(written) <= 200
    assert sum(size <= 2 for size in written) >= 50


def test_what_the_function_raises_comes_out(store):
    """StopIteration, too, which would end a list in silence: no value gets to another key."""
    fill(store, 50)
    turns = iter([b"a", b"b"])
    with pytest.raises(StopIteration):
        store.update_each(lambda _key, _value: next(turns), write_rows=1)
    assert list(dump(store).values()) == [b"a", b"b", *[b"0"] * 48]


@pytest.mark.parametrize("write_rows", [3, 10, 500])
def test_writes_of_others_at_any_moment_are_not_lost(store, write_rows):
    """Somebody writes to entries behind, here and in front, at every call of the function: all of it counts."""
    fill(store, 60)
    added = dict.fromkeys(range(60), 0)
    seen = dict.fromkeys(range(60), 0)

    def more(key, value):
        at = key[0]
        if seen[at] == 0:
            for other in (at, (at + 7) % 60, (at + 31) % 60, (at - 2) % 60):
                store.put((other,), store.get((other,)) + b"o")
                added[other] += 1
        seen[at] += 1
        return value + b"+" if b"+" not in value else None

    store.update_each(more, write_rows=write_rows, rows=20)
    for (at,), value in dump(store).items():
        assert (value.count(b"o"), value.count(b"+")) == (added[at], 1)


def test_what_others_delete_stays_deleted(store):
    """An entry that is gone when it is to be written does not come back."""
    fill(store, 10)

    def more(key, value):
        if key == (0,):
            store.delete((5,))
            store.delete((0,))
        return value + b"+"

    done = store.update_each(more)
    assert (store.get((0,)), store.get((5,))) == (None, None)
    assert done == Updated(seen=10, changed=8, repeated=2)
    assert store.count_estimate() == 8


def test_what_others_changed_is_not_deleted_unasked(store):
    """DELETE holds for the value that the function saw: for another one it is asked again."""
    fill(store, 10)

    def old(key, value):
        if key == (0,) and value == b"0":
            store.put((5,), b"new")
        return DELETED if value == b"0" else None

    assert store.update_each(old) == Updated(seen=10, deleted=9, repeated=1)
    assert dump(store) == {(5,): b"new"}


def test_the_function_may_use_the_store(store):
    """Inside of it, other entries are read and written, walked over and compacted: no lock is held."""
    fill(store, 20)
    other = store.partition("other")

    def copy(key, value):
        other.put(key, value)
        assert store.get(key) == value
        assert len(list(store.batches(rows=5))) == 4
        if key == (7,):
            store.compact()
            store.trim()
        return b"1"

    assert store.update_each(copy, rows=6, write_rows=4).changed == 20
    assert set(dump(store).values()) == {b"1"}
    assert len(dump(other)) == 20


def test_an_entry_that_never_rests_ends_in_an_error(store):
    """Where others change an entry at each try, it gives up in words, and what was written stays."""
    fill(store, 10)

    def more(key, value):
        if key == (9,):
            store.put(key, value + b"o")
        return value + b"+"

    with pytest.raises(errors.BrokenError, match=r"change faster than they can be written, such as \(9,\)") as gave_up:
        store.update_each(more)
    assert "what was written stays" in gave_up.value.hint
    assert [store.get((at,)) for at in range(9)] == [b"0+"] * 9


def test_two_passes_at_once_lose_nothing(store):
    """Two threads that each add one to every entry add two."""
    fill(store, 300)
    failed = []

    def add():
        try:
            store.update_each(lambda _key, value: b"%d" % (int(value) + 1), write_rows=20, rows=50)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=add) for _number in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    assert set(dump(store).values()) == {b"2"}


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_an_error_of_the_function_comes_through(store):
    """What was written before it stays, what was gathered is not written, and the budget has its bytes again."""
    fill(store, 100)

    def until(key, _value):
        if key == (25,):
            raise KeyError("mine")
        return b"1"

    with Budget("64 MiB") as budget:
        with pytest.raises(KeyError, match="mine"):
            store.update_each(until, write_rows=10, rows=10)
        assert budget.held == 0
    assert [at for (at,), value in dump(store).items() if value == b"1"] == list(range(20))
    assert store.update_each(lambda _key, value: b"1" if value == b"0" else None).changed == 80


@pytest.mark.parametrize("wrong", ["text", 1, True, ["a"], object()], ids=lambda wrong: type(wrong).__name__)
def test_what_is_no_value_is_refused(store, wrong):
    """A function that returns neither a value, None nor DELETE is told what it returned."""
    fill(store, 100)
    with pytest.raises(errors.UsageError, match=f"is {type(wrong).__name__}, and this store holds bytes"):
        store.update_each(lambda key, _value: wrong if key == (50,) else b"1", write_rows=10)
    points = store.partition("points", type=Point)
    points.put((1,), Point(1))
    with pytest.raises(errors.UsageError, match="cannot be stored as Point"):
        points.update_each(lambda _key, _value: wrong)


@pytest.mark.parametrize("function", [None, b"1", 5, DELETED], ids=repr)
def test_what_is_no_function_is_refused(store, function):
    """It is refused before the first entry is read."""
    with pytest.raises(errors.UsageError, match="is no function"):
        store.update_each(function)


@pytest.mark.parametrize("write_rows", [0, -1, None, "5", 1.5, True, 10**9], ids=str)
def test_a_size_of_transactions_that_is_none_is_refused(store, write_rows):
    """write_rows has to be a number that one transaction can have."""
    with pytest.raises(errors.UsageError, match="write_rows="):
        store.update_each(lambda _key, _value: None, write_rows=write_rows)


def test_a_damaged_value_stops_the_pass(store):
    """CorruptError names the key; what was written before stays."""
    users = store.partition("users", type=User)
    fill(users, 100, User("Ann"))
    store.partition("users").put((60,), b"\xc1")

    def visit(_key, user):
        user.visits += 1
        return user

    with pytest.raises(errors.CorruptError, match=r"value of \(60,\) is no User"):
        users.update_each(visit, rows=10, write_rows=10)
    assert users.get((49,)).visits == 1
    assert users.get((61,)).visits == 0


def test_large_transactions_are_charged(store):
    """More changes in one transaction than the store has reserved for are taken from the budget, or refused."""
    fill(store, 10)
    with Budget("64 MiB") as budget:
        held = []
        store.update_each(lambda _key, _value: held.append(budget.held), write_rows=5000)
        assert held[0] > 16 << 20
        assert budget.held == 0
        with pytest.raises(errors.BudgetExceeded):
            store.update_each(lambda _key, _value: None, write_rows=limits.STORE_BATCH_ROWS_MAX)
        assert budget.held == 0


@dataclass
class Picky:
    x: int

    def __eq__(self, other):
        return self.x == other.x

    def __hash__(self):
        return self.x


def test_values_that_compare_in_their_own_way(opened):
    """What a function returns is asked nothing: None is told by what it is, and values are compared as bytes."""
    store = opened(type=Picky)
    store.write([((at,), Picky(at)) for at in range(10)])
    done = store.update_each(lambda key, value: Picky(value.x + 1) if key[0] % 2 else None)
    assert done == Updated(seen=10, changed=5)
