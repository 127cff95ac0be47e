"""The database's own tables, SHOW and DESCRIBE; rows from outside.

Covers:     system.memory, tables, users, live_queries, jobs; who sees which of their rows; dicts of what is loaded.
Not here:   what the figures are of (`live.database` and its parts).
Holds:      so many rows of one of these tables at a time as a batch has.
"""

from __future__ import annotations

import functools
import itertools
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, final

import msgspec

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live.access import ROLES, SYSTEM_USER, Actor, Limits
from flatwater.live.catalog import SYSTEM, Catalog
from flatwater.live.conditions import Condition, condition_of
from flatwater.live.definitions import name_of
from flatwater.live.results import Result, Rows
from flatwater.live.schema import SHARED, Column, Row, Schema
from flatwater.live.statements import Statement
from flatwater.live.types import Type
from flatwater.live.upkeep import Job

_DBA = ROLES.index("dba")


class Parts(NamedTuple):
    """What these tables are made of.

    Attributes:
        budget: whose promises `system.memory` compares with what the system saw.
        catalog: tables and users.
        jobs: what is done behind the statements.
        queries: live queries.
        memory: who promised and holds how much.
    """

    budget: Budget
    catalog: Catalog
    jobs: Callable[[], list[Job]]
    queries: Callable[[], Iterator[Row]]
    memory: Callable[[], Iterator[Row]]


# --- tables -----------------------------------------------------------------------------------------------------------


def _memory(parts: Parts, _actor: Actor) -> Iterator[Row]:
    from flatwater.watch.account import promised_and_seen

    yield from parts.memory()
    both = promised_and_seen(parts.budget)
    yield {"part": "process, anonymous", "promised": both.promised, "seen": both.anon if both.anon >= 0 else None}
    yield {"part": "process, resident", "promised": None, "seen": both.rss if both.rss >= 0 else None}


def _tables(parts: Parts, actor: Actor) -> Iterator[Row]:
    for namespace, name in parts.catalog.names():
        schema = parts.catalog.find(namespace, name)
        if schema is None:
            continue
        try:
            actor.must_read(schema)
        except errors.FlatwaterError:
            continue
        yield {
            "namespace": namespace, "name": name, "type": schema.kind, "columns": len(schema.columns),
            "primary_key": ", ".join(schema.key), "access_level": None if schema.is_personal else schema.access,
            "ttl_seconds": schema.ttl_s or None,
        }  # fmt: skip


def _users(parts: Parts, actor: Actor) -> Iterator[Row]:
    for name, record in [(SYSTEM_USER, None), *parts.catalog.users()]:
        if actor.rank >= _DBA or name == actor.name:
            figures = {
                field: None if record is None else getattr(record.limits, field) for field in Limits.__struct_fields__
            }
            role, has = (SYSTEM_USER, False) if record is None else (record.role, bool(record.password))
            yield {"name": name, "role": role, **figures, "password": has}


def _live_queries(parts: Parts, actor: Actor) -> Iterator[Row]:
    for row in parts.queries():
        if actor.rank >= _DBA or row["user"] == actor.name:
            yield row


def _jobs(parts: Parts, _actor: Actor) -> Iterator[Row]:
    for job in parts.jobs():
        started = datetime.fromtimestamp(job.started_s, UTC) if job.started_s else None
        yield {"name": job.name, "state": job.state, "rows": job.rows, "started": started, "error": job.error or None}


_TABLES: dict[str, tuple[Callable[[Parts, Actor], Iterator[Row]], dict[str, str]]] = {
    "memory": (_memory, {"part": "TEXT", "promised": "BIGINT", "seen": "BIGINT"}),
    "tables": (_tables, {
        "namespace": "TEXT", "name": "TEXT", "type": "TEXT", "columns": "BIGINT", "primary_key": "TEXT", "access_level": "TEXT", "ttl_seconds": "BIGINT",
    }),
    "users": (_users, {
        "name": "TEXT", "role": "TEXT", "subscriptions": "BIGINT", "rows": "BIGINT", "bytes": "BIGINT", "seconds": "BIGINT",
        "connections": "BIGINT", "messages": "BIGINT", "password": "BOOLEAN",
    }),
    "live_queries": (_live_queries, {
        "number": "BIGINT", "user": "TEXT", "query": "TEXT", "started": "TIMESTAMP", "events": "BIGINT",
    }),
    "jobs": (_jobs, {"name": "TEXT", "state": "TEXT", "rows": "BIGINT", "started": "TIMESTAMP", "error": "TEXT"}),
}  # fmt: skip


_OF_DBAS = frozenset({"memory", "jobs"})


def schema_of(name: str) -> Schema | None:
    """The columns of one of these tables; None if there is none of this name."""
    return _schema_of(name) if name in _TABLES else None


@functools.cache  # of the names above only: others come from outside, and have no end
def _schema_of(name: str) -> Schema:
    return Schema(0, SYSTEM, name, SHARED, [Column(each, Type(kind)) for each, kind in _TABLES[name][1].items()], ())


