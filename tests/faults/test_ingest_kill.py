"""Ingestions that are killed, or have no room: no chunk is lost, twice or stale, and the next run makes it good.

This file is also the program that is killed, `python test_ingest_kill.py CORPUS FOLDER EMBEDDER SIZE STEP`, and the one that
searches meanwhile, `python test_ingest_kill.py CORPUS`.
"""

from __future__ import annotations

import json
import os
import random
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from truth import WORDS, Counting, check, chunks_of, prose

from flatwater import limits
from flatwater.ingest.corpus import Corpus
from flatwater.ingest.splitting import Splitter

FILES = 16


def program(corpus, folder, embedder, size, step):
    """Ingest; die before the n-th write of vectors, commit, statement that ends or clears a document, or change of a folder."""
    from flatwater.ingest import generations
    from flatwater.ingest.manifest import Manifest
    from flatwater.ingest.vectors import Vectors

    left = [int(step)]

    def dying(function):
        def call(*args, **options):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call

    for owner, names in (
        (Vectors, ("append", "sync", "truncate", "copy_live")),
        (Manifest, ("run", "add_chunks", "add_places", "end_document", "clear_step", "set_meta")),
        (generations.shutil, ("rmtree",)),
        (os, ("replace", "makedirs")),
    ):
        for name in names:
            setattr(owner, name, dying(getattr(owner, name)))
    limits.INGEST_COMMIT_BYTES = 20_000
    limits.INGEST_LOAD_TEXT_BYTES = 5_000
    limits.INGEST_STEP_ROWS = 7
    os.write(1, b"begins\n")
    Corpus(corpus, embedder=Counting(embedder), size=int(size)).ingest(folder)


