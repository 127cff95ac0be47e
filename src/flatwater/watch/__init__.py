"""The guard of a running program, and what was promised beside what was seen.

Covers:     the public names of this floor.
Not here:   counting promises (`budget`), reading the operating system (`meter`), claims (`proof`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.watch.forecast import Forecast, forecast

__all__ = ["Forecast", "forecast"]