def source(parts: Parts, name: str, actor: Actor, where: Any, values: Sequence[Any]) -> SystemSource:
    """One of these tables, as an actor sees it.

    Args:
        parts: what it is made of.
        name: of the table.
        actor: who reads it.
        where: the condition on its rows, or None.
        values: of the parameters.

    Raises:
        UsageError: there is none of this name.
        AccessDenied: it is for dbas.
    """
    schema = schema_of(name)
    if schema is None:
        raise errors.UsageError(f"there is no table system.{name}.", hint=f"There are {', '.join(_TABLES)}.")
    if name in _OF_DBAS:
        actor.must_be("dba", f"read system.{name}")
    condition = condition_of(where, schema, values)
    return SystemSource(schema, functools.partial(_TABLES[name][0], parts, actor), condition)


@final
class SystemSource:
    """Rows of a table that are made as they are read.

    Args:
        table: its columns.
        rows: begins to make them.
        condition: of those that are meant.
    """

    def __init__(self, table: Schema, rows: Callable[[], Iterator[Row]], condition: Condition) -> None:
        self.table = table
        self.widest = 0
        self._rows, self._condition = rows, condition

    @property
    def schema(self) -> Any:
        """The pyarrow.Schema of the rows."""
        return self.table.arrow()

    def pages(self) -> Iterator[list[Row]]:
        """The rows, some at a time."""
        rows = filter(self._condition.matches, self._rows())
        while page := list(itertools.islice(rows, limits.LIVE_BATCH_ROWS)):
            yield page

    def batches(self, columns: list[str] | None) -> Iterator[Any]:
        """Record batches of these columns."""
        from flatwater.live.dataset import batches_of

        return batches_of(self.pages(), self.table, columns)


# --- SHOW and DESCRIBE ------------------------------------------------------------------------------------------------


def shown(parts: Parts, statement: Statement, actor: Actor) -> Result:
    """What SHOW and DESCRIBE give."""
    if statement.kind == "describe":
        name = name_of(statement.tree)
        schema = parts.catalog.table(*name)
        actor.must_read(schema)
        return _result(list(_described(schema)), ("column", "type", "nullable", "default", "primary_key"))
    what, within = statement.words
    if what == "NAMESPACES":
        return _result([{"namespace": each} for each in parts.catalog.namespaces()], ("namespace",))
    if what == "USERS":
        return _result(list(_users(parts, actor)), tuple(_TABLES["users"][1]))
    if within is not None and within != SYSTEM and not parts.catalog.has_namespace(within):
        raise errors.UsageError(f"there is no namespace {within}.", hint="SHOW NAMESPACES names them.")
    rows = [row for row in _tables(parts, actor) if within in {None, row["namespace"]}]
    return _result(rows, tuple(_TABLES["tables"][1]))


def _as_sql(column: Column) -> str | None:
    """A default as it can be written; None where there is none."""
    value = column.default
    if value is None or column.is_made:
        return None if value is None else str(value)
    if column.type.name == "JSON":
        text = msgspec.json.encode(value).decode()
    elif isinstance(value, bool):
        return str(value).upper()
    elif isinstance(value, int | float | Decimal):
        return str(value)
    else:
        text = b64encode(value).decode() if isinstance(value, bytes) else str(value)
    return "'" + text.replace("'", "''") + "'"


def _described(schema: Schema) -> Iterator[Row]:
    for column in schema.columns.values():
        yield {
            "column": column.name,
            "type": str(column.type),
            "nullable": not column.is_required,
            "default": _as_sql(column),
            "primary_key": column.name in schema.key,
        }


def _result(rows: list[Row], columns: tuple[str, ...]) -> Result:
    return Result(columns, Rows(lambda: [rows]))


# --- rows from outside, and to it -------------------------------------------------------------------------------------


def rows_of(given: Any) -> Iterator[Mapping[str, Any]]:
    """Rows one by one: of dicts, record batches, Arrow tables, batches of a Flow.

    Raises:
        UsageError: there is something else among them.
    """
    if hasattr(given, "to_batches"):
        given = given.to_batches()
    elif hasattr(given, "to_pylist"):
        given = [given]
    elif isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__"):
        raise errors.UsageError(f"{given!r:.80} is no collection of rows.", hint="Pass dicts, or Arrow record batches.")
    for part in given:
        if isinstance(part, Mapping):
            yield part
        elif hasattr(part, "to_pylist"):
            yield from _listed(part)
        elif isinstance(part, list | tuple):
            yield from rows_of(part)
        else:
            raise errors.UsageError(f"{part!r:.80} is no row.", hint="Pass dicts, or Arrow record batches.")


def _listed(part: Any) -> list[Row]:
    try:
        rows: list[Row] = part.to_pylist()
    except (ValueError, OverflowError) as error:  # such as nanoseconds, and years above 9999
        raise errors.UsageError(
            f"rows of Arrow have a value that Python has not: {error!s:.120}.", hint="Cast times to microseconds."
        ) from None
    return rows


def arrow_of(pages: Iterable[list[Row]], schema: Schema, names: tuple[tuple[str, str], ...] | None) -> Iterator[Any]:
    """Record batches of pages of rows."""
    import pyarrow as pa

    from flatwater.live.dataset import arrow_rows

    fields = schema.columns if names is None else {called: schema.columns[name] for called, name in names}
    wanted = pa.schema([column.field(called) for called, column in fields.items()])
    for page in pages:
        yield arrow_rows(page, wanted)
