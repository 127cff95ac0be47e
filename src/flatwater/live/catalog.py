"""Which namespaces, tables and users there are, on disk and as far as they were used in memory.

Covers:     making, changing and dropping them; names; schemas by name; roles and limits of users.
Not here:   who may do it (`live.access`), what was dropped but still has rows (`live.upkeep`), SQL (`live.definitions`).
Holds:      schemas that were used, at most `LIVE_SCHEMAS_BYTES`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, final

import msgspec

from flatwater import errors, limits
from flatwater.live.access import ROLES, Limits
from flatwater.live.cache import Cache
from flatwater.live.rows import there_key
from flatwater.live.schema import Column, Schema
from flatwater.live.types import Type
from flatwater.store.partition import Partition

SYSTEM: Final = "system"  # the namespace of the database's own tables
DEFAULT: Final = "main"  # the namespace of tables that are named without one
_SCHEMA_BYTES, _COLUMN_BYTES = 6_000, 900  # of a schema in memory, with its decoder
_NUMBER = ("number",)  # the entry with the last number of a table


class TableRecord(msgspec.Struct):
    """A table as it stands on disk."""

    number: int
    kind: str
    columns: list[list[Any]]  # name, type, precision, scale, whether it is required, default, whether that is made
    key: list[str]
    access: str = "PRIVATE"
    ttl_s: int = 0
    is_changed: bool = False
    born: int = 0


class UserRecord(msgspec.Struct):
    """A user as it stands on disk.

    Attributes:
        role: what he may.
        limits: of what he uses.
        password: a hash of it; empty if he has none.
        stamp: what his tokens are of: another one with each password, and whenever a user of this name is made.
    """

    role: str = "user"
    limits: Limits = msgspec.field(default_factory=Limits)
    password: str = ""
    stamp: int = 0


@final
class Catalog:
    """The catalog of a database. Thread-safe.

    Args:
        entries: its partition.
    """

    def __init__(self, entries: Partition) -> None:
        self._entries = entries
        self._schemas: Cache[Schema] = Cache(limits.LIVE_SCHEMAS_BYTES)
        self._lock = threading.RLock()  # of whoever changes something
        self.version = 0  # grows with each change: what was made of an older one is made again

    # --- namespaces ---------------------------------------------------------------------------------------------------

    def namespaces(self) -> Iterator[str]:
        """Their names, sorted; `main` is always there."""
        found = {
            key[1]
            for batch in self._entries.batches(("namespace",), bytes=limits.LIVE_PAGE_BYTES)
            for key, _value in batch
        }
        return iter(sorted({*found, DEFAULT}))

    def has_namespace(self, name: str) -> bool:
        """Whether there is one of this name."""
        return name in {DEFAULT, SYSTEM} or ("namespace", name) in self._entries

    def make_namespace(self, name: str) -> None:
        """Make one that is not there yet.

        Raises:
            UsageError: it is no name.
            LimitReached: there are too many.
        """
        check_name(name, "namespace")
        with self._lock:
            if self._entries.count_estimate(("namespace",)) >= limits.LIVE_NAMESPACES_MAX:
                raise errors.LimitReached(
                    f"there are {limits.LIVE_NAMESPACES_MAX} namespaces.",
                    what="LIVE_NAMESPACES_MAX", limit=limits.LIVE_NAMESPACES_MAX, hint="Put the name into a column.",
                )  # fmt: skip
            self._entries.put(("namespace", name), b"{}")

    def drop_namespace(self, name: str) -> None:
        """Drop an empty one.

        Raises:
            UsageError: it has tables, or is always there.
        """
        with self._lock:
            if name in {DEFAULT, SYSTEM}:
                raise errors.UsageError(f"the namespace {name} is always there.")
            if next(self.names(name), None) is not None:
                raise errors.UsageError(f"the namespace {name} has tables.", hint="Drop these first.")
            self._entries.delete(("namespace", name))

    # --- tables -------------------------------------------------------------------------------------------------------

    def names(self, namespace: str | None = None) -> Iterator[tuple[str, str]]:
        """Namespace and name of each table, sorted."""
        prefix = ("table",) if namespace is None else ("table", namespace)
        for batch in self._entries.batches(prefix, bytes=limits.LIVE_PAGE_BYTES):
            for key, _value in batch:
                yield key[1], key[2]

    def find(self, namespace: str, name: str) -> Schema | None:
        """The table, or None."""
        schema = self._schemas.get((namespace, name))
        if schema is None:
            with self._lock:
                stored = self._entries.get(("table", namespace, name))
                if stored is None:
                    return None
                schema = _schema_of(namespace, name, msgspec.json.decode(stored, type=TableRecord))
                self._keep(schema)
        return schema

    def table(self, namespace: str, name: str) -> Schema:
        """The table.

        Raises:
            UsageError: there is none.
        """
        schema = self.find(namespace, name)
        if schema is None:
            raise errors.UsageError(f"there is no table {namespace}.{name}.", hint="SHOW TABLES names them.")
        return schema

    def numbered(self, number: int) -> Schema | None:
        """The table of this number; None if it was dropped."""
        known = self._schemas.get(number)
        if known is not None:
            return known
        stored = self._entries.get(("numbered", number))
        if stored is None:
            return None
        namespace, name = msgspec.json.decode(stored)
        return self.find(namespace, name)

    def make_table(self, namespace: str, name: str, make: Callable[[int], Schema]) -> Schema:
        """Make a table that is not there yet.

        Args:
            namespace: that is there.
            name: of the table.
            make: makes it of its number.
        """
        check_name(name, "table")
        with self._lock:
            number = int(self._entries.get(_NUMBER) or b"0") + 1
            schema = make(number)
            self._entries.write([
                (_NUMBER, str(number).encode()),
                (("numbered", number), msgspec.json.encode((namespace, name))),
                (("table", namespace, name), _stored(schema)),
            ])  # fmt: skip
            self._changed(schema)
        return schema

    def must_be_there(self, schema: Schema, get: Callable[[bytes], bytes | None]) -> None:
        """Refuse to write to a table that was dropped since the statement began.

        Args:
            schema: the table.
            get: reads the store as it is in the transaction that writes.

        Raises:
            UsageError: it was.
        """
        if get(there_key(self._entries.head(), schema.number)) is None:
            raise errors.UsageError(
                f"the table {schema.full_name} was dropped meanwhile.", hint="SHOW TABLES names them."
            )

    def change_table(self, schema: Schema) -> None:
        """Keep another form of a table."""
        with self._lock:
            self._entries.put(("table", schema.namespace, schema.name), _stored(schema))
            self._changed(schema)

    def drop_table(self, schema: Schema) -> None:
        """Drop a table: its rows are removed by and by."""
        with self._lock:
            self._entries.write([
                (("table", schema.namespace, schema.name), None),
                (("numbered", schema.number), None),
                (("dropped", schema.number), schema.kind.encode()),
            ])  # fmt: skip
            self._forget(schema)
            self.version += 1

    def dropped(self) -> list[tuple[int, str]]:
        """Numbers and kinds of tables that were dropped and may still have rows."""
        return [
            (key[1], value.decode())
            for batch in self._entries.batches(("dropped",), bytes=limits.LIVE_PAGE_BYTES)
            for key, value in batch
        ]

    def forget(self, number: int) -> None:
        """A table that was dropped has no rows any more."""
        self._entries.delete(("dropped", number))

    def streams(self) -> Iterator[Schema]:
        """Tables whose rows expire."""
        for namespace, name in self.names():
            schema = self.find(namespace, name)
            if schema is not None and schema.ttl_s:
                yield schema

    def held(self) -> int:
        """Bytes of schemas in memory."""
        return self._schemas.held

    # --- users --------------------------------------------------------------------------------------------------------

    def users(self) -> Iterator[tuple[str, UserRecord]]:
        """Those that were made, sorted by name."""
        for batch in self._entries.batches(("user",), bytes=limits.LIVE_PAGE_BYTES):
            for key, value in batch:
                yield key[1], msgspec.json.decode(value, type=UserRecord)

    def user(self, name: str) -> UserRecord | None:
        """A user that was made, or None."""
        stored = self._entries.get(("user", name))
        return None if stored is None else msgspec.json.decode(stored, type=UserRecord)

    def put_user(self, name: str, record: UserRecord) -> None:
        """Make a user, or change one."""
        check_name(name, "user")
        assert record.role in ROLES
        self._entries.put(("user", name), msgspec.json.encode(record))
        self.version += 1

    def drop_user(self, name: str) -> None:
        """Forget a user's role and limits."""
        self._entries.delete(("user", name))
        self.version += 1

    # ------------------------------------------------------------------------------------------------------------------

    def _changed(self, schema: Schema) -> None:
        self._forget(schema)
        self._keep(schema)
        self.version += 1

    def _forget(self, schema: Schema) -> None:
        self._schemas.forget((schema.namespace, schema.name))
        self._schemas.forget(schema.number)

    def _keep(self, schema: Schema) -> None:
        cost = _SCHEMA_BYTES + _COLUMN_BYTES * len(schema.columns)
        self._schemas.put((schema.namespace, schema.name), schema, cost)
        self._schemas.put(schema.number, schema, 0)  # the same


