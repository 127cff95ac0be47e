"""How fast a tree is looked at, and what that holds, beside ruff and pylint with their rules of the same nature.

The tree is Python's own library, file after file and again from the start, each with a first line of its own.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

FLATWATER = (sys.executable, "-m", "flatwater", "lint", "--output-format", "json")
RUFF = (sys.executable, "-m", "ruff", "check", "--isolated", "--exit-zero", "--select", "B019,C4,FURB129,PERF,SIM115")
PYLINT = (
    sys.executable, "-m", "pylint", "--exit-zero", "--persistent=n", "--rcfile=/dev/null", "--recursive=y",
    "--disable=all", "--enable=method-cache-max-size-none,use-a-generator,consider-using-with,consider-using-generator",
)  # fmt: skip
UNCACHED, CACHED, FEW = (
    "flatwater lint, uncached",
    "flatwater lint, cached",
    "flatwater lint, uncached, a tenth of the files",
)
RUFF_UNCACHED, RUFF_CACHED = "ruff check, uncached", "ruff check, cached"
PYLINT_FEW = "pylint, a hundredth of the files"
LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "idlelib", "lib2to3", "__pycache__"}
LINES_A_SECOND, LINES_A_SECOND_CACHED, GROWTH_MAX = 10_000, 300_000, 1.25


def line_us(contestant: str, outcome: Outcome) -> float:
    """Microseconds for a line."""
    return 1e6 / outcome.figure(contestant, "lines_per_s")


def growth(outcome: Outcome) -> float:
    """Peak anonymous memory with all files, to that with a tenth of them."""
    peak, few = (max(each["anon_peak_bytes"] for each in outcome.rounds[name]) for name in (UNCACHED, FEW))
    return float(peak / max(few, 1))


case = Case(
    "Linting a tree of 5,000 files: `flatwater lint` with all its rules, ruff and pylint with those of theirs that are about "
    "collections, caches and open files.",
    size=5_000,
    tiny=20,
    commands=True,
    patience=2,
    figures={"lines_per_s": "lines/s"},
    bars=(
        Bar(
            f"at least {LINES_A_SECOND:,} lines a second, uncached", 1e6 / LINES_A_SECOND, "us a line", partial(line_us, UNCACHED)
        ),
        Bar(
            f"at least {LINES_A_SECOND_CACHED:,} lines a second, cached",
            1e6 / LINES_A_SECOND_CACHED, "us a line", partial(line_us, CACHED),
        ),
        Bar(f"ten times the files take at most {GROWTH_MAX}x the peak anonymous memory", GROWTH_MAX, "x", growth),
    ),
)  # fmt: skip


def sources() -> list[Path]:
    """Python's own library, without its tests."""
    found = []
    for folder, folders, names in os.walk(sysconfig.get_path("stdlib")):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        found += [Path(folder, name) for name in sorted(names) if name.endswith(".py")]
    return found


def tree(folder: Path, files: int) -> int:
    """Make so many files; the number of their lines."""
    originals = [path.read_bytes() for path in sources()]
    lines = 0
    for number in range(files):
        place = folder / f"part{number // 100}"
        place.mkdir(parents=True, exist_ok=True)
        data = b"# file %d\n" % number + originals[number % len(originals)]
        lines += data.count(b"\n")
        (place / f"m{number}.py").write_bytes(data)
    return lines


def run_of(size: int, *, argv: tuple[str, ...], share: int = 1, warm: bool = False) -> Run:
    held = tempfile.TemporaryDirectory()
    root = Path(held.name)
    lines = tree(root / "tree", max(size // share, 1))

    def look() -> None:
        done = subprocess.run(
            [*argv, str(root / "tree")], cwd=root, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert done.returncode in (0, 1)

    if warm:
        look()

    def run() -> dict[str, float]:
        began_s = time.perf_counter()
        look()
        return {"lines_per_s": lines / (time.perf_counter() - began_s)}

    atexit.register(held.cleanup)  # not while it is measured
    return run


case.contestant(UNCACHED)(partial(run_of, argv=(*FLATWATER, "--no-cache")))
case.contestant(CACHED)(partial(run_of, argv=FLATWATER, warm=True))
case.contestant(FEW)(partial(run_of, argv=(*FLATWATER, "--no-cache"), share=10))
case.contestant(RUFF_UNCACHED, needs=("ruff",))(partial(run_of, argv=(*RUFF, "--no-cache")))
case.contestant(RUFF_CACHED, needs=("ruff",))(partial(run_of, argv=(*RUFF, "--cache-dir", ".ruff_cache"), warm=True))
case.contestant(PYLINT_FEW, needs=("pylint",), rounds_max=1)(partial(run_of, argv=PYLINT, share=100))
