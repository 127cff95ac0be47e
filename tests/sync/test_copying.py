"""Workers that copy, and what is written down of it."""

from __future__ import annotations

import threading

import pytest
from fakes import Fake, checked, faulty, statuses

from flatwater import limits
from flatwater.budget.budget import Budget
from flatwater.sync import record as records
from flatwater.sync.copying import Copying, held_by
from flatwater.sync.failures import RefusedFailure, RemoteFailure, TemporaryFailure
from flatwater.sync.record import Record
from flatwater.sync.retrying import Retrying
from flatwater.sync.state import Change, Pair, State
from flatwater.sync.status import Status
from flatwater.sync.transfer import Transfer

PATHS = [b"%03d" % number for number in range(40)]


class Turn:
    """One over a source of forty files, with a state that knows them as new."""

    def __init__(self, folder):
        self.source = Fake("fake://source", dict.fromkeys(PATHS, b"some text"))
        self.destination = Fake("fake://destination")
        self.state = State(str(folder / "state"), Pair("a", "b"), durability="off")
        self.state.commit([Change(path, None, Record(Status.NEW, size=9)) for path in PATHS])
        self.outcomes = []
        self.retrying = Retrying(3, 0.0001)
        self.window = Budget("1 MiB")

    def run(self, **options):
        given = {
            "workers": 4, "held_bytes": lambda _size: 0, "takes": None, "is_last": False, "report": self.outcomes.append,
        } | options  # fmt: skip
        copying = Copying(
            self.state, Transfer(self.source, self.destination, stop=self.retrying.stop), self.destination, retrying=self.retrying,
            window=self.window, **given,
        )  # fmt: skip
        copying.run()
        return copying

    def kinds(self):
        return {outcome.task.path: outcome.kind for outcome in self.outcomes}

    def record(self, path):
        (value,) = self.state.records([path])
        return None if value is None else records.unpacked(value)


@pytest.fixture
def turn(tmp_path):
    """Its threads have ended, whatever came of it."""
    before = set(threading.enumerate())
    turn = Turn(tmp_path)
    with turn.state:
        yield turn
        checked(turn.state)
    assert set(threading.enumerate()) <= before
    assert (turn.source.open, turn.destination.open, turn.window.held) == (0, 0, 0)


def test_all_are_copied_and_written_down(turn):
    """Each once, durable before it is called synced."""
    order = []
    turn.destination.faults = lambda operation, _path: order.append(operation)
    commit = turn.state.commit
    turn.state.commit = lambda changes=(), **more: (order.append("commit"), commit(changes, **more))
    turn.run()
    assert turn.destination.contents() == turn.source.contents()
    assert set(statuses(turn.state).values()) == {"SYNCED"}
    assert turn.kinds() == dict.fromkeys(PATHS, "copied")
    assert "settle" in order[len(order) - 1 - order[::-1].index("publish") : len(order) - order[::-1].index("commit")]


@pytest.mark.parametrize("workers", [2, 8, 40])
def test_a_few_files_are_for_all_workers(turn, workers):
    """Each worker has one under way at the same time, also where there are no more files than workers."""
    together = threading.Barrier(workers)
    begun = []

    def meet(operation, path):
        if operation == "read" and len(begun) < workers:
            begun.append(path)
            together.wait(5)

    turn.source.faults = meet
    turn.run(workers=workers)
    assert set(turn.kinds().values()) == {"copied"}


def test_single_failures_end_nothing(turn):
    """They are errors with a reason, tried again by the next run, and a hiccup is none."""
    turn.source.faults = faulty("read", RefusedFailure("no right to read"), {b"003"}, 99)
    turn.destination.faults = faulty("part", TemporaryFailure("cut"), {b"005", b"006"}, 2)
    turn.run()
    assert {path for path, kind in turn.kinds().items() if kind != "copied"} == {b"003"}
    assert turn.record(b"003").status is Status.ERROR
    assert turn.state.failure(b"003") == "no right to read"
    turn.source.faults = lambda *_: None
    turn.outcomes.clear()
    turn.run()
    assert turn.kinds() == {b"003": "copied"}
    assert turn.state.failure(b"003") == ""


