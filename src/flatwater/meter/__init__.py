"""What the operating system saw: processes, pieces of code, objects, and why memory stays.

Covers:     the public names of this floor.
Not here:   what code promised to hold (`budget`), and comparing the two (`watch`, `proof`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.meter.measuring import measure as measure
    from flatwater.meter.pattern import Pattern as Pattern
    from flatwater.meter.pattern import pattern_of as pattern_of
    from flatwater.meter.probe import Probe as Probe
    from flatwater.meter.probe import Usage as Usage
    from flatwater.meter.probe import usage as usage
    from flatwater.meter.reading import Reading as Reading
    from flatwater.meter.retained import Retention as Retention
    from flatwater.meter.retained import Trimmed as Trimmed
    from flatwater.meter.retained import retention as retention
    from flatwater.meter.retained import trim as trim
    from flatwater.meter.sizes import Size as Size
    from flatwater.meter.sizes import size_of as size_of
    from flatwater.meter.snapshots import Difference as Difference
    from flatwater.meter.snapshots import Snapshot as Snapshot
    from flatwater.meter.snapshots import snapshot as snapshot
    from flatwater.meter.timeline import Point as Point
    from flatwater.meter.timeline import Timeline as Timeline

_HOMES = {
    "measure": "flatwater.meter.measuring",
    "Pattern": "flatwater.meter.pattern",
    "pattern_of": "flatwater.meter.pattern",
    "Probe": "flatwater.meter.probe",
    "Usage": "flatwater.meter.probe",
    "usage": "flatwater.meter.probe",
    "Reading": "flatwater.meter.reading",
    "Retention": "flatwater.meter.retained",
    "Trimmed": "flatwater.meter.retained",
    "retention": "flatwater.meter.retained",
    "trim": "flatwater.meter.retained",
    "Size": "flatwater.meter.sizes",
    "size_of": "flatwater.meter.sizes",
    "Difference": "flatwater.meter.snapshots",
    "Snapshot": "flatwater.meter.snapshots",
    "snapshot": "flatwater.meter.snapshots",
    "Point": "flatwater.meter.timeline",
    "Timeline": "flatwater.meter.timeline",
}
__all__ = [
    "Difference",
    "Pattern",
    "Point",
    "Probe",
    "Reading",
    "Retention",
    "Size",
    "Snapshot",
    "Timeline",
    "Trimmed",
    "Usage",
    "measure",
    "pattern_of",
    "retention",
    "size_of",
    "snapshot",
    "trim",
    "usage",
]

__getattr__, __dir__ = lazy.names("flatwater.meter", _HOMES)
