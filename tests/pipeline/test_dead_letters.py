"""Items that failed, in a file: they come back as they were, and from nowhere else."""

from __future__ import annotations

import base64
import json
import os
import pickle
import resource
import signal
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.pipeline.dead_letters import DeadLetters, letters
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.report import Failure

FAILURE = Failure("2 map(f)", 5, "item", "error", "source", "item 7")
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=8,
)


@given(items=st.lists(PLAIN, max_size=5))
@settings(max_examples=150, deadline=None)
def test_items_come_back(items, tmp_path_factory):
    """Of whatever kind."""
    path = tmp_path_factory.mktemp("letters") / "dead.jsonl"
    dead = DeadLetters(path, None)
    for item in items:
        dead.add(2, FAILURE, item)
    dead.close()
    found = [letter.item for letter in letters(path, trusted=True)]
    assert repr(found) == repr(items)
    for line in path.read_bytes().splitlines():
        assert json.loads(line)["error"] == "error"


def test_plain_data_is_readable(tmp_path):
    """One JSON object a line: the item, the stage, the error, where the source was."""
    dead = DeadLetters(tmp_path / "dead.jsonl", None)
    dead.add(2, FAILURE, {"a": [1, None, "x"]})
    dead.add(2, FAILURE, b"\x00\xff")
    first, second = map(json.loads, (tmp_path / "dead.jsonl").read_text().splitlines())
    assert first == {
        "stage": 2, "name": "2 map(f)", "number": 5, "error": "error", "source": "source", "offset": "item 7",
        "item": {"a": [1, None, "x"]},
    }  # fmt: skip
    assert base64.b64decode(second["bytes"]) == b"\x00\xff"


def test_pickled_items_need_trust(tmp_path):
    """Reading one can run any code, so that nobody does without being told to."""

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "boom"),)

    path = tmp_path / "dead.jsonl"
    text = base64.b64encode(pickle.dumps(Bomb())).decode()
    path.write_text(json.dumps({"stage": 1, "name": "1 map(str)", "pickle": text}) + "\n")
    with pytest.raises(errors.UsageError, match=r"line 1 of .* is a pickled object"):
        list(letters(path))
    with pytest.raises(errors.UsageError, match="trusted=True"):
        Flow([]).map(str).replay(path)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("line", ["no json", "[]", "{}", '{"stage": 1}', "7"])
def test_no_file_of_dead_letters(tmp_path, line):
    """It is said which line is none."""
    (tmp_path / "dead.jsonl").write_text(line + "\n")
    with pytest.raises(errors.UsageError, match=r"line 1 of .* is no dead letter"):
        Flow([]).map(str).replay(tmp_path / "dead.jsonl")


def test_what_cannot_be_kept(tmp_path, monkeypatch):
    """A lock cannot be pickled, and a huge item is only told of; neither ends the run, and a replay says so."""
    import threading

    monkeypatch.setattr(limits, "FLOW_DEAD_LETTER_BYTES", 100_000)
    path = tmp_path / "dead.jsonl"
    report = Flow([threading.Lock(), b"x" * 200_000, 1]).map(len).run(dead_letters=path)
    assert (report.items, report.skipped) == (1, 2)
    lost = [json.loads(line) for line in path.read_text().splitlines()]
    assert "cannot be pickled" in lost[0]["lost"]
    assert lost[1]["item"] == 1
    with pytest.raises(errors.UsageError, match="no item to run again"):
        Flow([]).map(len).replay(path)


def test_what_is_there_stays(tmp_path):
    """Another run adds to it; after a kill, what was not noted goes."""
    path = tmp_path / "dead.jsonl"
    Flow([0]).map(lambda n: 1 / n).run(dead_letters=path)
    Flow([0]).map(lambda n: 1 / n).run(dead_letters=path)
    assert len(path.read_text().splitlines()) == 2
    length = path.stat().st_size // 2
    DeadLetters(path, length).close()
    assert len(path.read_text().splitlines()) == 1


def test_half_a_line_is_there(tmp_path):
    """It takes no other with it: the first letter behind it has a line of its own."""
    path = tmp_path / "dead.jsonl"
    for before in (b'{"stage":1,"na', b'{"stage":1,"na\n', b""):
        path.write_bytes(before)
        assert Flow(["x", "y"]).map(int).run(dead_letters=path).skipped == 2
        lines = path.read_bytes().splitlines()
        assert [json.loads(line)["item"] for line in lines[-2:]] == ["x", "y"]
        assert lines[:-2] == before.splitlines()


