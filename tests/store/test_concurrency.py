"""Threads walk, write, update and keep house at once: nobody waits for ever, nothing is skipped, torn or lost."""

from __future__ import annotations

import sys
import threading
import time
from functools import partial

import pytest

from flatwater import errors, limits
from flatwater.store.store import Store

DEADLINE_S = 100


@pytest.fixture
def hurried():
    """Threads change places after a microsecond instead of five thousand."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def small_map(monkeypatch):
    """LMDB's map begins with 1 MiB, and grows several times in a test."""
    monkeypatch.setattr(limits, "STORE_MAP_BYTES", 1 << 20)


def together(*works):
    """Run each in a thread of its own, begun at one moment; their results, or the first error."""
    gate = threading.Barrier(len(works))
    done = [None] * len(works)
    failed = []

    def run(at, work):
        try:
            gate.wait(DEADLINE_S)
            done[at] = work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(works)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(DEADLINE_S)
        assert not each.is_alive(), "a thread waits for ever"
    if failed:
        raise failed[0]
    return done


def fill(store, count, value=b"synced"):
    store.write([(("file", at), value) for at in range(count)])


def walked(store, **options):
    return [key[-1] for batch in store.batches(("file",), **options) for key, _value in batch]


# --- five tests of a cache that once read in one long transaction -------------------------------------------------------


def test_writes_during_a_walk(store):
    """5,000 entries are walked over while each batch of 100 is written back: all come once, and all are changed."""
    fill(store, 5000)
    seen = []
    for batch in store.batches(rows=500):
        for at in range(0, len(batch), 100):
            store.write([(key, b"seen") for key, _value in batch[at : at + 100]])
        seen += [key[1] for key, _value in batch]
    assert seen == list(range(5000))
    assert {value for batch in store.batches() for _key, value in batch} == {b"seen"}


def test_deletions_during_a_walk(store):
    """1,000 entries are deleted as they come, by the walker and by a thread behind it: none is skipped."""
    fill(store, 1000)
    behind = []
    reached = threading.Semaphore(0)

    def walk():
        seen = []
        for batch in store.batches(rows=50):
            seen += [key[1] for key, _value in batch]
            store.write([(key, None) for key, _value in batch[1::2]])
            behind.append([key for key, _value in batch[::2]])
            reached.release()
        return seen

    def delete():
        for number in range(20):
            assert reached.acquire(timeout=DEADLINE_S)
            for key in behind[number]:
                store.delete(key)

    seen, _none = together(walk, delete)
    assert seen == list(range(1000))
    assert walked(store) == []
    assert store.count_estimate() == 0


@pytest.mark.slow
def test_a_hundred_thousand_entries(store):
    """100,000 entries are read while another thread writes each of them: all come once, and all are written."""
    count = 100_000
    for begin in range(0, count, 10_000):
        store.write([(("file", at), b"synced") for at in range(begin, begin + 10_000)])

    def write():
        for begin in range(0, count, 500):
            store.write([(("file", at), b"seen") for at in range(begin, begin + 500)])

    seen, _none = together(lambda: walked(store), write)
    assert seen == list(range(count))
    assert {value for batch in store.batches() for _key, value in batch} == {b"seen"}


def test_three_readers_at_once(store):
    """Three walks side by side, in both directions, each see all of 1,000 entries."""
    fill(store, 1000)
    one, two, three = together(
        lambda: walked(store, rows=10), lambda: walked(store, rows=33), lambda: walked(store, rows=10, reverse=True)
    )
    assert one == two == three[::-1] == list(range(1000))


def test_updates_of_the_keys_being_read(store):
    """500 keys are read and written at once, again and again: each value is one that was written, the last one stays."""
    fill(store, 500, b"0" * 100)
    rounds = 10

    def write():
        for number in range(1, rounds):
            for at in range(0, 500, 50):
                store.write([(("file", at + more), b"%d" % number * 100) for more in range(50)])

    def read():
        found = set()
        for _number in range(rounds):
            values = [value for batch in store.batches(rows=70) for _key, value in batch]
            assert len(values) == 500
            found |= set(values)
        return found

    _none, found = together(write, read)
    assert found <= {b"%d" % number * 100 for number in range(rounds)}
    assert {value for batch in store.batches() for _key, value in batch} == {b"%d" % (rounds - 1) * 100}


# --- all at once, in a hurry ------------------------------------------------------------------------------------------


