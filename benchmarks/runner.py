"""Run a case: every contestant in a child process of its own, in turn (A B A B), round after round.

Memory is sampled from outside, every 10 ms, so that CPU seconds are the contestant's own. CPU seconds are user and system
of the child and of everything it waited for.
"""

from __future__ import annotations

import compileall
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.case import Case, load

from benchmarks import kept, machine
from flatwater.meter.tree import Tree

ROOT = Path(__file__).parent.parent
SAMPLE_PERIOD_S = 0.010
CHILD_S_MAX = 600.0
KEPT_SETTINGS = {"PYTHONPATH", "PYTHONHOME"}  # any other PYTHON... variable changes what a program costs


class CaseFailed(Exception):  # noqa: N818 - said of the case, not of the runner
    """A contestant's process ended without a report."""


def measure(
    name: str,
    *,
    repeats: int,
    size: int = 0,
    tiny: bool = False,
    rounds: int = 0,
    run: str = "",
    on_step: Callable[[str], None] | None = None,
) -> dict[str, object]:
    """All rounds of a case, as the record that is stored.

    Args:
        name: of the case.
        repeats: rounds, or a multiple of it where the case's rounds are short.
        size: instead of the case's own.
        tiny: only see that it runs.
        rounds: of each contestant, in place of those that `repeats` makes.
        run: which run of many cases it belongs to: when that began.
        on_step: told which round and contestant is next.

    Raises:
        CaseFailed: a contestant did not finish; carries its last words.
    """
    case = load(name)
    size = size or (case.tiny if tiny else case.size)
    left_out = {each.name: why for each in case.contestants.values() if (why := each.missing())}
    done_by: dict[str, list[dict[str, object]]] = {each: [] for each in case.contestants if each not in left_out}
    load_1m = machine.load_1m()
    # An installed package has its byte code; a checkout may not, and would be compiled at each start.
    for folder in (ROOT / "src", ROOT / "benchmarks"):
        compileall.compile_dir(folder, quiet=2)
    for number in range(1 if tiny else rounds or repeats * case.rounds_per_repeat):
        for contestant, done in done_by.items():
            if number >= case.contestants[contestant].rounds_max:
                continue
            if on_step is not None:
                on_step(f"{name}: round {number + 1}, {contestant}")
            done.append(one_round(name, case, contestant, size))
    return {
        "case": name,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": run,
        "size": size,
        "machine": machine.describe(),
        "load_1m": load_1m,
        "versions": machine.versions(),
        "left_out": left_out,
        "rounds": done_by,
    }


def one_round(name: str, case: Case, contestant: str, size: int) -> dict[str, object]:
    """One contestant, once, in a fresh process."""
    environment = {key: value for key, value in os.environ.items() if key[:6] != "PYTHON" or key in KEPT_SETTINGS}
    argv = [sys.executable, "-m", "benchmarks.child", name, contestant, str(size)]
    with tempfile.TemporaryFile("w+") as errors, kept.a_round() as settings:
        child = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=environment | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            bufsize=1,
            start_new_session=True,  # so that everything it started can be ended with it
        )
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            ready = child.stdout.readline()
            if ready:
                child.stdin.write("go\n")
                anon_peak, file_peak = _sample_until_report(child, case)
            report = child.stdout.readline() if ready and not child.stdout.closed else ""
            if report:
                child.stdin.close()  # which is what it waits for
                child.wait()
        finally:
            _end(child)
        if not report:
            errors.seek(0)
            last_words = "".join(errors.readlines()[-12:])
            raise CaseFailed(
                f"{name}: {contestant!r} ended with {child.returncode}, or was ended after "
                f"{CHILD_S_MAX * case.patience:g} s, before its report.\n{last_words}"
            )
    return {**json.loads(report), "anon_peak_bytes": anon_peak, "file_peak_bytes": file_peak}


def _end(child: subprocess.Popen[str]) -> None:
    """What nobody has waited for yet is killed, with everything it started; and its pipes are closed."""
    if child.returncode is None:  # until it is waited for, its number is nobody else's
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _sample_until_report(child: subprocess.Popen[str], case: Case) -> tuple[int, int]:
    """The largest sampled anonymous and file-backed bytes, the last sample after the work was done."""
    anon_peak = file_peak = 0
    tree = Tree(child.pid, include_root=not case.commands)
    give_up = time.monotonic() + CHILD_S_MAX * case.patience
    assert child.stdout is not None
    try:
        done = False
        while not done:
            done = bool(select.select([child.stdout], [], [], SAMPLE_PERIOD_S)[0])
            rss, anon = tree.sample()
            anon_peak = max(anon_peak, anon)
            file_peak = max(file_peak, rss - anon)
            if time.monotonic() > give_up:
                _end(child)
                break
    finally:
        tree.close()
    return anon_peak, file_peak
