"""Reading documents takes the same memory however much there is to read; a twin that keeps what it read is found out.

What a worker reads is proved for the whole tree of processes, and what is read without one for the process alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import flatwater as fw

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.documents import making

MIB = 1 << 20
STRIDE = 16 << 20  # bytes of a sparse file that one n stands for
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="holes and process trees"),
]


def sparse_text(n):
    """A text file of n times 16 MiB with a page of text in each: the rest is a hole."""
    import tempfile

    descriptor, path = tempfile.mkstemp(suffix=".txt")
    with os.fdopen(descriptor, "wb") as file:
        for place in range(n):
            file.seek(place * STRIDE)
            file.write(b"Paragraph %d. " % place + b"Some words of a report. " * 400 + b"\n\n")
        file.truncate(n * STRIDE)
    return path


def dense_text(n):
    """A text file of n KiB."""
    import tempfile

    descriptor, path = tempfile.mkstemp(suffix=".txt")
    with os.fdopen(descriptor, "wb") as file:
        for place in range(n):
            file.write((b"Line %d. " % place + b"Some words of a report. " * 50)[:1023] + b"\n")
    return path


def many_files(n):
    """n files with names of 200 characters in one directory."""
    import tempfile

    folder = tempfile.mkdtemp()
    for number in range(n):
        with open(f"{folder}/{number:0200d}.txt", "w") as file:
            file.write("words")
    return folder


def pages(n):
    """A PDF of n pages."""
    import tempfile

    path = tempfile.mkstemp(suffix=".pdf")[1]
    making.make_pdf(path, n, 200)
    return path


def html(n):
    """HTML of n paragraphs of 1,000 characters."""
    import tempfile

    path = tempfile.mkstemp(suffix=".html")[1]
    making.make_html(path, n, 1_000)
    return path


def docx(n):
    """A DOCX of n paragraphs of 1,000 characters."""
    import tempfile

    path = tempfile.mkstemp(suffix=".docx")[1]
    making.make_docx(path, list(making.paragraphs(100, 1_000)) * (n // 100))
    return path


def read(path, *, keep=False):
    from flatwater.source.documents import documents

    kept = [piece for piece in documents(path) if keep]
    return len(kept)


def reads(_n, path):
    """Each piece is dropped."""
    read(path)


def keeps(_n, path):
    """Each piece is kept."""
    read(path, keep=True)


def lists(_n, folder, *, keep=False):
    """Names are listed in 64 KiB at a time."""
    from flatwater.source.documents.listing import Listing

    files = Listing([folder], print, names_bytes_max=64 << 10).files()
    return len([file for file in files if keep])


def lists_and_keeps(n, folder):
    """Each name is kept."""
    return lists(n, folder, keep=True)


CASES = [  # what is read, sizes, and how much of it the claim is about: 100 GB, 100 MB, a million files
    pytest.param(sparse_text, "30..480", "6400", reads, keeps, id="sparse text of 100 GB"),
    pytest.param(dense_text, "4k..64k", "100k", reads, keeps, id="dense text"),
    pytest.param(many_files, "125..2000", "1M", lists, lists_and_keeps, id="files"),
]


@pytest.mark.parametrize(("setup", "sizes", "target", "good", "_twin"), CASES)
def test_reading_is_constant(setup, sizes, target, good, _twin):
    """However much there is to read, the process takes the same, and as little at 100 GB."""
    proof = fw.prove(good, setup=setup, sizes=sizes, target=target, budget="256 MiB")
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize(("setup", "sizes", "target", "_good", "twin"), CASES)
def test_a_twin_that_keeps_is_found(setup, sizes, target, _good, twin):
    """The same loop that keeps what it was given grows with what there is to read."""
    proof = fw.prove(twin, setup=setup, sizes=sizes)
    assert proof.verdict == "grows", str(proof)
    assert not proof.holds


# What a worker reads is proved as a command, whose whole tree of processes is measured. The files are made beforehand.
JOB = """
import sys
from flatwater.source.documents import documents

kept = [piece.text * int(sys.argv[2]) for piece in documents(sys.argv[1]) if sys.argv[2] != "0"]
"""
MAKERS = [  # what is read, sizes, those of the twin, how much of it the claim is about, the budget, how often the twin keeps it
    pytest.param(pages, "500..8000", "125..2000", "20k", "64 MiB", "80", id="pages of a PDF"),
    pytest.param(html, "1600..25600", "200..3200", "100k", "96 MiB", "8", id="HTML"),
    pytest.param(docx, "800..12800", "800..12800", "100k", "96 MiB", "4", id="DOCX"),
]


@pytest.mark.parametrize(("make", "sizes", "twin_sizes", "target", "budget", "times"), MAKERS)
def test_reading_with_a_worker(tmp_path, make, sizes, twin_sizes, target, budget, times):
    """Both processes together stay within the budget at the target; a twin that keeps several times what it reads does not."""

    def made(n):
        if not (tmp_path / str(n)).exists():
            os.rename(make(n), tmp_path / str(n))

    claim = {"target": target, "budget": budget, "repeat": 1, "on_run": made}
    good = fw.prove([sys.executable, "-c", JOB, f"{tmp_path}/{{n}}", "0"], sizes=sizes, **claim)
    assert good.outcome == "holds", str(good)
    twin = fw.prove([sys.executable, "-c", JOB, f"{tmp_path}/{{n}}", times], sizes=twin_sizes, **claim)
    assert twin.outcome == "fails", str(twin)


def peak_of(path):
    """The most that the worker had resident, and by how much this process grew, in bytes."""
    from flatwater.source.documents import documents

    worker = 0
    with fw.measure("read") as reading:
        for number, _piece in enumerate(documents(path)):
            if number % 100 == 99:
                with open(f"/proc/self/task/{os.getpid()}/children") as file:
                    pids = file.read().split()
                worker = max([worker, *map(high_water_mark, pids)])
    return worker, reading.delta


def high_water_mark(pid):
    with open(f"/proc/{pid}/status") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:")), 0)


def test_twenty_thousand_pages_in_fifty_megabytes(tmp_path):
    """A PDF of 20,000 pages: the worker, interpreter included, and what this process grew by."""
    making.make_pdf(tmp_path / "a.pdf", 20_000, 100)
    worker, grown = peak_of(tmp_path / "a.pdf")
    assert 0 < worker + grown <= 50_000_000, (worker, grown)


def test_a_worker_of_128_mib_reads_a_hundred_gigabytes(tmp_path):
    """A whole reader below the kernel's limit: a text of 100 GB, nearly all of it a hole, and a gigabyte of zeros on a disk."""
    from flatwater import worker

    def texts(path):
        """How many characters there are, and how large the file is."""
        from flatwater.source.documents import documents

        return sum(len(piece.text) for piece in documents(path)), os.stat(path).st_size

    path = tmp_path / "a.txt"
    with open(path, "wb") as file:
        for place in range(0, 100_000, 1_000):
            file.seek(place << 20)
            file.write(b"Some words of a report.\n\n" * 4_000)
        file.truncate(100_000 << 20)
    with worker.Worker("128 MiB") as reader:
        found = reader.run(texts, (str(path),)).value
    assert found == (100 * 4_000 * 25, 100_000 << 20)
