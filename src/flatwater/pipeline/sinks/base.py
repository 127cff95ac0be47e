"""What a sink is: where a stage writes to, and what a checkpoint needs to know about it.

Covers:     the protocols that all sinks meet.
Not here:   each kind of sink (its own file here), the stage that writes (`pipeline.writing`).
Holds:      nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, final

from flatwater.pipeline.place import Batch
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge


@final
@dataclass(frozen=True, slots=True)
class Record:
    """What a sink keeps beside its items, made to last together with them.

    Attributes:
        job: of the checkpoint: the same for all runs of one job.
        epoch: the number of the checkpoint.
        count: items that the source had given then.
    """

    job: str
    epoch: int
    count: int


class Writer(Protocol):
    """A sink that is open, in one run. One thread at a time.

    One that has an attribute `is_full` is asked between batches whether it is time to commit.
    """

    def write(self, items: Batch, gauge: Gauge, policy: Policy) -> Batch:
        """Write them; those that were written come back, without those that the policy passes over."""
        ...

    def recorded(self, job: str) -> Record | None:
        """What it kept with the items that last were made to last for this job; None if it keeps nothing itself."""
        ...

    def commit(self, record: Record | None, *, is_last: bool) -> Any:
        """Make what was written last, with the record, both or neither. What is returned is handed to `open` after a kill.

        `is_last`: all is written, and `finish` comes next.
        """
        ...

    def finish(self) -> Any:
        """All is written: publish it, and close. What is returned is handed to `open` when the job goes on another day."""
        ...

    def close(self, *, keep: bool) -> None:
        """The run ends before its time: what was written since the last commit is dropped, all of it unless `keep`."""
        ...


class Unrecorded:
    """The part of a writer that keeps nothing of a job: what it has written is written."""

    def recorded(self, job: str) -> Record | None:  # noqa: ARG002 - as others
        """Nothing."""
        return None

    def commit(self, record: Record | None, *, is_last: bool) -> Any:
        """Nothing is left to do."""

    def finish(self) -> Any:
        """Nothing is left to do."""

    def close(self, *, keep: bool) -> None:
        """What was written stays."""


class Sink(Protocol):
    """Where items are written to. Picklable, if its target is.

    One that takes bytes from the budget itself tells how many in a method `own_bytes()`.
    """

    @property
    def name(self) -> str:
        """For people, such as "rows.jsonl"."""
        ...

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds beside the batch that it is given, in bytes."""
        ...

    def open(self, job: str, state: Any) -> Writer:
        """Begin to write, or go on from what `commit` returned; `job` is "" in a run without a checkpoint.

        Raises:
            UsageError: the target cannot be written as it is.
            BrokenError: it could not be opened.
        """
        ...
