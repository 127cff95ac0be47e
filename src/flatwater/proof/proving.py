"""Prove how the memory of a program grows with its input: sizes, verdict, further sizes, claim.

Covers:     `prove`: measuring at each size, going on where the verdict is not firm, deciding whether the claim holds.
Not here:   one point (`proof.points`), the rule (`proof.growth`), several scenarios side by side (`proof.comparison`).
Holds:      a dozen points.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, final

from flatwater import errors, limits, units
from flatwater.proof.growth import Growth, judge, kind_of
from flatwater.proof.points import Measurer, Metric, Point, ScenarioFailed, ScenarioUnfit, Survival, merged
from flatwater.proof.result import Outcome, Proof, per_item
from flatwater.proof.runs import memory_bound
from flatwater.proof.scenarios import Scenario, scenario_of
from flatwater.proof.sizes import next_sizes, parse_sizes
from flatwater.worker.command import IS_LINUX
from flatwater.worker.limit import LimitGroup, check_kind, make_limit

SIZES = "25k..400k"
_EFFECT_RATIO = 1.6  # of the time at the largest sizes over that at the smallest: 16 times the work shows
_EFFECT_S = 100e-6  # and by this much: less is scatter
_POWER_MAX = 3.0  # of n, by which a further size is foreseen
_FREED_BYTES = units.MIB  # that a call could use again unseen: more is worth a word
_CONFIRM_NOISES = 8.0  # growth over the whole range that is less than this many noises is measured again
_CONFIRM_RUNS = 2
_CONFIRM_POINTS = 3
_ANON_ROOM_SHARE = 1.25  # of a sampled anonymous peak, for the run that backs it where there is no budget
_ANON_ROOM_BYTES = 8 * units.MIB  # and this: the pages of the program's own files are charged as well

ScenarioLike = str | Callable[..., Any] | Sequence[str] | Scenario


def prove(
    scenario: ScenarioLike,
    *,
    sizes: str | Iterable[int | str] = SIZES,
    target: int | str | None = None,
    budget: str | int | None = None,
    metric: Metric = "rss",
    survive: bool = False,
    repeat: int | None = None,
    setup: ScenarioLike | None = None,
    resolution: str | int = limits.PROOF_RESOLUTION_BYTES,
    timeout: str | float = limits.PROOF_POINT_TIMEOUT_S,
    limit_kind: str = "auto",
    on_run: Callable[[int], None] | None = None,
) -> Proof:
    """Run a scenario at rising sizes, each in a fresh process, and say how its peak grows.

    Args:
        scenario: a function of n, "module:function", "file.py::function", or the words of a command, one with `{n}` in it.
        sizes: a range such as "25k..400k", whose steps are doublings, or five or more sizes that rise.
        target: the n for which the claim is made; "10M" is 10 million.
        budget: which the peak must not pass, with everything the process holds; bytes, or "256 MiB".
        metric: "rss", the resident high-water mark, exact; "anon", memory that the kernel cannot take back, sampled.
        survive: run the largest size once more under a kernel limit of the budget. A constant by "anon" is put to that
            test in any case, because samples may miss what a kernel does not; without a budget the limit is the sampled
            peak and a quarter of it.
        repeat: runs at each size; by default 1 for a function and 3 for a command.
        setup: a function of n that is called before each run in a process of its own; what it returns is the second
            argument of the scenario, if that takes one. Temporary files that it makes are removed after the run.
        resolution: bytes per item; without a target, a constant must be shown at least this finely.
        timeout: seconds, or "30s", for one run.
        limit_kind: what keeps the limit of the survival run: "auto", "cgroup" or "rlimit_data".
        on_run: called with n before each run.

    The claim is: at the target the peak, at most, is within the budget; without a target: the peak is constant.
    Where the verdict is not firm, two more doublings are run, and then two more, unless they would take too long.

    Raises:
        UsageError: the arguments make no sense, or the scenario cannot be measured; says why.
        ScenarioFailed: it raised, or its process died; with its output.
        LimitReached: one run took too long, printed too much, or endangered the machine.

    Memory: a few KiB here; the scenario runs elsewhere. Thread-safe: nothing is shared between calls.

    >>> def squares(n):
    ...     return sum(i * i for i in range(n))
    >>> proof = prove(squares)  # doctest: +SKIP
    >>> proof.verdict, proof.holds  # doctest: +SKIP
    ('constant', True)
    """
    if metric not in {"rss", "anon"}:
        raise errors.UsageError(f"metric={metric!r} is not known.", hint="Use 'rss' or 'anon'.")
    check_kind(limit_kind)  # before an hour of runs, not after
    run = scenario_of(scenario)
    making = None if setup is None else scenario_of(setup, what="setup")
    if making is not None and (making.target is None or run.target is None):
        raise errors.UsageError(
            "setup goes with a function, and is one.",
            hint="A command prepares its input by itself, or before it is proved.",
        )
    claim = claim_of(
        sizes=sizes, target=target, budget=budget, survive=survive,
        repeat=_repeat(repeat, is_command=run.target is None), resolution=resolution,
    )  # fmt: skip
    timeout_s = errors.seconds_of(timeout, what="timeout", most=limits.WAIT_S_MAX)
    measurer = Measurer(run, setup=making, metric=metric, timeout_s=timeout_s, on_run=on_run)
    return prove_with(measurer, claim, limit_kind=limit_kind)


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be proved of whatever can be measured at rising sizes; see `prove`. Made by `claim_of`."""

    sizes: tuple[int, ...]
    target: int | None
    budget_bytes: int
    survive: bool
    repeat: int
    resolution: int


