"""ingest.live: which slots of the vectors are live."""

from __future__ import annotations

import random

import numpy as np
import pytest

from flatwater.ingest import manifest
from flatwater.ingest.live import BLOCK, BYTES, Live, bits_of, mask_of


@pytest.fixture
def table():
    """A manifest in memory."""
    table = manifest.empty()
    yield table
    table.close()


def live_of(table, slots):
    bits = b"".join(bits_of(table, block) for block in range(-(-slots // BLOCK)))
    return set(np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")).tolist())


def test_marks_are_those_of_a_set(table):
    """Whatever is marked in whatever order, twice or over blocks' borders, the bits and their count are those of a set."""
    chance, wanted, live = random.Random(1), set(), Live(table)
    for _round in range(60):
        slots = [chance.randrange(-1, 3 * BLOCK) for _ in range(50)]
        alive = chance.random() < 0.6
        live.mark(np.array(slots), alive=alive)
        wanted = wanted | {slot for slot in slots if slot >= 0} if alive else wanted - set(slots)
        if chance.random() < 0.3:
            live.flush()
    live.flush()
    assert live_of(table, 3 * BLOCK) == wanted
    assert Live(table).alive == len(wanted)


@pytest.mark.parametrize("slots", [0, 1, 7, 8, 9, BLOCK - 1, BLOCK, BLOCK + 1])
def test_another_generation_begins_whole(table, slots):
    """Its first slots are live, and no other."""
    live = Live(table)
    live.mark(np.array([3 * BLOCK]), alive=True)
    live.flush()
    live.begin_anew(slots)
    assert live_of(table, 4 * BLOCK) == set(range(slots))
    assert Live(table).alive == slots


def test_a_mask_says_all_some_or_none(table):
    """None where all of a block are live, nothing where none is."""
    live = Live(table)
    live.begin_anew(BLOCK)
    live.mark(np.array([BLOCK + 3]), alive=True)
    live.flush()
    assert (mask_of(table, 0), mask_of(table, 2)) == (None, b"")
    assert mask_of(table, 1) == bytes([8]).ljust(BYTES, b"\0")
