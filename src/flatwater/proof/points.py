"""One point of a proof: the peak of a scenario at one n, each run in a fresh process.

Covers:     functions and commands, repetitions, set-ups; whose fault it is where there is no figure.
Not here:   the process itself (`proof.runs`), which sizes (`proof.proving`), verdicts (`proof.growth`).
Holds:      a few numbers a point.
"""

from __future__ import annotations

import os
import signal
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, final

from flatwater import errors, limits, units
from flatwater.proof.runs import Run, Seen, child_run, memory_bound
from flatwater.proof.scenarios import Scenario
from flatwater.worker.command import CommandNotStarted
from flatwater.worker.limit import LimitGroup

Metric = Literal["rss", "anon"]

_STAGE_HINTS = {
    "import": "Does it import by itself: python -c 'import ...'? A file is imported, so keep its work under `if __name__`.",
    "name": "Name it as file.py::function or module:function.",
    "signature": "A scenario takes the number of items: def load(n): ...",
    "unread": "Let the amount of its work depend on n.",
    "undone": "Let the scenario do all its work before it returns: run through what it makes, join its threads.",
    "forked": "Prove it as a command, whose whole process tree is measured: flatwater prove -- python job.py {n}",
    "children": "End them in the scenario; or prove it as a command, whose whole process tree is measured.",
}


class ScenarioUnfit(errors.UsageError):
    """What was named is no scenario that can be measured: it cannot be imported, takes no n, or does its work elsewhere."""