def test_a_write_is_seen_whole_or_not_at_all(store, hurried):
    """get_many, a batch and an update see all entries of one write, or none."""
    pairs = [(("file", at), b"0") for at in range(50)]
    store.write(pairs)
    enough = 10
    done = {"writer": 0, "one": 0, "two": 0}  # all go on until each has had its turns, whoever came late
    given_up = time.monotonic() + DEADLINE_S

    def at_it():
        return min(done.values()) < enough and time.monotonic() < given_up

    def write():
        while at_it():
            done["writer"] += 1
            store.write([(key, b"%d" % done["writer"]) for key, _value in pairs])

    def read(who):
        while at_it():
            assert len(set(store.get_many([key for key, _value in pairs]))) == 1
            (batch,) = store.batches()
            assert len(batch) == 50
            assert len({value for _key, value in batch}) == 1
            done[who] += 1

    together(write, partial(read, "one"), partial(read, "two"))
    assert min(done.values()) >= enough


def test_no_addition_is_lost(opened, hurried, small_map):
    """Three threads add to the same counters while others write, walk, compact, trim and let the file grow."""
    store = opened()
    counters, noise = store.partition("counters"), store.partition("noise")
    fill(store, 300)
    counters.write([((at,) if at % 3 else ("long" * 150, at), b"0") for at in range(60)])
    passes = 6
    stop = threading.Event()

    def add(rows, write_rows):
        changed = 0
        for _number in range(passes):
            done = counters.update_each(lambda _key, value: b"%d" % (int(value) + 1), rows=rows, write_rows=write_rows)
            assert done.seen == 60
            changed += done.changed
        return changed

    def write(number):
        for at in range(30):
            noise.write([((number, at, more), b"x" * 2000) for more in range(20)])
            noise.put((number, "one" * at * 10, at), b"y" * 9000)
            assert noise.get((number, "one" * at * 10, at)) == b"y" * 9000

    def walk():
        count = 0
        while not stop.is_set():
            assert walked(store, rows=23) == list(range(300))
            assert walked(store, rows=41, reverse=True) == list(range(299, -1, -1))
            count += 1
        return count

    def keep_house():
        for _number in range(4):
            store.compact()
            store.trim()
            assert store.stats().entries >= 360
            assert store.check() == []
            assert len(noise.ranges(3)) <= 3

    def works():
        try:
            return together(
                lambda: add(60, 500),
                lambda: add(7, 3),
                lambda: add(20, 1),
                lambda: write(1),
                lambda: write(2),
                keep_house,
            )
        finally:
            stop.set()

    _count, results = together(walk, works)
    assert results[:3] == [passes * 60] * 3
    assert {value for batch in counters.batches() for _key, value in batch} == {b"%d" % (3 * passes)}
    assert noise.count_estimate() == sum(map(len, noise.batches())) == 2 * (30 * 20 + 30)
    assert store.check() == []
    assert store.stats().notes.get("map_bytes", 2 << 20) > 1 << 20
    store.close()
    again = opened()
    assert again.partition("noise").count_estimate() == 1260
    assert walked(again) == list(range(300))


def test_partitions_made_at_once_are_one_each(store, hurried):
    """Threads that write the first entries of the same partitions meet in the same ones, and numbers are not given twice."""
    names = [f"p{at}" for at in range(30)]

    def write(number):
        for name in names[number:] + names[:number]:
            store.partition(name).put((number,), name.encode())

    together(*[lambda number=number: write(number) for number in range(4)])
    assert store.partitions() == sorted(names)
    for name in names:
        assert [pair for batch in store.partition(name).batches() for pair in batch] == [
            ((number,), name.encode()) for number in range(4)
        ]
        assert store.partition(name).count_estimate() == 4


def test_closing_ends_all_others_in_words(opened, hurried):
    """Whoever is at work when the store closes finishes or gets ClosedError, and nothing hangs or crashes."""
    store = opened()
    fill(store, 2000)
    begun = threading.Semaphore(0)

    def until_closed(work):
        def run():
            while True:
                work()
                begun.release()

        def ended():
            with pytest.raises(errors.ClosedError):
                run()

        return ended

    def close():
        for _number in range(12):
            assert begun.acquire(timeout=DEADLINE_S)
        together(store.close, store.close)

    together(
        until_closed(lambda: store.get(("file", 5))), until_closed(lambda: walked(store, rows=100)),
        until_closed(lambda: store.put(("file", 5), b"x")), until_closed(lambda: store.update_each(lambda _key, value: value)),
        until_closed(store.trim), until_closed(store.stats), close,
    )  # fmt: skip
    with Store(store.path) as again:
        assert walked(again) == list(range(2000))


def test_stores_side_by_side(opened, hurried, tmp_path, backend):
    """Several stores in one process, opened, filled and closed by several threads, do not know each other."""

    def use(number):
        for turn in range(3):
            with Store(tmp_path / f"own{number}", backend=backend, sync="off") as own:
                own.write([((turn, at), b"%d" % number) for at in range(100)])
        with Store(tmp_path / f"own{number}") as own:
            return {value for batch in own.batches() for _key, value in batch}, own.count_estimate()

    assert together(*[lambda number=number: use(number) for number in range(3)]) == [
        ({b"%d" % number}, 300) for number in range(3)
    ]
