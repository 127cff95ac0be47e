"""Walks give each entry once, within their bytes, whatever is written meanwhile; what they took goes back, however they end."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
from dataclasses import dataclass
from itertools import pairwise, product

import msgspec
import pytest

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.budget.gate import Gate
from flatwater.sizing.heap import heap_bytes
from flatwater.store.engines import base
from flatwater.store.store import Store

MIB = 1 << 20


class User(msgspec.Struct):
    name: str
    tags: list[str]


@dataclass
class Point:
    x: int
    y: int


def keys_of(walk):
    return [key for batch in walk for key, _value in batch]


def fill(partition, count, value=b"value"):
    partition.write([((at,), value) for at in range(count)])
    return [(at,) for at in range(count)]


# --- what comes -------------------------------------------------------------------------------------------------------


def test_every_bound_in_every_combination(store):
    """Prefix, start, stop, rows, bytes and direction cut together as a sorted list is cut."""
    keys = sorted((a, b, at) for a in "ab" for b in (1, 2) for at in range(4))
    store.write([(key, b"x" * key[2] * 300) for key in keys])
    store.partition("behind").write([(key, b"other") for key in keys])
    edges = [None, ("a",), ("a", 1, 2), ("a", 1, 2, None), ("a", 2), ("b", 2, 3), ("c",), (None,)]
    for prefix, start, stop in product([(), ("a",), ("a", 2), ("b", 1, 3), ("c",)], edges, edges):
        wanted = [
            key
            for key in keys
            if key[: len(prefix)] == prefix
            and (start is None or before(start, key))
            and (stop is None or not before(stop, key))
        ]
        for rows, size, is_reverse in [(1, "1 MiB", False), (3, 700, True), (1000, "8 MiB", True), (2, 1500, False)]:
            options = {"prefix": prefix, "start": start, "stop": stop, "rows": rows, "bytes": size}
            assert keys_of(store.batches(**options, reverse=is_reverse)) == (wanted[::-1] if is_reverse else wanted)


def before(one, other):
    """Whether one <= other, None below all texts and numbers."""
    return [(each is not None, each) for each in one] <= [(each is not None, each) for each in other]


def test_batches_are_full_and_never_empty(store):
    """Each batch but the last has as many rows as asked for, and none is empty, at whatever number the entries end."""
    for count in (0, 1, 9, 10, 11, 20):
        partition = store.partition(f"p{count}")
        fill(partition, count) if count else None
        for is_reverse in (False, True):
            sizes = [len(batch) for batch in partition.batches(rows=10, reverse=is_reverse)]
            assert sizes == [10] * (count // 10) + [count % 10] * (count % 10 > 0)


@pytest.mark.parametrize("is_reverse", [False, True])
@pytest.mark.parametrize("kind", ["small", "mixed", "large"])
def test_a_batch_is_within_its_bytes(store, kind, is_reverse):
    """Heap bytes of every batch stay below the bound; an entry that is larger than it comes alone."""
    sizes = {"small": [10] * 3000, "mixed": [10, 3000, 50, 100_000, 2000] * 60, "large": [300_000, 10, 70_000, 1] * 10}[
        kind
    ]
    store.write([((at,), b"x" * size) for at, size in enumerate(sizes)])
    bound = 65_536
    batches = list(store.batches(bytes=bound, reverse=is_reverse))
    assert sorted(keys_of(batches)) == [(at,) for at in range(len(sizes))]
    for batch in batches:
        assert heap_bytes(batch) <= bound * 1.05 or len(batch) == 1
    for batch, following in pairwise(batches):  # none is much smaller than it could be
        size = sum(len(value) + base.ENTRY_BYTES + 20 for _key, value in [*batch, following[0]])
        assert size > bound / 3 or len(batch) == limits.STORE_BATCH_ROWS


def test_a_bound_of_one_byte_gives_one_entry_at_a_time(store):
    """However small the bound is, the walk goes on."""
    keys = fill(store, 5)
    assert [len(batch) for batch in store.batches(bytes=1)] == [1] * 5
    assert keys_of(store.batches(bytes=1, reverse=True)) == keys[::-1]


@pytest.mark.parametrize("form", ["msgpack", "json"])
@pytest.mark.parametrize(
    ("kind", "value"),
    [(User, User("Ann", ["a", "b"])), (dict, {"a": [1, 2], "b": None}), (Point, Point(1, 2)), (list[int], [1, 2, 3])],
    ids=["struct", "dict", "dataclass", "list"],
)
def test_typed_values_come_typed(store, kind, value, form):
    """A walk gives what was put in, in both directions, from the first page to those that are weighed; and nothing of nothing."""
    partition = store.partition("typed", type=kind, format=form)
    partition.put((0,), value)
    assert keys_of(partition.batches(start=(1,))) == []
    keys = fill(partition, 200, value)
    for is_reverse in (False, True):
        pairs = [pair for batch in partition.batches(rows=50, reverse=is_reverse) for pair in batch]
        assert [key for key, _value in pairs] == (keys[::-1] if is_reverse else keys)
        assert all(got == value and type(got) is type(value) for _key, got in pairs)


@pytest.mark.parametrize("form", ["msgpack", "json"])
@pytest.mark.parametrize("repeat", [1, 50, 400])
def test_typed_values_are_bounded_as_what_they_become(store, form, repeat):
    """The bytes of a batch are those of the objects, which are many times those on disk; so are those of the first batch."""
    partition = store.partition("typed", type=dict, format=form)
    fill(partition, 100 if repeat < 400 else 20, {"a": [[at] for at in range(repeat)]})
    bound = 131_072
    batches = list(partition.batches(bytes=bound))
    for batch in batches:
        assert heap_bytes(batch) <= bound * 1.25 or len(batch) == 1
    assert sum(map(len, batches)) == partition.count_estimate()
    if repeat == 50:
        assert max(heap_bytes(batch) for batch in batches) > bound / 3


# --- damage -----------------------------------------------------------------------------------------------------------


def test_a_damaged_value_is_named_and_nothing_before_it_is_lost(store):
    """The error says which key; resume_key is behind what came, and who just goes on is told."""
    store.write([((at,), msgspec.msgpack.encode(at)) for at in range(100)])
    store.put((57,), b"\xc1")
    with Budget("64 MiB") as budget:
        walk = store.partition("main", type=int).batches(rows=10)
    got = [next(walk) for _time in range(5)]
    with pytest.raises(errors.CorruptError, match=r"value of \(57,\) is no int"):
        next(walk)
    assert keys_of(got) == [(at,) for at in range(50)]
    assert walk.resume_key == (49, None)
    with pytest.raises(errors.ClosedError, match="broke"):
        next(walk)
    assert budget.held == 0
    store.put((57,), msgspec.msgpack.encode(57))
    assert keys_of(store.batches(start=walk.resume_key)) == [(at,) for at in range(50, 100)]


def test_a_damaged_key_is_damage(store):
    """Bytes under a partition that are no key end the walk with CorruptError."""
    fill(store, 3)
    head = store._head
    store._space.engine.write([(head, [(head + b"\x0f", b"")])])
    with pytest.raises(errors.CorruptError, match="no key of this store"):
        list(store.batches())


# --- going on ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_reverse", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 10])
def test_a_walk_goes_on_where_another_ended(store, rows, is_reverse):
    """From any batch on, another walk with resume_key gives the rest, even when the entry it names is deleted."""
    keys = fill(store, 20)[:: -1 if is_reverse else 1]
    whole = len(list(store.batches(rows=rows, reverse=is_reverse)))
    for taken in range(whole + 1):
        fill(store, 20)
        walk = store.batches(rows=rows, reverse=is_reverse)
        assert walk.resume_key is None
        got = keys_of([next(walk) for _time in range(taken)])
        if not got:
            continue
        store.delete(got[-1])
        where = {"stop" if is_reverse else "start": walk.resume_key}
        assert got + keys_of(store.batches(rows=rows, reverse=is_reverse, **where)) == keys


def test_resume_key_is_right_beside_keys_that_continue_it(store):
    """Keys that begin with the one that came last are still to come, forwards, and are behind, in reverse."""
    store.write([(key, b"") for key in [("a",), ("a", None), ("a", None, 1), ("a", 1), ("a\x00",), ("b",)]])
    keys = keys_of(store.batches())
    for is_reverse in (False, True):
        wanted = keys[::-1] if is_reverse else keys
        walk = store.batches(rows=1, reverse=is_reverse)
        for at, batch in enumerate(walk):
            where = {"stop" if is_reverse else "start": walk.resume_key}
            assert [batch[0][0], *keys_of(store.batches(reverse=is_reverse, **where))] == wanted[at:]


def test_a_resume_key_can_be_stored(opened):
    """It is a key: kept in the store itself, it goes on after a reopening."""
    store = opened()
    keys = fill(store.partition("p"), 10)
    walk = store.partition("p").batches(rows=4)
    got = keys_of([next(walk)])
    store.put(("where", *walk.resume_key), b"")
    store.close()
    again = opened()
    (where, _value), *_ = next(again.batches())
    assert got + keys_of(again.partition("p").batches(start=where[1:])) == keys


def test_what_is_written_during_a_walk(store):
    """Entries that are there all the time come once; those written in front of it come, those behind it do not."""
    fill(store, 100)
    got = []
    for number, batch in enumerate(store.batches(rows=10)):
        got += [key for key, _value in batch]
        store.put((number * 10 + 5, "new"), b"behind")
        store.put((number * 10 + 15, "new"), b"in front")
        store.delete((number * 10 + 12,))
        store.put((number * 10 + 3,), b"behind, again")
    plain = [key[0] for key in got if len(key) == 1]
    assert plain == [at for at in range(100) if at < 10 or at % 10 != 2]
    assert [key for key in got if len(key) == 2] == [(at * 10 + 15, "new") for at in range(10)]


def test_a_walk_over_what_it_appends_to_ends_where_the_writer_does(store):
    """A batch is read when it is asked for: entries behind the end come, as long as somebody writes them."""
    store.put((0,), b"")
    seen = 0
    for batch in store.batches(rows=1):
        seen += 1
        if seen < 50:
            store.put((batch[0][0][0] + 1,), b"")
    assert seen == 50


# --- the budget -------------------------------------------------------------------------------------------------------


def test_its_bytes_are_reserved_from_the_first_batch_to_the_end(store):
    """Nothing is held before the walk starts; then two batches, until it has come to its end."""
    fill(store, 30)
    with Budget("64 MiB") as budget:
        walk = store.batches(rows=10, bytes="1 MiB")
        assert (walk.bytes_max(), budget.held) == (2 * MIB, 0)
        for _batch in walk:
            assert budget.held == 2 * MIB
        assert budget.held == 0
        assert list(walk) == []
        assert budget.held == 0
    assert "store.batches main" in walk.name


@pytest.mark.parametrize("ending", ["close", "with", "break", "raise", "drop", "async break"])
def test_its_bytes_go_back_however_it_ends(store, ending):
    """Closed, left, broken out of, dropped or through an error: the budget has everything again."""
    fill(store, 30)
    with Budget("64 MiB") as budget:
        if ending == "close":
            walk = store.batches(rows=10)
            next(walk)
            walk.close()
            walk.close()
            assert list(walk) == []
        elif ending == "with":
            with store.batches(rows=10) as walk:
                next(walk)
                assert budget.held == 16 * MIB
        elif ending == "break":
            for _batch in store.batches(rows=10):
                break
        elif ending == "raise":
            with pytest.raises(ZeroDivisionError):
                divided_by_batches(store)
        elif ending == "drop":
            walk = store.batches(rows=10)
            next(walk)
            del walk
        else:
            asyncio.run(first_of(store.batches(rows=10)))
        gc.collect()
        assert budget.held == 0


async def first_of(walk):
    async with walk:
        async for _batch in walk:
            break


def divided_by_batches(store):
    for batch in store.batches(rows=10):
        len(batch) / 0


def test_a_walk_that_does_not_fit_is_refused(store):
    """BudgetExceeded comes at the first batch with the walk's name; nothing is held, and a smaller one goes."""
    fill(store, 30)
    with Budget("4 MiB") as budget:
        walk = store.batches()
        with pytest.raises(errors.BudgetExceeded, match=r"refused 16.0 MiB for 'store.batches main'"):
            next(walk)
        assert budget.held == 0
        assert len(keys_of(store.batches(bytes="1 MiB"))) == 30
        with pytest.raises(errors.BudgetExceeded):
            store.update_each(lambda _key, _value: b"changed")
        assert store.get((0,)) == b"value"
        assert budget.held == 0
    with pytest.raises(errors.BudgetExceeded):  # it did not end as if nothing were there
        next(walk)
    assert len(keys_of(store.batches())) == 30


