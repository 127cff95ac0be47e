"""What another user is told of a store whose parts he may not read or enter: never that it is damaged.

This file is also a program: it runs without root's rights.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.store import Store

NOBODY = 65_534


@pytest.fixture(params=["lmdb", "rocksdb"])
def made(request):
    """A store of root's, in a directory that every user may look into."""
    if os.geteuid():
        pytest.skip("NOT ROOT: another user's rights were not tried")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        try:
            with Store(Path(folder, "s"), backend=request.param) as store:
                store.write([((at,), b"x") for at in range(100)])
        except errors.MissingExtra as error:
            pytest.skip(f"no {request.param}: {error}")
        yield Path(folder, "s"), request.param


def as_nobody(path, backend):
    """What reading says to another user."""
    words = [sys.executable, __file__, str(path), backend]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def allow(path, folders, files):
    for folder, _folders, names in os.walk(path):
        os.chmod(folder, folders)
        for name in names:
            os.chmod(os.path.join(folder, name), files)


def test_a_directory_that_may_not_be_entered(made):
    """It is no sign of damage that its files cannot be seen."""
    path, backend = made
    os.chmod(path / backend, 0o700)
    said = as_nobody(path, backend)
    assert said.startswith("BrokenError")
    assert "permission denied" in said


def test_files_that_may_not_be_read(made):
    """That is said, with whom to ask."""
    allow(made[0], 0o755, 0o600)
    said = as_nobody(*made)
    assert said.startswith("BrokenError")
    assert "permission denied" in said
    assert "owns" in said


def test_files_that_may_be_read_in_a_directory_that_may_be_written(made):
    """Reading needs no more than the right to read."""
    allow(made[0], 0o777, 0o644)
    assert as_nobody(*made) == "100 entries"


def main(path, backend):
    with tempfile.TemporaryDirectory() as folder, Store(folder, backend=backend) as store:
        store.stats()  # imports what another user may have no right to import
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    try:
        with Store(path, read_only=True) as store:
            print(sum(map(len, store.batches())), "entries")
    except errors.FlatwaterError as error:
        print(type(error).__name__, error)


if __name__ == "__main__":
    main(*sys.argv[1:])
