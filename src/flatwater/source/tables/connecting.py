"""Which adapter a source is for: a path, a URL, a connection, an engine, a QuerySet.

Covers:     telling sources apart without importing their libraries.
Not here:   what they do then (`tables.adapters`).
Holds:      nothing.
"""

from __future__ import annotations

import os
from typing import Any

from flatwater import errors
from flatwater.source.tables.adapters.base import Adapter

_SCHEMES = {
    "postgres": "postgres", "postgresql": "postgres",
    "mysql": "mysql", "mariadb": "mysql",
}  # fmt: skip


def adapter_for(source: Any) -> Adapter:
    """The adapter of a source.

    Raises:
        UsageError: it is none that is known.
        MissingExtra: its driver is not installed.
        BrokenError: the database cannot be reached.
    """
    if isinstance(source, (str, bytes, os.PathLike)):
        return _by_address(os.fspath(source))
    module = type(source).__module__
    families = {base.__module__.partition(".")[0] for base in type(source).__mro__}
    if "sqlite3" in families or "_sqlite3" in families:
        from flatwater.source.tables.adapters.sqlite_connection import SqliteConnection

        return SqliteConnection(source)
    if "apsw" in families:
        from flatwater.source.tables.adapters.sqlite_path import SqliteApsw

        return SqliteApsw(source)
    if "psycopg" in families:
        from flatwater.source.tables.adapters.postgres import Postgres

        return Postgres(source)
    if "pymysql" in families:
        from flatwater.source.tables.adapters.mysql import MySql

        return MySql(source)
    if "sqlalchemy" in families:
        from flatwater.source.tables.adapters.sqlalchemy import adapter_of

        found: Adapter = adapter_of(source)
        return found
    if "django" in families:
        from flatwater.source.tables.adapters.django import adapter_of as adapter_of_rows

        rows: Adapter = adapter_of_rows(source)
        return rows
    raise errors.UsageError(
        f"{module}.{type(source).__name__} is no source of a table.",
        hint="Give a path, a postgresql:// or mysql:// URL, a sqlite3, psycopg or PyMySQL connection, an Engine, "
        "Connection, Session or AsyncSession of SQLAlchemy, or a QuerySet of Django.",
    )


def _by_address(address: str | bytes) -> Adapter:
    if not isinstance(address, str):
        address = os.fsdecode(address)
    scheme = address.partition(":")[0].partition("+")[0].lower() if "://" in address else ""
    kind = _SCHEMES.get(scheme)
    if kind == "postgres":
        from flatwater.source.tables.adapters.postgres import Postgres

        return Postgres(address)
    if kind == "mysql":
        from flatwater.source.tables.adapters.mysql import MySql

        return MySql(address)
    if scheme not in ("", "sqlite"):
        raise errors.UsageError(
            f"{scheme}:// is no database that is known.",
            hint="There are postgresql://, mysql://, mariadb:// and sqlite:///.",
        )
    from flatwater.source.tables.adapters.sqlite_path import SqlitePath, path_of

    return SqlitePath(path_of(address))
