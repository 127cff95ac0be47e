"""Rows of one moment, whatever comes in between: against a dict."""

import random

import pytest

from flatwater import errors
from flatwater.live import reading
from flatwater.live.log import Log
from flatwater.live.reading import Snapshot
from flatwater.live.rows import Heads, Place
from flatwater.live.schema import SHARED, Column, Schema
from flatwater.live.sequence import Sequence
from flatwater.live.types import Type
from flatwater.live.writing import Edit, Writer
from flatwater.store.store import Store

SCHEMA = Schema(1, "main", "t", SHARED, [Column("id", Type("INT")), Column("n", Type("INT"))], ["id"])


@pytest.fixture
def parts(tmp_path):
    """A store with a writer, and the rows of a table."""
    with Store(tmp_path / "s", sync="off") as store:
        heads = Heads(
            store.partition("rows").head(), store.partition("stream").head(), store.partition("catalog").head()
        )
        log = Log(store.partition("log").head())
        writer = Writer(
            store.space,
            heads,
            log,
            Sequence(),
            lambda _changes: None,
            log_bytes=1 << 20,
            behind=lambda: None,
            mark=lambda _number: None,
        )
        yield store.space, log, writer, Place(heads, SCHEMA, "")


def change(writer, place, number, n):
    new = None if n is None else SCHEMA.encode({"id": number, "n": n})
    return writer.submit(lambda _get: [Edit(1, place.head, place.key_of((number,)), new)])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_it_is_of_one_moment(parts, seed, reverse):
    """A walk that others write into, of pages of a few rows, gives the rows of its begin, in order."""
    space, log, writer, place = parts
    rng = random.Random(seed)
    rows = {}
    for number in range(0, 300, 2):
        rows[number] = number
        change(writer, place, number, number)
    snapshot = Snapshot(space, log, None if seed % 2 else writer.last)
    expected = sorted(rows.items(), reverse=reverse)
    found = []
    for page in snapshot.pages(place.range, reverse=reverse, rows=7):
        found += [SCHEMA.decode(json) for _key, json in page]
        for _ in range(20):
            change(writer, place, rng.randrange(300), rng.choice([None, rng.randrange(1_000)]))
    assert [(row["id"], row["n"]) for row in found] == expected


def test_one_row(parts):
    """`get` gives the row of a key as it was at the moment, or None."""
    space, log, writer, place = parts
    change(writer, place, 1, 5)
    snapshot = Snapshot(space, log, writer.last)
    change(writer, place, 1, 6)
    change(writer, place, 2, 6)
    assert SCHEMA.decode(snapshot.get(place.key_of((1,)))) == {"id": 1, "n": 5}
    assert snapshot.get(place.key_of((2,))) is None


def test_a_moment_that_is_lost_is_told(parts, monkeypatch):
    """Where more is changed than can be undone, or the log was trimmed, the statement ends with a clear error."""
    space, log, writer, place = parts
    for number in range(200):
        change(writer, place, number, 0)
    monkeypatch.setattr(reading.limits, "LIVE_UNDO_BYTES", 1_000)
    pages = Snapshot(space, log).pages(place.range, rows=10)
    next(pages)
    for number in range(100, 200):
        change(writer, place, number, 1)
    with pytest.raises(errors.LimitReached, match="undone"):
        list(pages)
    writer._log_bytes_max, writer._check_at = 500, 0
    pages = Snapshot(space, log).pages(place.range, rows=10)
    next(pages)
    for number in range(100, 200):
        change(writer, place, number, 2)
    with pytest.raises(errors.LimitReached, match="log"):
        list(pages)
