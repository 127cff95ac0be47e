"""The file that says how far a job is: refused where it does not suit, written at once, held by one run."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import threading

import pytest

from flatwater import errors, limits
from flatwater.pipeline.checkpoint import Checkpoint, State
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.reading import Position
from flatwater.pipeline.sinks.base import Record


def test_it_comes_back(tmp_path):
    """With all that it says."""
    with Checkpoint(tmp_path / "job.state", ["a", "1 b"]) as checkpoint:
        state = checkpoint.state
        assert (state.epoch, state.position, state.is_done) == (0, Position(), False)
        state.epoch, state.position, state.carried, state.sinks = (
            3,
            Position(5, ("k", 1), 2),
            {1: [7]},
            {2: {"length": 9}},
        )
        checkpoint.save()
    with Checkpoint(tmp_path / "job.state", ["a", "1 b"]) as checkpoint:
        assert checkpoint.state == state
        assert checkpoint.state.record == Record(state.job, 3, 5)


def test_it_is_of_one_flow(tmp_path):
    """Another one's stages are named, and it is left as it was."""
    Flow(range(10)).map(str).run(checkpoint=tmp_path / "job.state")
    before = (tmp_path / "job.state").read_bytes()
    with pytest.raises(
        errors.UsageError, match=r"of another flow: range, 1 map\(str\); this one is range, 1 map\(float\)"
    ):
        Flow(range(10)).map(float).run(checkpoint=tmp_path / "job.state")
    assert (tmp_path / "job.state").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        (b"", errors.UsageError, "is no checkpoint"),
        (b"something else", errors.UsageError, "is no checkpoint"),
        (b"flatwater checkpoint 1\n", errors.CorruptError, "is damaged"),
        (b"flatwater checkpoint 1\n" + b"x" * 100, errors.CorruptError, "is damaged"),
    ],
)
def test_a_file_that_is_none(tmp_path, text, error, match):
    """It is not overwritten."""
    (tmp_path / "job.state").write_bytes(text)
    with pytest.raises(error, match=match):
        Flow(range(10)).run(checkpoint=tmp_path / "job.state")
    assert (tmp_path / "job.state").read_bytes() == text


def test_a_flipped_bit(tmp_path):
    """It is found before anything is unpickled."""
    Flow(range(10)).run(checkpoint=tmp_path / "job.state")
    text = bytearray((tmp_path / "job.state").read_bytes())
    for at in range(23, len(text)):
        text[at] ^= 4
        (tmp_path / "job.state").write_bytes(text)
        with pytest.raises(errors.CorruptError, match="Remove it to begin anew"):
            Checkpoint(tmp_path / "job.state", ["range"])
        text[at] ^= 4


def test_one_run_at_a_time(tmp_path):
    """Another one with the same checkpoint is refused."""
    begun, go = threading.Event(), threading.Event()

    def wait(item):
        begun.set()
        assert go.wait(30)
        return item

    flow = Flow(range(5)).map(wait)
    first = threading.Thread(target=lambda: flow.run(checkpoint=tmp_path / "job.state"))
    first.start()
    assert begun.wait(30)
    with pytest.raises(errors.UsageError, match="another run has the checkpoint"):
        flow.run(checkpoint=tmp_path / "job.state")
    go.set()
    first.join()


def test_no_folder(tmp_path):
    """It is said before anything is read."""
    read = []
    with pytest.raises(errors.UsageError, match=r"folder of the checkpoint .* is not there"):
        Flow(range(5)).each(read.append).run(checkpoint=tmp_path / "nowhere" / "job.state")
    assert read == []


def test_it_is_bounded(tmp_path, monkeypatch):
    """What stages carry over may not grow without an end."""
    monkeypatch.setattr(limits, "FLOW_CHECKPOINT_BYTES", 10_000)
    with pytest.raises(errors.LimitReached, match=r"the checkpoint .* would have"):
        Flow(range(5000)).map(lambda n: f"{n:0100}").batch(rows=3000).run(checkpoint=tmp_path / "s", checkpoint_s=1e-9)


def test_what_is_carried_over_is_as_without(tmp_path):
    """Groups and windows are the same, wherever a checkpoint falls and a run fails."""
    failing = {700, 2500, 4999}

    def fails(item):
        if item in failing:
            failing.remove(item)
            raise OSError(item)
        return item

    flow = Flow(range(5000), batch_rows=50).map(fails).window(4).batch(rows=33).to(tmp_path / "out.jsonl")
    tries = 0
    while True:
        tries += 1
        try:
            report = flow.run(checkpoint=tmp_path / "job.state", checkpoint_s=1e-9)
            break
        except OSError:
            continue
    assert tries == 4
    assert report.resumed_at == 4950
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert found == [[list(each) for each in group] for group in Flow(range(5000)).window(4).batch(rows=33)]


