from __future__ import annotations

import pytest
import zstandard

from flatwater.source.files.zstd_frames import Frames, window_bytes


def frames(*contents, **options):
    return [zstandard.ZstdCompressor(**options).compress(content) for content in contents]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("checksum", [False, True])
def test_ends_of_frames(noise, step, checksum):
    """It is between frames exactly where frames end, however the bytes are cut."""
    parts = frames(b"", b"x", b"\0" * 300_000, noise[:5000], write_checksum=checksum)
    parts.insert(1, b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello")  # a skippable frame
    parts.insert(1, b"\x5f\x2a\x4d\x18\x00\x00\x00\x00")  # an empty one
    whole = b"".join(parts)
    ends = {sum(map(len, parts[:count])) for count in range(len(parts) + 1)}
    walker = Frames()
    assert walker.is_between
    for start in range(0, len(whole), step):
        walker.feed(whole[start : start + step])
        assert walker.is_between == (min(start + step, len(whole)) in ends)


def test_windows():
    """The window is the content where that is known, else what the header says."""
    (known,) = frames(b"x" * 70_000)
    assert window_bytes(known[:20]) == 70_000
    made = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=20)).compressobj()
    assert window_bytes((made.compress(b"x" * 10) + made.flush())[:20]) == 1 << 20
    assert window_bytes(b"") == window_bytes(b"no zstd at all") == 0