def test_whether_there_is_a_copy(turn):
    """There is none where it failed before it was published; there may be one where it failed then."""
    turn.source.faults = faulty("chunk", RefusedFailure("no"), {b"001"}, 99)
    turn.destination.faults = faulty("publish", RefusedFailure("no"), {b"002"}, 99)
    turn.source.files.pop(b"003")
    turn.destination.put(b"004/mine")
    turn.run()
    assert [turn.record(path).has_copy for path in (b"000", b"001", b"002", b"004")] == [True, False, True, False]
    assert turn.record(b"003") is None


def test_an_interrupt_does_not_wait_for_a_server_that_hangs(turn, monkeypatch):
    """What was copied by then and not written down is to be copied again, as behind a kill."""
    monkeypatch.setattr(limits, "SYNC_LEAVE_S", 0.05)
    monkeypatch.setattr(limits, "SYNC_COMMIT_S", -1.0)
    hangs, answers = threading.Event(), threading.Event()

    def fault(operation, path):
        if operation == "chunk" and path == b"001":
            hangs.set()
            answers.wait(60)

    def interrupted(_outcome):
        hangs.wait(60)
        raise KeyboardInterrupt

    turn.source.faults = fault
    before = set(threading.enumerate())
    try:
        with pytest.raises(KeyboardInterrupt):
            turn.run(report=interrupted)
        (hung,) = set(threading.enumerate()) - before
    finally:
        answers.set()
    hung.join()
    assert b"001" not in turn.destination.files
    turn.retrying = Retrying(3, 0.0001)
    turn.run()
    assert set(statuses(turn.state).values()) == {"SYNCED"}


def test_a_server_that_is_away_ends_the_run(turn, monkeypatch):
    """Behind so many files without one that was copied, and so long; the others are left as they are for the next run."""
    monkeypatch.setattr(limits, "SYNC_IN_A_ROW", 5)
    monkeypatch.setattr(limits, "SYNC_IN_A_ROW_S", 0.0)
    turn.source.faults = faulty("read", TemporaryFailure("nobody there"), PATHS, 999)
    with pytest.raises(TemporaryFailure, match=r"5 failed one after the other\. The last one: nobody there"):
        turn.run(workers=1)
    assert sorted(statuses(turn.state).values()) == ["ERROR"] * 5 + ["NEW"] * 35
    turn.retrying, turn.source.faults = Retrying(3, 0.0001), lambda *_: None
    turn.run()
    assert set(statuses(turn.state).values()) == {"SYNCED"}


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_files_that_fail_among_others_do_not_end_the_run(turn, monkeypatch, seconds):
    """Nor do any number of them in a short time."""
    monkeypatch.setattr(limits, "SYNC_IN_A_ROW", 1 if seconds else 2)
    monkeypatch.setattr(limits, "SYNC_IN_A_ROW_S", seconds)
    failing = PATHS if seconds else PATHS[::2]
    turn.source.faults = faulty("read", TemporaryFailure("busy"), failing, 999)
    turn.run(workers=1)
    assert [turn.kinds()[path] for path in failing] == ["failed"] * len(failing)


def test_what_vanished_behind_a_try(turn):
    """If it may have been published, it is not forgotten: it has to be deleted."""

    def fault(operation, path):
        if operation == "publish" and path == b"001":
            del turn.source.files[path]
            raise TemporaryFailure("no answer")

    turn.destination.faults = fault
    turn.run()
    assert turn.kinds()[b"001"] == "gone"
    assert (turn.record(b"001").status, turn.record(b"001").has_copy) == (Status.NEW, True)


def test_what_is_in_the_way_has_a_second_turn(turn):
    """In the last one it has failed; what failed before is not tried twice."""
    turn.destination.put(b"004/mine")
    turn.source.faults = faulty("read", RefusedFailure("no"), {b"001"}, 99)
    assert turn.run().blocked == 1
    assert (turn.kinds()[b"004"], turn.record(b"004").status) == ("in the way", Status.NEW)
    turn.outcomes.clear()
    turn.run(is_last=True)
    assert turn.kinds() == {b"004": "failed"}
    assert {path for path, status in statuses(turn.state).items() if status == "ERROR"} == {b"001", b"004"}
    turn.outcomes.clear()
    assert turn.run().blocked == 1
    assert turn.record(b"004").status is Status.NEW
    del turn.destination.files[b"004/mine"]
    turn.run(is_last=True)
    assert turn.record(b"004").status is Status.SYNCED


