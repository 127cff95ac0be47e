"""A source in parts: together they are the source, and each says where the source is behind it."""

from __future__ import annotations

import pickle
import sqlite3

import pytest

import flatwater as fw
from flatwater import limits
from flatwater.pipeline.away import Done
from flatwater.pipeline.partitions import Partition
from flatwater.pipeline.reading import Position
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sources import Source
from flatwater.pipeline.weighing import Weigher


def partition_of(origin, start=None, *, has_checkpoint=False):
    reading = Source(origin, ()).opened(Weigher(1 << 18, 1_000), Gauge("source"), start or Position())
    return Partition(reading, 2, has_checkpoint=has_checkpoint)


def parts_of(origin, start=None, *, took_s=0.5, **options):
    """All of them, each with its items, as if each took so long."""
    partition = partition_of(origin, start, **options)
    while (part := partition.next()) is not None:
        reading = Source(pickle.loads(part.origin), ()).opened(Weigher(1 << 18, 1_000), Gauge("part"), part.start)
        items = [item for batch in reading.segment() for item in batch]
        partition.learn(part, Done(position=reading.position, took_s=took_s))
        yield part, items, reading.position


def all_of(found):
    return [item for _part, items, _position in found for item in items]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Parts of small files too."""
    monkeypatch.setattr("flatwater.pipeline.partitions._FIRST_BYTES", 4_096)


@pytest.mark.parametrize("size", [7, 1_000, 4_096, 10_000])
def test_pieces_of_a_file(size, tmp_path):
    """They are cut where they are when the file is read as a whole."""
    (tmp_path / "file").write_bytes(bytes(n % 251 for n in range(50_003)))
    found = list(parts_of(fw.FileChunks(tmp_path / "file", size)))
    assert len(found) > 3
    assert all_of(found) == [bytes(piece) for piece in fw.FileChunks(tmp_path / "file", size, copy=True)]


def test_a_range_of_a_file(tmp_path):
    """A reader that was given a range has parts of that only."""
    (tmp_path / "file").write_text("".join(f"{n}\n" for n in range(5_000)))
    whole = list(fw.lines(tmp_path / "file", offset=5_001, length=10_000))
    assert all_of(parts_of(fw.lines(tmp_path / "file", offset=5_001, length=10_000))) == whole


def test_lines_from_a_place_on(tmp_path):
    """Behind each part there is a place from which a run goes on, in parts or here."""
    (tmp_path / "file").write_text("".join(f"{n}\n" for n in range(5_000)))
    count = 0
    for part, items, position in parts_of(fw.lines(tmp_path / "file")):
        before, count = count, count + len(items)
        behind = part.reached(Done(position=position), before)
        assert (behind.count, behind.skip) == (count, 0)
        assert all_of(parts_of(fw.lines(tmp_path / "file"), behind)) == [str(n) for n in range(count, 5_000)]
        cut = part.reached(Done(position=Position(3, None, 3), is_whole=False), before)
        again = Source(fw.lines(tmp_path / "file"), ()).opened(Weigher(1 << 18, 10), Gauge("again"), cut)
        assert next(again.segment())[0] == str(before + 3)
    assert count == 5_000


def test_what_begins_like_a_compressed_file(tmp_path):
    """A part of a plain file is plain, whatever it begins with."""
    data = (b"x" * 4_095 + b"\n") + b"\x1f\x8b\x08\x00" + b"y" * 4_091 + b"\n" + b"z" * 4_096
    (tmp_path / "file").write_bytes(data)
    assert b"".join(all_of(parts_of(fw.FileChunks(tmp_path / "file", 4_096)))) == data


def test_slices_of_a_list():
    """They begin with one item, and grow while they are done quickly; slow ones stay small."""
    items = [str(n) for n in range(2_000)]
    slow = list(parts_of(items, took_s=0.5))
    assert all_of(slow) == items
    assert {len(found) for _part, found, _position in slow} == {1}
    quick = list(parts_of(items, took_s=0.001))
    assert all_of(quick) == items
    assert len(quick) < 20
    assert all_of(parts_of(items, Position(700, None, 700))) == items[700:]
    part, _items, position = next(parts_of(items, Position(700, None, 700)))
    assert part.reached(Done(position=position), 700) == Position(701, None, 701)


def test_large_items_of_a_list(monkeypatch):
    """A slice has no more heap bytes than a part may have, but for one item that is larger."""
    monkeypatch.setattr(limits, "FLOW_DASK_PARTITION_BYTES", 10_000)
    items = [bytes(1_000)] * 300
    found = list(parts_of(items, took_s=0.001))
    assert all_of(found) == items
    assert max(len(part.origin) for part, _items, _position in found) < 15_000


def test_a_range_goes_as_two_numbers():
    """However long it is."""
    found = list(parts_of(range(1_000_000), took_s=0.001))
    assert all_of(found) == list(range(1_000_000))
    assert max(len(part.origin) for part, _items, _position in found) < 200


def test_what_is_read_here():
    """Items of an iterator, of a compressed file, of rows that cannot be split: places are those of the source."""
    count = 0
    for part, items, position in parts_of(iter(range(3_000)), took_s=0.001):
        assert items == list(range(count, count + len(items)))
        assert part.reached(Done(position=Position(1, None, 1), is_whole=False), count) == Position(
            count + 1, None, count + 1
        )
        behind = part.reached(Done(position=position), count)
        count += len(items)
        assert behind == Position(count, None, count)
    assert count == 3_000


def test_rows_of_csv_are_read_here(tmp_path):
    """An end of line may be inside quotes."""
    (tmp_path / "rows.csv").write_text("a,b\n" + '1,"x\ny"\n' * 2_000)
    assert all_of(parts_of(fw.records(tmp_path / "rows.csv"))) == [{"a": "1", "b": "x\ny"}] * 2_000


def test_a_table(tmp_path):
    """Ranges of its key; read here where a checkpoint has to know the place, or the connection belongs to this process."""
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO items VALUES (?)", [(n,) for n in range(1_000)])
    expected = [{"id": n} for n in range(1_000)]
    assert all_of(parts_of(fw.Table(str(path), "items"))) == expected
    ranges = [
        type(pickle.loads(part.origin)).__name__ for part, _items, _position in parts_of(fw.Table(str(path), "items"))
    ]
    assert set(ranges) == {"Range"}
    assert len(ranges) == 8
    assert all_of(parts_of(fw.Table(str(path), "items"), has_checkpoint=True)) == expected
    assert all_of(parts_of(fw.Table(connection, "items"))) == expected
    connection.close()


def test_an_empty_file(tmp_path):
    """It has no parts."""
    (tmp_path / "file").touch()
    assert all_of(parts_of(fw.lines(tmp_path / "file"))) == []
