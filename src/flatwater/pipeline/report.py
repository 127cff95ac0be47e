"""What a run did: items, bytes and time of each stage, what was promised, what was seen, what was passed over.

Covers:     the figures of a stage, an item that failed, all of a run as a table and for JSON.
Not here:   counting (`pipeline.running`, `pipeline.stages`), what is done about failures (`pipeline.policy`).
Holds:      a line for each stage, and the failures that were kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, final

from flatwater import units


@dataclass(slots=True)
class Gauge:
    """Of one stage, in one run. One thread writes it.

    Attributes:
        name: of the stage, such as "2 map(clean)".
        at: its number; 0 for the source.
        items_in: that it was given.
        items_out: that it handed on.
        bytes_out: about the heap bytes of those.
        busy_s: seconds in it, without what is in front of it and behind it.
        skipped: items that failed and were passed over.
        waits: how often it took nothing from the stage in front, because it was full: back-pressure.
        waited_s: seconds of that.
        batches_kept: that it still referred to when it had handed them on: a leak, if there are more than a few.
        keeps: which container that its function refers to has grown with the items; "" for none.
    """

    name: str
    at: int = 0
    items_in: int = 0
    items_out: int = 0
    bytes_out: int = 0
    busy_s: float = 0.0
    skipped: int = 0
    waits: int = 0
    waited_s: float = 0.0
    batches_kept: int = 0
    keeps: str = ""


def weighed(gauges: list[Gauge]) -> list[Gauge]:
    """The same, where stages that hand on what they are given, and weigh nothing, weigh it as the one in front does."""
    for before, gauge in pairwise(gauges):
        if not gauge.bytes_out and before.items_out:
            gauge.bytes_out = before.bytes_out * gauge.items_out // before.items_out
    return gauges


@dataclass(frozen=True, slots=True)
class Failure:
    """One item that a stage could not do.

    Attributes:
        stage: its name.
        number: the item's number among those that the stage was given, from 1 on.
        item: the beginning of what it looks like.
        error: type and text of what was raised.
        source: its name.
        offset: items that the source had given then; with its own token for that place, if it has one.
    """

    stage: str
    number: int
    item: str
    error: str
    source: str = ""
    offset: str = ""

    def __str__(self) -> str:
        where = f", source {self.source} at {self.offset}" if self.source else ""
        return f"{self.stage}, item {self.number:,} ({self.item}){where}: {self.error}"


@final
@dataclass(slots=True)
class Report:
    """Of one run.

    Attributes:
        items: that came out at the end.
        wall_s: seconds by the clock.
        promised_bytes: that the flow took from the budget, with what its source took.
        seen_bytes: the most that the process grew above its start, resident; -1 where that is not told.
        waited_s: seconds at the budget's closed gate.
        stages: the source and each stage.
        skipped: items that failed and were passed over.
        failures: the first of them.
        resumed_at: items of the source that earlier runs of the job had done.
        on: where the first stages were run, if not here.
    """

    items: int = 0
    wall_s: float = 0.0
    promised_bytes: int = 0
    seen_bytes: int = -1
    waited_s: float = 0.0
    stages: list[Gauge] = field(default_factory=list)
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list)
    resumed_at: int = 0
    on: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "items": self.items,
            "wall_s": self.wall_s,
            "promised_bytes": self.promised_bytes,
            "seen_bytes": self.seen_bytes,
            "waited_s": self.waited_s,
            "stages": [
                {
                    "name": each.name, "items_in": each.items_in, "items_out": each.items_out,
                    "bytes_out": each.bytes_out, "busy_s": each.busy_s, "skipped": each.skipped,
                    "waits": each.waits, "waited_s": each.waited_s, "batches_kept": each.batches_kept,
                    "keeps": each.keeps,
                }
                for each in self.stages
            ],
            "skipped": self.skipped,
            "failures": [str(each) for each in self.failures],
            "resumed_at": self.resumed_at,
            "on": self.on,
        }  # fmt: skip

    def __str__(self) -> str:
        rows = [("stage", "items", "bytes", "time")]
        rows += [
            (each.name, f"{each.items_out:,}", units.format_bytes(each.bytes_out), units.format_duration(each.busy_s))
            for each in self.stages
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [f"{row[0]:<{widths[0]}}  " + "  ".join(f"{row[at]:>{widths[at]}}" for at in (1, 2, 3)) for row in rows]
        seen = f", {units.format_bytes(self.seen_bytes)} seen" if self.seen_bytes >= 0 else ""
        lines.append(
            f"{self.items:,} items in {units.format_duration(self.wall_s)}, "
            f"{units.format_bytes(self.promised_bytes)} promised{seen}"
        )
        if self.resumed_at:
            lines.append(f"earlier runs had done {self.resumed_at:,} items of the source")
        if self.waited_s:
            lines.append(f"waited {units.format_duration(self.waited_s)} at the budget's closed gate")
        lines += [
            f"{each.name} was full {each.waits:,} times: what is in front waited {units.format_duration(each.waited_s)}"
            for each in self.stages
            if each.waits
        ]
        if self.on:
            lines.append(f"on {self.on}: their times are of all workers together")
        lines += [
            f"{each.name} kept {each.batches_kept:,} batches that it had handed on"
            for each in self.stages
            if each.batches_kept
        ]
        lines += [f"{each.name} keeps what it is given: {each.keeps}" for each in self.stages if each.keeps]
        if self.skipped:
            lines.append(
                f"{self.skipped:,} items failed and were passed over, of which the first {len(self.failures)}:"
            )
            lines += [f"  {each}" for each in self.failures]
        return "\n".join(lines)