class Job:
    """A folder that changes between runs, and its corpus."""

    def __init__(self, folder, seed):
        self.folder = folder / "documents"
        self.corpus = folder / "corpus"
        self.random = random.Random(seed)
        self.embedder, self.size = "counting", 1_000
        self.whole_s = 0.1  # what the last run took that came to its end; a faster machine needs earlier kills
        self.folder.mkdir()
        self.edition = 0
        self.editions = set()  # of all documents, ever
        for number in range(FILES):
            self.write(number)

    def write(self, number):
        self.edition += 1
        path = self.folder / f"{number}.txt"
        if self.random.random() < 0.2 and self.edition > FILES:
            path.write_bytes(
                (self.folder / f"{self.random.choice(self.there())}.txt").read_bytes()
            )  # a copy of another
        elif path.exists() and self.random.random() < 0.7:
            path.write_text(
                path.read_text()[: self.random.randrange(1, 3_000)] + prose(self.edition, 1) + path.read_text()[1_500:]
            )
        else:
            path.write_text(prose(self.edition, self.random.randrange(0, 7)))
        self.editions.add(path.read_text())

    def there(self):
        return sorted(int(path.stem) for path in self.folder.glob("*.txt"))

    def change(self):
        """Some documents come, change, go; now and then the splitter or the embedder is another."""
        for number in self.random.sample(range(FILES + 6), 6):
            self.write(number)
        for number in self.random.sample(self.there(), 3):
            (self.folder / f"{number}.txt").unlink()
        if self.random.random() < 0.15:
            self.size = 400 if self.size == 1_000 else 1_000
        if self.random.random() < 0.15:
            self.embedder = "other" if self.embedder == "counting" else "counting"

    def run(self, step=0, share=None):
        """Its exit code; after this share of the time that a whole run takes it is killed."""
        words = [sys.executable, __file__, str(self.corpus), str(self.folder), self.embedder, str(self.size), str(step)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            child.stdout.readline()
            begun = time.monotonic()
            if share is not None:
                time.sleep(share * self.whole_s)
                child.kill()
            _out, err = child.communicate(timeout=60)
        if child.returncode == 0:
            self.whole_s = time.monotonic() - begun
        assert child.returncode in {0, -signal.SIGKILL}, err.decode()
        return child.returncode

    def look(self):
        """After a run that came to its end: each chunk of each document is there once, and nothing else."""
        assert self.run() == 0
        documents = {
            self.folder / f"{number}.txt": (self.folder / f"{number}.txt").read_text() for number in self.there()
        }
        check(self.corpus, documents, Splitter(self.size), Counting(self.embedder))

    def search(self):
        """After a kill, what a search finds stands in some edition that was whole: here, that it finds at all."""
        if (self.corpus / "corpus.json").exists():
            Corpus(self.corpus).search("alna", by="words")


def search_on(corpus):
    """Search until the input ends; print what each look found of each document, which is all that it has."""
    opened = Corpus(corpus)
    waiting = selectors.DefaultSelector()
    waiting.register(sys.stdin, selectors.EVENT_READ)
    while not waiting.select(0):
        look = {}
        for result in opened.search(" ".join(WORDS), 1_000, by="words"):
            for source, start, stop in [(result.source, result.start, result.stop)] + [
                (each[0], *each[2:]) for each in result.also
            ]:
                look.setdefault(source, []).append((start, stop, result.text))
        print(json.dumps({source: sorted(chunks) for source, chunks in look.items()}), flush=True)


@pytest.mark.parametrize("step", [1, 5, 12, 20, 30, 45, 60])
def test_a_first_run_that_is_killed_is_made_good(tmp_path, step):
    """Killed at a step of the first ingestion, the next run has all of it."""
    job = Job(tmp_path, step)
    assert job.run(step) == -signal.SIGKILL
    job.search()
    job.look()


@pytest.mark.slow
def test_killed_at_random(tmp_path):
    """Thirty rounds: documents change, one or two runs are killed at any moment, and the next one makes it good."""
    job = Job(tmp_path, 1)
    killed = 0
    for _round in range(30):
        job.change()
        for _kill in range(job.random.choice([1, 2])):
            killed += job.run(share=job.random.uniform(0, 0.8)) == -signal.SIGKILL
            job.search()
        job.look()
    assert killed > 15


@pytest.mark.slow
def test_killed_before_each_step(tmp_path):
    """Killed before each write, commit and clearing away of a run with changes, the next run makes it good."""
    job = Job(tmp_path, 2)
    job.look()
    step, ended = 1, 0
    while ended < 3:
        job.change()
        ended += job.run(step) == 0
        job.search()
        if step % 3 == 0 or ended:
            job.look()
        step += 1 + step // 8
    assert step > 40


@pytest.mark.slow
def test_searches_see_whole_documents_while_ingestions_are_killed(tmp_path):
    """Whatever another process finds at any moment is a chunk of some whole edition of its document, at its place there."""
    job = Job(tmp_path, 3)
    job.look()
    words = [sys.executable, __file__, str(job.corpus)]
    seen = tmp_path / "seen"
    with (
        seen.open("wb") as out,
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE) as reader,
    ):
        for _round in range(8):
            job.change()
            job.run(share=job.random.uniform(0, 1))
            assert job.run() == 0
        _out, err = reader.communicate(b"end", timeout=60)
    assert reader.returncode == 0, err.decode()
    looks = {line: json.loads(line) for line in seen.read_text().splitlines()}.values()
    assert len(looks) > 8
    whole = {tuple(chunks_of(text, Splitter(size))) for text in job.editions for size in (400, 1_000)}
    for look in looks:
        for source, chunks in look.items():
            assert tuple((start, stop, text) for start, stop, text in chunks) in whole, source


@pytest.mark.parametrize("room", [10_000, 60_000, 150_000, 250_000])
def test_a_full_disk_is_told_and_made_good(tmp_path, room):
    """Where a file may grow no more, the run ends in a clear error, and what is there agrees; with room, the next one does all."""
    job = Job(tmp_path, 4)
    embedder = Counting()
    code = (
        "import resource, signal, sys; sys.path.insert(0, sys.argv[3]); from truth import Counting; from flatwater import Corpus, errors\n"
        f"signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        "try: Corpus(sys.argv[1], embedder=Counting()).ingest(sys.argv[2])\n"
        "except errors.FlatwaterError as error: print(type(error).__name__, error)\n"
        "else: print('done')\n"
    )
    words = [sys.executable, "-c", code, str(job.corpus), str(job.folder), str(Path(__file__).parents[1] / "ingest")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("BrokenError") or (room > 200_000 and done.stdout == "done\n"), done.stdout
    if (job.corpus / "corpus.json").exists():
        assert Corpus(job.corpus, embedder=embedder).search("alna", by="words") is not None
    job.look()


if __name__ == "__main__":
    program(*sys.argv[1:]) if len(sys.argv) > 2 else search_on(sys.argv[1])
