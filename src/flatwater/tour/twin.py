"""The naive twin of a step, inside its one process: imports, baseline, the same limit, and then the same work.

Covers:     the order of these; writing down what is done, so that it is known even if the process is killed.
Not here:   the twins (`tour.naive`), starting the process, and what its end means (`tour.trying`).
Holds:      nothing of its own: what the twin holds is what is to be seen.
"""

from __future__ import annotations

import gc
import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flatwater.meter.probe import reset_peak_rss, usage
from flatwater.tour import notes
from flatwater.tour.inputs import Root
from flatwater.tour.promise import Baseline, Limit


@dataclass(frozen=True, slots=True)
class Task:
    """What the step did, which the twin is to do as well.

    Attributes:
        roots: where real files are found.
        made: where the table and the page are.
        folder: a place for what it writes.
        items: how many the step worked on.
        bytes: of its input.
        details: what else it counted.
    """

    roots: tuple[Root, ...]
    made: str
    folder: str
    items: int
    bytes: int
    details: Mapping[str, object] = field(default_factory=dict)

    def count(self, name: str) -> int:
        """One of `details`, a number; 0 if it is not there."""
        found = self.details.get(name, 0)
        return found if isinstance(found, int) else 0


@dataclass(frozen=True, slots=True)
class TwinErrand:
    """What the process is sent to do.

    Attributes:
        module: of the twin; its `run(task)` returns how many items it worked on.
        step: whose twin it is.
        task: what it is to do.
        limit: what the step promised.
        notes_path: the file in which it writes down what is done.
    """

    module: str
    step: str
    task: Task
    limit: Limit
    notes_path: str


def twin(errand: TwinErrand) -> None:
    """Run the twin in this process, which is then under the limit for good.

    Raises:
        MemoryError: the limit refused.
        TwinFailedError: the twin raised something else.
    """
    run = importlib.import_module(errand.module).run  # what it imports belongs to the baseline
    with notes.writing(errand.notes_path) as note:
        usage()  # its first use imports
        baseline = Baseline.take()
        held = errand.limit.take(baseline)
        gc.collect()
        reset_peak_rss()
        began_s = time.monotonic()
        note(baseline=baseline.to_dict(), limit=held.to_dict(), running=errand.step, began_s=began_s)
        items = _run(run, errand.task)
        seen = usage().rss_peak
        note(running="", items=items, wall_s=time.monotonic() - began_s, seen=max(0, seen - baseline.rss))


def _run(run: Callable[[Task], int], task: Task) -> int:
    """Call it. What libraries raise cannot always be sent to another process, so it goes as text."""
    try:
        return run(task)
    except MemoryError:
        raise
    except Exception as error:
        raise TwinFailedError(f"{type(error).__name__}: {error}") from error


class TwinFailedError(Exception):
    """What a twin raised, in words."""
