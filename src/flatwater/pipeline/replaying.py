"""Items of a file of dead letters, handed to the stages in which they failed.

Covers:     those of one stage, refusing a file of another flow.
Not here:   the file (`pipeline.dead_letters`).
Holds:      one batch for each stage.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import final

from flatwater import errors
from flatwater.pipeline.dead_letters import letters
from flatwater.pipeline.place import Batch
from flatwater.pipeline.stages import Stage
from flatwater.pipeline.weighing import Weigher


@final
class Letters:
    """The items of a file. It is read once for each stage.

    Args:
        path: of the file.
        stages: of the flow.
        trusted: pickled objects may be read.

    Raises:
        UsageError: the file names stages that the flow does not have, or the flow writes to it.
    """

    def __init__(self, path: str | os.PathLike[str], stages: Sequence[Stage], *, trusted: bool) -> None:
        self._path = path
        self._trusted = trusted
        names = {at: f"{at} {stage.name}" for at, stage in enumerate(stages, 1)}
        self._stages_used = set()
        for letter in letters(path, trusted=trusted):
            if names.get(letter.stage) != letter.name:
                raise errors.UsageError(
                    f"line {letter.line:,} of {os.fspath(path)} is of stage {letter.name!r:.100}, which this flow has not.",
                    hint="Replay it with the flow that wrote it.",
                )
            self._stages_used.add(letter.stage)
        for stage in stages:
            sink = getattr(getattr(stage, "sink", None), "path", "")
            if sink and os.path.realpath(sink) == os.path.realpath(path):
                raise errors.UsageError(f"{stage.name} would replace the file that is read.", hint="Name another file.")

    def of_stage(self, at: int, weigher: Weigher) -> Iterator[Batch]:
        """Those that failed in this stage."""
        if at not in self._stages_used:
            return iter(())
        items = (letter.item for letter in letters(self._path, trusted=self._trusted) if letter.stage == at)
        return weigher.batches(items)
