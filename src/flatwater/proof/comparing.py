"""Run several scenarios at the same sizes, in turn, and prove each from its points.

Covers:     `compare`: checking what is asked, measuring A B A B at each size, going on where one of them fails.
Not here:   one proof (`proof.proving`), the table and whether the comparison holds (`proof.comparison`).
Holds:      a dozen points a scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import final

from flatwater import errors, limits
from flatwater.proof.comparison import Comparison
from flatwater.proof.points import Measurer, Metric, Point, Survival, merged
from flatwater.proof.proving import SIZES, Claim, ScenarioLike, claim_of, prove_with
from flatwater.proof.scenarios import Scenario, scenario_of
from flatwater.worker.limit import LimitGroup

SCENARIOS_MAX = limits.COMPARE_SCENARIOS_MAX
NAME_LETTERS_MAX = limits.COMPARE_NAME_LETTERS_MAX
_HINT = 'Give two or more, the one that others are compared with first: {"all": load, "batched": stream}.'


def compare(
    scenarios: Mapping[str, ScenarioLike],
    *,
    sizes: str | Iterable[int | str] = SIZES,
    target: int | str | None = None,
    budget: str | int | None = None,
    metric: Metric = "rss",
    repeat: int | None = None,
    setup: ScenarioLike | None = None,
    resolution: str | int = limits.PROOF_RESOLUTION_BYTES,
    timeout: str | float = limits.PROOF_POINT_TIMEOUT_S,
    on_run: Callable[[str, int], None] | None = None,
) -> Comparison:
    """Prove several implementations of the same work side by side: who takes how many times less, and who grows.

    Args:
        scenarios: a name for each, and what is run, as in `prove`; two to twenty. The first is what the others are
            compared with.
        sizes: the same for all; a range such as "25k..400k", or five or more sizes that rise.
        target: the n for which the claim is made; "10M" is 10 million.
        budget: which no peak but the first's may pass; bytes, or "256 MiB".
        metric: "rss" or "anon".
        repeat: runs at each size; by default 1, and 3 if there is a command among them.
        setup: a function of n that is called before each run, in a process of its own; its result is each scenario's
            second argument. It runs anew for each: none finds what another one left.
        resolution: bytes per item; without a target, a constant must be shown at least this finely.
        timeout: seconds, or "30s", for one run.
        on_run: called with the name and n before each run.

    Each run is in a fresh process, and at each size the scenarios run in turn, A B A B, so that a slow phase of the
    machine hits all alike. Where one verdict is not firm, that scenario alone goes on to further sizes. One that fails
    has no verdict; the others go on.

    Raises:
        UsageError: the arguments make no sense, or one scenario cannot be measured at all; says why.

    Memory: a few KiB here; the scenarios run elsewhere. Thread-safe: nothing is shared between calls.

    >>> def all_rows(n):
    ...     return sum([i * i for i in range(n)])
    >>> def row_by_row(n):
    ...     return sum(i * i for i in range(n))
    >>> print(compare({"all": all_rows, "one": row_by_row}))  # doctest: +SKIP
    """
    if metric not in {"rss", "anon"}:
        raise errors.UsageError(f"metric={metric!r} is not known.", hint="Use 'rss' or 'anon'.")
    named = _named(scenarios)
    has_command = any(scenario.target is None for scenario in named.values())
    making = None if setup is None else scenario_of(setup, what="setup")
    if making is not None and (making.target is None or has_command):
        raise errors.UsageError(
            "setup goes with functions, and is one.",
            hint="A command prepares its input by itself, or before it is run.",
        )
    if repeat is None and has_command:
        repeat = limits.PROOF_REPEAT_COMMAND
    claim = claim_of(sizes=sizes, target=target, budget=budget, repeat=repeat, resolution=resolution)
    timeout_s = errors.seconds_of(timeout, what="timeout", most=limits.WAIT_S_MAX)
    lanes = [
        _Lane(name, scenario, making, metric=metric, timeout_s=timeout_s, on_run=on_run)
        for name, scenario in named.items()
    ]
    for n in claim.sizes:
        _measure_in_turn(lanes, n, claim.repeat)
        unfit = next((lane.error for lane in lanes if isinstance(lane.error, errors.UsageError)), None)
        if unfit is not None and n == claim.sizes[0]:  # a name that is none, say: not after an hour of the others
            raise unfit
    comparison = Comparison(
        {lane.name: lane.scenario.name for lane in lanes},
        metric=metric,
        target=claim.target,
        budget_bytes=claim.budget_bytes,
    )
    for lane in lanes:
        lane.prove(claim, comparison)
    return comparison


@final
class _Lane:
    """One scenario: measured ahead, then proved from what was measured. It is a `proving.Measures`."""

    def __init__(
        self,
        name: str,
        scenario: Scenario,
        setup: Scenario | None,
        *,
        metric: Metric,
        timeout_s: float,
        on_run: Callable[[str, int], None] | None,
    ) -> None:
        self.name = name
        self.scenario = scenario
        self.metric = metric
        self.timeout_s = timeout_s
        self.error: errors.FlatwaterError | None = None
        self.points: dict[int, Point] = {}
        told = None if on_run is None else lambda n: on_run(name, n)
        self._measurer = Measurer(scenario, setup=setup, metric=metric, timeout_s=timeout_s, on_run=told)
        self._ahead: dict[int, list[Point]] = {}

    def run(self, n: int) -> None:
        """One run at a size, unless an earlier one failed."""
        if self.error is None:
            try:
                self._ahead.setdefault(n, []).append(self._measurer.point(n, 1))
                self.points[n] = merged(self._ahead[n])
            except errors.FlatwaterError as error:
                self.error = error

    def point(self, n: int, repeat: int) -> Point:
        """What was measured ahead; once, for who asks again wants to see it again."""
        runs = self._ahead.pop(n, None)
        if runs is not None:
            return merged(runs)
        point = self._measurer.point(n, repeat)
        self.points.setdefault(n, point)
        return point

    def survive(self, n: int, group: LimitGroup) -> Survival:
        """Run one size under a limit."""
        return self._measurer.survive(n, group)

    def prove(self, claim: Claim, comparison: Comparison) -> None:
        """Add the proof, or the failure and the points before it."""
        if self.error is None:
            try:
                comparison.proofs[self.name] = prove_with(self, claim)
            except errors.FlatwaterError as error:
                self.error = error
        if self.error is not None:
            comparison.failures[self.name] = self.error
            comparison.before_failure[self.name] = [self.points[n] for n in sorted(self.points)]


def _measure_in_turn(lanes: list[_Lane], n: int, repeat: int) -> None:
    for _ in range(repeat):
        for lane in lanes:
            lane.run(n)


def _named(scenarios: Mapping[str, ScenarioLike]) -> dict[str, Scenario]:
    if not isinstance(scenarios, Mapping):
        raise errors.UsageError("scenarios is no mapping of names to what is run.", hint=_HINT)
    if len(scenarios) < 2:  # noqa: PLR2004 - one has nothing beside it
        what = "one scenario" if scenarios else "no scenario"
        raise errors.UsageError(f"there is {what}, and nothing to compare it with.", hint=_HINT)
    if len(scenarios) > SCENARIOS_MAX:
        raise errors.UsageError(f"{len(scenarios)} scenarios; at most {SCENARIOS_MAX} stand side by side.")
    found = {}
    for name, value in scenarios.items():
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > NAME_LETTERS_MAX:
            raise errors.UsageError(
                f"{name!r} is not a name.", hint=f"It is one line of text, at most {NAME_LETTERS_MAX} letters."
            )
        found[name] = scenario_of(value, what=f"scenario {name!r}")
    return found
