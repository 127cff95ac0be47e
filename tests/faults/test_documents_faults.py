"""Readers of documents that are killed: nothing twice, nothing lost, no process left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.documents import making  # noqa: E402 - after the path is known

from flatwater.source.documents import documents  # noqa: E402 - the same

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

# Each line is a piece and the position behind it: written at once, so that both are there or neither is.
READER = """
import json, os, sys
from flatwater.source.documents import documents

folder, log, slow = sys.argv[1:]
position = None
if os.path.exists(log):
    done = open(log, "rb").read()
    done = done[: done.rfind(b"\\n") + 1]
    os.truncate(log, len(done))
    if done:
        position = json.loads(done.splitlines()[-1])[1]
reader = documents(folder, piece_bytes=300, worker_limit="96 MiB", resume=position)
with open(log, "ab", buffering=0) as file:
    for piece in reader:
        file.write(json.dumps([piece, reader.position]).encode() + b"\\n")
        if slow == "slow":
            print(reader.position.source, flush=True)
            sys.stdin.readline()
"""


def folder_of(tmp_path, pages):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.txt").write_text("\n".join(making.lines(1, 3_000)))
    making.make_html(folder / "b.html", 20)
    making.make_pdf(folder / "c.pdf", pages, 500)
    making.make_docx(folder / "d.docx", making.paragraphs(20))
    return folder


def is_alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1][:3]
    except FileNotFoundError:
        return False


def children_of(pid):
    return [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text().split()]


def test_killed_and_resumed_it_reads_each_piece_once(tmp_path):
    """kill -9 after a piece of each kind of document: the pieces in the log are those of one undisturbed run."""
    folder = folder_of(tmp_path, 12)
    wanted = [list(piece) for piece in documents(folder, piece_bytes=300, worker_limit="96 MiB")]
    log = tmp_path / "log"
    chance = random.Random(5)
    for ending in ("a.txt", "b.html", "c.pdf", "c.pdf", "d.docx"):
        command = [sys.executable, "-c", READER, folder, log, "slow"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            left = chance.randrange(2, 5)
            for line in process.stdout:
                left -= line.strip().endswith(ending)
                if not left:
                    break
                process.stdin.write("\n")
                process.stdin.flush()
            held = children_of(process.pid)
            process.kill()
        deadline_s = time.monotonic() + 10
        while any(map(is_alive, held)) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert not any(map(is_alive, held))
    subprocess.run([sys.executable, "-c", READER, folder, log, "fast"], check=True)
    assert [json.loads(line)[0] for line in log.read_bytes().splitlines()] == wanted


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment(tmp_path, seed):
    """kill -9 whenever it comes, several times: nothing twice, nothing lost."""
    folder = folder_of(tmp_path, 300)
    wanted = [list(piece) for piece in documents(folder, piece_bytes=300, worker_limit="96 MiB")]
    log = tmp_path / "log"
    chance = random.Random(seed)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", READER, folder, log, "fast"])
        aim = len(wanted) * chance.random() * 250  # bytes of the log; a line has some 500
        while process.poll() is None and (not log.exists() or log.stat().st_size < aim):
            time.sleep(0.001)
        process.kill()
        process.wait()
    subprocess.run([sys.executable, "-c", READER, folder, log, "fast"], check=True)
    assert [json.loads(line)[0] for line in log.read_bytes().splitlines()] == wanted


def test_a_worker_that_is_killed_loses_nothing(tmp_path):
    """kill -9 of the child in the middle of each kind of document: all pieces come, and there is no problem."""
    folder = folder_of(tmp_path, 30)
    wanted = list(documents(folder, piece_bytes=300, worker_limit="96 MiB"))
    reader = documents(folder, piece_bytes=300, worker_limit="96 MiB")
    found, shot = [], set()
    for piece in reader:
        found.append(piece)
        kind = piece.source[-4:]
        if kind not in shot and children_of(os.getpid()):
            shot.add(kind)
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)
    assert found == wanted
    assert reader.report.count == 0
    assert len(shot) == 3


def test_a_disk_that_fails_is_a_problem_of_one_document(tmp_path, monkeypatch):
    """An error of the disk in the middle of a text: what came before is given, the loss is said, the next file is read."""
    import io

    from flatwater.source.documents import plain

    (tmp_path / "a.txt").write_text("words " * 200_000)
    (tmp_path / "b.txt").write_text("the next")

    class Failing(io.FileIO):
        def readinto(self, buffer):
            if self.name.endswith("a.txt") and self.tell() > 500_000:
                raise OSError(5, "Input/output error")
            return super().readinto(buffer)

    original = plain.pieces
    monkeypatch.setattr(plain, "pieces", lambda file, *rest, **how: original(Failing(file.name, "rb"), *rest, **how))
    reader = documents(tmp_path)
    pieces = list(reader)
    assert sum(len(piece.text) for piece in pieces[:-1]) > 400_000
    assert pieces[-1].text == "the next"
    assert reader.report.problems[0].reason == "reading it failed: Input/output error"
