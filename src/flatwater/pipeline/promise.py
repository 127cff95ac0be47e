"""What a run takes from the budget: the sum of what its source, stages and sinks may hold.

Covers:     who holds how much, what sinks take by themselves.
Not here:   refusing what does not fit (`pipeline.running`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flatwater import units
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.sources import Source
from flatwater.pipeline.stages import Stage
from flatwater.pipeline.writing import To


def source_of(source: Source, stages: Sequence[Stage], on: Any = None) -> Source:
    """What a run reads from: places instead of bytes, where the first stage reads for itself."""
    takes_references = on is None and stages and getattr(stages[0], "takes_references", False)
    return source.by_reference() if takes_references else source


def holders(source: Source, stages: Sequence[Stage], batch_bytes: int, on: Any = None) -> list[tuple[str, int]]:
    """Who holds how much of a flow, in bytes: each stage, the batch that the consumer has, the run itself."""
    found = [(source.name, source.bytes_max(batch_bytes))]
    names = [f"{at} {stage.name}" for at, stage in enumerate(stages, 1)]
    there = 0
    if on is not None:
        from flatwater.pipeline import cluster, on_dask

        there = cluster.checked(on, stages)
        found.append((f"on Dask: {', '.join(names[:there])}", on_dask.bytes_max()))
    for stage_name, stage in list(zip(names, stages, strict=True))[there:]:
        name, apart = getattr(stage, "apart", ("", 0))  # what other processes hold for it
        found.append((stage_name, stage.bytes_max(batch_bytes) - apart))
        found += [(name, apart)] if apart else []
    found.append(("the batch that is used", batch_bytes))
    found.append(("failures that are kept", Policy.bytes_max()))
    return found


def own_bytes(stage: Stage) -> int:
    """What a stage's sink takes from the budget itself, in bytes."""
    ask: Callable[[], int] | None = getattr(stage.sink, "own_bytes", None) if isinstance(stage, To) else None
    return ask() if ask is not None else 0


def explained(source: Source, stages: Sequence[Stage], batch_bytes: int, on: Any = None) -> str:
    """Who holds how much, a line each, and the sum."""
    source = source_of(source, stages, on)
    held = holders(source, stages, batch_bytes, on)
    rows = [(name, units.format_bytes(count)) for name, count in held if count]
    total = sum(count for _name, count in held)
    if own := source.origin_bytes(batch_bytes):
        rows.insert(0, (f"{source.name} itself", units.format_bytes(own)))
        total += own
    for at, stage in enumerate(stages, 1):
        if own := own_bytes(stage):
            rows.append((f"{at} {stage.name} itself", units.format_bytes(own)))
            total += own
    rows.append(("in all", units.format_bytes(total)))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {size:>{widths[1]}}" for name, size in rows]
    lines.insert(-1, "-" * len(lines[-1]))
    return "\n".join(lines)
