"""The whole house in one process under one budget, and the lab of classic experiments.

Covers:     the public names of this floor.
Not here:   the parts it walks through (the floors below), the classic experiments (`tour.lab`), printing (`cli`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.tour.inputs import Root as Root
    from flatwater.tour.report import TourReport as TourReport
    from flatwater.tour.step import Inputs as Inputs
    from flatwater.tour.step import Step as Step
    from flatwater.tour.step import StepResult as StepResult
    from flatwater.tour.walking import walk as walk

_HOMES = {
    "Inputs": "flatwater.tour.step",
    "Root": "flatwater.tour.inputs",
    "Step": "flatwater.tour.step",
    "StepResult": "flatwater.tour.step",
    "TourReport": "flatwater.tour.report",
    "walk": "flatwater.tour.walking",
}
__all__ = [
    "Inputs",
    "Root",
    "Step",
    "StepResult",
    "TourReport",
    "walk",
]

__getattr__, __dir__ = lazy.names("flatwater.tour", _HOMES)
