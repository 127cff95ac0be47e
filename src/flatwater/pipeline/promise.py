"""What a run takes from the budget: the sum of what its source, stages and sinks may hold.

Covers:     who holds how much, what sinks take by themselves.
Not here:   refusing what does not fit (`pipeline.running`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flatwater.pipeline.policy import Policy
from flatwater.pipeline.sources import Source
from flatwater.pipeline.stages import Stage
from flatwater.pipeline.writing import To


def holders(source: Source, stages: Sequence[Stage], batch_bytes: int, on: Any = None) -> list[tuple[str, int]]:
    """Who holds how much of a flow, in bytes: each stage, the batch that the consumer has, the run itself."""
    found = [(source.name, source.bytes_max(batch_bytes))]
    held = [(f"{at} {stage.name}", stage.bytes_max(batch_bytes)) for at, stage in enumerate(stages, 1)]
    if on is not None:
        from flatwater.pipeline import cluster, on_dask

        there = cluster.checked(on, stages)
        found.append(("on Dask: " + ", ".join(name for name, _count in held[:there]), on_dask.bytes_max()))
        held = held[there:]
    found += held
    found.append(("the batch that is used", batch_bytes))
    found.append(("failures that are kept", Policy.bytes_max()))
    return found


def own_bytes(stage: Stage) -> int:
    """What a stage's sink takes from the budget itself, in bytes."""
    ask: Callable[[], int] | None = getattr(stage.sink, "own_bytes", None) if isinstance(stage, To) else None
    return ask() if ask is not None else 0
