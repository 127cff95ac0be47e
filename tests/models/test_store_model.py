"""A store, whatever is done to it in whatever order, is a sorted dict that survives being closed."""

from __future__ import annotations

import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from flatwater import errors
from flatwater.store import keys
from flatwater.store.compacting import Policy
from flatwater.store.store import Store
from flatwater.store.updating import Updated

NAMES = ["main", "a", "b\x00"]
LONG = "x" * 475  # with a head and a tag, about where LMDB's keys end
PARTS = st.sampled_from([None, False, 0, 1, 2, -1, 2**70, 0.5, "", "a", "a\x00", "b", b"", b"\xff", LONG, LONG + "yy"])
KEYS = st.lists(PARTS, min_size=1, max_size=3).map(tuple)
VALUES = st.sampled_from([b"", b"1", b"22", b"x" * 300, b"y" * 3000, b"z" * 20_000])
WRITES = st.lists(st.tuples(KEYS, st.none() | VALUES), max_size=12)
names = st.sampled_from(NAMES)


def order(key):
    return keys.encode(b"", key)


class StoreMachine(RuleBasedStateMachine):
    """Dicts of dicts beside the store; every rule does the same to both."""

    backend = "lmdb"
    marks = Bundle("marks")

    @initialize()
    def begin(self):
        self.folder = tempfile.mkdtemp()
        self.store = Store(f"{self.folder}/s", backend=self.backend, sync="off")
        self.model = {}

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    def part(self, name):
        return self.store if name == "main" else self.store.partition(name)

    def held(self, name):
        """What is there, sorted."""
        return [pair for _raw, pair in sorted(self.model.get(name, {}).items())]

    def note(self, name, key, value):
        if value is None:
            self.model.get(name, {}).pop(order(key), None)
        else:
            self.model.setdefault(name, {})[order(key)] = key, value  # 0, 0.0 and False are one key of a dict

    def cut(self, name, prefix=(), start=None, stop=None):
        low, high = keys.prefix_range(b"", prefix)
        low = max(low, order(start)) if start else low
        high = min(high, order(stop) if stop else b"") if stop is not None else high
        return [(key, value) for key, value in self.held(name) if low <= order(key) < high]

    # --- writing ------------------------------------------------------------------------------------------------------

    @rule(name=names, key=KEYS, value=VALUES)
    def put(self, name, key, value):
        self.part(name).put(key, value)
        self.note(name, key, value)

    @rule(name=names, key=KEYS)
    def delete(self, name, key):
        self.part(name).delete(key)
        self.note(name, key, None)

    @precondition(lambda self: any(self.model.values()))
    @rule(name=names, data=st.data())
    def delete_one_that_is_there(self, name, data):
        if self.model.get(name):
            self.delete(name, data.draw(st.sampled_from([key for key, _value in self.held(name)])))

    @rule(name=names, pairs=WRITES)
    def write(self, name, pairs):
        self.part(name).write(pairs)
        for key, value in pairs:
            self.note(name, key, value)

    @rule(several=st.dictionaries(names, WRITES))
    def write_to(self, several):
        self.store.write_to({self.part(name): pairs for name, pairs in several.items()})
        for name, pairs in several.items():
            for key, value in pairs:
                self.note(name, key, value)

    @rule(
        name=names,
        pairs=WRITES,
        bad=st.sampled_from([("a", b"1"), (("a",), "text"), ((), b"1"), (("a",),)]),
        data=st.data(),
    )
    def a_refused_write_changes_nothing(self, name, pairs, bad, data):
        pairs.insert(data.draw(st.integers(0, len(pairs))), bad)
        with pytest.raises(errors.UsageError):
            self.part(name).write(pairs)

    @rule(
        name=names,
        rows=st.integers(1, 5),
        write_rows=st.integers(1, 5),
        prefix=st.just(()) | KEYS,
        change=st.integers(0, 2),
    )
    def update_each(self, name, rows, write_rows, prefix, change):
        """Values become longer, go, or stay; nobody else writes, so each is asked for once."""

        def changed(key, value):
            return [None, value + b"+" if len(value) < 400 else value, Store.DELETE][
                (len(value) + len(key) + change) % 3
            ]

        wanted = Updated()
        for key, value in self.cut(name, prefix):
            new = changed(key, value)
            wanted.seen += 1
            wanted.deleted += new is Store.DELETE
            wanted.changed += type(new) is bytes and new != value
            if new is not None:
                self.note(name, key, None if new is Store.DELETE else new)
        assert self.part(name).update_each(changed, prefix=prefix, rows=rows, write_rows=write_rows) == wanted

    @rule(name=names)
    def clear(self, name):
        assert self.part(name).clear() == len(self.model.get(name, {}))
        self.model.get(name, {}).clear()

    # --- reading ------------------------------------------------------------------------------------------------------

    @rule(name=names, wanted=st.lists(KEYS, max_size=6))
    def get(self, name, wanted):
        there = self.model.get(name, {})
        assert self.part(name).get_many(wanted) == [there.get(order(key), (key, None))[1] for key in wanted]
        for key in wanted[:2]:
            assert self.part(name).get(key) == there.get(order(key), (key, None))[1]
            assert (key in self.part(name)) == (order(key) in there)

    @rule(
        name=names, prefix=st.just(()) | KEYS, start=st.none() | KEYS, stop=st.none() | KEYS, rows=st.integers(1, 6),
        size=st.sampled_from([1, 700, 8000, 1 << 20]), is_reverse=st.booleans(),
    )  # fmt: skip
    def walk(self, name, prefix, start, stop, rows, size, is_reverse):
        batches = list(
            self.part(name).batches(prefix, start=start, stop=stop, rows=rows, bytes=size, reverse=is_reverse)
        )
        wanted = self.cut(name, prefix, start, stop)
        assert [pair for batch in batches for pair in batch] == (wanted[::-1] if is_reverse else wanted)
        assert all(0 < len(batch) <= rows for batch in batches)
        assert all(len(batch) == 1 or sum(len(value) for _key, value in batch) <= size for batch in batches)

    @rule(target=marks, name=names, rows=st.integers(1, 4), taken=st.integers(1, 4), is_reverse=st.booleans())
    def begin_a_walk(self, name, rows, taken, is_reverse):
        walk = self.part(name).batches(rows=rows, reverse=is_reverse)
        last = None
        for _number, batch in zip(range(taken), walk, strict=False):
            last = batch[-1][0]
        return name, is_reverse, last, walk.resume_key, walk

    @rule(mark=marks, rows=st.integers(1, 4))
    def go_on(self, mark, rows):
        """After whatever was written since: everything that is there now behind the key that came last."""
        name, is_reverse, last, resume, _walk = mark
        if last is None:
            assert resume is None
            return
        where = {"stop" if is_reverse else "start": resume}
        got = [pair for batch in self.part(name).batches(rows=rows, reverse=is_reverse, **where) for pair in batch]
        here = order(last)
        wanted = [pair for pair in self.held(name) if (order(pair[0]) < here if is_reverse else order(pair[0]) > here)]
        assert got == (wanted[::-1] if is_reverse else wanted)

    @rule(name=names, count=st.integers(1, 7), prefix=st.just(()) | KEYS)
    def ranges(self, name, count, prefix):
        found = self.part(name).ranges(count, prefix)
        assert 1 <= len(found) <= count
        got = [list(self.part(name).batches(prefix, rows=3, **each._asdict())) for each in found]
        assert [pair for part in got for batch in part for pair in batch] == self.cut(name, prefix)

    @rule(name=names, prefix=KEYS)
    def count(self, name, prefix):
        assert self.part(name).count_estimate(prefix) == len(self.cut(name, prefix))

    # --- upkeep -------------------------------------------------------------------------------------------------------

    @rule()
    def compact(self):
        assert self.store.compact().is_done

    @rule()
    def compact_if_it_pays(self):
        assert not self.store.compact(Policy(bytes_min=1 << 40)).is_done

    @rule()
    def trim_and_sync(self):
        self.store.trim()
        self.store.sync()

    @rule(sync=st.sampled_from(["full", "normal", "off"]))
    def close_and_open(self, sync):
        self.store.close()
        with pytest.raises(errors.ClosedError):
            self.store.get(("a",))
        self.store = Store(f"{self.folder}/s", sync=sync)

    @rule(name=names)
    def backup(self, name):
        self.store.backup(f"{self.folder}/copy")
        with Store(f"{self.folder}/copy", read_only=True) as copy:
            part = copy if name == "main" else copy.partition(name)
            assert [pair for batch in part.batches() for pair in batch] == self.held(name)
            assert copy.partitions() == sorted(self.model)
        shutil.rmtree(f"{self.folder}/copy")

    @rule()
    def check(self):
        assert self.store.check() == []

    @invariant()
    def the_names_and_numbers_are_right(self):
        if not hasattr(self, "store"):
            return
        assert self.store.partitions() == sorted(self.model)
        for name in NAMES:
            assert self.part(name).count_estimate() == len(self.model.get(name, {})), name


class RocksdbMachine(StoreMachine):
    """The same on RocksDB, which takes longer to open."""

    backend = "rocksdb"


@pytest.mark.parametrize(
    ("machine", "examples"), [(StoreMachine, 15), (RocksdbMachine, 6)], ids=["lmdb", "rocksdb"]
)  # fmt: skip
def test_a_store_is_a_sorted_dict(machine, examples, tmp_path):
    """Any run of operations leaves in the store what it leaves in a dict, and reads it in order."""
    run(machine, examples, 30, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("machine", "examples"), [(StoreMachine, 60), (RocksdbMachine, 20)], ids=["lmdb", "rocksdb"])
def test_a_store_is_a_sorted_dict_for_long(machine, examples, tmp_path):
    """The same with more and longer runs."""
    run(machine, examples, 60, tmp_path)


def run(machine, examples, steps, tmp_path):
    try:
        Store(tmp_path / "s", backend=machine.backend).close()
    except errors.MissingExtra as error:
        pytest.skip(f"no {machine.backend}: {error}")
    few = settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=few)