def test_the_budget_is_the_one_around_the_call(store):
    """A walk belongs to the budget in which it was made, wherever it goes on."""
    fill(store, 30)
    with Budget("64 MiB") as one:
        walk = store.batches(rows=10)
    with Budget("64 MiB") as other:
        next(walk)
        assert (one.held, other.held) == (16 * MIB, 0)
    walk.close()


def test_a_closed_gate_holds_a_walk_until_it_opens(store, monkeypatch):
    """Between two batches a walk waits at the gate of its budget, and then goes on with the next one."""
    keys = fill(store, 30)
    with Budget("64 MiB") as budget:
        walk = store.batches(rows=10)
        got = next(walk)
        budget.gate.pause("memory is critical")
        waiting = threading.Event()
        wait = Gate.wait
        monkeypatch.setattr(Gate, "wait", lambda *args: waiting.set() or wait(*args))
        rest = []
        thread = threading.Thread(target=lambda: rest.extend(walk))
        thread.start()
        assert waiting.wait(30)
        assert rest == []
        budget.gate.resume()
        thread.join(30)
        assert keys_of([got, *rest]) == keys


def test_a_gate_that_stays_closed_is_an_error(store, monkeypatch):
    """After limits.GATE_WAIT_S the walk says why it waits; it can go on when the gate is open."""
    keys = fill(store, 30)
    monkeypatch.setattr(limits, "GATE_WAIT_S", 0.01)
    monkeypatch.setattr(Gate.wait, "__defaults__", (0.01,))
    with Budget("64 MiB") as budget:
        walk = store.batches(rows=10)
        got = next(walk)
        budget.gate.pause("memory is critical")
        with pytest.raises(errors.LimitReached, match="memory is critical"):
            next(walk)
        budget.gate.resume()
        assert keys_of([got, *store.batches(start=walk.resume_key)]) == keys
        assert keys_of([got, *walk]) == keys
        assert budget.held == 0


