"""Where data rests: an ordered key-value store on disk, whose memory is taken from the budget.

Covers:     the public names of this floor.
Not here:   where data enters (`source`), what changes it (`pipeline`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.store.batches import Batches as Batches
    from flatwater.store.compacting import Compacted as Compacted
    from flatwater.store.compacting import Policy as Policy
    from flatwater.store.partition import Partition as Partition
    from flatwater.store.partition import Range as Range
    from flatwater.store.stats import Stats as Stats
    from flatwater.store.store import Store as Store
    from flatwater.store.updating import Updated as Updated

_HOMES = {
    "Batches": "flatwater.store.batches",
    "Compacted": "flatwater.store.compacting",
    "Partition": "flatwater.store.partition",
    "Policy": "flatwater.store.compacting",
    "Range": "flatwater.store.partition",
    "Stats": "flatwater.store.stats",
    "Store": "flatwater.store.store",
    "Updated": "flatwater.store.updating",
}
__all__ = ["Batches", "Compacted", "Partition", "Policy", "Range", "Stats", "Store", "Updated"]

__getattr__, __dir__ = lazy.names("flatwater.store", _HOMES)