class Measures(Protocol):
    """What a proof needs of a measurer; `points.Measurer` is one, and a test that is marked has its own."""

    @property
    def scenario(self) -> Scenario:
        """What is run."""

    @property
    def metric(self) -> Metric:
        """Which peak."""

    @property
    def timeout_s(self) -> float:
        """Of one run."""

    def point(self, n: int, repeat: int) -> Point:
        """Measure at one size."""

    def survive(self, n: int, group: LimitGroup) -> Survival:
        """Run one size under a limit."""


def claim_of(
    *,
    sizes: str | Iterable[int | str] = SIZES,
    target: int | str | None = None,
    budget: str | int | None = None,
    survive: bool = False,
    repeat: int | None = None,
    resolution: str | int = limits.PROOF_RESOLUTION_BYTES,
) -> Claim:
    """The claim of these arguments, which are `prove`'s.

    Raises:
        UsageError: they make no sense.
    """
    budget_bytes = 0 if budget is None else errors.bytes_of(budget, what="budget", least=limits.LIMIT_BYTES_MIN)
    if survive and not budget_bytes:
        raise errors.UsageError("survive=True needs a budget to survive under.", hint="Give budget='256 MiB'.")
    return Claim(
        sizes=tuple(parse_sizes(sizes)),
        target=None if target is None else _target(target),
        budget_bytes=budget_bytes,
        survive=survive,
        repeat=_repeat(repeat, is_command=False),
        resolution=errors.bytes_of(resolution, what="resolution", least=1),
    )


def prove_with(measurer: Measures, claim: Claim, *, limit_kind: str = "auto") -> Proof:
    """Prove a claim by the points that a measurer takes; raises what it raises."""
    prover = _Prover(measurer, claim)
    proof = prover.prove()
    if claim.survive or (measurer.metric == "anon" and proof.verdict == "constant"):
        proof.survival = _survival(prover, limit_kind)
    proof.outcome, proof.because = _outcome(proof, claim.resolution)
    return proof


