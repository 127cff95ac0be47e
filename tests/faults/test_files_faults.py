"""Files and servers that fail while they are read: each time an error that says what and where, and nothing is left open."""

from __future__ import annotations

import errno
import gzip
import http.server
import io
import lzma
import os
import random
import signal
import subprocess
import sys
import threading

import pytest
import zstandard

from flatwater import errors
from flatwater.source import FileChunks, lines, records
from flatwater.worker import Worker

DATA = random.Random(2).randbytes(400_000)
ROWS = b"".join(b'{"id": %d}\n' % number for number in range(50_000))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress, lzma.compress])
def test_cut_off_in_the_middle(tmp_path, pack):
    """All that came before the cut is delivered, then the cut is told with both offsets."""
    packed = pack(ROWS)
    path = tmp_path / "rows.jsonl.x"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    got = []
    with pytest.raises(errors.CorruptError, match=r"ends in the middle of .* at about byte \d+") as caught:  # noqa: PT012 - the loop is what raises
        for row in records(path, format="jsonl"):
            got.append(row["id"])  # noqa: PERF401 - the loop is what is tested
    assert got == list(range(len(got)))
    assert len(got) > 10_000
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("size", [4096, 65_536])
def test_a_file_that_shrinks(tmp_path, size):
    """It is said with both sizes and the offset, and the bytes before are right."""
    path = tmp_path / "a"
    path.write_bytes(DATA)
    got = b""
    with pytest.raises(errors.BrokenError, match="it had 400000 bytes, and ends at byte 100 now") as caught:  # noqa: PT012 - the loop is what raises
        for chunk in FileChunks(path, size, copy=True):
            got += chunk
            os.truncate(path, 100)
    assert DATA.startswith(got)
    assert f"reading had come to byte {len(got)}" in str(caught.value)


def test_a_compressed_file_that_shrinks(tmp_path):
    """It is said to have shrunk, not only that its data is cut off."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(DATA))
    with pytest.raises(errors.BrokenError, match="became shorter while it was read"):  # noqa: PT012 - the loop is what raises
        for _ in FileChunks(path, 4096):
            os.truncate(path, 70_000)


def test_lines_of_a_file_that_shrinks(tmp_path):
    """So do lines and rows."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(ROWS)
    with pytest.raises(errors.BrokenError, match="became shorter"):  # noqa: PT012 - the loop is what raises
        for _ in lines(path):
            os.truncate(path, 100)


def test_a_file_that_shrank_after_it_was_split(tmp_path):
    """A worker that gets a range of a file that has become shorter says so before it reads."""
    path = tmp_path / "a"
    path.write_bytes(DATA)
    parts = FileChunks(path).ranges(3)
    os.truncate(path, 300_000)
    with pytest.raises(errors.BrokenError, match="since it was split: it had 400000 bytes, and has 300000 now"):
        list(parts[0])
    path.unlink()
    with pytest.raises(errors.BrokenError, match="does not exist"):
        list(parts[1])


def test_a_file_that_vanishes(tmp_path):
    """A file that is deleted while it is read is read to its end, and that is said."""
    path = tmp_path / "a"
    path.write_bytes(DATA)
    with FileChunks(path, copy=True) as chunks:
        got = next(chunks)
        path.unlink()
        assert got + b"".join(chunks) == DATA
        assert chunks.notes == [f"{path} was deleted while it was read; all 400000 bytes of it were read."]


class Failing(io.RawIOBase):
    """A disk that cannot read on after 100,000 bytes."""

    def __init__(self):
        self.left = 100_000

    def readinto(self, buffer):
        if not self.left:
            raise OSError(errno.EIO, "Input/output error")
        count = min(len(buffer), self.left)
        self.left -= count
        return count


@pytest.mark.parametrize("copy", [False, True])
def test_a_disk_that_fails(copy):
    """A failed read is told with the byte, and what came before was delivered."""
    seen = 0
    with pytest.raises(errors.BrokenError, match=r"could not be read at byte 100000 .*Input/output error"):  # noqa: PT012 - the loop is what raises
        for chunk in FileChunks(Failing(), 30_000, copy=copy):
            seen += len(chunk)
    assert seen == 100_000
    with pytest.raises(errors.BrokenError, match="Input/output error"):
        list(lines(Failing(), encoding=None))


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="reads /proc")
def test_a_read_that_the_kernel_refuses(open_files):
    """A real EIO of the kernel is the same, and the file is closed."""
    before = open_files()
    with pytest.raises(errors.BrokenError, match="/proc/self/mem could not be read at byte 0"):
        list(FileChunks("/proc/self/mem", compression="none"))
    assert open_files() <= before


class Cutting(http.server.BaseHTTPRequestHandler):
    """Promises all of the data, sends a part, and cuts the connection."""

    def log_message(self, *_words):
        pass

    def do_GET(self):
        self.send_response(200)
        if self.path == "/chunked":
            self.protocol_version = "HTTP/1.1"
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n" % (300_000, DATA[:300_000]))
        else:
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            self.wfile.write(DATA[:300_000])
        self.close_connection = True


@pytest.mark.parametrize("path", ["/length", "/chunked"])
def test_a_server_that_cuts_the_connection(path):
    """The cut is told with the byte that was reached, without the URL's secrets; the bytes before are right."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cutting)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    got = b""
    try:
        with pytest.raises(errors.BrokenError, match=r"the connection broke at byte \d+") as caught:  # noqa: PT012 - the loop is what raises
            for chunk in FileChunks(f"http://u:hidden@127.0.0.1:{server.server_port}{path}", 4096, copy=True):
                got += chunk
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert DATA.startswith(got)
    assert "hidden" not in str(caught.value)


def test_killing_who_follows(tmp_path):
    """A program that follows a log ends by SIGINT and by SIGKILL, and leaves the log as it is."""
    log = tmp_path / "log"
    log.write_text("one\n")
    code = "import sys; from flatwater.source import lines\nfor line in lines(sys.argv[1], follow=True): print(line, flush=True)"
    for number in (signal.SIGINT, signal.SIGKILL):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(log)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "one\n"
        child.send_signal(number)
        _, said = child.communicate(timeout=20)
        assert child.returncode in {-number, 130, 1}
        assert number == signal.SIGKILL or "KeyboardInterrupt" in said
    assert log.read_text() == "one\n"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_is_streamed_in_a_small_worker(tmp_path, kind):
    """1 GiB out of 1 MB and less go through a worker of 64 MiB, and are refused there where that is asked for."""
    zeros = bytes(64 << 20)
    member = gzip.compress(zeros) if kind == "gzip" else zstandard.ZstdCompressor().compress(zeros)
    path = tmp_path / "bomb"
    path.write_bytes(member * 16)
    assert path.stat().st_size < 1_500_000

    def read(name, most):
        from flatwater.source import FileChunks

        return sum(map(len, FileChunks(name, expansion_max=most)))

    with Worker("64 MiB") as worker:
        outcome = worker.run(read, (str(path), 100_000))
        assert outcome.value == 1 << 30
        assert outcome.peak_rss - outcome.start_rss < 16 << 20
        with pytest.raises(errors.LimitReached, match="expansion_max"):
            worker.run(read, (str(path), 100))
