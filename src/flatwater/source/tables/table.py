"""A SQL table or select, read in order and in a bounded number of bytes.

Covers:     `Table` and its verbs: find_each, batches, pluck, page, ranges, update_each, create_many,
            writer, count_estimate, explain.
Not here:   the order (`tables.order`), seeking (`tables.seek`), databases (`tables.adapters`), iterators (`tables.passes`).
Holds:      a connection, where it opened one itself; what a pass holds is in `Table.bytes_max`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from typing import Any, ClassVar, Self, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.source.tables import forms, tokens
from flatwater.source.tables.creating import Created, Creating, Writer
from flatwater.source.tables.destination import Destination, destination
from flatwater.source.tables.explaining import Explanation, explain
from flatwater.source.tables.order import OrderBy
from flatwater.source.tables.pages import Page, read_page, refuse_arrow
from flatwater.source.tables.passes import Batches, Rows
from flatwater.source.tables.queries import Queries, key_of
from flatwater.source.tables.ranges import CountEstimate, Range, borders
from flatwater.source.tables.reading import Key
from flatwater.source.tables.shape import Shape
from flatwater.source.tables.updating import DELETE, Job, Updated, job_name


@final
class Table(Queries):
    """Rows of a table or select, in the order of a unique key, never more than a batch at a time.

    Args:
        source: a path or URL (`data.db`, `sqlite:///data.db`, `postgresql://...`, `mysql://...`), a connection of
            sqlite3, psycopg or PyMySQL, an Engine, Connection, Session or AsyncSession of SQLAlchemy, a QuerySet of
            Django.
        name_or_select: a table's name (`"users"`, `"public.users"`), or a SELECT; with SQLAlchemy also a Table, a
            mapped class or a select(); not given for a QuerySet.
        key: columns that are unique together and never NULL; the primary key, unless told otherwise. A select needs
            one.
        where: a condition in SQL that all rows meet.
        params: of the select and of `where`, in the driver's style: `?` for SQLite, `%s` for PostgreSQL and MariaDB.
        secret: signs tokens; see `tables.tokens`.

    Raises:
        UsageError: no such source, table or column; no key.
        MissingExtra: the driver is not installed.
        BrokenError: the database cannot be reached.

    Every verb reads page by page, each in a statement of its own that begins behind the last row (keyset; there is no
    OFFSET anywhere) and ends before its rows are handed over, so no transaction stays open while you work, and rows
    that are deleted meanwhile leave no hole. A batch ends by bytes, in front of the row that does not fit.

    Tables may be shared by threads where the source may; a pass belongs to one thread or task. A table of a path or URL
    can be pickled.

    >>> import apsw, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "shop.db")
    >>> with apsw.Connection(path) as connection:
    ...     _ = connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
    ...     _ = connection.execute("INSERT INTO items (name) VALUES ('ink'), ('paper')")
    >>> for item in Table(path, "items").find_each():
    ...     print(item)
    {'id': 1, 'name': 'ink'}
    {'id': 2, 'name': 'paper'}
    """

    def __init__(
        self,
        source: Any,
        name_or_select: Any = None,
        key: str | Sequence[str] | None = None,
        *,
        where: str = "",
        params: Sequence[object] = (),
        secret: bytes | str | None = None,
    ) -> None:
        super().__init__(source, name_or_select, key, where, params, secret)

    # --- verbs ---------------------------------------------------------------------------------------------------------

    def find_each(
        self,
        *,
        as_: Any = dict,
        columns: Sequence[str] | None = None,
        order_by: OrderBy = None,
        batch_bytes: str | int = limits.TABLE_BATCH_BYTES,
        batch_rows: int = limits.TABLE_BATCH_ROWS,
        start: object = None,
        finish: object = None,
        after: str | None = None,
        consistency: str = "bounded",
        allow_scan: bool = False,
    ) -> Rows[Any]:
        """Rows, one by one; `for` and `async for`.

        Args:
            as_: what a row becomes: `dict`, `tuple`, "orm" (objects of SQLAlchemy or Django), or a class: dataclass,
                msgspec.Struct, TypedDict, NamedTuple, pydantic model, any with annotated fields. Only the columns that
                the class names are asked for. "arrow" gives record batches, as `batches` does.
            columns: of a dict or tuple; all, unless told otherwise.
            order_by: as in "-created_at, id"; the key is added where it is missing. The key alone, unless told.
            batch_bytes: of one batch, in heap bytes.
            batch_rows: of one batch, at most.
            start: the first rows to read: a value of the order's first column, or a tuple of its first columns.
            finish: the last ones, included.
            after: a token: go on behind the row that it stands for, with the end that its pass had.
            consistency: what of other people's writes is seen. "bounded": rows up to the last key there is at the
                start, so a pass ends even where its loop inserts. "live": no end but the table's. "snapshot": the table
                as it was at the start, in one transaction that stays open.
            allow_scan: read even where no index serves the order, and every page sorts or scans the table.

        Raises:
            UsageError: a wrong argument; an order that no index serves, with the line that makes one.

        A row that is there all the time is given exactly once, and any row at most once, as long as the columns of the
        order keep their values; where they are updated meanwhile, only a snapshot promises that.
        """
        query = functools.partial(self._query, as_, columns, order_by, allow_scan=allow_scan)
        kind = Batches if as_ == "arrow" else Rows
        found: Rows[Any] = self._pass(kind, query, batch_bytes, batch_rows, start, finish, after, consistency)
        return found

    def batches(
        self,
        *,
        as_: Any = dict,
        columns: Sequence[str] | None = None,
        order_by: OrderBy = None,
        batch_bytes: str | int = limits.TABLE_BATCH_BYTES,
        batch_rows: int = limits.TABLE_BATCH_ROWS,
        start: object = None,
        finish: object = None,
        after: str | None = None,
        consistency: str = "bounded",
        allow_scan: bool = False,
    ) -> Batches[Any]:
        """Rows in batches: lists, or record batches of Arrow with `as_="arrow"`; `for` and `async for`.

        Arguments, errors and promises are those of `find_each`. While one batch is used, the next is built: let the
        last one go before asking for the next, or two of them are alive.
        """
        query = functools.partial(self._query, as_, columns, order_by, allow_scan=allow_scan)
        found: Batches[Any] = self._pass(Batches, query, batch_bytes, batch_rows, start, finish, after, consistency)
        return found

    def pluck(
        self,
        *columns: str,
        order_by: OrderBy = None,
        batch_bytes: str | int = limits.TABLE_BATCH_BYTES,
        batch_rows: int = limits.TABLE_BATCH_ROWS,
        start: object = None,
        finish: object = None,
        after: str | None = None,
        consistency: str = "bounded",
        allow_scan: bool = False,
    ) -> Rows[Any]:
        """Values of these columns, in order: bare values of one column, tuples of several. Nothing else is read.

        Arguments, errors and promises are those of `find_each`.
        """
        if not columns:
            raise errors.UsageError("pluck() names no column.", hint='Name one or more, as in pluck("id", "email").')
        form = columns[0] if len(columns) == 1 else tuple
        query = functools.partial(self._query, form, columns, order_by, allow_scan=allow_scan, single=len(columns) == 1)
        found: Rows[Any] = self._pass(Rows, query, batch_bytes, batch_rows, start, finish, after, consistency)
        return found

    def page(
        self,
        after: str | None = None,
        limit: int = limits.TABLE_PAGE_ROWS,
        *,
        as_: Any = dict,
        columns: Sequence[str] | None = None,
        order_by: OrderBy = None,
        start: object = None,
        finish: object = None,
        page_bytes: str | int = limits.TABLE_PAGE_BYTES,
        allow_scan: bool = False,
    ) -> Page[Any]:
        """One page: a sequence of rows, with the `.token` that the next page is asked for with, and `.has_more`.

        The last page costs what the first does: it begins with a seek. A page ends by bytes as well.

        Args:
            after: the token of the page before; None for the first page.
            limit: rows, at most.
            as_: as in `find_each`, but for "arrow".
            columns: as in `find_each`.
            order_by: as in `find_each`.
            start: as in `find_each`.
            finish: as in `find_each`.
            page_bytes: heap bytes, at most; a row that is larger stands alone on its page.
            allow_scan: as in `find_each`.

        Raises:
            TokenRefused: the token was changed, or belongs to another query.
            UsageError: a wrong argument.
        """
        refuse_arrow(as_)
        query = self._query(as_, columns, order_by, allow_scan=allow_scan)
        rows = errors.count_of(limit, what="limit", most=limits.TABLE_PAGE_ROWS_MAX)
        room = errors.bytes_of(page_bytes, what="page_bytes", least=1)
        position, bound = self._place(query, after)
        finish_key = bound if bound is not None else key_of(finish, query.order, what="finish")
        reading = self._reading(query, room, rows, position, key_of(start, query.order, what="start"), finish_key)
        return read_page(reading, functools.partial(self._sign, query))

    async def apage(self, after: str | None = None, limit: int = limits.TABLE_PAGE_ROWS, **options: Any) -> Page[Any]:
        """`page` for coroutines."""
        return await self._adapter.run(functools.partial(self.page, after, limit, **options))

    def ranges(self, count: int, *, order_by: OrderBy = None, allow_scan: bool = False) -> list[Range]:
        """The table in `count` parts or fewer, of about as many rows each, for workers side by side.

        Each part has `find_each`, `batches` and `pluck`. Parts do not overlap and leave nothing out: the first has no
        beginning and the last no end. Parts of a path or URL can be pickled.

        A key of whole numbers is split evenly between the least and the largest, which costs two look-ups; any other
        key costs the server one pass over its index.
        """
        parts = errors.count_of(count, what="count", most=limits.TABLE_RANGES_MAX)
        query = self._query(tuple, (), order_by, allow_scan=allow_scan)
        least = self._end_key(self._adapter, query, query.order)
        most = self._end_key(self._adapter, query, query.order.reversed())
        if least is None or most is None:
            return []
        cuts: list[Key | None] = [None, *borders(self._adapter, query, parts, (least, most)), None]
        return [
            Range(self, self._sign(query, begin or (), end), order_by, allow_scan)
            for begin, end in itertools.pairwise(cuts)
        ]

    async def aranges(self, count: int, **options: Any) -> list[Range]:
        """`ranges` for coroutines."""
        return await self._adapter.run(functools.partial(self.ranges, count, **options))

    def update_each(
        self,
        function: Callable[[Any], Any],
        *,
        as_: Any = dict,
        columns: Sequence[str] | None = None,
        batch_bytes: str | int = limits.TABLE_BATCH_BYTES,
        commit_rows: int = limits.TABLE_COMMIT_ROWS,
        job: str | None = None,
        start: object = None,
        finish: object = None,
    ) -> Updated:
        """Call `function(row)` for every row, and write back what it returns, in short transactions.

        Args:
            function: returns a dict of columns to change, None to leave the row, or `fw.Table.DELETE`. It runs outside
                of any transaction, so it may be slow.
            as_: as in `find_each`.
            columns: as in `find_each`.
            batch_bytes: as in `find_each`.
            commit_rows: rows of one transaction, at most.
            job: names the work. How far it is stands in the table `flatwater_progress` of the same database and changes
                in the same transaction as the rows: after kill -9, the same call goes on where it was, and no change
                is made twice. Made of the query and the function's name, unless given.
            start: as in `find_each`.
            finish: as in `find_each`.

        Returns:
            How many rows were seen, changed, deleted and left; and how many changed meanwhile, which are read again.

        Raises:
            UsageError: a select, a changed key, an unknown column.
            Exception: whatever `function` raises; what was committed stays, and the same call goes on behind it.
        """
        refuse_arrow(as_)
        query = self._query(as_, columns, None, allow_scan=False)
        rows = errors.count_of(commit_rows, what="commit_rows", most=limits.TABLE_BATCH_ROWS_MAX)
        room = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)
        begin, end = (key_of(each, query.order, what=what) for each, what in ((start, "start"), (finish, "finish")))
        # What stands in the user's own database needs no secret: the fingerprint says that it is this query's.
        mark = self._fingerprint(query)
        work = Job(self._adapter, query, function, job_name(job, mark, function), self._shape.names)
        with Budget.current().reserve(self.bytes_max(room), f"table {self._relation}"):
            token = work.progress()
            position, bound = tokens.read(mark, mark, token) if token is not None else ((), None)
            bound = bound or end or self._end_key(self._adapter, query, query.order.reversed())
            if bound is not None:
                raw = query._replace(
                    form=forms.form_of(tuple, self._shape, query.order.names, self._adapter.dialect, query.form.columns)
                )
                reading = self._reading(raw, room, rows, position or None, begin, bound)
                work.work(reading, lambda place: tokens.write(mark, mark, place, bound))
            work.forget()
        return work.done

    async def aupdate_each(self, function: Callable[[Any], Any], **options: Any) -> Updated:
        """`update_each` for coroutines; `function` is a plain function, and runs where the database is read."""
        return await self._adapter.run(functools.partial(self.update_each, function, **options))

    def create_many(
        self,
        rows: Iterable[Any],
        *,
        batch_bytes: str | int = limits.TABLE_BATCH_BYTES,
        batch_rows: int = limits.TABLE_CREATE_ROWS,
        on_conflict: str = "raise",
    ) -> Created:
        """Write rows into the table, in short transactions, each committed; never more than one batch is held.

        Args:
            rows: any iterable of dicts, dataclasses, Structs, named tuples, pydantic models, or of tuples in the order of
                the table's columns. A column that a row lacks gets its default. It is read between transactions.
            batch_bytes: of one transaction's rows, in heap bytes; a row that is larger goes alone.
            batch_rows: of one transaction, at most.
            on_conflict: what becomes of a row whose key is there already: "raise", "skip" (the row there stays as it is)
                or "update" (it gets the values of the new one). The key is the table's: `key=`, else the primary key. MariaDB
                takes any unique index for it.

        Returns:
            How many rows were written and skipped, in how many transactions and seconds.

        Raises:
            UsageError: a select; a row lacks a column that must be given, or has one that the table does not have; a
                transaction of the user's is open.
            NotCreated: the database refused a row; says which, by number and values.
            BrokenError: the database broke.

        What was committed before stays, and every error tells how many rows that is: in its hint, or, where `rows` raised
        it, in a note.

        Its bytes, one batch, the statement that it is sent in and the driver, are taken from the budget. It is the sink of a
        `BatchBuilder`; where one of its batches must be there as a whole or not at all, give it `writer()` instead.

        >>> import apsw, tempfile, os
        >>> path = os.path.join(tempfile.mkdtemp(), "shop.db")
        >>> with apsw.Connection(path) as connection:
        ...     _ = connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        >>> done = Table(path, "items").create_many([{"name": "ink"}, (7, "paper")])
        >>> done.written, done.transactions
        (2, 1)
        """
        return self._creating(batch_bytes, batch_rows, on_conflict).run(rows)

    async def acreate_many(self, rows: Iterable[Any] | AsyncIterable[Any], **options: Any) -> Created:
        """`create_many` for coroutines; `rows` may be asynchronous, else they are read where the database is written."""
        if not isinstance(rows, AsyncIterable):
            return await self._adapter.run(functools.partial(self.create_many, rows, **options))
        creating: Creating = await self._adapter.run(functools.partial(self._creating, **options))
        return await creating.arun(rows)

    def _creating(
        self,
        batch_bytes: str | int = limits.TABLE_BATCH_BYTES,
        batch_rows: int = limits.TABLE_CREATE_ROWS,
        on_conflict: str = "raise",
    ) -> Creating:
        room = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)
        count = errors.count_of(batch_rows, what="batch_rows", most=limits.TABLE_BATCH_ROWS_MAX)
        return Creating(self._destination(on_conflict), batch_bytes=room, batch_rows=count)

    def writer(self, on_conflict: str = "raise") -> Writer:
        """A `Writer` of this table, not open yet: rows, and the state of a job, in transactions that its user ends.

        Raises:
            UsageError: a select; no key, and `on_conflict` needs one.
        """
        return Writer(self._destination(on_conflict))

    def _destination(self, on_conflict: str) -> Destination:
        self._refuse_closed()
        shape = self._shape if self._relation.path else Shape(())
        return destination(self._adapter, self._relation, shape, self._key_given, on_conflict)

    @property
    def name(self) -> str:
        """Of the table, for people; of a select, its text."""
        return str(self._relation)

    def count_estimate(self) -> CountEstimate:
        """About how many rows there are, without reading them where the database keeps count; `.how` says how."""
        count, how = self._adapter.count_estimate(self._relation)
        return CountEstimate(count, how)

    async def acount_estimate(self) -> CountEstimate:
        """`count_estimate` for coroutines."""
        return await self._adapter.run(self.count_estimate)

    def explain(
        self, *, order_by: OrderBy = None, as_: Any = dict, batch_bytes: str | int = limits.TABLE_BATCH_BYTES
    ) -> Explanation:
        """The SQL of a page in the middle of a pass, the database's plan for it, and whether an index serves it."""
        query = self._query(as_, None, order_by, allow_scan=True)
        return explain(self._adapter, query, self.bytes_max(batch_bytes))

    async def aexplain(self, **options: Any) -> Explanation:
        """`explain` for coroutines."""
        return await self._adapter.run(functools.partial(self.explain, **options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._adapter.run(self.close)

    def __repr__(self) -> str:
        return f"<Table {self._relation}>"

    def __reduce__(self) -> Any:
        if not self._adapter.is_picklable:
            raise errors.UsageError(
                f"{self!r} belongs to a connection of this process.",
                hint="A table of a path or URL can be sent to others.",
            )
        return _again, self._arguments

    DELETE: ClassVar[object] = DELETE

    def close(self) -> None:
        """Close the connection, if this table opened it."""
        self._is_closed = True
        self._adapter.close()


def _again(source: Any, name_or_select: Any, key: Any, where: str, params: tuple[object, ...], secret: Any) -> Table:
    return Table(source, name_or_select, key, where=where, params=params, secret=secret)
