"""What every adapter can do, and what those that speak SQL have in common.

Covers:     the interface that `tables.table` uses; pages by SQL text.
Not here:   any one database (its siblings).
Holds:      nothing.
"""

from __future__ import annotations

import contextlib
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeVar

from flatwater import errors, limits
from flatwater.source.tables import statements
from flatwater.source.tables.adapters.sqlite_columns import Joined, Kind
from flatwater.source.tables.forms import Form, Row
from flatwater.source.tables.given import Fillable, Prepared
from flatwater.source.tables.order import Order
from flatwater.source.tables.reading import Key
from flatwater.source.tables.shape import Dialect, PageQuery, Relation, Shape
from flatwater.source.tables.statements import Statement
from flatwater.source.tables.storing import storing

Value = TypeVar("Value")


class Plan(NamedTuple):
    """What a database says it would do for a page in the middle of a pass.

    Attributes:
        text: as the database put it.
        sorts: whether it would sort rows, rather than read them in an index's order.
        scans: whether it would start at the beginning, rather than seek in an index.
    """

    text: str
    sorts: bool
    scans: bool

    @property
    def is_served(self) -> bool:
        """Whether an index serves the order."""
        return not (self.sorts or self.scans)


class Adapter(ABC):
    """A database as a table sees it.

    Attributes:
        dialect: its words.
        buffers: whether its driver takes rows from the server that nobody asked for yet.
        joins: whether it puts a page's values together as columns (`join`).
        copies: whether it takes many rows in a form of its own (`copy`).
        is_picklable: whether another process can open it by itself.
        is_async: whether only coroutines can use it.
        order: what passes go by if they are not told otherwise; None for the key.
    """

    dialect: Dialect
    buffers: bool = False
    joins: bool = False
    copies: bool = False
    is_picklable: bool = False
    is_async: bool = False
    order: list[str] | None = None

    @abstractmethod
    def shape(self, relation: Relation) -> Shape:
        """The columns, and the key if the database knows one.

        Raises:
            UsageError: there is no such table, or the select is wrong; with the database's words.
        """

    @abstractmethod
    def rows(self, query: PageQuery, *, row_bytes: int) -> Iterator[Row]:
        """Rows of a page as they come; closing the iterator ends the statement."""

    def sql_of(self, query: PageQuery) -> str:
        """The SQL of a page, to be shown."""
        return statements.page(query, self.dialect)[0]

    def stored(self, name: str, value: Any) -> tuple[str, Any]:
        """A column's name and value as a statement of ours wants them."""
        return name, value

    def loaded(self, names: Sequence[str], row: Row) -> Row:
        """A row of a statement of ours as `rows` would give it."""
        del names
        return row

    def join(self, query: PageQuery, kinds: Sequence[Kind], text_bytes: int) -> Joined | None:
        """A page as columns, where `joins`; None where it is longer than that, or its text is none."""
        raise NotImplementedError

    @abstractmethod
    def plan(self, query: PageQuery) -> Plan:
        """What the database would do for a page."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Adapter]:
        """This database as it is now, for as long as the block lasts, whatever others write."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Callable[[Statement], int]]:
        """A transaction of our own: the function runs a statement, and says how many rows it changed."""

    @abstractmethod
    def fetch(self, statement: Statement) -> list[Row]:
        """All rows of a small statement of ours."""

    def locked(self, statement: Statement) -> Row | None:
        """The row of a statement, read inside of the transaction that is open."""
        found = self.fetch(statement)
        return found[0] if found else None

    @abstractmethod
    def fillable(self, relation: Relation) -> tuple[Fillable, ...]:
        """The columns of a table that can be written, in its order."""

    def prepared(self, names: tuple[str, ...], shape: Shape) -> Prepared:
        """How the values of these columns are written."""
        types = {column.name: column.type for column in shape.columns}
        return Prepared(names, storing(self.dialect.name, [types.get(name, "") for name in names]))

    def copy(self, path: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Write rows in the database's own form, inside of the transaction that is open, where `copies`."""
        raise NotImplementedError

    def own(self) -> Adapter:
        """The same database over a connection of its own: each statement commits by itself until one says BEGIN.

        Raises:
            UsageError: the user opened the connection, and there is no way to another one.
        """
        raise errors.UsageError(
            "the table belongs to a connection of yours, and a writer's transaction stays open while your code runs: what "
            "you write over that connection meanwhile would be committed with it.",
            hint="Give a path, a URL or an Engine; create_many writes over your connection.",
        )

    def execute(self, statement: Statement) -> int:
        """Run a statement of ours on a connection that `own` made; how many rows it changed."""
        raise NotImplementedError

    @abstractmethod
    def count_estimate(self, relation: Relation) -> tuple[int, str]:
        """About how many rows there are, and how that is known."""

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """The driver's errors as ours, in this block."""
        yield

    def index_for(self, relation: Relation, order: Order) -> str:
        """An index to name in statements, where the database would not find it by itself; empty for none."""
        del relation, order
        return ""

    def bind(self, name_or_select: Any, relation: Relation) -> tuple[Adapter, Relation]:
        """This adapter for something that is not text: a mapped class, a select of SQLAlchemy.

        Raises:
            UsageError: this source reads text only.
        """
        del relation
        raise errors.UsageError(
            f"{name_or_select!r} is neither a table's name nor a SELECT.", hint='As in Table("data.db", "users").'
        )

    def some_key(self, relation: Relation, order: Order) -> Key:
        """Values to explain a page in the middle with; any will do where the database plans without them."""
        del relation
        return tuple(0 for _ in order.columns)

    @abstractmethod
    def borders(self, relation: Relation, order: Order, count: int) -> list[Key]:
        """Keys that cut the rows into `count` parts, at most `count - 1` of them, in order."""

    def orm_form(self, shape: Shape, order: Order) -> Form:
        """Rows as the ORM's own objects.

        Raises:
            UsageError: this source has no ORM.
        """
        del shape, order
        raise errors.UsageError(
            'as_="orm" needs a mapped class of SQLAlchemy or a QuerySet of Django.',
            hint="Give dict, tuple, or a class of your own.",
        )

    def bytes_max(self) -> int:
        """The most the driver holds at once, in bytes, beside one batch and the largest row."""
        return limits.DRIVER_BYTES

    async def run(self, call: Callable[[], Value]) -> Value:
        """`call` in a way that does not hold the event loop."""
        import asyncio

        working = asyncio.ensure_future(asyncio.to_thread(call))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            # A thread cannot be cancelled, and the connection is not for two at once: its page is waited for.
            while not working.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([working])
            if not working.cancelled():
                working.exception()  # seen: nobody is there any more who would care
            raise

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Close what this adapter opened; what a user opened stays open."""


class SqlAdapter(Adapter):
    """An adapter that sends SQL text."""

    def rows(self, query: PageQuery, *, row_bytes: int) -> Iterator[Row]:
        """Rows of a page as they come."""
        sql, params = statements.page(query, self.dialect)
        return self.stream(sql, params, row_bytes=row_bytes)

    def borders(self, relation: Relation, order: Order, count: int) -> list[Key]:
        """Every so-many-th key, by one pass of the server over its index."""
        rows = max(self.fetch(statements.count(relation, self.dialect))[0][0], 1)
        step = -(-rows // count)
        found = self.fetch(statements.every(relation, order, step, self.dialect))
        return [tuple(key) for key in found][: count - 1]

    @abstractmethod
    def stream(self, sql: str, params: Sequence[Any], *, row_bytes: int) -> Iterator[Row]:
        """Rows of a statement as they come; closing the iterator ends the statement."""


class Turns:
    """One statement at a time on a connection; one of ours is opened anew in a forked child, and where it was cut.

    Args:
        reopen: opens it anew; None for what cannot be: a connection of the user's, one with a snapshot.
        is_open: whether it still is.
    """

    def __init__(self, reopen: Callable[[], None] | None, is_open: Callable[[], bool]) -> None:
        self._reopen = reopen
        self._is_open = is_open
        self._depth = 0
        self._renew()

    def _renew(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()

    def pin(self) -> None:
        """From now on it is this connection or none."""
        self._reopen = None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Nobody else uses the connection in this block.

        Raises:
            ClosedError: it belongs to the process that this one was forked from.
        """
        is_forked = self._pid != os.getpid()
        if is_forked:
            if self._reopen is None:
                raise errors.ClosedError(
                    "the connection belongs to the process that this one was forked from.",
                    hint="Open another one here; tables of a path or URL do.",
                )
            self._renew()
            self._depth = 0
        with self._lock:
            # Not in the middle of a transaction: its first half would be lost.
            if self._reopen is not None and not self._depth and (is_forked or not self._is_open()):
                self._reopen()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1


def first_key(
    relation: Relation, order: Order, dialect: Dialect, fetch: Callable[[str, Sequence[Any]], list[Any]]
) -> Key:
    """The key of any row, where one has values in all columns of the order; else of any; empty for no row."""
    columns = ", ".join(map(dialect.identifier, order.names))
    whole = [f"{dialect.identifier(name)} IS NOT NULL" for name in order.names]
    for conditions in (whole, []):
        source, params = statements.from_clause(relation, dialect, conditions)
        found = fetch(f"SELECT {columns} FROM {source} LIMIT 1", params)
        if found:
            return tuple(found[0])
    return ()


def in_transaction(hint: str) -> errors.UsageError:
    """The refusal to work where the user has a transaction open: ours would end it."""
    return errors.UsageError("the connection is in a transaction, and this needs short ones of its own.", hint=hint)


def no_such(relation: Relation, words: object) -> errors.UsageError:
    """The error for a table or select that the database refuses."""
    return errors.UsageError(f"{relation}: {words}.", hint="Check the name, and which database the source opens.")
