"""Which experiments there are: a line a family.

Covers:     the table, finding experiments by name.
Not here:   the experiments themselves.
Holds:      a few kilobytes of text.

A floor that joins the house adds its experiments here: a module with a tuple `EXPERIMENTS`.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence

from flatwater import errors
from flatwater.tour.lab.experiment import Experiment

FAMILIES = (
    "flatwater.tour.lab.ranges",
    "flatwater.tour.lab.cycles",
    "flatwater.tour.lab.files",
    "flatwater.tour.lab.pipeline",
    "flatwater.tour.lab.tables",
    "flatwater.tour.lab.retention",
    "flatwater.tour.lab.builders",
    "flatwater.tour.lab.states",
    "flatwater.tour.lab.families",
    "flatwater.tour.lab.sessions",
    "flatwater.tour.lab.notifications",
    "flatwater.tour.lab.subscriptions",
)


def all_experiments() -> tuple[Experiment, ...]:
    """All of them, in the order they run.

    >>> [experiment.name for experiment in all_experiments()][:7]
    ['ranges', 'cycles', 'files', 'pipeline', 'tables', 'order', 'retention']
    >>> [experiment.name for experiment in all_experiments()][7:]
    ['builders', 'pool', 'states', 'families', 'sessions', 'notifications', 'subscriptions']
    """
    found = tuple(one for family in FAMILIES for one in importlib.import_module(family).EXPERIMENTS)
    assert len({experiment.name for experiment in found}) == len(found), "a name is there twice"
    return found


def find(names: Sequence[str] = ()) -> tuple[Experiment, ...]:
    """Those of these names, in the order they run; all of them without names.

    Raises:
        UsageError: there is no such experiment.
    """
    experiments = all_experiments()
    known = [experiment.name for experiment in experiments]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            raise errors.UsageError(f"there is no experiment {name!r}.", hint=hint)
    return tuple(experiment for experiment in experiments if not names or experiment.name in names)