def test_a_sink_that_is_one_ahead(tmp_path):  # noqa: C901 - a whole sink is in it
    """What it has already is not written again, and the segment ends where it ended there."""
    database = sqlite3.connect(tmp_path / "out.db", isolation_level=None)
    database.execute("CREATE TABLE items (n INTEGER)")
    database.execute("CREATE TABLE jobs (record BLOB)")

    class Writer:
        def __init__(self):
            database.execute("BEGIN")

        def write(self, items, gauge, policy):
            gauge.items_in += len(items)
            database.executemany("INSERT INTO items VALUES (?)", [(item,) for item in items])
            return items

        def recorded(self, job):
            found = database.execute("SELECT record FROM jobs").fetchone()
            return pickle.loads(found[0]) if found else None

        def commit(self, record, *, is_last):
            database.execute("DELETE FROM jobs")
            database.execute("INSERT INTO jobs VALUES (?)", [pickle.dumps(record)])
            database.execute("COMMIT")
            if record.epoch == dies_at:
                raise KeyboardInterrupt
            database.execute("BEGIN")

        def finish(self):
            return None

        def close(self, *, keep):
            if database.in_transaction:
                database.execute("ROLLBACK")

    class Sink:
        name = "items"

        def bytes_max(self, batch_bytes):
            return 0

        def open(self, job, state):
            return Writer()

    flow = Flow(range(2000), batch_rows=70).map(int).to(Sink()).to(tmp_path / "out.txt", format="jsonl")
    for step in (3, 9, 20):
        dies_at = step
        with pytest.raises(KeyboardInterrupt):
            flow.run(checkpoint=tmp_path / "job.state", checkpoint_s=1e-9)
    dies_at = 0
    flow.run(checkpoint=tmp_path / "job.state", checkpoint_s=1e-9)
    assert [n for (n,) in database.execute("SELECT n FROM items ORDER BY rowid")] == list(range(2000))
    assert (tmp_path / "out.txt").read_text().split() == [str(n) for n in range(2000)]


def test_a_file_of_another_day(tmp_path):
    """A sink that is further than one checkpoint, or behind, belongs to another copy."""
    with Checkpoint(tmp_path / "job.state", ["range"]) as checkpoint:
        state = checkpoint.state = State(["range"], epoch=5, position=Position(100))
        checkpoint.refuse_another_day(Record(state.job, 6, 120), "to(table)")
        for record in (Record(state.job, 7, 150), Record(state.job, 4, 90), Record(state.job, 6, 90)):
            with pytest.raises(errors.CorruptError, match="Put the right one back"):
                checkpoint.refuse_another_day(record, "to(table)")


@pytest.mark.parametrize("seconds", [0, -1, True, "5", float("inf"), float("nan")])
def test_seconds_between_checkpoints(seconds):
    """They are some."""
    with pytest.raises(errors.UsageError, match="is no number of seconds"):
        Flow([]).run(checkpoint="job.state", checkpoint_s=seconds)


def test_a_file_of_another_version(tmp_path):
    """It is told, and left."""
    (tmp_path / "job.state").write_bytes(b"flatwater checkpoint 2\n" + b"x" * 100)
    with pytest.raises(errors.UsageError, match="by another version of flatwater"):
        Flow(range(10)).run(checkpoint=tmp_path / "job.state")


def test_a_pipe_is_no_checkpoint(tmp_path):
    """Nobody waits for its writer."""
    os.mkfifo(tmp_path / "job.state")
    with pytest.raises(errors.UsageError, match="is no file"):
        Flow(range(10)).run(checkpoint=tmp_path / "job.state")
    assert os.listdir(tmp_path) == ["job.state"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_what_a_job_wrote_is_gone(tmp_path, name):
    """A run that has nothing to do says so; one that has something, too. Nothing is left beside it."""
    numbers = [{"n": 1}, {"n": 2}]
    flow = Flow(numbers).to(tmp_path / name)
    flow.run(checkpoint=tmp_path / "job.state")
    assert flow.run(checkpoint=tmp_path / "job.state").items == 0
    (tmp_path / name).unlink()
    for _turn in range(2):
        with pytest.raises(errors.CorruptError, match="gone"):
            flow.run(checkpoint=tmp_path / "job.state")
        numbers.append({"n": 3})
    assert sorted(os.listdir(tmp_path)) == ["job.state", "job.state.lock"]


def test_what_cannot_be_pickled(tmp_path):
    """It is said of whom that is, and what to do."""
    flow = Flow(range(3000), batch_rows=100).map(lambda n: lambda: n).batch(rows=700)
    with pytest.raises(errors.UsageError, match=r"cannot be pickled for .* plain data"):
        flow.run(checkpoint=tmp_path / "job.state", checkpoint_s=1e-9)