@pytest.mark.parametrize("failure", [RemoteFailure("no room"), ValueError("a defect"), KeyboardInterrupt()])
@pytest.mark.parametrize("operation", ["publish", "write"])
def test_a_failure_of_all_ends_it(turn, failure, operation):
    """It is raised; what was copied is written down, nothing is marked that was not published."""
    count = iter(range(1000))

    def fault(asked, _path):
        if asked == operation and next(count) >= 10:
            raise failure

    turn.destination.faults = fault
    with pytest.raises(type(failure)):
        turn.run()
    synced = {path for path, status in statuses(turn.state).items() if status == "SYNCED"}
    assert synced == set(turn.destination.files)
    assert len(synced) == 10
    marked = {path for path in PATHS if turn.record(path).has_copy}
    assert marked >= synced
    assert len(marked) <= len(synced) + (4 if operation == "publish" else 0)


@pytest.mark.parametrize("where", ["report", "commit", "settle"])
def test_a_failure_of_the_caller(turn, where, monkeypatch):
    """What is told, the state, durability: each ends the turn, nobody is left behind, and the next one goes on."""
    calls = iter(range(1000))

    def broken(*_args, **_more):
        if next(calls) == 1:
            raise KeyboardInterrupt
        return None if where != "commit" else commit(*_args, **_more)

    commit = turn.state.commit
    monkeypatch.setattr(limits, "SYNC_COMMIT_ROWS", 5)
    with monkeypatch.context() as patch:
        if where == "report":
            patch.setattr(turn, "outcomes", type("", (), {"append": broken}))
        elif where == "commit":
            patch.setattr(turn.state, "commit", broken)
        else:
            patch.setattr(turn.destination, "settle", broken)
        with pytest.raises(KeyboardInterrupt):
            turn.run()
    checked(turn.state)
    turn.retrying = Retrying(3, 0.0001)
    turn.run()
    assert set(statuses(turn.state).values()) == {"SYNCED"}


def test_a_stop_ends_a_large_file_soon(turn):
    """Others are left, and the one under way is given up."""
    turn.source.put(b"000", b"x" * 10_000_000)

    def slow(path, at):
        if path == b"000" and at:
            turn.retrying.stop.set()

    turn.source.on_chunk = slow
    turn.run(workers=1)
    assert turn.kinds()[b"000"] == "left"
    assert turn.destination.unfinished == set()


def test_bytes_under_way_are_bounded(turn):
    """Large files take theirs from one window, in turn; one that is larger than all of it passes alone."""
    held, peak = [0], [0]
    lock = threading.Lock()

    def part(operation, path):
        if operation == "publish":
            with lock:
                peak[0] = max(peak[0], turn.window.held)
                held.append(path)

    turn.destination.faults = part
    turn.run(held_bytes=lambda _size: 700 << 10)
    assert peak[0] <= 1 << 20
    turn.state.commit([Change(path, turn.record(path), Record(Status.NEW, size=9)) for path in PATHS[:3]])
    turn.run(held_bytes=lambda _size: 5 << 20)
    assert set(statuses(turn.state).values()) == {"SYNCED"}


def test_what_is_left_out_stays(turn):
    """Neither copied nor changed."""
    turn.run(takes=lambda path: path < b"010")
    assert set(turn.destination.files) == set(PATHS[:10])
    assert statuses(turn.state)[b"020"] == "NEW"


def test_small_files_hold_nothing_more():
    """Those of one chunk are counted with the worker."""
    destination = Fake()
    destination.held_bytes = lambda size: size
    held = held_by(destination)
    assert (held(limits.SYNC_CHUNK_BYTES), held(10**7)) == (0, 10**7)
