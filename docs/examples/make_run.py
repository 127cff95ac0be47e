"""What `make run` shows: the tour of the house, a hungry program under a budget that it does not keep, and the lab.

Leaves report.html (the tour) and lab/ (the classic experiments) in the current directory.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

HUNGRY = os.path.relpath(Path(__file__).with_name("hungry.py"))
BUDGET = "64MiB"
ROWS = "400000"
SKIPPED = 3  # what the lab ends with on a machine with too little memory, or without a library, for all experiments; it says so


def run(*words: str) -> int:
    """Run one command line as a user would type it."""
    print(f"\n$ {shlex.join(words)}", flush=True)
    return subprocess.run([sys.executable, "-m", *words], check=False).returncode


def main() -> int:
    """0 if the house held its promises, the budget stopped the hungry program and let the flat one through, and the lab found what it should."""
    hungry = run("flatwater", "run", "--budget", BUDGET, "--", sys.executable, HUNGRY, ROWS)
    flat = run("flatwater", "run", "--budget", BUDGET, "--", sys.executable, HUNGRY, ROWS, "flat")
    lab = run("flatwater", "lab", "--out", "lab")
    tour = run("flatwater", "tour", "--html", "report.html")
    print(
        "\nOpen report.html in a browser: each step of the tour against its promise, and its naive twin up to its end."
    )
    print("Open lab/index.html: the classic experiments, charts, and what to take from each.")
    return 0 if hungry != 0 and flat == 0 and lab in {0, SKIPPED} and tour == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