def test_a_place_that_cannot_be_written(tmp_path):
    """It is told before anything is read."""
    read = []
    with pytest.raises(errors.BrokenError, match="cannot be written"):
        Flow([1]).each(read.append).run(dead_letters=tmp_path / "nowhere" / "dead.jsonl")
    assert read == []


def test_a_date_is_pickled(tmp_path):
    """And runs again where the file is trusted."""
    days = [date(2026, 1, day) for day in range(1, 5)]
    good = False

    def late(day):
        if day.day > 2 and not good:
            raise ValueError(day)
        return day.isoformat()

    flow = Flow(days).map(late).to(tmp_path / "out.txt")
    assert flow.run(dead_letters=tmp_path / "dead.jsonl").skipped == 2
    good = True
    assert flow.replay(tmp_path / "dead.jsonl", trusted=True).items == 2
    assert (tmp_path / "out.txt").read_text() == "2026-01-03\n2026-01-04\n"


def third(number):
    if number % 3 == 0:
        raise ValueError(number)
    return number


def test_what_was_there_before_a_job_stays(tmp_path):
    """A job with a checkpoint cuts off what it wrote itself, and nothing else: not at its start, nor on another day."""
    path, numbers = tmp_path / "dead.jsonl", list(range(4))
    path.write_text("before\n")
    flow = Flow(numbers).map(third)
    flow.run(dead_letters=path, checkpoint=tmp_path / "job.state")
    with path.open("a") as file:
        file.write("between\n")
    numbers += range(4, 8)
    flow.run(dead_letters=path, checkpoint=tmp_path / "job.state")
    lines = path.read_text().splitlines()
    assert [json.loads(line)["item"] if line[0] == "{" else line for line in lines] == ["before", 0, 3, "between", 6]


@pytest.mark.parametrize("other", ["dead.jsonl", "more.jsonl"])
def test_a_job_that_ends_early_writes_its_letters_again(tmp_path, other):
    """Once; those of another file are left alone."""
    is_ready = False

    def stops(number):
        if number == 2500 and not is_ready:
            raise KeyboardInterrupt
        return third(number)

    (tmp_path / "dead.jsonl").write_text("before\n")
    (tmp_path / "more.jsonl").write_text("before\n")
    flow, options = Flow(range(3000), batch_rows=100).map(stops), {"checkpoint": tmp_path / "job.state"}
    with pytest.raises(KeyboardInterrupt):
        flow.run(dead_letters=tmp_path / "dead.jsonl", checkpoint_s=1e-9, **options)
    done = len((tmp_path / "dead.jsonl").read_text().splitlines())
    is_ready = True
    flow.run(dead_letters=tmp_path / other, **options)
    found = (tmp_path / "dead.jsonl").read_text().splitlines()
    assert found[0] == "before"
    items = [json.loads(line)["item"] for line in found[1:]]
    if other == "dead.jsonl":
        assert items == list(range(0, 3000, 3))
    else:
        assert len(found) == done
        assert (tmp_path / other).read_text().startswith("before\n")


def test_a_full_disk_leaves_no_half_of_a_line(tmp_path):
    """What was whole can be replayed."""
    path = tmp_path / "dead.jsonl"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
        with pytest.raises(errors.BrokenError, match="Make room"):
            Flow(range(100)).map(third).run(dead_letters=path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes().endswith(b"}\n")
    assert [letter.item for letter in letters(path)] == list(range(0, 3 * len(path.read_bytes().splitlines()), 3))


def test_letters_that_nobody_wants(tmp_path):
    """A device takes them, with a checkpoint, too."""
    report = Flow(range(4)).map(third).run(dead_letters=os.devnull, checkpoint=tmp_path / "job.state")
    assert report.skipped == 2


@pytest.mark.parametrize(
    "line",
    [
        '{"stage": [1], "name": "1 map(third)", "item": 1}',
        '{"stage": 1, "name": "1 map(third)", "bytes": 5}',
        '{"stage": 1, "name": "1 map(third)", "bytes": "!!"}',
        '{"stage": 1, "name": "1 map(third)", "piece": 5}',
        '{"stage": 1, "name": "1 map(third)", "pickle": "aaaa"}',
        '{"stage": 1, "na',
        "[]",
    ],
)
def test_a_line_that_somebody_else_wrote(tmp_path, line):
    """Its number is told."""
    (tmp_path / "dead.jsonl").write_text(f'{{"stage": 1, "name": "1 map(third)", "item": 1}}\n{line}\n')
    with pytest.raises(errors.UsageError, match="line 2 of"):
        Flow([]).map(third).replay(tmp_path / "dead.jsonl", trusted=True)
