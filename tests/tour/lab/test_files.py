"""tour.lab.files and its programs: all variants do the same work."""

from __future__ import annotations

import zlib

import pytest

from flatwater.tour.lab.programs import files


@pytest.mark.parametrize("size", [0, 1, 1024, 1025, 10_000])
def test_both_give_the_checksum(tmp_path, size):
    """Whole or in chunks, of any size, it is the file's CRC."""
    path = tmp_path / "file"
    content = bytes(index % 251 for index in range(size))
    path.write_bytes(content)
    assert files.whole(str(path)) == files.in_chunks(str(path), 1024) == zlib.crc32(content)
    assert all(len(chunk) <= 1024 for chunk in files.chunks_of(str(path), 1024))
