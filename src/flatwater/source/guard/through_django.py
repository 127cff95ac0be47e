"""Guard Django's connections: a wrapper around each execution puts a guarded cursor in the place of the driver's.

Covers:     SQLite and PostgreSQL (psycopg 3); QuerySets however they are evaluated, raw cursors.
Not here:   connections of plain drivers (`guard.connection`), SQLAlchemy (`guard.through_sqlalchemy`).
Holds:      a function for each connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flatwater.source.guard.connection import known_driver
from flatwater.source.guard.cursor import GuardedCursor
from flatwater.source.guard.page import Limits, limits_now

_UID = "flatwater.page_guard"


class _Wrapper:
    """What Django calls an execute wrapper."""

    def __init__(self, standing: Limits | None) -> None:
        self.standing = standing

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: dict[str, Any]) -> Any:
        cursor = context["cursor"]  # Django's; the driver's own is its attribute
        if not many and not isinstance(cursor.cursor, GuardedCursor) and limits_now(self.standing) is not None:
            cursor.cursor = GuardedCursor(cursor.cursor, known_driver(cursor.cursor), self.standing)
        return execute(sql, params, many, context)


def is_connections(subject: object) -> bool:
    """Whether it is `django.db.connections` or one of them, without importing Django."""
    return any(each.__module__.startswith(("django.db", "django.utils.connection")) for each in type(subject).__mro__)


def install(subject: Any, standing: Limits | None) -> None:
    """Guard one connection, or all that are there and will be, of every thread."""
    if hasattr(subject, "execute_wrappers"):
        _wrap(subject, standing)
        return
    import importlib

    signal = importlib.import_module("django.db.backends.signals").connection_created

    def created(connection: Any, **_: object) -> None:
        _wrap(connection, standing)

    signal.disconnect(dispatch_uid=_UID)  # of an earlier install, with other limits
    signal.connect(created, weak=False, dispatch_uid=_UID)
    for connection in subject.all(initialized_only=True):
        _wrap(connection, standing)


def _wrap(connection: Any, standing: Limits | None) -> None:
    for wrapper in connection.execute_wrappers:
        if isinstance(wrapper, _Wrapper):
            wrapper.standing = standing
            return
    # In front: `with connection.execute_wrapper(...)` takes off the last one, and a connection may be made inside of it.
    connection.execute_wrappers.insert(0, _Wrapper(standing))
