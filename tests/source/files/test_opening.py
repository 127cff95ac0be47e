from __future__ import annotations

import errno
import os
import threading

import pytest

from flatwater import errors
from flatwater.source import FileChunks
from flatwater.source.files.opening import compression_of, may_be_compressed, not_opened, not_read

KINDS = ["gzip", "bz2", "xz", "zstd"]


def test_what_cannot_be_opened(tmp_path, write):
    """A missing file, a folder and one without permission are told apart, each with what to do."""
    with pytest.raises(errors.BrokenError, match=r"does not exist\. Look at the path"):
        list(FileChunks(tmp_path / "nothing"))
    with pytest.raises(errors.UsageError, match=r"is a folder\. Name a file in it"):
        list(FileChunks(tmp_path))
    assert "may not be read" in str(not_opened("a", PermissionError(errno.EACCES, "denied")))
    assert "ulimit" in str(not_opened("a", OSError(errno.EMFILE, "many")))
    assert "loop" in str(not_opened("a", OSError(errno.ELOOP, "a loop")))


def test_what_cannot_be_read():
    """A failed read says at which byte."""
    assert "at byte 70" in str(not_read("a", 70, OSError(errno.EIO, "Input/output error")))
    assert "vanished" in str(not_read("a", 70, OSError(errno.ESTALE, "stale")))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"x"])
def test_compression_is_known_by_content(pack, kind, content):
    """Each kind is known by its first bytes, also of an empty file."""
    assert compression_of(pack[kind](content)) == kind
    assert all(may_be_compressed(pack[kind](content)[:length]) for length in range(12))


@pytest.mark.parametrize("first", [b"", b"id,name", b"BZh9 is a text", b"\x1f\x8b\x07", b"PK\3\4", b"Q*M\x19...."])
def test_other_content_is_none(first):
    """What only looks a little like it is not decompressed."""
    assert compression_of(first) == "none"


def test_a_compressed_file_as_it_is(pack, write):
    """compression="none" gives the stored bytes."""
    packed = pack["gzip"](b"content")
    assert b"".join(map(bytes, FileChunks(write(packed), compression="none"))) == packed


def test_an_offset_behind_the_end(pack, write):
    """An offset behind the end is told with the size, for plain and compressed files; at the end there is nothing."""
    for data in (b"12345", pack["gzip"](b"12345")):
        with pytest.raises(errors.BrokenError, match="ends at byte 5, before the offset 6"):
            list(FileChunks(write(data), offset=6))
        assert list(FileChunks(write(data), offset=5)) == []


def test_a_pipe_is_not_waited_for(write):
    """The first bytes of a pipe come as they are there: only what may be compressed is waited for."""
    read_end, write_end = os.pipe()
    chunks = FileChunks(read_end, copy=True)
    os.write(write_end, b"h")
    assert next(chunks) == b"h"
    os.write(write_end, b"ello")
    assert next(chunks) == b"ello"
    os.close(write_end)
    assert list(chunks) == []
    os.close(read_end)


def test_a_named_pipe(pack, tmp_path):
    """A FIFO is read to the end of its writers, compressed or not."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    packed = pack["zstd"](b"content" * 1000)
    thread = threading.Thread(target=path.write_bytes, args=(packed,))
    thread.start()
    assert b"".join(FileChunks(path, 100, copy=True)) == b"content" * 1000
    thread.join()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_a_file_of_the_kernel():
    """A file whose size is said to be 0 is read to its end."""
    assert b"VmRSS" in b"".join(map(bytes, FileChunks("/proc/self/status")))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_files_that_do_not_know_their_size():
    """A file of /proc says it is empty and is not; one of /sys says 4096 bytes and has fewer: both are read as they are."""
    whole = b"".join(FileChunks("/proc/version", copy=True))
    assert b"".join(FileChunks("/proc/version", copy=True, offset=5, length=10)) == whole[5:15]
    with pytest.raises(errors.UsageError, match="its size is not known before it is read"):
        FileChunks("/proc/version").ranges(2)
    if os.path.exists("/sys/kernel/mm/transparent_hugepage/enabled"):
        assert b"never" in b"".join(FileChunks("/sys/kernel/mm/transparent_hugepage/enabled", copy=True))


def test_a_tilde_is_no_home():
    """Who expects that of it is told how to make a path."""
    with pytest.raises(errors.BrokenError, match=r"os\.path\.expanduser"):
        list(FileChunks("~/no such file"))


def test_standard_input_that_is_closed(monkeypatch):
    """Its descriptor may be another file's by now: nothing is read from it."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(errors.BrokenError, match="standard input is closed"):
        list(FileChunks("-"))


@pytest.mark.parametrize("length", [7, 8, 9, 10])
def test_the_beginning_of_bz2(pack, length):
    """A file that was cut off within its first bytes is no text."""
    assert compression_of(pack["bz2"](b"x")[:length]) == "bz2"
    assert compression_of(b"BZh91A") == "none"


def test_file_objects_can_be_sought_in(write, noise):
    """What is looked at of an object that can be sought in is read once more, from where the object stood."""
    with open(write(noise), "rb") as file:
        file.seek(1_000)
        assert b"".join(FileChunks(file, 5_000, copy=True)) == noise[1_000:]
