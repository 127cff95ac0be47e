"""Any remote to any remote: trees and buckets of any number of files, kept the same.

Covers:     the public names of this floor.
Not here:   where states rest (`store`), what changes data (`pipeline`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.sync.deleting import DeleteGuard as DeleteGuard
    from flatwater.sync.options import Options as Options
    from flatwater.sync.places import remote_of as remote_of
    from flatwater.sync.report import Audit as Audit
    from flatwater.sync.report import Plan as Plan
    from flatwater.sync.report import Report as Report
    from flatwater.sync.status import Status as Status
    from flatwater.sync.sync import Sync as Sync

_HOMES = {
    "Audit": "flatwater.sync.report",
    "DeleteGuard": "flatwater.sync.deleting",
    "Options": "flatwater.sync.options",
    "Plan": "flatwater.sync.report",
    "Report": "flatwater.sync.report",
    "Status": "flatwater.sync.status",
    "Sync": "flatwater.sync.sync",
    "remote_of": "flatwater.sync.places",
}

__all__ = ["Audit", "DeleteGuard", "Options", "Plan", "Report", "Status", "Sync", "remote_of"]

__getattr__, __dir__ = lazy.names("flatwater.sync", _HOMES)
