"""A driver's connection whose cursors are guarded.

Covers:     PEP 249's connection around a driver's own, `execute` shortcuts; whatever else that one has is passed on.
Not here:   engines of SQLAlchemy and connections of Django, which have adapters of their own.
Holds:      a reference.
"""

from __future__ import annotations

import functools
from typing import Any, Self, final

from flatwater import errors
from flatwater.source.guard.cursor import GuardedCursor
from flatwater.source.guard.drivers import driver_of
from flatwater.source.guard.page import Limits


@final
class GuardedConnection:
    """A connection of sqlite3, psycopg 3 or PyMySQL; as thread-safe as that.

    `inner` is the driver's own connection, for what insists on it.
    """

    def __init__(self, inner: Any, standing: Limits | None) -> None:
        self.inner = inner
        self._standing = standing

    def cursor(self, *words: Any, **options: Any) -> GuardedCursor:
        """As the driver's `cursor`.

        Raises:
            UsageError: the driver is not one of those.
        """
        cursor = self.inner.cursor(*words, **options)
        return GuardedCursor(cursor, known_driver(cursor), self._standing, connection=self)

    def execute(self, statement: Any, *words: Any, **options: Any) -> GuardedCursor:
        """The shortcut that sqlite3's and psycopg's connections have: a new cursor that ran the statement."""
        cursor = self.cursor()
        cursor.execute(statement, *words, **options)
        return cursor

    def __enter__(self) -> Self:
        self.inner.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self.inner.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        return functools.partial(self._by_cursor, name) if name in {"executemany", "executescript"} else found

    def _by_cursor(self, name: str, *words: Any) -> Any:
        """sqlite3's other shortcuts: what they return runs further statements."""
        return getattr(self.cursor(), name)(*words)

    def __setattr__(self, name: str, value: object) -> None:
        if name in {"inner", "_standing"}:
            object.__setattr__(self, name, value)
        else:
            setattr(self.inner, name, value)


def known_driver(cursor: Any) -> Any:
    """The driver of a cursor.

    Raises:
        UsageError: it is not known; such a driver may read a whole result where nobody could stop it.
    """
    driver = driver_of(cursor)
    if driver is None:
        kind = type(cursor)
        raise errors.UsageError(
            f"{kind.__module__}.{kind.__qualname__} is not a cursor that the page guard knows.",
            hint="It knows sqlite3, psycopg 3 and PyMySQL; use others through SQLAlchemy.",
        )
    return driver
