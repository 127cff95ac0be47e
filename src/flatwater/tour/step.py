"""What a step of the tour is: it says what it will hold, works inside that, and tells what it did.

Covers:     the protocol, what a step is given, what it gives back, loading steps by name, what a step lacks.
Not here:   the steps (`tour.steps`), running them (`tour.guide`).
Holds:      nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from flatwater import errors
from flatwater.budget import Budget
from flatwater.tour.inputs import Root


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a step works on.

    Attributes:
        roots: where real files are found.
        seconds: a step that has more to do than fits stops after so many, and says so.
        folder: a place for what steps make, which goes away with the tour; empty if there is none.
        made: a place for what all tours of one run work on: a table, a page; empty for none but the table, which is in `folder`.
        browser: a folder that an `Onlooker` watches; empty if none does.
    """

    roots: tuple[Root, ...]
    seconds: float
    folder: str = ""
    made: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did.

    Attributes:
        items: how many it worked on.
        bytes: of its input.
        item_name: what an item is, in the plural: "words".
        complete: whether it came to the end of its input; False if its time was over.
        notes: lines for people: what it found, what is exact in it and what an estimate.
        details: the same for JSON.
    """

    items: int
    bytes: int
    item_name: str
    complete: bool = True
    notes: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)


class Step(Protocol):
    """One step of the tour. Its module is imported before the baseline is taken, so it imports what it needs on top.

    A step may have `prepare(inputs)` as well, which is called before the baseline is taken: it makes what the step works on. And it
    may have `trouble`, a text: then the tour leaves the step out, and says why, where the text is not empty or the
    budget has less than `bytes_least` for it. And `naive`, the module of a twin, which does the same as programs do that hold everything:
    its `run(task)` is called under the same limit.
    """

    @property
    def name(self) -> str:
        """Stands in the table, and is the name of its share of the budget."""

    @property
    def bytes_least(self) -> int:
        """The smallest share that it can work in."""

    def bytes_max(self, room: int) -> int:
        """What it promises to hold at most, given `room` bytes, of which there are at least `bytes_least`."""

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:
        """Do the work. `budget` is its share, of `bytes_max(room)` bytes, and is the ambient one meanwhile."""


def load(names: Sequence[str]) -> list[Step]:
    """The steps that `names` ("module:Class") stand for, made anew.

    Raises:
        UsageError: there is no such module or class.

    >>> [step.name for step in load(["flatwater.tour.steps.words:Words"])]
    ['words']
    """
    steps: list[Step] = []
    for name in names:
        module, _, attribute = name.partition(":")
        try:
            steps.append(getattr(importlib.import_module(module), attribute)())
        except (ImportError, AttributeError, ValueError) as error:
            raise errors.UsageError(
                f"there is no step {name!r}: {error}.", hint="Name it as 'module:Class', importable from sys.path."
            ) from None
    return steps


def is_installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # as it is where somebody put None in its place
        return False


def trouble_without(needed: Sequence[tuple[str, str]]) -> str:
    """Why a step that needs these modules, each of an extra, cannot run; empty if all are installed. None is imported."""
    lacking = [errors.MissingExtra(extra, module) for extra, module in needed if not is_installed(module)]
    return str(lacking[-1]) if lacking else ""
