"""ingest.manifest: documents, chunks and places in SQLite."""

from __future__ import annotations

import os

import pytest

from flatwater import errors, limits
from flatwater.ingest import manifest
from flatwater.ingest.manifest import Manifest


@pytest.fixture
def table():
    """One in memory."""
    table = manifest.empty()
    yield table
    table.close()


def document(table, key, chunks, source=1):
    """A whole document with these chunks, each a (number, text)."""
    number = table.add_document(key, key.decode(), source, 1, "{}")
    for chunk, text in chunks:
        if not table.known([text.encode()]):
            table.add_chunks([chunk], [text.encode()], [text])
    table.add_places([(number, at, chunk, 0, at, at + 1) for at, (chunk, _text) in enumerate(chunks)])
    table.end_document(number, key, b"s", b"h", "", len(chunks))
    return number


def test_another_edition_takes_the_place_of_a_document(table):
    """The old one is gone at once, and is cleared away in steps with the chunks that nobody else has."""
    old = document(table, b"a", [(1, "one"), (2, "two")])
    new = document(table, b"a", [(2, "two"), (3, "three")])
    assert table.find(b"a").id == new
    assert table.unfinished() == [old]
    assert table.clear_step(old) == ([1], True)
    assert [number for number, _text in table.texts(0, 10)] == [2, 3]
    assert table.counts() == {"documents": 1, "unreadable": 0, "chunks": 2, "places": 2}
    assert table.one("SELECT count(*) FROM words WHERE words MATCH 'one'") == 0


def test_what_is_long_is_cleared_in_steps(table, monkeypatch):
    """Each step removes so many places, and the last one the document."""
    monkeypatch.setattr(limits, "INGEST_STEP_ROWS", 3)
    number = document(table, b"a", [(at, f"text {at}") for at in range(1, 8)])
    assert [len(some) for some in table.chunks_of(number)] == [3, 3, 1]
    table.drop_document(number)
    assert [table.clear_step(number) for _ in range(3)] == [([1, 2, 3], False), ([4, 5, 6], False), ([7], True)]
    assert table.unfinished() == []


def test_unseen_are_those_of_the_source_or_below_a_directory(table):
    """What was listed in this run is not among them."""
    numbers = {
        key: document(table, key, [], source) for key, source in ((b"/a/1", 1), (b"/a/2", 2), (b"/ab", 2), (b"/b", 1))
    }
    assert table.see(numbers[b"/b"])
    assert not table.see(numbers[b"/b"])
    assert [row[1] for row in table.unseen(1)] == [b"/a/1"]
    assert [row[1] for row in table.unseen(0, b"/a/")] == [b"/a/1", b"/a/2"]


def test_a_new_document_is_seen_by_its_key(table):
    """The second time is told."""
    assert table.see_new(b"k")
    assert not table.see_new(b"k")


def test_a_chunk_is_taken_out_of_all_its_documents(table):
    """They are read again, and their counts agree meanwhile."""
    for key in (b"a", b"b"):
        document(table, key, [(1, "one"), (2, "two")])
    table.take_out(1)
    assert [table.find(key).hash for key in (b"a", b"b")] == [None, None]
    assert table.run("SELECT chunks FROM documents").fetchall() == [(1,), (1,)]
    assert [number for number, _text in table.texts(0, 10)] == [2]


def test_a_transaction_is_all_or_nothing(table):
    """An error in it leaves what was before it."""

    def interrupted():
        with table.transaction():
            table.set_meta(a=1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not table.is_changing
    assert table.meta("a") is None
    with table.transaction():
        table.set_meta(a=2)
    assert table.meta("a") == 2


def test_numbers_of_names_stay(table):
    """The same name has the same number."""
    assert table.number_of("sources", "x") == table.number_of("sources", "x") != table.number_of("sources", "y")


def test_a_reader_without_a_writer_takes_no_lock_and_tells_when_it_is_stale(tmp_path):
    """It leaves no file behind, and knows that somebody has written since."""
    writer = Manifest(str(tmp_path), read_only=False, makes=True)
    writer.close()
    reader = Manifest(str(tmp_path), read_only=True)
    assert os.listdir(tmp_path) == ["manifest.sqlite"]
    assert not reader.is_stale
    writer = Manifest(str(tmp_path), read_only=False)
    writer.set_meta(a=1)
    beside = Manifest(str(tmp_path), read_only=True)
    assert beside.meta("a") == 1
    writer.run("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (reader.is_stale, beside.is_stale) == (True, False)
    for table in (reader, beside, writer):
        table.close()


def test_files_that_are_no_manifest_are_told(tmp_path):
    """Damage, an empty file and tables of a newer version, each by name."""
    path = tmp_path / "manifest.sqlite"
    for content, error, message in (
        (b"", errors.CorruptError, "no tables"), (b"x" * 5_000, errors.CorruptError, "cannot be read"),
    ):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(error, match=message):
            Manifest(str(tmp_path), read_only=True)
    path.unlink()
    Manifest(str(tmp_path), read_only=False, makes=True).close()
    newer = Manifest(str(tmp_path), read_only=False)
    newer.run("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(errors.BrokenError, match=r"version 99.*Upgrade"):
        Manifest(str(tmp_path), read_only=True)
