"""Typed objects at speed: fluent builders, rows for a sink in batches of bytes, pickers.

Covers:     the public names of this floor.
Not here:   where data comes from (`source`), what happens to it (`pipeline`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.build.batch import BatchBuilder as BatchBuilder
    from flatwater.build.building import Builder as Builder
    from flatwater.build.building import Factory as Factory
    from flatwater.build.building import builder as builder
    from flatwater.build.checking import InvalidError as InvalidError
    from flatwater.build.picking import Picker as Picker
    from flatwater.build.picking import pick as pick
    from flatwater.build.pools import PoolStats as PoolStats
    from flatwater.build.pools import clear_pools as clear_pools
    from flatwater.build.pools import pool_stats as pool_stats

_HOMES = {
    "BatchBuilder": "flatwater.build.batch",
    "Builder": "flatwater.build.building",
    "Factory": "flatwater.build.building",
    "InvalidError": "flatwater.build.checking",
    "Picker": "flatwater.build.picking",
    "PoolStats": "flatwater.build.pools",
    "builder": "flatwater.build.building",
    "clear_pools": "flatwater.build.pools",
    "pick": "flatwater.build.picking",
    "pool_stats": "flatwater.build.pools",
}
__all__ = [
    "BatchBuilder",
    "Builder",
    "Factory",
    "InvalidError",
    "Picker",
    "PoolStats",
    "builder",
    "clear_pools",
    "pick",
    "pool_stats",
]

__getattr__, __dir__ = lazy.names("flatwater.build", _HOMES)
