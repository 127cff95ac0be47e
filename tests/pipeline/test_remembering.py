"""Digests in memory and in runs on disk."""

from __future__ import annotations

import os
import random
import resource
from itertools import count

import pytest

from flatwater import errors
from flatwater.pipeline.digests import digest_of
from flatwater.pipeline.remembering import Remembered, digests_in


@pytest.mark.parametrize("size", [1, 2_000, 20_000, 1 << 20])
def test_each_digest_is_new_once(size, open_files):
    """In its order, whatever fits; nothing stays open."""
    before = open_files()
    rng = random.Random(1)
    remembered = Remembered(size, "", "distinct()")
    known = set()
    for _turn in range(60):
        digests = [digest_of(rng.randrange(4_000)) for _ in range(100)]
        expected = [digest for digest in dict.fromkeys(digests) if digest not in known]
        assert remembered.new(digests) == expected
        known.update(expected)
    remembered.close()
    assert not open_files() - before


def test_levels_of_runs():
    """There are few runs, whatever the number of digests, and all of them are in some run or in memory."""
    remembered = Remembered(20_000, "", "distinct()")
    digests = list(map(digest_of, range(20_000)))
    for first in range(0, len(digests), 50):
        assert len(remembered.new(digests[first : first + 50])) == 50
    assert len(remembered._runs) <= 3 * 7
    assert sum(run.count for run in remembered._runs) + len(remembered._seen) == len(digests)
    assert remembered.new(digests) == []
    remembered.close()


def test_a_digest_across_two_others():
    """The end of one and the beginning of the next are no digest."""
    remembered = Remembered(1, "", "distinct()")
    one, other = b"\x00" * 8 + b"\x01" * 8, b"\x01" * 8 + b"\x02" * 8
    remembered.new([one])
    remembered.new([other])
    across = b"\x01" * 16
    assert remembered.new([across]) == [across]
    remembered.close()


def test_a_set_of_so_many_stays_within_its_bytes():
    """Even while its table is made anew."""
    from sys import getsizeof

    for size in (1_000, 10_000, 100_000, 3_000_000):
        most = digests_in(size)
        held: set[int] = set()
        table = 0
        for number in count():
            before, table = table, getsizeof(held)
            grown = before if table != before else 0
            assert table - 216 + grown + 64 * len(held) <= max(size, 1_200)
            if number >= most:
                break
            held.add(number)
        assert most * 250 > size - 2_000


def test_too_many_files():
    """Is told, with what to do; nothing stays open."""
    before, limit = set(os.listdir("/proc/self/fd")), resource.getrlimit(resource.RLIMIT_NOFILE)
    remembered = Remembered(10_000, "", "distinct()")
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(before) + 8, limit[1]))
    try:
        with pytest.raises(errors.BrokenError, match="Too many open files"):
            remembered.new(list(map(digest_of, range(20_000))))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        remembered.close()
    assert set(os.listdir("/proc/self/fd")) == before
