"""The line on the terminal: how far, how fast, how long still, how much memory; nothing where there is no terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import flatwater as fw
from flatwater.pipeline.progress import Progress
from flatwater.pipeline.reading import Position
from flatwater.pipeline.sources import Source

PROGRAM = """
import time
import flatwater as fw

def slow(line):
    time.sleep(0.002)
    return line

with fw.Budget("64 MiB"):
    print(fw.Flow(fw.lines("in.txt")).map(slow).to("out.txt").run(progress=True).items)
"""


def on_a_terminal(folder, program):
    """What it writes to a terminal of 120 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "140", "TERM": "xterm"}
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, stderr=theirs, stdout=subprocess.PIPE, env=environment
    )
    os.close(theirs)
    shown = bytearray()
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # it ended
        pass
    os.close(ours)
    assert child.wait(60) == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()), child.stdout.read().decode()


def test_what_it_shows(tmp_path):
    """Of a file: a share of its bytes, items and their rate, two times, memory against the budget."""
    (tmp_path / "in.txt").write_text("".join(f"line {n}\n" for n in range(800)))
    shown, printed = on_a_terminal(tmp_path, PROGRAM)
    assert printed == "800\n"
    last = [line for line in re.split(r"[\r\n]+", shown) if "items" in line][-1]
    assert re.search(r"Lines in\.txt .*100% 800 items, \d+/s 0:00:0\d .* MiB of 64\.0 MiB", last), last


def test_nothing_without_a_terminal(tmp_path):
    """A log stays clean."""
    (tmp_path / "in.txt").write_text("line\n")
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_how_far_a_source_is():
    """Items where their number is known, nothing where it is not."""
    assert Source(range(50), ()).total == (50, "items")
    assert Source(iter([]), ()).total == (0, "items")
    with Progress(Source(range(50), ()), fw.Budget("1 MiB"), Position()) as line:
        line.update(Position(20))
        line.finish(Position(50))