# --- coroutines -------------------------------------------------------------------------------------------------------


def test_async_for_gives_the_same(store):
    """Both faces give the same batches, and the budget has its bytes again."""
    fill(store, 35)

    async def walked():
        return [batch async for batch in store.batches(rows=10)]

    with Budget("64 MiB") as budget:
        assert asyncio.run(walked()) == list(store.batches(rows=10))
        assert budget.held == 0


def test_coroutines_walk_side_by_side(store):
    """Ten walks in one loop, with writes between their batches, all see all entries."""
    keys = fill(store, 100)

    async def walked(number):
        got = []
        async for batch in store.batches(rows=7, bytes="64 KiB"):
            got += [key for key, _value in batch]
            await asyncio.to_thread(store.put, (number * 9 % 100,), b"again")
        return got

    async def main():
        return await asyncio.gather(*map(walked, range(10)))

    assert asyncio.run(main()) == [keys] * 10


# --- misuse -----------------------------------------------------------------------------------------------------------


def test_a_walk_of_a_closed_store_says_so(opened):
    """The next batch after close() is ClosedError, and the budget has its bytes again."""
    with Budget("64 MiB") as budget:
        store = opened()
        fill(store, 30)
        walk = store.batches(rows=10)
        next(walk)
        store.close()
        with pytest.raises(errors.ClosedError):
            next(walk)
        with pytest.raises(errors.ClosedError):
            list(store.batches())
        assert budget.held == 0