@final
class _Prover:
    """Measures until the verdict is firm, or there is no more to be had."""

    def __init__(self, measurer: Measures, claim: Claim) -> None:
        self.measurer = measurer
        self.sizes = claim.sizes
        self.target = claim.target
        self.budget_bytes = claim.budget_bytes
        self.repeat = claim.repeat
        self.resolution = claim.resolution
        self.points: list[Point] = []
        self.notes: list[str] = [] if IS_LINUX else [_DOUBT]
        self._confirmed = False
        self._extra = 0  # doublings beyond the sizes that were asked for

    def prove(self) -> Proof:
        for n in self.sizes:
            self.points.append(self.measurer.point(n, self.repeat))
        growth = self._growth()
        while doublings := min(self._wanted(growth), limits.PROOF_DOUBLINGS_MAX - self._extra):
            if not self._extend(doublings):
                break
            growth = self._growth()
        if growth.verdict == "grows" and not growth.firm and len(self.points) == len(self.sizes):
            growth = _undecided(growth, growth.reason)
        if growth.verdict == "constant" and not self._shows_work():
            growth = _undecided(growth, _NO_EFFECT)
        reusable = max(point.reusable_bytes for point in self.points)
        if reusable > _FREED_BYTES:
            freed = units.format_bytes(reusable)
            self.notes.append(
                f"{freed} that were freed before the call could be used again unseen: the resolution has them"
            )
        return Proof(
            self.measurer.scenario.name,
            growth,
            self.points,
            metric=self.measurer.metric,
            target=self.target,
            budget_bytes=self.budget_bytes,
            peak_kind=self._peak_kind(),
            notes=self.notes,
            whole=self._whole(growth),
        )

    def _peak_kind(self) -> str:
        if self.measurer.metric == "anon":
            return "sampled"
        return "interval" if any(point.upper_bytes > point.peak_bytes for point in self.points) else "exact"

    def _whole(self, growth: Growth) -> Growth | None:
        """How the whole process grows, where what it held before the call does: a budget is for that."""
        first, last = self.points[0], self.points[-1]
        if growth.verdict == "grows" or last.base_bytes - first.base_bytes <= growth.noise_bytes:
            return None
        whole = judge([point.n for point in self.points], [point.peak_bytes for point in self.points])
        held = units.format_bytes(last.base_bytes - first.base_bytes)
        self.notes.append(
            f"what it holds before the call, such as what setup made, is {held} more at n={last.n:,} than at n={first.n:,}: "
            "part of the peak, not of the verdict"
        )
        return whole

    def _growth(self) -> Growth:
        growth = self._judge()
        first, last = self.points[0].grown_bytes, self.points[-1].grown_bytes
        is_small = abs(last - first) < _CONFIRM_NOISES * growth.noise_bytes
        if growth.verdict != "constant" and is_small and self.repeat <= _CONFIRM_RUNS and not self._confirmed:
            self._confirmed = True
            self._again()
            growth = self._judge()
        return growth

    def _again(self) -> None:
        """Run the last sizes again: what is little more than noise should not hang on one run."""
        for index in range(len(self.points) - _CONFIRM_POINTS, len(self.points)):
            point = self.points[index]
            once = [self.measurer.point(point.n, 1) for _ in range(_CONFIRM_RUNS)]
            self.points[index] = merged([point, *once])

    def _judge(self) -> Growth:
        sizes = [point.n for point in self.points]
        repeated = [point.spread_bytes for point in self.points if point.runs > 1]
        spread = statistics.median(repeated) if repeated else 0.0
        hidden = max(point.reusable_bytes for point in self.points)
        growth = judge(sizes, [point.grown_bytes for point in self.points], spread_bytes=spread, hidden_bytes=hidden)
        exact = [point for point in self.points if point.upper_bytes == point.peak_bytes]
        if growth.verdict == "grows" and len(exact) > 2:  # noqa: PLR2004 - a small command's first peaks are samples
            kind = kind_of([point.n for point in exact], [point.grown_bytes for point in exact], growth.noise_bytes)
            growth = replace(growth, kind=kind)
        if any(point.upper_bytes > point.peak_bytes for point in self.points):
            other = judge(sizes, [point.upper_bytes - point.base_bytes for point in self.points], spread_bytes=spread)
            if other.verdict != growth.verdict and (growth.verdict, other.verdict) != ("grows", "undecided"):
                return _undecided(growth, "the two ends of the sampled peaks disagree")
        return growth

    def _wanted(self, growth: Growth) -> int:
        """How many more doublings could settle it."""
        if growth.verdict == "undecided" or not growth.firm:
            return 1
        if growth.verdict == "grows":
            # Two caches, one that fills early and one late, look like this for a while.
            return int(growth.kind in {"sqrt", "log"} and not self._extra)
        if not self._shows_work():
            return 2
        if self.target is not None and self.budget_bytes:
            if self.target <= self.points[-1].n or max(point.upper_bytes for point in self.points) > self.budget_bytes:
                return 0
            return 2 * (self._upper(growth) > self.budget_bytes)
        return 2 * (growth.resolution > self.resolution)

    def _upper(self, growth: Growth) -> int:
        proof = Proof("", growth, self.points, target=self.target)
        return proof.projected_upper or 0

    def _foreseen(self, figure: str, n: int) -> float:
        """That figure of a point at `n`, if it goes on as between the last two, and at least in proportion to n."""
        before, last = self.points[-2:]
        small, large = (float(getattr(point, figure)) for point in (before, last))
        power = 1.0
        if 0 < small < large:
            power = max(power, math.log(large / small) / math.log(last.n / before.n))
            power = min(power, _POWER_MAX)  # what is near to nothing says little
        factor: float = (n / last.n) ** power
        return max(large, 0.0) * factor

    def _extend(self, doublings: int) -> bool:
        last = self.points[-1]
        for n in next_sizes([point.n for point in self.points], doublings):
            wall_s = self._foreseen("wall_s", n)
            if n > limits.PROOF_N_MAX or wall_s > min(limits.PROOF_EXTENSION_S_MAX, self.measurer.timeout_s):
                self.notes.append(f"n={n:,} was not run: it would take {units.format_duration(wall_s)}")
                return self.points[-1] is not last
            if self._foreseen("grown_bytes", n) + last.base_bytes > memory_bound():
                self.notes.append(f"n={n:,} was not run: it would take more memory than this machine has left")
                return self.points[-1] is not last
            try:
                self.points.append(self.measurer.point(n, self.repeat))
            except (ScenarioFailed, ScenarioUnfit, errors.LimitReached) as error:  # nobody asked for this size
                self.notes.append(f"a further size was tried, and gave no figure: {error.args[0]}")
                return self.points[-1] is not last
            self._extra += 1
        return True

    def _shows_work(self) -> bool:
        """Whether more items took more of anything: where they did not, n may be without effect."""
        small, large = self.points[:2], self.points[-2:]
        walls = [point.wall_s for point in self.points]
        waits = walls == sorted(walls)  # all along: on a busy machine any run may take long
        for seconds in (lambda point: point.cpu_s, lambda point: point.wall_s if waits else 0.0):
            before = statistics.median(map(seconds, small))
            after = statistics.median(map(seconds, large))
            if after > _EFFECT_RATIO * before and after - before > _EFFECT_S:
                return True
        return False


