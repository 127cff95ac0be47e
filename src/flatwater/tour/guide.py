"""The tour itself, inside its one process: imports, baseline, limit, and then step after step.

Covers:     the order of these; leaving a step out; writing down what is done, so that it is known even if the process is killed.
Not here:   starting the process, and what its end means (`tour.walking`).
Holds:      one step at a time, inside its share of the budget.
"""

from __future__ import annotations

import gc
import time
from dataclasses import asdict, dataclass

from flatwater import units
from flatwater.budget import Budget
from flatwater.meter.probe import reset_peak_rss, usage
from flatwater.meter.retained import trim
from flatwater.tour import notes
from flatwater.tour.children import Children
from flatwater.tour.promise import ROUNDING_HOLDER, Baseline, Limit, promise_of, rounding_bytes, why_left_out
from flatwater.tour.report import Row
from flatwater.tour.step import Inputs, Step, load
from flatwater.watch.account import promised_and_seen


@dataclass(frozen=True, slots=True)
class Errand:
    """What the process is sent to do.

    Attributes:
        steps: "module:Class" of each.
        inputs: what they work on.
        limit: of all steps together.
        notes_path: the file in which it writes down what is done.
    """

    steps: tuple[str, ...]
    inputs: Inputs
    limit: Limit
    notes_path: str


def guide(errand: Errand) -> None:
    """Run all steps of `errand` in this process, which is then under the limit for good.

    Raises:
        Exception: what a step raises.
    """
    steps = load(errand.steps)
    with notes.writing(errand.notes_path) as note:
        # What the first use of each imports and builds belongs to the baseline.
        promise_of(errand.limit.bytes, steps)
        room = errand.limit.bytes - rounding_bytes()
        for step in steps:
            if not why_left_out(step, room) and (prepare := getattr(step, "prepare", None)):
                note(running=f"{step.name} (being prepared)")
                prepare(errand.inputs)
        promised_and_seen(Budget(errand.limit.bytes))
        note(running="")
        baseline = Baseline.take()
        held = errand.limit.take(baseline)
        note(baseline=baseline.to_dict(), limit=held.to_dict())
        with (
            Budget(errand.limit.bytes, name="tour") as budget,
            budget.reserve(rounding_bytes(), ROUNDING_HOLDER),
        ):
            for step in steps:
                gc.collect()
                trim()  # what the step before has freed is not this one's
                note(running=step.name)
                if why := why_left_out(step, budget.free):
                    left_out = Row(
                        step.name, 0, "items", 0, 0.0, 0, 0, notes=(f"left out: {why}",), details={"left_out": why}
                    )
                    note(row=asdict(left_out))
                    continue
                note(row=asdict(_walk_through(step, budget, errand.inputs, baseline)))
            note(running="", account=promised_and_seen(budget).to_dict())


def _walk_through(step: Step, budget: Budget, inputs: Inputs, baseline: Baseline) -> Row:
    began_s = time.perf_counter()
    reset_peak_rss()
    with budget.share(step.name, step.bytes_max(budget.free)) as share:
        promised = budget.held
        with Children() as children:
            result = step.run(share, inputs)
        seen = usage()
        wall_s = time.perf_counter() - began_s
    others = children.settle(seen.rss_peak)
    notes = list(result.notes)
    if others:
        notes.append(
            f"of what was seen, at most {units.format_bytes(others)} were in processes of its own, which are part of the promise"
        )
    return Row(
        step=step.name,
        items=result.items,
        item_name=result.item_name,
        bytes=result.bytes,
        wall_s=wall_s,
        promised=promised,
        seen=max(0, seen.rss_peak - baseline.rss) + others if seen.rss_peak >= 0 else -1,
        complete=result.complete,
        notes=tuple(notes),
        details={**result.details, "other_processes_bytes": others},
    )
