"""Processes that use a store and are killed: what was acknowledged is there, no batch is torn, and the store goes on.

This file is also the program that is killed: `python test_store_kill.py load|steps ...`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import signal
import subprocess
import sys
import threading

import pytest

from flatwater import errors, limits
from flatwater.store.store import Store

BACKENDS = ("lmdb", "rocksdb")
SLOTS, SLOT_ROWS, TRAIL, MARKS = 7, 20, 30, 1_500
ENTRIES = {("a", number): b"%d" % number * 50 for number in range(0, 400, 2)}
SMALL_MAP = 64 << 10
counted = [0]


@pytest.fixture(params=BACKENDS)
def backend(request, tmp_path_factory):
    """The name of a backend; a loud skip where its library is not installed."""
    try:
        Store(tmp_path_factory.mktemp("probe") / "s", backend=request.param).close()
    except errors.MissingExtra as error:
        pytest.skip(f"no {request.param}: {error}")
    return request.param


# --- the program: writing until it is killed --------------------------------------------------------------------------


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # one write: a line is whole, or is not there


def prepare(path, backend, sync):
    """Number 0 of everything."""
    with Store(path, backend=backend, sync=sync) as store:
        store.write(batch(0))
        store.write([(("trail", number), b"") for number in range(1 - TRAIL, 0)])
        store.write([(("slot", slot, row), b"0") for slot in range(1, SLOTS) for row in range(SLOT_ROWS)])
        store.write_to({store: [(("pair",), b"0")], store.partition("other"): [(("pair",), b"0")]})
        store.partition("marks").write([((mark,), b"0") for mark in range(MARKS)])


def batch(number):
    """Each batch writes one number to all rows of a slot, adds a key to the trail, and takes its oldest one."""
    rows = [(("slot", number % SLOTS, row), b"%d" % number) for row in range(SLOT_ROWS)]
    return [*rows, (("trail", number), b"%d" % number * 40), (("trail", number - TRAIL), None)]


def load(path, backend, sync, number, mark):
    """Write and acknowledge until somebody kills it."""
    store = Store(path, backend=backend, sync=sync)
    other, marks = store.partition("other"), store.partition("marks")

    def mark_all():
        for count in range(mark + 1, sys.maxsize):
            marks.update_each(lambda _key, _value, new=b"%d" % count: new)
            say("mark", count)

    threading.Thread(target=mark_all, daemon=True).start()
    while True:
        number += 1
        store.write(batch(number))
        say("batch", number)
        store.write_to({other: [(("pair",), b"%d" % number)], store: [(("pair",), b"%d" % number)]})
        say("pair", number)
        store.put(("single", number), b"x")
        say("single", number)
        store.delete(("single", number))
        say("deleted", number)


class Round:
    """What one process has acknowledged, over all processes so far."""

    def __init__(self):
        self.last = {"batch": 0, "pair": 0, "single": 0, "deleted": 0, "mark": 0}

    def run(self, path, backend, sync, lines):
        """Start one, kill it after so many acknowledgements, and read the rest of what it said."""
        words = [path, backend, sync, self.last["batch"], self.last["mark"]]
        with subprocess.Popen([sys.executable, __file__, "load", *map(str, words)], stdout=subprocess.PIPE) as child:
            for _ in range(lines):
                self.hear(child.stdout.readline())
            child.kill()
            for line in child.stdout:
                self.hear(line)
        assert child.returncode == -signal.SIGKILL

    def hear(self, line):
        name, number = line.split()
        self.last[name.decode()] = int(number)

    def look(self, path, *, is_lossless):
        """Open it again and compare."""
        with Store(path) as store:
            assert store.check() == []
            entries = dict(pair for each in store.batches(rows=100) for pair in each)
            newest = 0
            for slot in range(SLOTS):
                numbers = {int(entries[("slot", slot, row)]) for row in range(SLOT_ROWS)}
                assert len(numbers) == 1, f"a batch was torn: {numbers}"
                newest = max(newest, *numbers)
            trail = sorted(key[1] for key in entries if key[0] == "trail")
            assert trail == list(range(newest - TRAIL + 1, newest + 1))
            pair = int(entries[("pair",)])
            assert pair == int(store.partition("other").get(("pair",))), "a write to two partitions was torn"
            singles = {key[1] for key in entries if key[0] == "single"}
            marks = {int(value) for each in store.partition("marks").batches() for _key, value in each}
            assert len(marks) <= 2
            assert max(marks) - min(marks) <= 1
            if is_lossless:
                assert newest in {self.last["batch"], self.last["batch"] + 1}
                assert pair in {self.last["pair"], self.last["pair"] + 1}
                assert singles <= {self.last["deleted"] + 1}
                if self.last["single"] > self.last["deleted"]:
                    assert singles <= {self.last["single"]}
                assert min(marks) >= self.last["mark"]
            exact = sum(len(each) for each in store.batches())
            assert abs(store.count_estimate() - exact) <= 200
            self.go_on(store, newest, pair, max(marks))

    def go_on(self, store, newest, pair, mark):
        """Where the next one begins: unacknowledged writes that came through count, lost ones do not."""
        done = store.partition("marks").update_each(lambda _key, old: b"%d" % mark if int(old) < mark else None)
        assert done.seen == MARKS
        assert store.partition("marks").update_each(lambda _key, old: None if int(old) == mark else b"").changed == 0
        store.write([(key, None) for each in store.batches(("single",)) for key, _value in each])
        self.last = {"batch": newest, "pair": pair, "single": newest, "deleted": newest, "mark": mark}


def killed_rounds(path, backend, sync, rounds, seed):
    chosen = random.Random(seed)
    prepare(path, backend, sync)
    state = Round()
    for _ in range(rounds):
        state.run(path, backend, sync, chosen.randrange(1, 120))
        state.look(path, is_lossless=(backend, sync) != ("rocksdb", "off"))


@pytest.mark.parametrize("sync", ["full", "normal", "off"])
def test_killed_while_it_writes(tmp_path, backend, sync):
    """What was acknowledged is there, no batch is torn, check() finds nothing, and the next process goes on."""
    killed_rounds(tmp_path / "s", backend, sync, 1, 7)


@pytest.mark.slow
@pytest.mark.parametrize("sync", ["full", "normal", "off"])
def test_killed_nine_times_at_each_level(tmp_path, backend, sync):
    """So it is round after round, in the same store: 54 in all."""
    killed_rounds(tmp_path / "s", backend, sync, 9, 11)


@pytest.mark.parametrize("backend", ["lmdb"])
def test_killed_while_a_small_map_grows(tmp_path, backend):
    """Every write up to the last acknowledged one is there, whole, wherever the growing map stood."""
    code = (
        "import os, sys; from flatwater import limits; limits.STORE_MAP_BYTES = 1 << 16\n"
        "from flatwater.store import Store\n"
        "store = Store(sys.argv[1], sync='off')\n"
        "for n in range(int(sys.argv[2]), 10**9):\n"
        "    store.write([((n, i), b'%d' % n * 300) for i in range(8)])\n"
        "    os.write(1, b'%d\\n' % n)\n"
    )
    begin, chosen = 0, random.Random(3)
    for _ in range(3):
        words = [sys.executable, "-c", code, str(tmp_path / "s"), str(begin)]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as child:
            said = [child.stdout.readline() for _ in range(chosen.randrange(20, 400))]
            child.kill()
            said += child.stdout.readlines()
        with Store(tmp_path / "s") as store:
            assert store.check() == []
            keys = [key for each in store.batches() for key, _value in each]
            begin = len(keys) // 8
            assert keys == [(number, row) for number in range(begin) for row in range(8)]
            assert begin - int(said[-1]) in {1, 2}
            assert store.get((begin - 1, 7)) == b"%d" % (begin - 1) * 300


# --- the program: killed at each step of one operation ----------------------------------------------------------------


def kill_at(step):
    """This thread kills its process at its `step`-th call or return, of Python's functions or of C's; at 0, it counts."""
    counted[0] = 0

    def count(_frame, _event, _argument):
        counted[0] += 1
        if counted[0] == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def counting(pipe, work, path, backend):
    work(path, backend, 0)
    sys.setprofile(None)
    os.write(pipe, b"%d" % counted[0])


def in_child(call, *arguments):
    """Run a function in a forked process; its exit status."""
    child = os.fork()
    if child == 0:
        try:
            call(*arguments)
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def content(path, **options):
    with Store(path, **options) as store:
        found = dict(pair for each in store.batches() for pair in each)
        assert store.check() == []
        return found


def filled(path, backend):
    with Store(path, backend=backend, sync="off") as store:
        store.write([(("a", number), b"%d" % number * 50) for number in range(400)])
        store.write([(("a", number), None) for number in range(1, 400, 2)])


def creating(path, backend, step):
    kill_at(step)
    with Store(path + "-new", backend=backend, sync="off") as store:
        store.put(("a",), b"1")


def created(path, backend):
    with contextlib.suppress(errors.UsageError):  # "there is no store"
        assert content(path + "-new", read_only=True) in ({}, {("a",): b"1"})
    with Store(path + "-new", backend=backend) as store:
        assert store.get(("a",)) in {None, b"1"}
        store.put(("b",), b"2")
        store.delete(("a",))
    assert content(path + "-new") == {("b",): b"2"}
    for folder, folders, files in os.walk(path + "-new", topdown=False):
        for name in files:
            os.unlink(os.path.join(folder, name))
        for name in folders:
            os.rmdir(os.path.join(folder, name))
    os.rmdir(path + "-new")


def compacting(path, backend, step):
    store = Store(path, sync="off")
    kill_at(step)
    store.compact()
    store.close()


def compacted(path, backend):
    assert content(path) == ENTRIES
    assert not [name for name in os.listdir(os.path.join(path, backend)) if "tmp" in name], (
        "a killed one left something"
    )
    assert not [name for name in os.listdir(path) if "tmp" in name]


def backing_up(path, backend, step):
    store = Store(path)
    kill_at(step)
    store.backup(path + "-copy")
    store.close()


def backed_up(path, backend):
    import shutil

    assert content(path) == ENTRIES
    copy = path + "-copy"
    if os.path.exists(copy):
        assert content(copy) == ENTRIES
        shutil.rmtree(copy)
    with Store(path) as store:
        store.backup(copy)  # what the killed one left is not in the way
    assert content(copy) == ENTRIES
    shutil.rmtree(copy)
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)], "the killed one's remains stay"


def closing(path, backend, step):
    store = Store(path, sync="off")
    store.put(("b",), b"1")
    store.partition("other").put(("b",), b"1")
    store.delete(("b",))
    store.sync()
    kill_at(step)
    store.close()


def closed(path, backend):
    assert content(path) == ENTRIES
    with Store(path) as store:
        assert store.partition("other").get(("b",)) == b"1"
        assert abs(store.count_estimate() - len(ENTRIES)) <= 1


def growing(path, backend, step):
    store = Store(path, sync="off")
    store.write([(("big", number), b"x" * 3_000) for number in range(12)])  # nearly as much as the map has
    kill_at(step)
    store.write([(("big", number), b"y" * 3_000) for number in range(40)])
    store.close()


def grown(path, backend):
    with Store(path, sync="off") as store:
        assert store.check() == []
        found = {bytes(value[:1]) for each in store.batches(("big",)) for _key, value in each}
        assert found in ({b"x"}, {b"y"}), "a batch was torn"
        store.write([(("big", number), None) for number in range(40)])
        store.compact()  # as small as before
    assert content(path) == ENTRIES


STEPS = {
    "create": (creating, created),
    "compact": (compacting, compacted),
    "backup": (backing_up, backed_up),
    "close": (closing, closed),
    "grow": (growing, grown),
}


def steps(path, backend, operation, kills):
    """Kill an operation at so many of its steps, and look at the store each time; says how it went."""
    work, look = STEPS[operation]
    if operation == "grow":
        limits.STORE_MAP_BYTES = SMALL_MAP
    importlib.import_module(f"flatwater.store.engines.{backend}")  # here, so that the children's steps are the store's
    assert in_child(filled, path, backend) == 0
    reading, writing = os.pipe()
    assert in_child(counting, writing, work, path, backend) == 0
    assert in_child(look, path, backend) == 0
    count = int(os.read(reading, 100))
    killed = 0
    for step in sorted({1 + (count - 1) * number // kills for number in range(kills)}):
        status = in_child(work, path, backend, step)
        looked = in_child(look, path, backend)
        if status not in {0, -signal.SIGKILL} or looked:
            say(f"{operation} step {step} of {count}: it ended with {status}, the look at it with {looked}")
            return
        killed += status != 0
    say("killed", killed, "times")


def killed_at_steps(folder, backend, operation, kills):
    if (backend, operation) == ("rocksdb", "grow"):
        return  # it has no map
    folder.mkdir()
    words = [sys.executable, __file__, "steps", str(folder / "s"), backend, operation, str(kills)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=110)
    first, *rest = done.stdout.split() or [""]
    assert (done.returncode, first) == (0, "killed"), done.stdout + done.stderr[-3000:]
    assert int(rest[0]) >= kills // 2  # the last ones may come behind its end: steps differ a little from run to run


@pytest.mark.parametrize("operation", sorted(STEPS))
def test_killed_at_some_steps(tmp_path, backend, operation):
    """Killed at any call, inside or outside of the engine: the store is whole, goes on, and no remains are left."""
    killed_at_steps(tmp_path / "x", backend, operation, 6)


@pytest.mark.slow
@pytest.mark.parametrize("operation", sorted(STEPS))
def test_killed_at_many_steps(tmp_path, backend, operation):
    """So it is at steps that lie close together."""
    killed_at_steps(tmp_path / "x", backend, operation, 20)


if __name__ == "__main__":
    if sys.argv[1] == "load":
        load(*sys.argv[2:5], *map(int, sys.argv[5:7]))
    else:
        steps(*sys.argv[2:5], int(sys.argv[5]))