class ScenarioFailed(errors.BrokenError):
    """A scenario was run and failed: it raised, died, or ended with an error.

    Attributes:
        n: at which size.
        output: its traceback, or the end of its error output.
    """

    def __init__(self, message: str, *, n: int, output: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.n = n
        self.output = output


@dataclass(frozen=True, slots=True)
class Point:
    """What a scenario took at one size; bytes and seconds, the medians of its runs.

    Attributes:
        n: the number of items.
        peak_bytes: the most the process held; of a command's tree, the largest sampled sum.
        upper_bytes: the most it can have held; the same as `peak_bytes` where that is exact.
        base_bytes: what a function's process held before the call; 0 for a command.
        spread_bytes: from the lowest peak of its runs to the highest.
        cpu_s: processor seconds of the call, or of the whole command.
        wall_s: seconds of the same.
        runs: how many there were.
        reusable_bytes: that the process could use before it got larger, because its imports had used and freed them.
    """

    n: int
    peak_bytes: int
    upper_bytes: int
    base_bytes: int
    spread_bytes: int
    cpu_s: float
    wall_s: float
    runs: int = 1
    reusable_bytes: int = 0

    @property
    def grown_bytes(self) -> int:
        """The peak above what was there before."""
        return self.peak_bytes - self.base_bytes

    def to_dict(self) -> dict[str, Any]:
        """As in a proof's JSON."""
        return {
            "n": self.n,
            "peak_bytes": self.peak_bytes,
            "upper_bytes": self.upper_bytes,
            "base_bytes": self.base_bytes,
            "spread_bytes": self.spread_bytes,
            "cpu_s": round(self.cpu_s, 6),
            "wall_s": round(self.wall_s, 6),
            "runs": self.runs,
        }


@dataclass(frozen=True, slots=True)
class Survival:
    """How a scenario fared under a limit that the kernel keeps.

    Attributes:
        survived: whether it did all its work.
        limit_kind: "cgroup v2", "cgroup v1", "rlimit_data", or "none" where the system keeps no limit.
        limit_bytes: the limit.
        words: what happened.
    """

    survived: bool
    limit_kind: str
    limit_bytes: int
    words: str


@final
class Measurer:
    """Measures points of one scenario. Not thread-safe.

    Args:
        scenario: what is run.
        setup: made before each run, in a process of its own; what it returns is the scenario's second argument.
        metric: which peak; "anon" is sampled every 4 ms.
        timeout_s: of one run.
        on_run: called before each run with its size; for progress.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        setup: Scenario | None = None,
        metric: Metric = "rss",
        timeout_s: float = limits.PROOF_POINT_TIMEOUT_S,
        on_run: Callable[[int], None] | None = None,
    ) -> None:
        self.scenario = scenario
        self.setup = setup
        self.metric = metric
        self.timeout_s = timeout_s
        self.processes = 1  # the most in one run's tree
        self._on_run = on_run

    def point(self, n: int, repeat: int) -> Point:
        """The point at one size.

        Raises:
            ScenarioUnfit, ScenarioFailed, LimitReached: there is no figure; says why.
        """
        return merged([self._once(n) for _ in range(repeat)])

    def survive(self, n: int, group: LimitGroup) -> Survival:
        """Run one size under a limit."""
        try:
            seen = self._seen(n, group)
            self._figures(n, seen)
        except (ScenarioFailed, ScenarioUnfit, errors.LimitReached, CommandNotStarted) as error:
            return _fared(group, survived=False, words=str(error))
        if seen.kills:
            return _fared(group, survived=False, words="the kernel killed a process of it")
        return _fared(group, survived=True, words=f"n={n:,} ran to its end")

    def _once(self, n: int) -> Point:
        return self._figures(n, self._seen(n, None))

    def _seen(self, n: int, group: LimitGroup | None) -> Seen:
        if self._on_run is not None:
            self._on_run(n)
        if self.scenario.target is None:
            try:
                return self._watched(n, self.scenario, self.scenario.words(n), "", group)
            except CommandNotStarted as error:
                if group is not None:
                    raise
                raise ScenarioUnfit(f"{self.scenario.name} cannot be started: {error}") from error
        if self.setup is None:
            return self._call(n, self.scenario, made="", group=group)
        with child_run({"make": True, "setup": self.setup.target, "n": n}) as (argv, folder):
            seen = self._watched(n, self.setup, argv, folder, None)
            self._check(n, seen, self.setup.name)
            made = os.path.join(folder, "made")
            size = seen.said["ended"]["made_bytes"]
            if size > limits.PROOF_MADE_BYTES_MAX:
                raise ScenarioUnfit(
                    f"{self.setup.name} made {units.format_bytes(size)} at n={n:,} for the scenario.",
                    hint="Let it write a file, and return its path.",
                )
            return self._call(n, self.scenario, made=made, group=group)

    def _call(self, n: int, scenario: Scenario, *, made: str, group: LimitGroup | None) -> Seen:
        request: dict[str, object] = {"make": False, "scenario": scenario.target, "n": n, "made": made}
        with child_run(request) as (argv, folder):
            return self._watched(n, scenario, argv, folder, group)

    def _watched(self, n: int, scenario: Scenario, argv: list[str], folder: str, group: LimitGroup | None) -> Seen:
        memory_bytes = memory_bound()
        run = Run(argv, folder=folder, timeout_s=self.timeout_s, memory_bytes=memory_bytes, group=group)
        seen = run.run()
        where = f"{scenario.name} at n={n:,}"
        if seen.stopped == "timeout":
            raise errors.LimitReached(
                f"{where} did not end in {units.format_duration(self.timeout_s)} and was killed.",
                what="timeout", limit=self.timeout_s,
                hint="Does it wait for something that never comes? Else raise timeout, or take smaller sizes.",
            )  # fmt: skip
        if seen.stopped == "output":
            size = units.format_bytes(limits.PROOF_OUTPUT_BYTES_MAX)
            raise errors.LimitReached(
                f"{where} printed more than {size} and was killed.",
                what="output", limit=limits.PROOF_OUTPUT_BYTES_MAX,
                hint="Let it print less, or send its output to a file or /dev/null.",
            )  # fmt: skip
        if seen.stopped == "memory":
            raise errors.LimitReached(
                f"{where} took more than {units.format_bytes(memory_bytes)}, "
                f"{limits.PROOF_MEMORY_SHARE:.0%} of the memory this machine had left, and was killed.",
                what="memory", limit=memory_bytes,
                hint="Take smaller sizes: the verdict needs none at which it dies.",
            )  # fmt: skip
        return seen

    def _figures(self, n: int, seen: Seen) -> Point:
        self.processes = max(self.processes, seen.processes)
        self._check(n, seen, self.scenario.name)
        assert seen.exit is not None, "what was not stopped has ended"
        if self.scenario.target is None:
            return self._command_point(n, seen)
        began, ended = seen.said["began"], seen.said["ended"]
        if self.metric == "anon":
            peak, base = max(seen.anon, began["anon"], ended["anon"]), began["anon"]
        else:
            peak, base = ended["peak"], began["rss"]
        return Point(n, peak, peak, base, 0, ended["cpu_s"], ended["wall_s"], reusable_bytes=began["reusable"])

    def _command_point(self, n: int, seen: Seen) -> Point:
        ended = seen.exit
        assert ended is not None, "what was not stopped has ended"
        if self.metric == "anon":
            peak = upper = seen.anon
        elif ended.single and ended.peak_rss > ended.floor_bytes:
            peak = upper = ended.peak_rss
        else:
            peak = max(seen.tree_lower, ended.peak_rss if ended.peak_rss > ended.floor_bytes else 0)
            upper = max(seen.tree_upper, ended.peak_rss, peak)
            peak = peak or upper
        return Point(n, peak, upper, 0, 0, ended.cpu_s, seen.wall_s)

    def _check(self, n: int, seen: Seen, name: str) -> None:
        """Raise what there is to say, unless all went well."""
        where = f"{name} at n={n:,}"
        if not seen.said.get("loaded", {}).get("reads_n", True):
            raise ScenarioUnfit(f"{name} cannot be measured: it never reads its n.", hint=_STAGE_HINTS["unread"])
        failure = seen.said.get("failed")
        if failure is not None:
            stage, what, text = failure["stage"], failure["what"], failure["traceback"]
            if stage in {"scenario", "setup", "memory"}:
                raise ScenarioFailed(f"{where} failed: {what}.", n=n, output=text or seen.tail)
            if stage == "import":
                error = ScenarioUnfit(f"{name} cannot be imported: {what}.", hint=_STAGE_HINTS[stage])
                error.add_note(text)
                raise error
            raise ScenarioUnfit(f"{where} cannot be measured: {what}.", hint=_STAGE_HINTS[stage])
        ended = seen.exit
        assert ended is not None, "what was not stopped has ended"
        if "ended" in seen.said or (self.scenario.target is None and ended.exit_code == 0):
            if seen.left_behind:
                pids = ", ".join(map(str, seen.left_behind[:8]))
                raise ScenarioUnfit(
                    f"{where} left {len(seen.left_behind)} process{'es' * (len(seen.left_behind) > 1)} running "
                    f"(pid {pids}), now killed.",
                    hint="Let it wait for what it starts before it ends: what is done later is in no figure.",
                )
            return
        how = (
            f"was killed by {_signal_name(ended.signal)}" if ended.signal else f"ended with exit code {ended.exit_code}"
        )
        if seen.kills:
            how = "was killed for its memory limit"
        elif self.scenario.target is not None:
            how += " before it returned" if "loaded" in seen.said else " while it was imported"
        raise ScenarioFailed(f"{where} {how}.", n=n, output=seen.tail)


def _fared(group: LimitGroup, *, survived: bool, words: str) -> Survival:
    return Survival(survived=survived, limit_kind=group.kind, limit_bytes=group.limit_bytes, words=words)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals
        return f"signal {number}"


def merged(points: list[Point]) -> Point:
    """One point of several runs of the same size."""
    if len(points) == 1:
        return points[0]
    middle = statistics.median_low
    grown = [point.grown_bytes for point in points]
    return Point(
        n=points[0].n,
        peak_bytes=middle(grown) + middle(point.base_bytes for point in points),
        upper_bytes=middle(point.upper_bytes for point in points),
        base_bytes=middle(point.base_bytes for point in points),
        spread_bytes=max(max(grown) - min(grown), *(point.spread_bytes for point in points)),
        cpu_s=middle(point.cpu_s for point in points),
        wall_s=middle(point.wall_s for point in points),
        runs=sum(point.runs for point in points),
        reusable_bytes=max(point.reusable_bytes for point in points),
    )
