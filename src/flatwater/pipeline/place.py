"""What a run gives to each of its stages: where to count, what to do about failures, how large batches are.

Covers:     the type of batches, one stage's place in one run, what a stage keeps from one segment of a run to the next, whether
            the run is to end.
Not here:   the stages (`pipeline.stages`), putting a run together (`pipeline.running`).
Holds:      what the stage carries over.

A run with a checkpoint goes in segments: the source pauses, all stages hand on what they have, and what has come out so far
is made to last. A stage that needs items from before the pause carries them over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.weighing import Weigher

if TYPE_CHECKING:
    from flatwater.pipeline.sinks.base import Writer

Batch = list[Any]


@final
@dataclass(slots=True)
class Segment:
    """Of a run: what all its stages go through before the next checkpoint.

    Attributes:
        is_last: the source has come to its end, or a stage wants no more of it; known when the batches of the segment end.
        is_through: the source has given all that it gives in this segment.
    """

    is_last: bool = True
    is_through: bool = False


@final
@dataclass(slots=True)
class Ending:
    """Whether a run is to end, with the flows that are a part of it. Whoever waits looks at it each limits.FLOW_LOOK_S.

    Attributes:
        is_asked: somebody has asked for it, in any thread.
    """

    is_asked: bool = False

    def refuse(self) -> None:
        """Go on only if it is not.

        Raises:
            ClosedError: it is.
        """
        if self.is_asked:
            raise errors.ClosedError("the run was stopped.", hint="Run the flow again.")


@final
@dataclass(slots=True)
class Place:
    """One stage's, in one run.

    Attributes:
        gauge: counts what it does.
        policy: what is done about items that fail.
        batch_bytes: heap bytes of a batch.
        batch_rows: items of a batch.
        segment: the one that is being done.
        ending: of the run.
        carried: items that the stage keeps for the next segment; they are part of a checkpoint.
        kept: what the stage has open from one segment to the next; it has `end(is_over=)`.
        writer: of a stage that writes.
        is_written: what comes now was written before a kill, and not noted.
    """

    gauge: Gauge
    policy: Policy
    batch_bytes: int = limits.FLOW_BATCH_BYTES
    batch_rows: int = limits.FLOW_BATCH_ROWS
    segment: Segment = field(default_factory=Segment)
    ending: Ending = field(default_factory=Ending)
    carried: list[Any] = field(default_factory=list)
    kept: Any = None
    writer: Writer | None = None
    is_written: bool = False

    def weigher(self) -> Weigher:
        """For batches of this run."""
        return Weigher(self.batch_bytes, self.batch_rows)
