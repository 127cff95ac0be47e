"""One point of a marked test: the test alone in a fresh pytest, and what its call took there.

Covers:     starting it under bounds, its figures, a kernel limit, rounds of a hunt for leaks; why there is no figure.
Not here:   the child's side (`testing.child`), which sizes (`proof.proving`), verdicts (`testing.verdict`).
Holds:      a few numbers a point, and the report of one that failed.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, NamedTuple, final

import pytest

from flatwater import errors, limits, units
from flatwater.meter.allocators import ARENA_BYTES
from flatwater.proof.points import Metric, Point, ScenarioFailed, ScenarioUnfit, Survival, merged
from flatwater.proof.runs import Run, Seen, child_run, memory_bound
from flatwater.proof.scenarios import Scenario
from flatwater.testing import start
from flatwater.testing.child import PRINTED, names_of
from flatwater.testing.session import request_for
from flatwater.worker.limit import LimitGroup

PHASES = ("setup", "call", "teardown")
PASSED = "passed"
_AT_ONCE = 0  # the n of a test that takes none
_HINTS = {
    "lost": "Its id must be the same in each process: no object addresses, times or unordered sets in parameter ids.",
    "shadowed": "Rename that fixture: a test that is marked mem_constant gets its n from the mark.",
    "undone": "Let the test wait for all its work: join its threads.",
    "children": "End them in the test; or prove a command, whose whole process tree is measured: flatwater prove -- ...",
    "forked": "Call that work in the test's own process; or prove a command, whose whole process tree is measured: "
    "flatwater prove -- ...",
    "collect": "Does it run alone: pytest FILE? The session's start is repeated, not what its tests have changed.",
    "internal": "",
}


class TestSpoke(Exception):  # noqa: N818 - no error of ours: what the test itself has to say
    """The test failed, skipped or gave up in its own process, so there is no figure. `report` says how."""

    __test__ = False  # pytest takes it for a class of tests otherwise

    def __init__(self, report: pytest.TestReport, n: int) -> None:
        super().__init__(report.longreprtext)
        self.report = report
        self.n = n


class Told(NamedTuple):
    """What a hunt for leaks said: whether nothing leaks, and its table."""

    holds: bool
    text: str


@final
class Measurer:
    """Measures points of one marked test; see `proof.proving.Measures`. Not thread-safe.

    Args:
        item: the test.
        metric: which peak; "anon" is sampled every 4 ms.
        timeout_s: of one process, with collection and set-up.
    """

    def __init__(self, item: pytest.Function, *, metric: Metric, timeout_s: float) -> None:
        self.scenario = Scenario(item.nodeid)
        self.metric: Metric = metric
        self.timeout_s = timeout_s
        self.printed: list[tuple[str, str]] = []  # report sections of the first process, or of the one that died
        self._item = item

    def point(self, n: int = _AT_ONCE, repeat: int = 1) -> Point:
        """The point at one size.

        Raises:
            TestSpoke: the test did not pass there.
            ScenarioUnfit, ScenarioFailed, LimitReached: there is no figure; says why.
        """
        return merged([self._figures(n, self._seen(n)) for _ in range(repeat)])

    def survive(self, n: int, group: LimitGroup) -> Survival:
        """Run one size under a limit that the kernel keeps."""
        words, survived = f"n={n:,} ran to its end", True
        try:
            self._seen(n, group=group)
        except TestSpoke:
            words, survived = "the test failed under it", False
        except (ScenarioFailed, errors.LimitReached) as error:
            words, survived = str(error), False
        return Survival(survived=survived, limit_kind=group.kind, limit_bytes=group.limit_bytes, words=words)

    def hunt(self, n: int, rounds: int, warmup: int) -> Told:
        """Look for what grows on every round of the test's call; raises as `point`."""
        ended = self._seen(n, rounds=rounds, warmup=warmup).said["ended"]
        return Told(ended["holds"], ended["text"])

    def _seen(self, n: int, *, rounds: int = 0, warmup: int = 0, group: LimitGroup | None = None) -> Seen:
        item = self._item
        request: dict[str, object] = {
            **request_for(item.config),
            "file": os.fspath(item.path), "id": item.nodeid, "names": names_of(item), "n": n or None,
            "rounds": rounds, "warmup": warmup,
        }  # fmt: skip
        with child_run(request) as (argv, folder):
            argv[-2] = os.fspath(start.__file__)
            memory_bytes = memory_bound()
            seen = Run(argv, folder=folder, timeout_s=self.timeout_s, memory_bytes=memory_bytes, group=group).run()
            reports = _reports(item.config, folder)
            if "ended" not in seen.said:
                self.printed = _printed(folder)
        told = reports.pop(PASSED, None)
        self._check(n, seen, reports, memory_bytes)
        if told is not None and not self.printed:
            self.printed = told.sections
        return seen

    def _figures(self, n: int, seen: Seen) -> Point:
        began, ended = seen.said["began"], seen.said["ended"]
        if self.metric == "anon":
            peak, base = max(seen.anon, began["anon"], ended["anon"]), began["anon"]
        else:
            peak, base = ended["peak"], began["rss"]
        # What set-up left free in Python's arenas can be used again without the process getting larger.
        free = began["reusable"]
        hidden = max(0, free - ARENA_BYTES)
        return Point(n, peak, peak + free, base, 0, ended["cpu_s"], ended["wall_s"], reusable_bytes=hidden)

    def _check(self, n: int, seen: Seen, reports: dict[str, pytest.TestReport], memory_bytes: int) -> None:
        """Raise what there is to say, unless there is a figure."""
        where = self.scenario.name + (f" at n={n:,}" if n else "")
        failure = seen.said.get("failed")
        if failure is not None:
            if failure["stage"] == "exit":
                raise pytest.exit.Exception(failure["what"])
            if failure["stage"] == "interrupt":
                raise KeyboardInterrupt(failure["what"])
            what, text = f"{where} cannot be measured: {failure['what']}.", failure["traceback"]
            if failure["stage"] in {"collect", "internal"}:
                raise ScenarioFailed(what, n=n, output=text, hint=_HINTS[failure["stage"]])
            raise ScenarioUnfit(what, hint=_HINTS[failure["stage"]])
        for phase in PHASES:
            if phase in reports and not ("ended" in seen.said and _is_strict_pass(reports[phase])):
                raise TestSpoke(reports[phase], n)
        if seen.stopped:
            raise self._bound_reached(where, seen.stopped, memory_bytes)
        if "ended" in seen.said:
            return
        ended = seen.exit
        assert ended is not None, "what was not stopped has ended"
        how = f"was killed by signal {ended.signal}" if ended.signal else f"ended with exit code {ended.exit_code}"
        if seen.kills:
            how = "was killed for its memory limit"
        raise ScenarioFailed(f"{where}: its process {how} before the test came to its end.", n=n, output=seen.tail)

    def _bound_reached(self, where: str, stopped: str, memory_bytes: int) -> errors.LimitReached:
        size = units.format_bytes
        if stopped == "timeout":
            return errors.LimitReached(
                f"{where} did not end in {units.format_duration(self.timeout_s)} and was killed.",
                what="timeout", limit=self.timeout_s,
                hint="Does it wait for something that never comes? Else raise timeout=, or take smaller sizes.",
            )  # fmt: skip
        if stopped == "output":
            return errors.LimitReached(
                f"{where} printed more than {size(limits.PROOF_OUTPUT_BYTES_MAX)} and was killed.",
                what="output", limit=limits.PROOF_OUTPUT_BYTES_MAX, hint="Let it print less.",
            )  # fmt: skip
        return errors.LimitReached(
            f"{where} took more than {size(memory_bytes)}, {limits.PROOF_MEMORY_SHARE:.0%} of the memory this machine "
            "had left, and was killed.",
            what="memory", limit=memory_bytes, hint="Take smaller sizes: the verdict needs none at which it dies.",
        )  # fmt: skip


def _printed(folder: str) -> list[tuple[str, str]]:
    """What a process had printed when it died, as sections of a report."""
    found = []
    for name in PRINTED:
        with contextlib.suppress(OSError), open(os.path.join(folder, name), "rb") as file:
            file.seek(-min(limits.TESTING_SECTION_CHARS_MAX, os.fstat(file.fileno()).st_size), os.SEEK_END)
            if text := file.read().decode("utf-8", "replace"):
                found.append((f"Captured {name} call", text))
    return found


def _is_strict_pass(report: pytest.TestReport) -> bool:
    """Whether it failed for passing only: such a call has its figure, whatever its xfail(strict) mark makes of that."""
    return isinstance(report.longrepr, str) and report.longrepr.startswith("[XPASS(strict)]")


def _reports(config: pytest.Config, folder: str) -> dict[str, pytest.TestReport]:
    """What did not pass, by phase, and the call that passed."""
    found = {}
    for phase in (*PHASES, PASSED):
        path = os.path.join(folder, f"report-{phase}")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                data: dict[str, Any] = json.load(file)
            report = config.hook.pytest_report_from_serializable(config=config, data=data)
            if isinstance(report, pytest.TestReport):
                found[phase] = report
    return found
