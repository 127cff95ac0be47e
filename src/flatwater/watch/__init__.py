"""The guard of a running program, and what was promised beside what was seen.

Covers:     the public names of this floor.
Not here:   counting promises (`budget`), reading the operating system (`meter`), claims (`proof`).
Holds:      nothing.
"""

from __future__ import annotations

import sys
import types

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.watch.account import Account as Account
    from flatwater.watch.account import promised_and_seen as promised_and_seen
    from flatwater.watch.alerts import Alerts as Alerts
    from flatwater.watch.event import Event as Event
    from flatwater.watch.forecasting import Forecast as Forecast
    from flatwater.watch.forecasting import forecast as forecast
    from flatwater.watch.watcher import Watcher as Watcher

_HOMES = {
    "Account": "flatwater.watch.account",
    "promised_and_seen": "flatwater.watch.account",
    "Alerts": "flatwater.watch.alerts",
    "Event": "flatwater.watch.event",
    "Forecast": "flatwater.watch.forecasting",
    "forecast": "flatwater.watch.forecasting",
    "Watcher": "flatwater.watch.watcher",
}
__all__ = [
    "Account",
    "Alerts",
    "Event",
    "Forecast",
    "Watcher",
    "forecast",
    "promised_and_seen",
]

__getattr__, __dir__ = lazy.names("flatwater.watch", _HOMES)


class _Floor(types.ModuleType):
    """This package, which can be called: `fw.watch("512 MiB")` is `watch.script.watch`."""

    def __call__(self, *args: object, **given: object) -> object:
        from flatwater.watch.script import watch

        return watch(*args, **given)  # type: ignore[arg-type]  # the function says what may be given


sys.modules[__name__].__class__ = _Floor
