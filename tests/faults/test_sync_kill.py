"""Syncs of directories that are killed: nothing is lost, nothing is left over, the next run goes on.

This file is also the program that is killed: `python test_sync_kill.py SOURCE DESTINATION STATE STEP`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from flatwater import limits
from flatwater.store.store import Store
from flatwater.sync.sync import Sync

FOLDERS = 5
SLOWLY = -1


def program(source, destination, state, step):
    """Sync; at a step above 0, die before the n-th rename, removal, or write of the state; below 0, take some seconds."""
    left = [int(step)]

    def dying(function):
        def call(*args, **options):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call

    for name in ("rename", "unlink", "rmdir"):
        setattr(os, name, dying(getattr(os, name)))
    Store.write_to = dying(Store.write_to)
    limits.SYNC_COMMIT_S = 0.01
    limits.SYNC_RECORD_S = 0.01
    limits.SYNC_COMMIT_ROWS = 20
    os.write(1, b"begins\n")
    Sync(source, destination, state, workers=3, max_delete="100%", bandwidth="8 MiB" if left[0] < 0 else 0).apply()


class Pair:
    """Two directories that are synced by processes."""

    def __init__(self, folder, seed, files=120):
        self.source, self.destination, self.state = (str(folder / name) for name in ("source", "destination", "state"))
        self.random = random.Random(seed)
        os.mkdir(self.source)
        for number in range(files):
            self.write(number)

    def path(self, number):
        return os.path.join(self.source, f"d{number % FOLDERS}", f"{number}.txt")

    def write(self, number):
        path = self.path(number)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(self.random.randbytes(self.random.choice([0, 10, 1000, 300_000])))
        os.utime(path, (time.time() - 1000, time.time() - 1000 + self.random.random()))

    def change(self):
        """Some files come, some change, some go, a folder becomes a file and back."""
        for number in self.random.sample(range(200), 12):
            self.write(number)
        for number in self.random.sample(range(200), 12):
            if os.path.exists(self.path(number)):
                os.unlink(self.path(number))
        odd = os.path.join(self.source, "odd")
        if os.path.isdir(odd):
            shutil.rmtree(odd)
        elif os.path.exists(odd):
            os.unlink(odd)
            os.mkdir(odd)
            shutil.copyfile(__file__, os.path.join(odd, "below"))
        else:
            shutil.copyfile(__file__, odd)

    def start(self, step=0):
        words = [sys.executable, __file__, self.source, self.destination, self.state, str(step)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, step=0, seconds=None, number=signal.SIGKILL):
        """Its exit code; after so many seconds it gets a signal."""
        with self.start(step) as child:
            child.stdout.readline()
            if seconds is not None:
                time.sleep(seconds)
                child.send_signal(number)
            _out, err = child.communicate(timeout=60)
        assert child.returncode in {0, -signal.SIGKILL, 128 + signal.SIGTERM}, err.decode()
        return child.returncode

    def look(self):
        """After a clean run: both are the same, nothing is left over, the state is whole."""
        assert self.run() == 0
        assert tree(self.destination) == tree(self.source)
        with Store(self.state, read_only=True) as store:
            assert store.check() == []
        assert Sync(self.source, self.destination, self.state).plan().is_empty
        assert Sync(self.source, self.destination, self.state).audit().is_fine


def tree(root):
    """Bytes and times of all files below a folder, unfinished ones, too."""
    found = {}
    for folder, _folders, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, root)] = file.read(), os.stat(path).st_mtime_ns
    return found


def copied(root):
    """Names of files below a folder that are published, while others come and go."""
    return [name for _folder, _folders, names in os.walk(root) for name in names if not name.endswith(".part")]


def killed_at_steps(folder, steps):
    pair = Pair(folder, 3)
    for step in steps:
        code = pair.run(step)
        pair.change()
        if code == 0:
            break
    pair.look()
    return code


def test_killed_before_some_steps(tmp_path):
    """One run after another, each a few steps further than the one before; the last one makes it good."""
    killed_at_steps(tmp_path, [1, 2, 3, 10, 60])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_before_each_step(tmp_path):
    """At every one of the first hundred."""
    killed_at_steps(tmp_path, range(1, 100))


def killed_at_random(folder, rounds, seed):
    pair = Pair(folder, seed)
    for _round in range(rounds):
        pair.run(seconds=pair.random.random() * 0.3)
        pair.change()
    pair.look()


def test_killed_at_any_moment(tmp_path):
    """The source changes in between; one clean run makes it good."""
    killed_at_random(tmp_path, 3, 5)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_thirty_times(tmp_path):
    """So it is round after round."""
    killed_at_random(tmp_path, 30, 7)


def test_ended_by_sigterm(tmp_path):
    """It ends cleanly, with nothing unfinished, and the next one goes on."""
    pair = Pair(tmp_path, 9, files=600)
    with pair.start(SLOWLY) as child:
        while child.poll() is None and not copied(pair.destination):
            time.sleep(0.01)
        child.terminate()
        child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGTERM
    found = tree(pair.destination)
    assert 0 < len(found) < 600
    assert not [name for name in found if name.endswith(".part")]
    pair.look()


if __name__ == "__main__":
    program(*sys.argv[1:])