_DOUBT = f"on {sys.platform} the peak is getrusage's ru_maxrss, which cannot be reset: what imports took before hides as much growth"
_NO_EFFECT = (
    "neither its memory nor its time changed with n: does the scenario use it? If it does, take sizes at which the work "
    "takes longer than starting the program"
)


def _undecided(growth: Growth, reason: str) -> Growth:
    return Growth(
        "undecided", None, growth.bytes_per_item, growth.resolution, growth.noise_bytes, firm=False, reason=reason
    )


def _survival(prover: _Prover, limit_kind: str) -> Survival:
    peak = max(point.peak_bytes for point in prover.points)
    limit_bytes = prover.budget_bytes or int(_ANON_ROOM_SHARE * peak) + _ANON_ROOM_BYTES
    with make_limit(limit_bytes, kind=limit_kind, name="prove") as group:
        return prover.measurer.survive(prover.points[-1].n, group)


def _outcome(proof: Proof, resolution: int) -> tuple[Outcome, str]:
    """Whether the claim holds, and why."""
    growth, budget, last = proof.growth, proof.budget_bytes, proof.points[-1]
    size = units.format_bytes
    if proof.survival is not None and not proof.survival.survived and proof.survival.limit_kind != "none":
        limit = size(proof.survival.limit_bytes)
        return "fails", f"n={last.n:,} did not survive under a limit of {limit} ({proof.survival.limit_kind})."
    if budget and proof.target is not None:
        return _at_target(proof)
    peak = max(point.peak_bytes for point in proof.points)
    if budget and peak > budget:
        return "fails", f"the peak was {size(peak)}, more than the budget of {size(budget)}."
    if growth.verdict == "grows":
        at = proof.fails_at
        spent = f"; {size(budget)} are spent at n={at:,}" if at is not None else ""
        return "fails", f"memory grows with n by {per_item(growth.bytes_per_item)} ({growth.kind}){spent}."
    if growth.verdict == "undecided":
        return "undecided", f"{growth.reason}."
    if growth.resolution > resolution:
        return "undecided", (
            f"only growth above {per_item(growth.resolution)} would have been seen, and {per_item(resolution)} are asked for: "
            "take larger sizes, give a target and a budget, or allow a coarser resolution."
        )
    return "holds", f"memory does not grow with n: by less than {per_item(growth.resolution)}, up to n={last.n:,}."


def _at_target(proof: Proof) -> tuple[Outcome, str]:
    size = units.format_bytes
    budget, target = proof.budget_bytes, proof.target
    peak, upper = proof.projected_peak, proof.projected_upper
    assert target is not None and peak is not None and upper is not None, "it was asked for"  # noqa: PT018 - one fact
    where = f"at n={target:,} the peak is {size(peak)}, at most {size(upper)}, of a budget of {size(budget)}"
    if peak > budget:
        at = proof.fails_at
        spent = f": it is spent at n={at:,}" if at is not None else ""
        return "fails", f"{where}{spent}."
    if target > proof.points[-1].n and proof.verdict == "undecided":
        return "undecided", f"{proof.growth.reason}."
    if upper > budget:
        return "undecided", f"{where}: larger sizes would tell."
    return "holds", f"{where}."


def _target(value: int | str) -> int:
    try:
        count = units.parse_count(value)
    except ValueError as error:
        raise errors.UsageError(f"target: {error}.") from None
    if not 1 <= count <= limits.PROOF_N_MAX:
        raise errors.UsageError(f"target: {value!r} is not between 1 and {limits.PROOF_N_MAX:,}.")
    return count


def _repeat(repeat: int | None, *, is_command: bool) -> int:
    if repeat is None:
        return limits.PROOF_REPEAT_COMMAND if is_command else 1
    if isinstance(repeat, bool) or not isinstance(repeat, int) or not 1 <= repeat <= limits.PROOF_REPEAT_MAX:
        raise errors.UsageError(f"repeat={repeat!r} is not a number of runs from 1 to {limits.PROOF_REPEAT_MAX}.")
    return repeat
