"""tour.lab.files and its programs: all variants do the same work."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest

from flatwater.tour.lab.programs import files


@pytest.mark.parametrize("size", [0, 1, 1024, 1025, 10_000])
def test_both_give_the_checksum(tmp_path, size):
    """Whole, in chunks of the house and by hand, of any size, it is the file's CRC."""
    path = tmp_path / "file"
    content = bytes(index % 251 for index in range(size))
    path.write_bytes(content)
    found = [files.whole(str(path)), files.in_chunks(str(path), 1024), files.by_hand(str(path), 1024)]
    assert found == [zlib.crc32(content)] * 3
    assert all(len(chunk) <= 1024 for chunk in files.chunks_of(str(path), 1024))


def test_by_hand_holds_two(tmp_path):
    """The chunk before lives until the next one is read: two, the read buffer and an open file."""
    chunk_bytes = 500_000
    path = tmp_path / "file"
    path.write_bytes(bytes(5 * chunk_bytes))
    tracemalloc.start()
    try:
        files.by_hand(str(path), chunk_bytes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 2 * chunk_bytes < peak < 2.5 * chunk_bytes


def test_small_chunks_hold_one_block(tmp_path):
    """However small its chunks are, FileChunks holds the 64 KiB that they are cut from: the sentence of the experiment."""
    path = tmp_path / "file"
    path.write_bytes(bytes(1_000_000))
    files.in_chunks(str(path), 1024)  # what its first use imports
    tracemalloc.start()
    try:
        files.in_chunks(str(path), 1024)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 65_536 < peak < 90_000
