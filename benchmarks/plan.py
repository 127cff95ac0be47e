"""Which cases a run takes, how large, and how long that may be, by the newest results."""

from __future__ import annotations

from benchmarks.case import CASES, load

from benchmarks import outcome

QUICK_ROUND_S = 3.0  # that a round of a case's contestants may take, all together, in a quick run


def newest_run() -> tuple[str, set[str]]:
    """When the newest run of all cases began, and the cases that it has."""
    of = {name: result.record.get("run", "") for name in CASES if (result := outcome.newest(name)) is not None}
    run = max(of.values(), default="")
    return run, {name for name, each in of.items() if run and each == run}


def round_s(name: str) -> float:
    """Seconds on the wall of a round of all contestants, by the newest results; 0 where there are none."""
    newest = outcome.newest(name)
    return sum(float(done[0]["wall_s"]) for done in newest.rounds.values() if done) if newest is not None else 0.0


def quick_size(name: str) -> int:
    """The work of a quick round: a part of the whole, by what that took; never less than the tiny one."""
    case, took_s = load(name), round_s(name)
    newest = outcome.newest(name)
    if newest is None or took_s <= 0:
        return case.tiny
    return max(case.tiny, int(newest.record["size"] * min(1.0, QUICK_ROUND_S / took_s)))


def estimate_s(name: str, *, quick: bool, repeats: int) -> float:
    """Seconds that a case may take, without its set-up."""
    case = load(name)
    if quick:
        return min(QUICK_ROUND_S, round_s(name))
    newest = outcome.newest(name)
    if newest is None:
        return 0.0
    rounds = repeats * case.rounds_per_repeat
    return sum(
        float(done[0]["wall_s"]) * min(rounds, case.contestants[each].rounds_max)
        for each, done in newest.rounds.items()
        if done and each in case.contestants
    )
