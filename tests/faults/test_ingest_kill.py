"""Ingestions that are killed: no chunk is lost, none is there twice, none is stale, and the next run makes it good.

This file is also the program that is killed: `python test_ingest_kill.py CORPUS FOLDER EMBEDDER SIZE STEP`.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from truth import Counting, check, prose

from flatwater import limits
from flatwater.ingest.corpus import Corpus
from flatwater.ingest.splitting import Splitter

FILES = 40


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
        self.folder.mkdir()
        self.edition = 0
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
            path.write_text(prose(self.edition, self.random.randrange(0, 9)))

    def there(self):
        return sorted(int(path.stem) for path in self.folder.glob("*.txt"))

    def change(self):
        """Some documents come, change, go; now and then the splitter or the embedder is another."""
        for number in self.random.sample(range(FILES + 10), 8):
            self.write(number)
        for number in self.random.sample(self.there(), 4):
            (self.folder / f"{number}.txt").unlink()
        if self.random.random() < 0.15:
            self.size = 400 if self.size == 1_000 else 1_000
        if self.random.random() < 0.15:
            self.embedder = "other" if self.embedder == "counting" else "counting"

    def run(self, step=0, seconds=None):
        """Its exit code; after so many seconds it is killed."""
        words = [sys.executable, __file__, str(self.corpus), str(self.folder), self.embedder, str(self.size), str(step)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            child.stdout.readline()
            if seconds is not None:
                time.sleep(seconds)
                child.kill()
            _out, err = child.communicate(timeout=60)
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


@pytest.mark.parametrize("step", [1, 5, 12, 25, 40, 80, 150])
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
            killed += job.run(seconds=job.random.uniform(0, 0.35)) == -signal.SIGKILL
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
        step += 1 + step // 12
    assert step > 60


if __name__ == "__main__":
    program(*sys.argv[1:])
