"""What the operating system saw: processes, pieces of code, objects, and why memory stays.

Covers:     the public names of this floor.
Not here:   what code promised to hold (`budget`), and comparing the two (`watch`, `proof`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.meter.measure import measure
from flatwater.meter.pattern import Pattern, pattern_of
from flatwater.meter.probe import Probe, Usage, usage
from flatwater.meter.reading import Reading
from flatwater.meter.retention import Retention, Trimmed, retention, trim
from flatwater.meter.size_of import Size, size_of
from flatwater.meter.snapshot import Difference, Snapshot, snapshot
from flatwater.meter.timeline import Point, Timeline

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
