"""Give a Python program a memory budget. It stays inside, and you can prove it.

Covers:     the public names, each imported when first used.
Not here:   anything else; reach a floor through its package (`flatwater.meter`, `flatwater.worker`, ...).
Holds:      nothing until a name is used: `import flatwater` costs a few milliseconds.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater import budget as budget
    from flatwater import errors as errors
    from flatwater import limits as limits
    from flatwater import meter as meter
    from flatwater import proof as proof
    from flatwater import sizing as sizing
    from flatwater import tour as tour
    from flatwater import units as units
    from flatwater import watch as watch
    from flatwater import worker as worker
    from flatwater.budget.budget import Budget as Budget
    from flatwater.budget.reservation import Reservation as Reservation
    from flatwater.meter.measuring import measure as measure
    from flatwater.meter.probe import usage as usage
    from flatwater.meter.reading import Reading as Reading
    from flatwater.meter.retained import retention as retention
    from flatwater.meter.retained import trim as trim
    from flatwater.meter.sizes import size_of as size_of
    from flatwater.meter.snapshots import snapshot as snapshot
    from flatwater.meter.timeline import Timeline as Timeline
    from flatwater.proof.comparing import compare as compare
    from flatwater.proof.comparison import Comparison as Comparison
    from flatwater.proof.leaks.hunt import find_leaks as find_leaks
    from flatwater.proof.leaks.report import LeakReport as LeakReport
    from flatwater.proof.proving import prove as prove
    from flatwater.proof.result import Proof as Proof
    from flatwater.watch.watcher import Watcher as Watcher

__version__ = "0.1.0"

_HOMES = {
    "Budget": "flatwater.budget.budget",
    "Comparison": "flatwater.proof.comparison",
    "LeakReport": "flatwater.proof.leaks.report",
    "Proof": "flatwater.proof.result",
    "Reading": "flatwater.meter.reading",
    "Reservation": "flatwater.budget.reservation",
    "Timeline": "flatwater.meter.timeline",
    "Watcher": "flatwater.watch.watcher",
    "compare": "flatwater.proof.comparing",
    "find_leaks": "flatwater.proof.leaks.hunt",
    "measure": "flatwater.meter.measuring",
    "prove": "flatwater.proof.proving",
    "retention": "flatwater.meter.retained",
    "size_of": "flatwater.meter.sizes",
    "snapshot": "flatwater.meter.snapshots",
    "trim": "flatwater.meter.retained",
    "usage": "flatwater.meter.probe",
}
_MODULES = ("budget", "errors", "limits", "meter", "proof", "sizing", "tour", "units", "watch", "worker")

__all__ = ["__version__", *_HOMES, *_MODULES]  # noqa: PLE0604 - one table feeds lookup, dir() and *

__getattr__, _listed = lazy.names("flatwater", _HOMES, _MODULES)


def __dir__() -> list[str]:
    return sorted([*_listed(), "__version__"])
