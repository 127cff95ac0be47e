"""One pass over a source: segments, positions, going on from one, looking ahead."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flatwater as fw
from flatwater import errors
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.reading import Position
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sources import Source
from flatwater.pipeline.weighing import Weigher


def opened(origin, start=None, rows=10):
    return Source(origin, ()).opened(Weigher(1 << 20, rows), Gauge("source"), start or Position())


def items_of(reading, **bounds):
    return [item for batch in reading.segment(**bounds) for item in batch]


@given(
    cuts=st.lists(st.integers(1, 24), max_size=8),
    peeks=st.sets(st.integers(0, 8)),
    kind=st.sampled_from(["list", "lines", "pieces"]),
)
@settings(max_examples=60, deadline=None)
def test_segments_and_going_on(tmp_path_factory, cuts, peeks, kind):
    """Wherever segments end, looked ahead or not: each item once, and another pass goes on from any position."""
    path = tmp_path_factory.mktemp("reading") / "in.txt"
    path.write_text("".join(f"{n:03}\n" for n in range(200)))
    make = {
        "list": lambda: list(range(200)),
        "lines": lambda: fw.lines(path),
        "pieces": lambda: fw.FileChunks(path, 4),
    }[kind]
    reading, found = opened(make()), []
    for at, cut in enumerate(cuts):
        if at in peeks:
            assert not reading.has_ended()
        found += items_of(reading, items=cut)
        assert reading.position.count == len(found) == sum(cuts[: at + 1])
        rest = items_of(opened(make(), reading.position))
        assert [int(each) for each in found + rest] == list(range(200))
    found += items_of(reading)
    assert reading.is_exhausted
    assert [int(each) for each in found] == list(range(200))
    reading.close()


@pytest.mark.parametrize("text", ["{}\n", "line {}\n", "{}\n\n\n", "{}\r\n"])
def test_going_on_again_and_again(tmp_path, text):
    """From a position of a pass that went on from a position, and so on: places do not drift."""
    (tmp_path / "in.txt").write_text("".join(text.format(n) for n in range(3000)), newline="")
    wanted = list(fw.lines(tmp_path / "in.txt"))
    found, position, turns = [], Position(), 0
    while len(found) < len(wanted):
        reading, turns = opened(fw.lines(tmp_path / "in.txt"), position), turns + 1
        assert not reading.has_large_items  # it looks ahead
        for _segment in range(turns % 3 + 1):
            found += items_of(reading, items=(turns * 7) % 97 + 1)
            position = reading.position
        reading.close()
        assert found == wanted[: len(found)]
    assert found == wanted
    assert turns > 15


def test_an_end_that_is_looked_at():
    """There is nothing more, and it is said so more than once."""
    reading = opened([1, 2])
    assert not reading.has_ended()
    assert items_of(reading) == [1, 2]
    assert reading.has_ended()
    assert opened([]).has_ended()


def test_large_items_one_by_one():
    """Up to the number that is asked for, then on; what was looked at comes first."""
    pieces = [bytes([n]) * 50_000 for n in range(100)]
    reading, looks = opened(iter(pieces)), []
    assert reading.has_large_items
    first = list(reading.singly(lambda: looks.append(1), seconds=0.0, items=37, is_due=None))
    assert (reading.position.count, reading.is_exhausted) == (37, False)
    rest = list(reading.singly(lambda: looks.append(1), seconds=0.0, items=0, is_due=None))
    assert first + rest == pieces
    assert reading.is_exhausted
    assert len(looks) >= 5
    assert not opened([1, 2]).has_large_items


def test_a_source_with_places_has_no_single_items(tmp_path):
    """Its position is known behind batches only."""
    (tmp_path / "in.txt").write_text("line\n")
    assert opened(fw.lines(tmp_path / "in.txt")).singly(lambda: None, seconds=0.0, items=0, is_due=None) is None


@pytest.mark.parametrize("ending", ["exhausted", "closed"])
def test_a_generator_is_closed(ending):
    """With the pass, wherever it is."""
    closed = []

    def source():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    reading = opened(source)
    if ending == "exhausted":
        items_of(reading)
    else:
        next(reading.segment())
    reading.close()
    assert closed == [True]


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("left", [0, 500])
def test_a_source_that_is_shorter_than_it_was(tmp_path, is_done, left):
    """Its end is in front of the checkpoint: nothing is published as if it were whole."""
    numbers, is_ready = list(range(3000)), is_done
    (tmp_path / "in.txt").write_text("".join(f"{n}\n" for n in numbers))

    def stops(number):
        if int(number) == 2000 and not is_ready:
            raise KeyboardInterrupt
        return number

    flows = [
        Flow(numbers, batch_rows=100).map(stops).to(tmp_path / "list.txt", format="jsonl"),
        Flow(fw.lines(tmp_path / "in.txt"), batch_rows=100).map(stops).to(tmp_path / "lines.txt"),
    ]
    for at, flow in enumerate(flows):
        with contextlib.nullcontext() if is_done else pytest.raises(KeyboardInterrupt):
            flow.run(checkpoint=tmp_path / f"{at}.state", checkpoint_s=1e-9)
    is_ready = True
    del numbers[left:]
    (tmp_path / "in.txt").write_text("".join(f"{n}\n" for n in numbers))
    for at, flow in enumerate(flows):
        with pytest.raises(errors.UsageError, match="checkpoint's place"):
            flow.run(checkpoint=tmp_path / f"{at}.state")
    assert (tmp_path / "list.txt").exists() == is_done


@pytest.mark.parametrize("count", [1, 2, 17, 40])
def test_large_items_are_counted_as_many_as_they_are(count):
    """Not sixteen for each that is weighed."""
    report = Flow(bytes(100_000) for _turn in range(count)).map(len).run()
    assert report.stages[0].items_out == count
    assert 100_000 * count <= report.stages[0].bytes_out <= 100_200 * count


@pytest.mark.parametrize(
    ("more", "given"),
    [(b"\n4\n5\n", ["1", "2", "3", "4", "5"]), (b"\r\n4\r\n", ["1", "2", "3", "4"]), (b"", ["1", "2", "3"])],
)
def test_a_last_line_that_gets_its_end(tmp_path, more, given):
    """Is the one that was read; the next run begins behind it."""
    path, seen = tmp_path / "lines.txt", []
    path.write_bytes(b"1\n2\n3")
    for _turn in range(2):
        Flow(fw.lines(path)).each(seen.append).run(checkpoint=tmp_path / "job.state")
        with path.open("ab") as file:
            file.write(more)
            more = b""
    assert seen == given


def test_a_last_line_that_goes_on(tmp_path):
    """Was read as another one: neither is passed over in silence."""
    path, state = tmp_path / "lines.txt", tmp_path / "job.state"
    path.write_bytes(b"1\n2\n3")
    Flow(fw.lines(path)).run(checkpoint=state)
    path.write_bytes(b"1\n2\n34\n5\n")
    with pytest.raises(errors.UsageError, match="had no end when it was read"):
        Flow(fw.lines(path)).run(checkpoint=state)