def test_a_walk_cannot_be_pickled(store):
    """Its resume_key can."""
    fill(store, 3)
    walk = store.batches()
    next(walk)
    with pytest.raises(errors.UsageError, match="cannot be pickled"):
        pickle.dumps(walk)
    assert pickle.loads(pickle.dumps(walk.resume_key)) == (2, None)


def test_nothing_of_a_walk_stays_open(tmp_path, backend):
    """A walk that was left in the middle keeps no transaction: the store closes, and opens again."""
    with Store(tmp_path / "s", backend=backend) as store:
        fill(store, 30)
        walk = store.batches(rows=10)
        next(walk)
        assert [reader for reader in store.stats().readers if reader.commits_behind] == []
    with Store(tmp_path / "s") as again:
        assert len(keys_of(again.batches(start=walk.resume_key))) == 20


def test_a_cancelled_task_loses_no_batch(store):
    """What a thread had read when its task was cancelled comes next; resume_key is behind what came, and not behind that."""
    fill(store, 5_000)

    async def main():
        walk, came = store.batches(rows=50), []

        async def read():
            async for batch in walk:
                came.extend(key for key, _value in batch)

        while True:
            task = asyncio.ensure_future(read())
            await asyncio.wait([task], timeout=0.001)
            if task.done():
                return came
            task.cancel()
            await asyncio.wait([task])
            if came:
                assert walk.resume_key == (*came[-1], None)

    assert asyncio.run(main()) == [(at,) for at in range(5_000)]


