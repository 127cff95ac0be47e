"""What a target means."""

from __future__ import annotations

import multiprocessing
import queue

import pytest

from flatwater import errors
from flatwater.pipeline.flow import Flow


class Shelf:
    """No queue, though things are put there."""

    def put(self, key, value):
        """Put it there."""

    def get(self, key):
        """Take it."""


@pytest.mark.parametrize(
    ("target", "options", "match"),
    [
        ("out", {}, "what to write to 'out' is not known"),
        ("out.xls", {}, "End its name with one of .jsonl"),
        ("out.jsonl", {"format": "xml"}, "not known"),
        ("out.jsonl", {"columns": ["a"]}, "columns= is for CSV"),
        ("out.csv", {"columns": "abc"}, "is one text"),
        ("out.csv", {"schema": 1}, "schema= is for Parquet"),
        (7, {}, "int is no sink"),
        (print, {"format": "csv"}, "are for files"),
        (None, {}, "NoneType is no sink"),
        (multiprocessing.SimpleQueue(), {}, "knows no time limits"),
        (Shelf(), {}, "Shelf is no sink"),
    ],
)
def test_what_is_no_sink(target, options, match):
    """It is refused when the flow is made, with what to do."""
    with pytest.raises(errors.UsageError, match=match):
        Flow([]).to(target, **options)


def test_names():
    """As people know them."""
    flow = Flow([]).to("/tmp/a.jsonl").to(queue.Queue()).to(print)
    assert repr(flow) == "<Flow of list .to(a.jsonl) .to(Queue) .to(print)>"


def test_several_sinks(tmp_path):
    """Items go on behind each of them."""
    seen = []
    flow = Flow(range(100)).map(str).to(tmp_path / "all.txt").filter(lambda text: text.endswith("7"))
    assert flow.to(tmp_path / "some.txt").to(seen.append).run().items == 10
    assert len((tmp_path / "all.txt").read_text().split()) == 100
    assert (tmp_path / "some.txt").read_text().split() == seen


def test_somebodys_own_sink():
    """Whatever meets the protocol."""

    class Writer:
        def __init__(self):
            self.log = []

        def write(self, items, gauge, policy):
            self.log.append(len(items))
            return items

        def recorded(self, job):
            return None

        def commit(self, record, *, is_last):
            self.log.append(f"commit {is_last}")

        def finish(self):
            self.log.append("finish")

        def close(self, *, keep):
            self.log.append("close")

    class Sink:
        name, writer = "mine", Writer()

        def bytes_max(self, batch_bytes):
            return 1000

        def open(self, job, state):
            return self.writer

    sink = Sink()
    Flow(range(10), batch_rows=5).to(sink).run()
    assert sum(each for each in sink.writer.log if isinstance(each, int)) == 10
    assert sink.writer.log[-2:] == ["finish", "close"]
