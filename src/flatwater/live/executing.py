"""Doing statements: each kind in the name of somebody, whose rows it sees and changes.

Covers:     which kind goes where, what is prepared once, SELECT by the short way or the engine, definitions.
Not here:   opening, subscriptions, loading (`live.database`), how rows are read and changed (`selecting`, `changing`).
Holds:      statements that were prepared, at most `LIVE_STATEMENTS_BYTES`; the SQL engine, once it was needed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live import changing, definitions, selecting, system, users
from flatwater.live.access import SYSTEM_USER, Actor, Limits
from flatwater.live.cache import Cache
from flatwater.live.catalog import SYSTEM, Catalog, check_name
from flatwater.live.conditions import condition_of
from flatwater.live.fence import TableReference
from flatwater.live.log import Get, Log
from flatwater.live.reading import Snapshot
from flatwater.live.results import Result, Rows
from flatwater.live.rows import Heads, Place
from flatwater.live.schema import Row, Schema
from flatwater.live.selecting import TableSource
from flatwater.live.sequence import Sequence as Numbers
from flatwater.live.statements import Name, Statement, table_name, understood
from flatwater.live.writing import Edit, Plan, Writer
from flatwater.store.space import Space

if TYPE_CHECKING:
    from flatwater.live.engine import Engine

_SPILL = "spill"  # the directory of what queries sort on disk
_ACTOR_BYTES = 400  # of a user with his limits
_PREPARED_BYTES = 2_000  # of a statement that was prepared, beside its text


@final
class Executor:
    """Does statements. Thread-safe.

    Args:
        path: of the database's directory.
        space: the inside of its store.
        heads: of rows and stream.
        log: the log.
        catalog: tables and users.
        writer: who changes rows.
        numbers: of changes.
        sql_pool: bytes of the SQL engine's pool.
        budget: that it takes its bytes from.
        wake: is called where there is something to do behind the statements.
        table_dropped: is called with the number of a table that was dropped.
        user_changed: is called with the name of a user whose role was changed.
        kill: ends a live query, in the name of an actor; False if there is none of this number.
        parts: what system tables are made of.
    """

    def __init__(
        self, path: str, space: Space, heads: Heads, log: Log, catalog: Catalog, writer: Writer, numbers: Numbers, *,
        sql_pool: int, budget: Budget, wake: Callable[[], None], table_dropped: Callable[[int], None],
        user_changed: Callable[[str], None], kill: Callable[[int, Actor], bool], parts: system.Parts,
    ) -> None:  # fmt: skip
        self._table_dropped, self._user_changed, self._kill = table_dropped, user_changed, kill
        self.catalog = catalog
        self._path, self._space, self._heads, self._log, self._writer, self._numbers = (
            path,
            space,
            heads,
            log,
            writer,
            numbers,
        )
        self._sql_pool, self._budget, self._wake, self._parts = sql_pool, budget, wake, parts
        self._statements: Cache[Statement] = Cache(limits.LIVE_STATEMENTS_BYTES)
        self._actors: Cache[tuple[int, Actor]] = Cache(limits.LIVE_ACTORS_BYTES)
        self._prepared: Cache[tuple[int, Any]] = Cache(limits.LIVE_STATEMENTS_BYTES)
        self.engine: Engine | None = None
        self._engine_lock = threading.Lock()

    @staticmethod
    def bytes_max() -> int:
        """The most it holds, in bytes, beside the SQL engine and the pages of statements that are read."""
        total = 0
        total += limits.LIVE_STATEMENTS_BYTES  # statements that were understood
        total += limits.LIVE_STATEMENTS_BYTES  # and prepared
        total += limits.LIVE_ACTORS_BYTES  # users who did something
        return total

    def close(self) -> None:
        """End the SQL engine, if there is one."""
        if self.engine is not None:
            self.engine.close()

    def held(self) -> int:
        """Bytes of statements."""
        return self._statements.held + self._prepared.held

    def do(self, text: str, params: Sequence[Any], actor: Actor) -> Result:
        """One statement in the name of an actor."""
        return self._do(self.understood(text), text, values_of(params), actor)

    def actor(self, user: str | None) -> Actor:
        """Who a user is: his role and his limits; one whom nobody made is a `user`."""
        if user is None or user == SYSTEM_USER:
            return Actor(SYSTEM_USER, SYSTEM_USER, Limits())
        if not isinstance(user, str):
            raise errors.UsageError(f"user={user!r:.80} is no name.", hint="Pass a text, or None for system.")
        version = self.catalog.version
        known = self._actors.get(user)
        if known is None or known[0] != version:
            check_name(user, "user")
            record = self.catalog.user(user)
            actor = Actor(user, "user", Limits()) if record is None else Actor(user, record.role, record.limits)
            known = version, actor
            self._actors.put(user, known, _ACTOR_BYTES)
        return known[1]

    def understood(self, text: str) -> Statement:
        """What a text says; kept for the next time."""
        statement = self._statements.get(text)
        if statement is None:
            statement = understood(text)
            self._statements.put(text, statement, statement.cost)
        return statement

    def needs_engine(self, text: str) -> bool:
        """Whether a statement is a SELECT for the SQL engine, where it may have to wait for its turn."""
        statement = self.understood(text)
        if statement.kind == "execute as":
            return self.needs_engine(statement.words[1])
        return (
            statement.kind == "select"
            and self._once(text, lambda: selecting.simple(statement.tree, self.found)) is None
        )

    def followable(self, text: str, params: Sequence[Any]) -> tuple[selecting.Simple, Sequence[Any]]:
        """A query that can be followed, and its values.

        Raises:
            UsageError: it is more than a condition on one table.
        """
        statement, values = self.understood(text), values_of(params)
        _check_count(statement, values)
        wanted = (
            self._once(text, lambda: selecting.simple(statement.tree, self.found))
            if statement.kind == "select"
            else None
        )
        if wanted is None and statement.kind == "select":
            selecting.check_followed(statement.tree, self.catalog.table)
        is_table = wanted is not None and wanted.table.namespace != SYSTEM
        if wanted is None or not is_table or wanted.limit is not None or wanted.offset is not None or wanted.reverse:
            raise errors.UsageError(
                "this is no query that can be followed.",
                hint="SELECT columns FROM one table of yours [WHERE ...]; last_rows= limits the snapshot.",
            )
        return wanted, values

    def _do(self, statement: Statement, text: str, values: Sequence[Any], actor: Actor) -> Result:
        _check_count(statement, values)
        match statement.kind:
            case "select":
                return self._select(statement, text, values, actor)
            case "insert":
                return self._insert(statement, text, values, actor)
            case "update" | "delete":
                return self._alter(statement, text, values, actor)
            case "execute as":
                name, inner = statement.words
                other = self.actor(name)
                actor.must_act_as(other.role, other.name)
                return self._do(self.understood(inner), inner, values, other)
            case "show" | "describe":
                return system.shown(self._parts, statement, actor)
            case "create user" | "alter user" | "drop user":
                changed = users.define(self.catalog, statement, values, actor)
                if changed:
                    self._user_changed(changed)
                return Result((), count=0)
            case "kill":
                users.kill(statement, values, actor, self._kill)
                return Result((), count=1)
            case _:
                return self._define(statement, actor)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _select(self, statement: Statement, text: str, values: Sequence[Any], actor: Actor) -> Result:
        prepared = self._once(text, lambda: selecting.simple(statement.tree, self.found))
        snapshot = Snapshot(self._space, self._log)
        if prepared is None:
            return self._query(statement, text, values, actor, snapshot)
        if prepared.table.namespace == SYSTEM:
            return self._select_made(prepared, values, actor)
        schema = self.catalog.table(*prepared.table)
        actor.must_read(schema)
        place, since = self.place(schema, actor), self.since(schema)
        condition = condition_of(prepared.where, schema, values)
        _ = snapshot.at  # the moment is that of the call
        names = prepared.names

        def pages() -> Any:
            return selecting.read(prepared, place, condition, snapshot, values, since)

        def dicts() -> Any:
            return selecting.decoded(pages(), schema, names)

        return Result(
            [called for called, _name in names] if names else list(schema.columns),
            Rows(dicts, None if names or schema.is_changed else lambda: ([json for _key, json in page] for page in pages()),
                 lambda: system.arrow_of(dicts(), schema, names)),
            limit=self._limits(actor),
        )  # fmt: skip

    def _select_made(self, wanted: selecting.Simple, values: Sequence[Any], actor: Actor) -> Result:
        """Of one of the database's own tables: who wants to know what holds memory needs no engine for it."""
        source = system.source(self._parts, wanted.table.name, actor, wanted.where, values)

        def pages() -> Iterator[list[Row]]:
            return selecting.read_made(wanted, source.pages(), values)

        return Result(
            [called for called, _name in wanted.names] if wanted.names else list(source.table.columns),
            Rows(pages, None, lambda: system.arrow_of(pages(), source.table, wanted.names)),
            limit=self._limits(actor),
        )

    def _query(
        self, statement: Statement, text: str, values: Sequence[Any], actor: Actor, snapshot: Snapshot
    ) -> Result:
        """Through the SQL engine."""
        query, where = self._once(text, lambda: selecting.asked(statement.tree, self.found), "engine")
        sources: dict[TableReference, Any] = {}
        for reference in query.tables:
            called = Name(reference.namespace or "main", reference.name)
            if called.namespace == SYSTEM:
                sources[reference] = system.source(self._parts, called.name, actor, where, values)
                continue
            table = self.catalog.table(*called)
            actor.must_read(table)
            condition = condition_of(where, table, values)
            sources[reference] = TableSource(self.place(table, actor), snapshot, self.since(table), condition)
        _ = snapshot.at  # all tables of one moment
        schema, batches = self._sql_engine().run(query, sources, values, actor.limits.seconds)

        def dicts() -> Iterable[list[Row]]:
            return map(_rows_of, batches)

        return Result(
            schema.names, Rows(dicts, None, lambda: batches, getattr(batches, "close", None)), limit=self._limits(actor)
        )

    def _sql_engine(self) -> Engine:
        with self._engine_lock:
            if self.engine is None:
                from flatwater.live.engine import Engine  # and Arrow with it: who needs no engine is spared 57 MiB

                self.engine = Engine(self._sql_pool, os.path.join(self._path, _SPILL), self._budget)
            return self.engine

    def _limits(self, actor: Actor) -> Limits | None:
        return None if actor.role == SYSTEM_USER else actor.limits

    # --- changing -----------------------------------------------------------------------------------------------------

    def _insert(self, statement: Statement, text: str, values: Sequence[Any], actor: Actor) -> Result:
        tree = statement.tree
        insert: changing.Insert = self._once(
            text, lambda: changing.Insert(tree, self._changeable(definitions.name_of(tree)))
        )
        actor.must_write(insert.schema)
        place = self.place(insert.schema, actor)
        if insert.select is not None:
            rows = self._selected(insert, values, actor)
        else:
            rows = list(insert.rows(values, self._numbers))
        given: list[Row] = []
        plan, size = insert.plan(place, rows, values, self._numbers.now(), given)
        return self._submit(insert.schema, plan, size, insert.returning, given, actor)

    def _selected(self, insert: changing.Insert, values: Sequence[Any], actor: Actor) -> list[Row]:
        inner = Statement("select", insert.select, (), len(values), 0)
        rows: list[Row] = []
        now = datetime.now(UTC)
        for row in self._select(inner, f"{inner.tree.sql()} -- of an insert", values, actor):
            cells = list(row.values())
            if len(cells) != len(insert.names):
                raise errors.UsageError(f"{len(cells)} values are selected for {len(insert.names)} columns.")
            rows.append(changing.complete(insert.schema, insert.names, cells, self._numbers, now))
            if len(rows) > limits.LIVE_STATEMENT_ROWS_MAX:
                raise changing.too_many()
        return rows

    def _alter(self, statement: Statement, text: str, values: Sequence[Any], actor: Actor) -> Result:
        tree = statement.tree
        alteration: changing.Alteration = self._once(
            text, lambda: changing.Alteration(tree, self._changeable(table_name(tree.this)))
        )
        actor.must_write(alteration.schema)
        given: list[Row] = []
        snapshot = Snapshot(self._space, self._log)
        plan, size = alteration.plan(self.place(alteration.schema, actor), snapshot, values, self._numbers.now(), given)
        return self._submit(alteration.schema, plan, size, alteration.returning, given, actor)

    def _submit(
        self, schema: Schema, plan: Plan, size: int, returning: tuple[str, ...] | None, given: list[Row], actor: Actor
    ) -> Result:
        def checked(get: Get) -> Sequence[Edit]:
            self.catalog.must_be_there(schema, get)
            edits = plan(get)
            actor.must_change(len(edits), sum(len(edit.new or b"") for edit in edits))
            return edits

        self._writer.submit(checked, size=size)
        done = changing.written(returning, given)
        return Result(done.columns, None if done.rows is None else Rows(lambda: [done.rows or []]), count=done.changed)

    # --- definitions --------------------------------------------------------------------------------------------------

    def _define(self, statement: Statement, actor: Actor) -> Result:
        actor.must_be("dba", f"{statement.kind.upper()}")
        tree = statement.tree
        match statement.kind:
            case "create namespace" | "drop namespace":
                self._define_namespace(statement)
            case "create table":
                self._create_table(tree)
            case "alter table":
                schema = self.catalog.table(*definitions.name_of(tree))
                self.catalog.change_table(definitions.added(tree, schema))
            case _:
                found = self.catalog.find(*definitions.name_of(tree))
                if found is not None:
                    self.catalog.drop_table(found)
                    self._wake()
                    self._table_dropped(found.number)
                elif not tree.args.get("exists"):
                    raise errors.UsageError(
                        f"there is no table {definitions.name_of(tree)}.", hint="SHOW TABLES names them."
                    )
        return Result((), count=0)

    def _define_namespace(self, statement: Statement) -> None:
        tree, name = statement.tree, definitions.namespace_of(statement.tree)
        is_there, is_if = self.catalog.has_namespace(name), tree.args.get("exists")
        if statement.kind == "create namespace":
            if is_there and not is_if:
                raise errors.UsageError(f"the namespace {name} is there.", hint="IF NOT EXISTS leaves it.")
            if not is_there:
                self.catalog.make_namespace(name)
        elif is_there:
            self.catalog.drop_namespace(name)
        elif not is_if:
            raise errors.UsageError(f"there is no namespace {name}.", hint="SHOW NAMESPACES names them.")

    def _create_table(self, tree: Any) -> None:
        name = definitions.name_of(tree)
        if name.namespace == SYSTEM:
            raise errors.UsageError(
                f"{name} cannot be made: {SYSTEM} has the database's own tables.", hint="Take another namespace."
            )
        if not self.catalog.has_namespace(name.namespace):
            raise errors.UsageError(
                f"there is no namespace {name.namespace} for tables.", hint=f"CREATE NAMESPACE {name.namespace}."
            )
        if self.catalog.find(*name) is not None:
            if tree.args.get("exists"):
                return
            raise errors.UsageError(f"the table {name} is there.", hint="IF NOT EXISTS leaves it.")
        born = self._writer.mark()
        schema = self.catalog.make_table(*name, lambda number: definitions.table_of(tree, number, born))
        if schema.ttl_s:
            self._wake()

    # --- parts --------------------------------------------------------------------------------------------------------

    def found(self, name: Name) -> Schema | None:
        """A table; None if there is none."""
        return system.schema_of(name.name) if name.namespace == SYSTEM else self.catalog.find(*name)

    def writable(self, name: Name, actor: Actor) -> Schema:
        """A table whose rows the actor may change."""
        schema = self._changeable(name)
        actor.must_write(schema)
        return schema

    def _changeable(self, name: Name) -> Schema:
        if name.namespace == SYSTEM:
            raise errors.UsageError("tables of the namespace system are read only.")
        return self.catalog.table(*name)

    def place(self, schema: Schema, actor: Actor) -> Place:
        """The rows of a table that an actor sees."""
        return Place(self._heads, schema, actor.name)

    def since(self, schema: Schema) -> int:
        """The number that rows of a table have, at least, that are not expired."""
        return changing.oldest(schema, self._numbers.now())

    def _once(self, text: str, make: Callable[[], Any], way: str = "") -> Any:
        """What a text was prepared to, as long as the catalog is the same."""
        kept = self._prepared.get((way, text))
        version = self.catalog.version
        if kept is None or kept[0] != version:
            kept = version, make()
            self._prepared.put((way, text), kept, _PREPARED_BYTES + 20 * len(text))
        return kept[1]


def _rows_of(batch: Any) -> list[Row]:
    from flatwater.live.dataset import rows_of  # the engine has imported it

    try:
        return rows_of(batch)
    except (ValueError, OverflowError) as error:  # a year that Python's times do not have
        raise errors.UsageError(
            f"a value of the result is none of Python's: {error}."[:500], hint="Take .arrow()."
        ) from None


def values_of(params: Sequence[Any]) -> Sequence[Any]:
    """Parameters.

    Raises:
        UsageError: they are no list of values.
    """
    if isinstance(params, str | bytes) or not isinstance(params, Sequence):
        raise errors.UsageError(f"params is {type(params).__name__}.", hint="Pass a list or tuple of values.")
    if any(isinstance(each, bytearray | memoryview) for each in params):
        return [bytes(each) if isinstance(each, bytearray | memoryview) else each for each in params]
    return params


def _check_count(statement: Statement, values: Sequence[Any]) -> None:
    if len(values) != statement.parameters:
        raise errors.UsageError(
            f"the statement has {statement.parameters} parameters, and {len(values)} values were passed."
        )
