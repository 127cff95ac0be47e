"""SQL tables in a directory, each user alone with his rows, and queries that go on: changes are told as they are committed.

Covers:     the public names of this floor.
Not here:   ordered entries on disk (`store`), tables of other databases (`source.tables`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.live.access import AccessDenied as AccessDenied
    from flatwater.live.access import Limits as Limits
    from flatwater.live.database import Database as Database
    from flatwater.live.events import Event as Event
    from flatwater.live.refusals import Conflict as Conflict
    from flatwater.live.refusals import Unauthenticated as Unauthenticated
    from flatwater.live.results import Result as Result
    from flatwater.live.subscriber import Subscription as Subscription

_HOMES = {
    "AccessDenied": "flatwater.live.access",
    "Conflict": "flatwater.live.refusals",
    "Database": "flatwater.live.database",
    "Event": "flatwater.live.events",
    "Limits": "flatwater.live.access",
    "Result": "flatwater.live.results",
    "Subscription": "flatwater.live.subscriber",
    "Unauthenticated": "flatwater.live.refusals",
}

__all__ = [*_HOMES]  # noqa: PLE0604 - one table feeds lookup, dir() and *


def _missing(_name: str, library: str) -> ImportError:
    from flatwater import errors

    return errors.MissingExtra("live", library)


__getattr__, __dir__ = lazy.names("flatwater.live", _HOMES, missing=_missing)