def test_a_walk_is_for_one_task(store):
    """A second task that reads from it at the same time is refused, and the first one gets everything."""
    fill(store, 100)

    async def main():
        walk = store.batches(rows=10)
        first = asyncio.ensure_future(anext(walk))
        await asyncio.sleep(0)
        with pytest.raises(errors.UsageError, match="another task reads"):
            await anext(walk)
        return len(await first)

    assert asyncio.run(main()) == 10


def test_values_that_grow_heavy_end_a_batch(tmp_path):
    """Typed values that weigh far more than those before them do not come all at once."""
    with Store(tmp_path / "s", type=dict, sync="off") as store:
        store.write([((0, at), {"a": b"x" * 50}) for at in range(300)])
        store.write([((1, at), {"a": [{}] * 2_000}) for at in range(300)])
        sizes = [len(batch) for batch in store.batches(bytes="4 MiB") if batch[-1][0][0] == 1]
    assert sum(sizes) >= 300
    assert max(sizes[1:]) <= 64  # 2,000 empty dicts take 140 KB or so


def test_long_keys_are_weighed_whole(tmp_path):
    """Bytes of a batch are those of whole keys, not of the pieces that they are stored in."""
    with Store(tmp_path / "s", sync="off") as store:
        store.write([(("k" * 20_000 + f"{at:04d}",), b"") for at in range(100)])
        batches = list(store.batches(bytes="256 KiB"))
    assert sum(map(len, batches)) == 100
    assert max(map(len, batches)) <= 13


def test_light_and_heavy_values_that_take_turns(tmp_path):
    """Typed values of two kinds: a batch weighs about what was asked for, whatever the order they come in."""
    with Store(tmp_path / "s", type=dict, sync="off") as store:
        store.write([((at, "head"), {"n": at}) for at in range(800)])
        store.write([((at, "tree"), {"t": [[]] * 1000}) for at in range(800)])
        sizes = [heap_bytes([value for _key, value in batch]) for batch in store.batches(bytes="4 MiB", rows=10_000)]
    assert len(sizes) > 10
    assert sorted(sizes)[len(sizes) // 2] < 5 << 20
    assert max(sizes) < 10 << 20


def test_keys_of_many_elements_are_weighed_as_tuples(tmp_path):
    """Many small elements take more than their bytes: fewer of such keys come at once."""
    with Store(tmp_path / "s", sync="off") as store:
        store.write([((at, *(f"{at % 7}{part}" for part in range(100))), b"") for at in range(3000)])
        sizes = [heap_bytes(batch) for batch in store.batches(bytes="2 MiB", rows=100_000)]
        assert sum(len(batch) for batch in store.batches(bytes="2 MiB", reverse=True)) == 3000
    assert max(sizes) < 2.5 * (1 << 20)


def test_a_walk_goes_on_after_its_task_and_its_loop_have_ended(store):
    """What a cancelled task has read comes next: in another task, another loop, or a plain for."""
    fill(store, 100)

    async def cancelled(walk):
        task = asyncio.ensure_future(anext(walk))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def rest(walk):
        return [key for batch in [batch async for batch in walk] for key, _value in batch]

    for ending in ("another loop", "for"):
        walk = store.batches(rows=10)
        asyncio.run(cancelled(walk))
        seen = [key for batch in walk for key, _value in batch] if ending == "for" else asyncio.run(rest(walk))
        assert seen == [key for batch in store.batches() for key, _value in batch], ending
