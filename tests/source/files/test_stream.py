from __future__ import annotations

import logging
import os

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.source import FileChunks
from flatwater.source.files.place import Place
from flatwater.source.files.stream import Stream


def test_before_it_is_open_the_bound_is_the_largest(write, pack):
    """Once the first bytes are known, the bound is what this file needs."""
    chunks = FileChunks(write(pack["gzip"](b"x")))
    before = chunks.bytes_max()
    with chunks:
        assert chunks.bytes_max() < before
    assert FileChunks(write(b"x"), compression="none").bytes_max() == 262_144
    assert FileChunks("https://host/a", compression="none").bytes_max() == 262_144 + (9 << 20)


def test_the_budget_is_that_of_the_constructor(write):
    """Whoever iterates elsewhere takes from the budget where it was written."""
    budget = fw.Budget("1 MiB")
    with budget:
        stream = Stream(Place(write(b"x")), "test")
    stream.open()
    stream.reserve(1000)
    stream.reserve(1000)
    assert budget.held == 1000
    stream.close()
    stream.close()
    assert budget.held == 0
    with pytest.raises(errors.ClosedError):
        stream.open()


@pytest.mark.parametrize("change", ["deleted", "written"])
def test_what_happened_meanwhile_is_noted(write, caplog, change):
    """A file that was deleted or written while it was read is noted and logged; its bytes are all there."""
    path = write(b"x" * 100)
    with caplog.at_level(logging.WARNING, "flatwater.source.files"), FileChunks(path, 10) as chunks:
        next(chunks)
        if change == "deleted":
            os.unlink(path)
        else:
            os.utime(path, ns=(0, 0))
        assert sum(map(len, chunks)) == 90
        assert change in chunks.notes[0]
    assert change in caplog.text