def check_name(name: str, what: str) -> None:
    """Refuse what no namespace, table, column or user may be called.

    Raises:
        UsageError: it is empty, too long, or has characters that cannot be seen.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = 0
    if not 1 <= size <= limits.LIVE_NAME_BYTES_MAX or not name.isprintable():
        raise errors.UsageError(
            f"{name!r:.120} is no name of a {what}.",
            hint=f"Give up to {limits.LIVE_NAME_BYTES_MAX} bytes of UTF-8 that can be printed.",
        )


def _stored(schema: Schema) -> bytes:
    columns: list[list[Any]] = [
        [each.name, each.type.name, each.type.precision, each.type.scale, each.is_required, each.default, each.is_made]
        for each in schema.columns.values()
    ]
    record = TableRecord(
        schema.number,
        schema.kind,
        columns,
        list(schema.key),
        schema.access,
        schema.ttl_s,
        schema.is_changed,
        schema.born,
    )
    return msgspec.json.encode(record)


def _schema_of(namespace: str, name: str, record: TableRecord) -> Schema:
    columns = []
    for column, kind, precision, scale, is_required, default, is_made in record.columns:
        of = Type(kind, precision, scale)
        columns.append(Column(column, of, is_required, default if is_made else of.take(default, column), is_made))
    return Schema(
        record.number,
        namespace,
        name,
        record.kind,
        columns,
        record.key,
        access=record.access,
        ttl_s=record.ttl_s,
        is_changed=record.is_changed,
        born=record.born,
    )
