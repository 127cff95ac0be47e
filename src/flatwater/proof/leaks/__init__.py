"""What grows on every round trip, and who holds it.

Covers:     the public names of the leak finder.
Not here:   growth with the size of the input (`proof.growth`), counting objects once (`meter.snapshots`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.proof.leaks.hunt import find_leaks as find_leaks
    from flatwater.proof.leaks.report import Cycles as Cycles
    from flatwater.proof.leaks.report import Leak as Leak
    from flatwater.proof.leaks.report import LeakReport as LeakReport
    from flatwater.proof.leaks.report import Part as Part
    from flatwater.proof.leaks.rounds import ActionFailed as ActionFailed

_HOMES = {
    "ActionFailed": "flatwater.proof.leaks.rounds",
    "Cycles": "flatwater.proof.leaks.report",
    "Leak": "flatwater.proof.leaks.report",
    "LeakReport": "flatwater.proof.leaks.report",
    "Part": "flatwater.proof.leaks.report",
    "find_leaks": "flatwater.proof.leaks.hunt",
}
__all__ = ["ActionFailed", "Cycles", "Leak", "LeakReport", "Part", "find_leaks"]

__getattr__, __dir__ = lazy.names("flatwater.proof.leaks", _HOMES)
