"""Give a Python program a memory budget. It stays inside, and you can prove it.

Covers:     the public names, each imported when first used.
Not here:   anything else; reach a floor through its package (`flatwater.meter`, `flatwater.worker`, ...).
Holds:      nothing until a name is used: `import flatwater` costs a few milliseconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flatwater import errors as errors
    from flatwater.budget import Budget as Budget
    from flatwater.budget import Reservation as Reservation
    from flatwater.meter import Reading as Reading
    from flatwater.meter import Timeline as Timeline
    from flatwater.meter import usage as usage
    from flatwater.meter.measure import measure as measure
    from flatwater.meter.retention import retention as retention
    from flatwater.meter.retention import trim as trim
    from flatwater.meter.size_of import size_of as size_of
    from flatwater.meter.snapshot import snapshot as snapshot
    from flatwater.watch import Watcher as Watcher

__version__ = "0.1.0"

_HOMES = {
    "Budget": "flatwater.budget",
    "Reservation": "flatwater.budget",
    "Reading": "flatwater.meter",
    "Timeline": "flatwater.meter",
    "measure": "flatwater.meter",
    "retention": "flatwater.meter",
    "size_of": "flatwater.meter",
    "snapshot": "flatwater.meter",
    "trim": "flatwater.meter",
    "usage": "flatwater.meter",
    "Watcher": "flatwater.watch",
}
_MODULES = ("budget", "errors", "limits", "meter", "sizing", "units", "watch", "worker")

__all__ = [  # noqa: PLE0604 - one list feeds lookup, dir() and *
    "__version__",
    *_HOMES,
    *_MODULES,
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value: object = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"flatwater.{name}")
    else:
        raise AttributeError(f"module 'flatwater' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
