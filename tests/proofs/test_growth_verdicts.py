"""Growth verdicts on real programs in fresh processes, each bounded one beside its leaking twin."""

from __future__ import annotations

import ctypes
import math
import random
from collections import OrderedDict, deque

import pytest

import flatwater as fw

MIB = 1 << 20
pytestmark = pytest.mark.slow


def streams(n, *, keep=False):
    """Rows, one at a time."""
    kept = []
    for number in range(n):
        row = f"row {number}"
        if keep:
            kept.append(row)


def batches(n, *, keep=False):
    """A thousand rows at a time."""
    kept = []
    for start in range(0, n, 1000):
        batch = [f"row {number}" for number in range(start, start + 1000)]
        if keep:
            kept.append(batch)


def least_recently_used(n, *, keep=False):
    """A cache that is full at 60,000 rows."""
    cache = OrderedDict()
    for number in range(n):
        cache[number] = None
        if not keep and len(cache) > 60_000:
            cache.popitem(last=False)


def ring_buffer(n, *, keep=False):
    """The last thousand rows."""
    last = deque(maxlen=None if keep else 1000)
    for number in range(n):
        last.append(f"row {number}")


def cycles(n, *, keep=False):
    """Objects that refer to themselves, which the collector frees now and then."""
    import gc

    if keep:
        gc.disable()
    for _ in range(n):
        ring = []
        ring.append(ring)


def native(n, *, keep=False):
    """malloc without any Python object: 64 bytes each, freed at once."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_size_t],
        [ctypes.c_void_p],
    )
    for _ in range(n):
        block = libc.malloc(64)
        ctypes.memset(block, 1, 64)
        if not keep:
            libc.free(block)


def table_in_memory(n, *, keep=False):
    """SQLite rows in memory, of which the last hundred stay."""
    import sqlite3

    base = sqlite3.connect(":memory:")
    base.execute("create table rows (id integer primary key, name text)")
    for start in range(0, n, 100):
        base.executemany(
            "insert into rows values (?, ?)", ((number, f"row {number}") for number in range(start, start + 100))
        )
        if not keep:
            base.execute("delete from rows where id < ?", (start,))


def random_batches(n, *, keep=False):
    """Batches of one to three thousand rows, as they come."""
    chance = random.Random(n)
    kept = []
    while n > 0:
        count = chance.randrange(1000, 3000)
        batch = bytes(count * 20)
        n -= count
        if keep:
            kept.append(batch)


def buffer(n, *, keep=False):
    """A buffer of a fixed size; its twin has two bytes for each item."""
    data = bytearray(2 * n if keep else 100_000)
    for number in range(n):
        data[number % len(data)] = 1


PROGRAMS = [
    streams, batches, least_recently_used, ring_buffer, cycles, native, table_in_memory, random_batches, buffer,
]  # fmt: skip
SMALLER = {native: "12500..200k", table_in_memory: "12500..200k"}  # they take longer for each item
LARGER = {buffer: "200k..3200k"}  # two bytes for each item, which must not fit into what is free at the start


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_bounded_is_constant(program):
    """A plateau is seen as one, finely enough to pass."""
    proof = fw.prove(program, sizes=SMALLER.get(program, "25k..400k"))
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)
    assert proof.resolution <= 16


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_leaking_twin_is_found(program):
    """The same work that keeps what it made grows linearly, from two bytes for each item."""

    def twin(n):
        return program(n, keep=True)

    proof = fw.prove(twin, sizes={**SMALLER, **LARGER}.get(program, "25k..400k"))
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)
    assert proof.kind == "linear", str(proof)
    assert proof.bytes_per_item > 1.5


@pytest.mark.parametrize(("kind", "shape"), [("sqrt", math.sqrt), ("log", math.log)])
def test_growth_that_gets_less(kind, shape):
    """Growth like the root or the logarithm of n is no constant, and where it is decided, of its kind."""
    whole = 64 * MIB / shape(400_000)

    def program(n):
        data = bytearray(int(whole * shape(n)))
        for number in range(n):
            data[number % len(data)] = 1
        return data

    proof = fw.prove(program)
    assert proof.verdict != "constant", str(proof)
    assert not proof.holds
    if proof.verdict == "grows":
        assert proof.kind == kind, str(proof)


def test_small_growth_over_a_large_constant():
    """Sixteen bytes an item beside 200 MiB that are always there."""

    def program(n):
        held = bytearray(200 * MIB)
        return held, [object() for _ in range(n)]

    proof = fw.prove(program, sizes="25k..400k")
    assert (proof.verdict, proof.kind) == ("grows", "linear"), str(proof)
    assert 20 < proof.bytes_per_item < 28


@pytest.mark.parametrize("limit_kind", ["auto", "rlimit_data"])
def test_an_impossible_limit_fails(limit_kind):
    """What needs 90 MiB does not survive 48, whichever kind of limit is there; what is bounded does."""
    claim = {"sizes": "2k..32k", "budget": "48 MiB", "survive": True, "limit_kind": limit_kind, "resolution": "64 KiB"}
    hog = fw.prove(lambda n: bytearray(3000 * n), **claim)
    assert (hog.survived, hog.outcome) == (False, "fails"), str(hog)
    flat = fw.prove(streams, **claim)
    assert (flat.survived, flat.outcome) == (True, "holds"), str(flat)


def test_a_mapped_file_by_either_metric():
    """A file that is mapped and read grows by rss, and not by anon, which a run under a kernel limit backs."""

    def makes(n):
        import os
        import tempfile

        descriptor, path = tempfile.mkstemp()
        os.write(descriptor, bytes(n * 1000))
        return path

    def reads(n, path):
        import mmap

        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as rows:
            return sum(rows[place] for place in range(0, n * 1000, 1000))

    rss = fw.prove(reads, sizes="4k..64k", setup=makes)
    assert (rss.verdict, rss.kind) == ("grows", "linear"), str(rss)
    anon = fw.prove(reads, sizes="4k..64k", setup=makes, metric="anon")
    assert (anon.verdict, anon.survived, anon.outcome) == ("constant", True, "holds"), str(anon)


def test_a_projection_comes_true():
    """What is projected from 400 thousand items is what is measured at 3.2 million, within a tenth."""

    def program(n):
        return [float(number) for number in range(n)]

    proof = fw.prove(program, target="3.2M", budget="4 GiB")
    seen = fw.prove(program, sizes="200k..3.2M").points[-1].peak_bytes
    assert proof.outcome == "holds"
    assert proof.projected_peak == pytest.approx(seen, rel=0.1)
    assert proof.projected_upper >= 0.95 * seen
