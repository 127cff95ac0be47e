"""ingest.checking: whether all parts of a corpus agree."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from truth import Counting, prose

import flatwater as fw
from flatwater import errors


@pytest.fixture
def made(tmp_path, folder):
    """A corpus, and its embedder."""
    for number in range(4):
        (folder / f"{number}.txt").write_text(prose(number))
    embedder = Counting()
    corpus = fw.Corpus(tmp_path / "corpus", embedder=embedder)
    corpus.ingest(folder)
    return corpus, embedder


def change(corpus, sql):
    connection = sqlite3.connect(Path(corpus.path, "manifest.sqlite"))
    with connection:
        connection.execute(sql)
    connection.close()


def test_a_finished_corpus_agrees(made):
    """There is nothing to tell of it."""
    assert made[0].check() == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DELETE FROM places WHERE document = 1 AND number = 1", "whose number of places is another"),
        ("UPDATE places SET stop = start WHERE document = 1 AND number = 1", "end before they begin"),
        ("DELETE FROM documents WHERE id = 2", "places without their document"),
        ("DELETE FROM chunks WHERE id = 3", "places without their chunk"),
        ("UPDATE chunks SET text = text || '.' WHERE id = 3", "whose text is not what was hashed"),
        ("UPDATE meta SET value = value - 1 WHERE name = 'vectors'", "chunks without a vector"),
        ("UPDATE meta SET value = 3 WHERE name = 'alive'", "are said to be live"),
        ("DELETE FROM live", "vectors are not live"),
        ("DELETE FROM words_docsize WHERE id = 2", "chunks without their words"),
        ("UPDATE chunks SET text = CAST(x'ff' AS TEXT) WHERE id = 3", "cannot be read"),
        ("UPDATE meta SET value = 'much' WHERE name = 'vectors'", "cannot be read"),
        ("PRAGMA user_version = 0", "has no tables"),
    ],
)
def test_what_does_not_agree_is_told(made, sql, told):
    """Each rule that does not hold any more is named."""
    corpus, _embedder = made
    change(corpus, sql)
    try:
        said = corpus.check()
    except errors.CorruptError as error:
        said = [str(error)]
    assert any(told in each for each in said), said


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["ids.u64", "scales.f32", "vectors-32.i8", "vectors-32.f32"])
@pytest.mark.parametrize("damage", ["cut", "gone", "zeros", "garbage", "folder"])
def test_damaged_vectors_are_told(made, name, damage):
    """A file of vectors that was cut, lost or written over is found, and searching ends in an error of ours or in results."""
    corpus, embedder = made
    path = Path(corpus.path, "vectors", "1", name)
    size = path.stat().st_size
    if damage in {"gone", "folder"}:
        path.unlink()
    if damage == "folder":
        path.mkdir()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    if damage == "zeros":
        path.write_bytes(bytes(size))
    if damage == "garbage":
        path.write_bytes(random.Random(1).randbytes(size))
    assert corpus.check()
    if damage in {"zeros", "garbage"}:
        with contextlib.suppress(errors.CorruptError):
            corpus.search(embedder.texts[3])
        return
    with pytest.raises(errors.CorruptError, match=name):
        corpus.search(embedder.texts[3])
    with pytest.raises((errors.CorruptError, errors.BrokenError), match=name):
        corpus.ingest(Path(corpus.path).parent / "documents")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_flipped_bits_are_never_a_crash(made, tmp_path):
    """Whichever bit of its files is another, searching, checking and ingesting end well or in an error of ours."""
    corpus, embedder = made
    chance = random.Random(7)
    files = [
        path.relative_to(corpus.path) for path in Path(corpus.path).rglob("*") if path.stat().st_size and path.is_file()
    ]
    told = 0
    for _round in range(60):
        copy = tmp_path / "copy"
        shutil.copytree(corpus.path, copy)
        path = copy / chance.choice(files)
        content = bytearray(path.read_bytes())
        for _flip in range(8):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        try:
            damaged = fw.Corpus(copy, embedder=embedder)
            told += bool(damaged.check())
            damaged.search(embedder.texts[1])
            damaged.ingest(tmp_path / "documents")
        except errors.FlatwaterError:
            told += 1
        shutil.rmtree(copy)
    assert told > 30
