"""What the operating system saw: processes, pieces of code, objects, and why memory stays.

Covers:     the public names of this floor.
Not here:   what code promised to hold (`budget`), and comparing the two (`watch`, `proof`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.meter.pattern import Pattern, pattern_of
from flatwater.meter.probe import Probe, Usage, usage
from flatwater.meter.timeline import Point, Timeline

__all__ = ["Pattern", "Point", "Probe", "Timeline", "Usage", "pattern_of", "usage"]
