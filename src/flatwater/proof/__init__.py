"""Claims about memory: growth, comparison, survival, leaks; each in fresh processes.

Covers:     the public names of this floor.
Not here:   the guard of a running program (`watch`), measuring (`meter`), killable children (`worker`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.proof.comparing import compare as compare
    from flatwater.proof.comparison import Comparison as Comparison
    from flatwater.proof.comparison import Row as Row
    from flatwater.proof.growth import Growth as Growth
    from flatwater.proof.growth import judge as judge
    from flatwater.proof.leaks.hunt import find_leaks as find_leaks
    from flatwater.proof.leaks.report import Leak as Leak
    from flatwater.proof.leaks.report import LeakReport as LeakReport
    from flatwater.proof.leaks.rounds import ActionFailed as ActionFailed
    from flatwater.proof.points import Point as Point
    from flatwater.proof.points import ScenarioFailed as ScenarioFailed
    from flatwater.proof.points import ScenarioUnfit as ScenarioUnfit
    from flatwater.proof.proving import prove as prove
    from flatwater.proof.result import Proof as Proof

_HOMES = {
    "compare": "flatwater.proof.comparing",
    "Comparison": "flatwater.proof.comparison",
    "Row": "flatwater.proof.comparison",
    "Growth": "flatwater.proof.growth",
    "judge": "flatwater.proof.growth",
    "find_leaks": "flatwater.proof.leaks.hunt",
    "Leak": "flatwater.proof.leaks.report",
    "LeakReport": "flatwater.proof.leaks.report",
    "ActionFailed": "flatwater.proof.leaks.rounds",
    "Point": "flatwater.proof.points",
    "ScenarioFailed": "flatwater.proof.points",
    "ScenarioUnfit": "flatwater.proof.points",
    "prove": "flatwater.proof.proving",
    "Proof": "flatwater.proof.result",
}
__all__ = [
    "ActionFailed",
    "Comparison",
    "Growth",
    "Leak",
    "LeakReport",
    "Point",
    "Proof",
    "Row",
    "ScenarioFailed",
    "ScenarioUnfit",
    "compare",
    "find_leaks",
    "judge",
    "prove",
]

__getattr__, __dir__ = lazy.names("flatwater.proof", _HOMES)
