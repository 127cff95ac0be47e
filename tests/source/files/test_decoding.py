from __future__ import annotations

import lzma
import random

import pytest
import zstandard

from flatwater import errors
from flatwater.source import FileChunks
from flatwater.source.files.decoding import decoder_bytes, xz_window_bytes

MIB = 1 << 20

KINDS = ["gzip", "bz2", "xz", "zstd"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [100, 4096, 262_144])
def test_members_follow_each_other(pack, write, noise, kind, size):
    """Several members, streams or frames are one content, in chunks of any size."""
    packed = b"".join(pack[kind](part) for part in (noise[:50_000], b"", b"\0" * 200_000, noise[50_000:]))
    with FileChunks(write(packed), size, copy=True) as chunks:
        parts = list(chunks)
    assert b"".join(parts) == noise[:50_000] + b"\0" * 200_000 + noise[50_000:]
    assert {len(part) for part in parts[:-1]} == {size}


@pytest.mark.parametrize("kind", KINDS)
def test_offset_and_length_are_of_the_content(pack, write, noise, kind):
    """They count decoded bytes."""
    with FileChunks(write(pack[kind](noise)), 1000, offset=70_000, length=5_000) as chunks:
        assert b"".join(map(bytes, chunks)) == noise[70_000:75_000]
        assert chunks.position == 75_000


@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_at_any_byte(pack, write, kind):
    """A file that was cut off anywhere is said to be, after all that could be decoded, and with both offsets."""
    packed = pack[kind](random.Random(1).randbytes(60)) + pack[kind](b"more" * 10)
    whole = len(pack[kind](random.Random(1).randbytes(60)))
    for length in range(12, len(packed)):
        chunks = FileChunks(write(packed[:length]), copy=True)
        if length == whole:
            assert len(b"".join(chunks)) == 60
            continue
        with pytest.raises(errors.CorruptError, match=r"at about byte \d+ of the file, after \d+ decoded bytes"):
            list(chunks)


@pytest.mark.parametrize("kind", KINDS)
def test_broken_bytes(pack, write, noise, kind):
    """A byte that was changed is found, by the checksum at the latest."""
    packed = bytearray(pack[kind](noise))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(errors.CorruptError, match=f"{kind}"):
        list(FileChunks(write(bytes(packed))))


def test_rubbish_behind_the_end(pack, write):
    """What follows the last member must be one, or zeros."""
    packed = pack["gzip"](b"content")
    assert b"".join(map(bytes, FileChunks(write(packed + b"\0" * 1000)))) == b"content"
    with pytest.raises(errors.CorruptError, match="broken"):
        list(FileChunks(write(packed + b"rubbish")))


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_is_refused_by_its_ratio(pack, write, kind):
    """What expands more than it may is refused at the bound, not after it."""
    path = write(pack[kind](bytes(16 * MIB)))
    seen = 0
    with pytest.raises(errors.LimitReached, match="expansion_max"):  # noqa: PT012 - the loop is what raises
        for chunk in FileChunks(path, expansion_max=20):
            seen += len(chunk)
    assert seen <= 3 * MIB
    assert sum(map(len, FileChunks(path))) == 16 * MIB


def test_a_window_is_reserved(write, noise):
    """What the decompressor needs is read in the file's header, and is part of the bound."""
    small = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=17))
    large = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=25))

    def streamed(compressor):
        made = compressor.compressobj()  # without the content's size, as of a pipe
        return made.compress(noise) + made.flush()

    needs = []
    for compressor in (small, large):
        with FileChunks(write(streamed(compressor))) as chunks:
            needs.append(chunks.bytes_max())
            assert b"".join(map(bytes, chunks)) == noise
    assert needs[1] - needs[0] > 30 * MIB
    assert needs[0] < 3 * MIB
    with pytest.raises(errors.LimitReached, match="window_max"):
        list(FileChunks(write(streamed(large)), window_max="8 MiB"))


@pytest.mark.parametrize(("preset", "mebibytes"), [(0, 0.25), (6, 8), (9, 64)])
def test_the_dictionary_of_xz(preset, mebibytes):
    """It is what the preset says, by the header of the first block."""
    assert xz_window_bytes(lzma.compress(b"x", preset=preset)[:48]) == mebibytes * MIB


def test_a_later_stream_may_need_more(write):
    """A stream that needs more than the first one promised is refused with what to raise."""
    packed = lzma.compress(b"x", preset=0) + lzma.compress(b"y" * 100_000, preset=9)
    path = write(packed)
    with pytest.raises(errors.LimitReached, match="window_max"):
        list(FileChunks(path))
    assert sum(map(len, FileChunks(path, window_max="80 MiB"))) == 100_001


@pytest.mark.parametrize("kind", KINDS)
def test_needs_are_known(pack, kind):
    """Each kind's need is a number of some size."""
    assert 60_000 < decoder_bytes(kind, pack[kind](b"x" * 1000)[:48]) < 20 * MIB
    assert decoder_bytes(kind, b"") > 60_000


@pytest.mark.parametrize("seed", range(24))
def test_hostile_files(pack, write, noise, seed):
    """Whatever the bytes, there is an error of ours or a content, and no traceback of a library."""
    chance = random.Random(seed)
    kind = chance.choice(KINDS)
    packed = bytearray(pack[kind](noise[: chance.randrange(5_000)]))
    for _ in range(chance.randrange(1, 9)):
        packed[chance.randrange(len(packed))] = chance.randrange(256)
    path = write(bytes(packed))
    try:
        for _ in FileChunks(path, 1000, expansion_max=100):
            pass
    except errors.FlatwaterError as error:
        assert path in str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("kind", KINDS)
def test_what_came_before_a_failure_is_handed_out(pack, write, kind):
    """Garbage behind the data, or a missing end, takes nothing of what could be decoded; the error tells how much that is."""
    text = b"so many words " * 5_000
    packed = pack[kind](text)
    for data, what in ((packed + b"garbage garbage", "is broken"), (packed[:-1], "ends in the middle")):
        got = b""
        with pytest.raises(errors.CorruptError, match=rf"{what}.* after {len(text)} decoded bytes"):  # noqa: PT012 - the loop is what raises
            for chunk in FileChunks(write(data), "1 MiB", copy=True):
                got += chunk
        assert got == text
