"""Rails 6.1's find_each as a contestant: Debian's ruby-activerecord, its start not counted.

The loader is waited for during the setup. The process that it forked becomes ours then, and what it used is counted when
we wait for it: its work, and nothing of the 0.7 s that loading takes.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.case import Run

SCRIPT = Path(__file__).with_suffix(".rb")
_PR_SET_CHILD_SUBREAPER = 36


@functools.cache
def absent() -> str:
    """What Rails lacks here."""
    ruby = shutil.which("ruby")
    if ruby is None:
        return "ruby is not installed (apt-get install ruby-activerecord ruby-sqlite3)"
    asked = "require 'active_record'; require 'sqlite3'"
    done = subprocess.run([ruby, "-e", asked], capture_output=True, check=False)
    return "" if done.returncode == 0 else "ruby-activerecord or ruby-sqlite3 is not installed"


def find_each(path: str, what: str, check: Callable[[int, int, int], None]) -> Run:
    """`what` is "objects" or "wide"; `check` gets the rows, the years and the characters."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    loader = subprocess.Popen(
        ["ruby", str(SCRIPT), path, what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert loader.stdin is not None
    assert loader.stdout is not None
    questions, answers = loader.stdin, loader.stdout
    _, _, worker = answers.readline().partition(" ")
    loader.wait()

    def run() -> dict[str, float]:
        questions.write("go\n")
        questions.flush()
        count, years, characters, delta_mb = answers.readline().split()
        os.waitpid(int(worker), 0)
        check(int(count), int(years), int(characters))
        return {"delta_mb": float(delta_mb)}

    return run
