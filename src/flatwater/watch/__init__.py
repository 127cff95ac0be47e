"""The guard of a running program, and what was promised beside what was seen.

Covers:     the public names of this floor.
Not here:   counting promises (`budget`), reading the operating system (`meter`), claims (`proof`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.watch.account import Account, promised_and_seen
from flatwater.watch.event import Event
from flatwater.watch.forecast import Forecast, forecast
from flatwater.watch.watcher import Watcher

__all__ = ["Account", "Event", "Forecast", "Watcher", "forecast", "promised_and_seen"]
