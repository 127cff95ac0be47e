"""The classic memory experiments, measured on this machine, beside what their write-ups saw.

Covers:     the public names of the lab.
Not here:   printing and pages (`cli`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.tour.lab.experiment import Claim as Claim
    from flatwater.tour.lab.experiment import Experiment as Experiment
    from flatwater.tour.lab.experiment import Input as Input
    from flatwater.tour.lab.experiment import SeedFigure as SeedFigure
    from flatwater.tour.lab.experiment import Spot as Spot
    from flatwater.tour.lab.experiment import Variant as Variant
    from flatwater.tour.lab.finding import Finding as Finding
    from flatwater.tour.lab.finding import Measured as Measured
    from flatwater.tour.lab.registry import all_experiments as all_experiments
    from flatwater.tour.lab.running import run_lab as run_lab

_HOMES = {
    "Claim": "flatwater.tour.lab.experiment",
    "Experiment": "flatwater.tour.lab.experiment",
    "Finding": "flatwater.tour.lab.finding",
    "Input": "flatwater.tour.lab.experiment",
    "Measured": "flatwater.tour.lab.finding",
    "SeedFigure": "flatwater.tour.lab.experiment",
    "Spot": "flatwater.tour.lab.experiment",
    "Variant": "flatwater.tour.lab.experiment",
    "all_experiments": "flatwater.tour.lab.registry",
    "run_lab": "flatwater.tour.lab.running",
}
__all__ = [
    "Claim",
    "Experiment",
    "Finding",
    "Input",
    "Measured",
    "SeedFigure",
    "Spot",
    "Variant",
    "all_experiments",
    "run_lab",
]

__getattr__, __dir__ = lazy.names("flatwater.tour.lab", _HOMES)
