"""ingest.sources: documents of every kind and condition; each trouble is told by name, and the rest is ingested."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import threading

import pytest
from truth import Counting, check, prose

import flatwater as fw
from flatwater import errors


@pytest.fixture
def corpus(tmp_path):
    """Without documents."""
    with fw.Corpus(tmp_path / "corpus", embedder=Counting()) as corpus:
        yield corpus


def told(report):
    return {os.path.basename(problem.source): (problem.kind, problem.reason) for problem in report.problems}


def test_what_is_no_file_is_told_by_name(corpus, folder):
    """Pipes, sockets and links that lead nowhere or in circles are skipped, without waiting for any of them."""
    (folder / "a.txt").write_text("text")
    os.mkfifo(folder / "pipe")
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    (folder / "nowhere").symlink_to("none")
    (folder / "circle").symlink_to(".")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path is short
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        report = corpus.ingest(folder)
    assert told(report) == {
        "pipe": ("skipped", "it is no regular file"), "socket": ("skipped", "it is no regular file"),
        "one": ("skipped", "it is a link that leads in a circle"), "two": ("skipped", "it is a link that leads in a circle"),
        "nowhere": ("skipped", "it is a link that leads nowhere"),
    }  # fmt: skip
    assert (report.new, report.failed) == (1, 0)


def test_broken_documents_are_told_by_name_and_only_once_read(corpus, folder):
    """Empty, binary, truncated and encrypted ones are skipped, the rest is there; the next run tells them without reading."""
    from benchmarks.documents.making import make_docx, make_encrypted_pdf, make_pdf, paragraphs

    make_pdf(folder / "good.pdf", 2)
    make_docx(folder / "good.docx", paragraphs(3))
    make_encrypted_pdf(folder / "secret.pdf", "password")
    (folder / "cut.pdf").write_bytes((folder / "good.pdf").read_bytes()[:1_000])
    (folder / "cut.docx").write_bytes((folder / "good.docx").read_bytes()[:200])
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 50)
    (folder / "latin.txt").write_bytes("Größe".encode("cp1252"))
    report = corpus.ingest(folder)
    found = told(report)
    assert {name for name, (kind, _reason) in found.items() if kind == "skipped"} == {
        "secret.pdf", "cut.pdf", "cut.docx", "empty.pdf", "binary.txt",
    }  # fmt: skip
    assert "encrypted" in found["secret.pdf"][1]
    assert found["latin.txt"][0] == "guessed"
    assert (report.documents, report.new, report.failed) == (9, 9, 0)
    again = corpus.ingest(folder)
    assert (again.unchanged, again.text_bytes, len(told(again))) == (9, 0, 5)
    assert "secret.pdf" not in told(corpus.ingest(folder, password="password"))
    assert corpus.check() == []


@pytest.mark.parametrize(
    "name", [b"new\nline.txt", b"bad\xff.txt", b"quo\"t'e.txt", b" .txt", "ünï😀.txt".encode(), b"[a]*?.txt"]
)
def test_names_may_be_any_bytes(corpus, folder, name):
    """Such a document is found, is unchanged in the next run, and is removed with its file."""
    path = os.path.join(os.fsencode(folder), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("a word")
    assert corpus.ingest(folder).new == 1
    assert corpus.search("word")[0].source == path.decode("utf-8", "backslashreplace")
    assert corpus.ingest(folder).unchanged == 1
    os.unlink(path)
    assert corpus.ingest(folder).removed == 1


def test_many_tiny_files_and_deep_trees(corpus, folder):
    """Thousands of files of one line are as many documents; what is nested too deep is told."""
    for number in range(2_000):
        (folder / f"{number}.txt").write_text(f"line {number}")
    place = folder
    for _depth in range(140):
        place /= "d"
    place.mkdir(parents=True)
    (place / "deep.txt").write_text("deep")
    report = corpus.ingest(folder)
    assert (report.new, report.failed) == (2_000, 1)
    assert "nested" in report.problems[0].reason
    assert corpus.ingest(folder).unchanged == 2_000
    assert corpus.check() == []


def change_on(folder, away, end):
    """Change some file or directory, again and again, until `end` is set."""
    chance, count = random.Random(3), 0
    while not end.is_set():
        count += 1
        with contextlib.suppress(OSError):
            change_once(folder, away, chance, count)


def change_once(folder, away, chance, count):
    path = folder / f"{chance.randrange(40)}.txt"
    match chance.randrange(5):
        case 0:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        case 1:
            path.write_text(prose(count, 2))
        case 2:
            path.unlink()
            path.mkdir()
            (path / "in.txt").write_text(prose(count, 1))
        case 3 if count % 20 == 0:
            os.rename(folder, away)
            os.rename(away, folder)
        case _:
            (folder / f"new-{count % 20}.txt").write_text(prose(count, 1))


def test_a_directory_that_changes_all_the_time(corpus, folder, tmp_path):
    """Files come, change, go, become directories, and the directory itself is replaced: after each run the corpus agrees."""
    for number in range(40):
        (folder / f"{number}.txt").write_text(prose(number, 2))
    end, away = threading.Event(), tmp_path / "away"

    changing = threading.Thread(target=change_on, args=(folder, away, end))
    changing.start()
    try:
        for _round in range(6):
            with contextlib.suppress(errors.BrokenError):  # at the moment there is no such directory
                corpus.ingest(folder)
            assert corpus.check() == []
    finally:
        end.set()
        changing.join()
    corpus.ingest(folder)
    check(corpus.path, {path: path.read_text() for path in folder.rglob("*.txt") if path.is_file()})


def test_a_directory_that_goes_away_during_a_run_removes_nothing(corpus, folder):
    """It is told, and what was there of it stays."""
    for number in range(5):
        (folder / f"{number}.txt").write_text(prose(number))
    corpus.ingest(folder)
    from flatwater.source.documents import listing

    real = listing.Listing.files

    def going(self, *arguments):
        os.rename(folder, folder.with_name("away"))
        yield from real(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing.Listing, "files", going)
        report = corpus.ingest(folder)
    assert (report.removed, report.failed) == (0, 1)
    assert corpus.stats()["documents"] == 5


def test_rows_may_have_any_ids_and_texts(corpus):
    """What is no text is told; half characters and NUL are stored; of two rows with one id the first is the document."""
    rows = [
        (1, "one"),
        ("\ud800", "half \ud800"),
        ("a\0b", "nul \0 it"),
        (None, "x"),
        (5, b"x"),
        (6, 7),
        (8, None),
        (1, "twice"),
    ]
    for _run in range(2):
        report = corpus.ingest(rows, name="r\udcff")
        assert [problem.source for problem in report.problems] == [r"r\xff/None", r"r\xff/5", r"r\xff/6", r"r\xff/1"]
        assert report.documents == 4
    assert corpus.search("one", 1)[0].text == "one"
    assert corpus.check() == []


def test_objects_of_a_store_are_documents(corpus, rclone):
    """Only changed ones are fetched; what is gone from below the prefix is removed; a store that is not there removes nothing."""
    bucket, client = rclone.bucket(), rclone.client()
    for number in range(4):
        client.put_object(Bucket=bucket, Key=f"docs/{number}.txt", Body=prose(number).encode())
    url = f"s3://{bucket}/docs/"
    assert corpus.ingest(url, storage_options=rclone.options()).new == 4
    client.put_object(Bucket=bucket, Key="docs/1.txt", Body=b"changed")
    client.delete_object(Bucket=bucket, Key="docs/2.txt")
    report = corpus.ingest(url, storage_options=rclone.options())
    assert (report.changed, report.unchanged, report.removed) == (1, 2, 1)
    assert corpus.search("changed")[0].source == f"{url}1.txt"
    assert corpus.stats()["documents"] == 3
