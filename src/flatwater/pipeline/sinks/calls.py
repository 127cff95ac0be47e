"""Functions and queues as sinks: they get one item at a time.

Covers:     any callable, `queue.Queue` and its kin, `asyncio.Queue`.
Not here:   `each`, which is the same for a function.
Holds:      nothing: what a queue holds is its own, and a full one stops the flow.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, final

from flatwater import errors, limits
from flatwater.pipeline import loops
from flatwater.pipeline.place import Batch
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sinks.base import Unrecorded
from flatwater.pipeline.stages import called, name_of

_WAIT_S = 0.001  # longer than it takes to put an item into a queue that has room


@final
@dataclass(frozen=True, slots=True)
class CallSink:
    """A function of one item."""

    function: Callable[[Any], Any]

    @property
    def name(self) -> str:
        """For people."""
        return name_of(self.function)

    def bytes_max(self, batch_bytes: int) -> int:  # noqa: ARG002 - as others
        """Nothing of its own."""
        return 0

    def open(self, job: str, state: Any) -> _Writer:  # noqa: ARG002 - as others
        """Nothing to open."""
        return _Writer(self.function)


@final
@dataclass(frozen=True, slots=True)
class QueueSink:
    """A queue that somebody takes from. A full one makes the flow wait."""

    queue: Any

    @property
    def name(self) -> str:
        """For people."""
        return type(self.queue).__name__

    def bytes_max(self, batch_bytes: int) -> int:  # noqa: ARG002 - as others
        """Nothing of its own."""
        return 0

    def open(self, job: str, state: Any) -> _Queued:  # noqa: ARG002 - as others
        """Find out how to wait for it."""
        import asyncio

        if isinstance(self.queue, asyncio.Queue):
            waiting = loops.waiting("an asyncio.Queue")
            return _Queued(self.name, lambda item: waiting(self.queue.put(item), limits.FLOW_LOOK_S))
        return _Queued(self.name, lambda item: self.queue.put(item, timeout=limits.FLOW_LOOK_S))


class _Writer(Unrecorded):
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def write(self, items: Batch, gauge: Gauge, policy: Policy) -> Batch:
        return called(self._function, items, gauge, policy)[1]


@final
class _Queued(_Writer):
    """Waits for room, and looks meanwhile whether the run was stopped."""

    def __init__(self, name: str, put: Callable[[Any], Any]) -> None:
        super().__init__(put)
        self._name = name

    def write(self, items: Batch, gauge: Gauge, policy: Policy) -> Batch:
        for item in items:
            self._put(item, gauge, policy)
        gauge.items_in += len(items)
        return items

    def _put(self, item: Any, gauge: Gauge, policy: Policy) -> None:
        begun = perf_counter()
        for turn in range(int(limits.FLOW_SINK_WAIT_S / limits.FLOW_LOOK_S)):
            try:
                self._function(item)
            except (queue.Full, TimeoutError):
                policy.refuse_stopped()
            else:
                waited_s = perf_counter() - begun
                if turn or waited_s > _WAIT_S:
                    gauge.waits += 1
                    gauge.waited_s += waited_s
                return
        raise errors.LimitReached(
            f"nobody took anything from the full {self._name} for {limits.FLOW_SINK_WAIT_S:.0f} s.",
            what="FLOW_SINK_WAIT_S", limit=limits.FLOW_SINK_WAIT_S, hint="Look at who should take from it.",
        )  # fmt: skip
