"""Where data changes: flows of batches, every stage of which holds a bounded number of bytes.

Covers:     the public names of this floor.
Not here:   where data enters (`source`), where it rests (`store`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.pipeline.flow import Flow as Flow
    from flatwater.pipeline.report import Failure as Failure
    from flatwater.pipeline.report import Gauge as Gauge
    from flatwater.pipeline.report import Report as Report

_HOMES = {
    "Failure": "flatwater.pipeline.report",
    "Flow": "flatwater.pipeline.flow",
    "Gauge": "flatwater.pipeline.report",
    "Report": "flatwater.pipeline.report",
}
__all__ = ["Failure", "Flow", "Gauge", "Report"]

__getattr__, __dir__ = lazy.names("flatwater.pipeline", _HOMES)
