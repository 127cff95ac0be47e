"""How each driver is made to hand over a query's rows one by one, and how a running query is stopped.

Covers:     sqlite3, psycopg 3 (single-row mode, server-side cursors), PyMySQL (unbuffered cursors, KILL QUERY), and
            cursors that are asked for a few rows at a time.
Not here:   counting (`guard.counting`), the cursor that a program sees (`guard.cursor`).
Holds:      one row; of psycopg up to limits.GUARD_CHUNK_ROWS, of cursors that are asked in batches up to limits.GUARD_BATCH_ROWS_MAX.

psycopg's and PyMySQL's ordinary cursors take the whole result into memory in `execute`. To stop before that, the rows are
asked for one at a time; what fits is then kept, so that the connection is free for the next statement, as it was before.
"""

from __future__ import annotations

import contextlib
import importlib
from collections import deque
from collections.abc import Iterator, Sequence
from sys import getsizeof
from typing import Any, NamedTuple, Protocol

from flatwater import errors, limits
from flatwater.source.guard.too_large import Transaction

_SKIP_BYTES = 1 << 16


class Run(NamedTuple):
    """A statement that runs."""

    asked: Any  # the program's cursor
    cursor: Any  # the one that runs it: of PyMySQL another one
    rows: Iterator[object]


class Driver(Protocol):
    """What the guard needs to know of a driver."""

    reads_ahead: bool  # whether all rows are to be read in `execute`, as the driver's own cursor does
    double_quotes_hide: bool  # whether "text" is a literal
    tells_rows: bool  # whether `execute` returns the number of rows instead of the cursor

    def start(self, cursor: Any, statement: Any, words: tuple[Any, ...], options: dict[str, Any]) -> Run:
        """Run the statement."""
        ...

    def finish(self, run: Run) -> None:
        """All rows were read ahead."""
        ...

    def shaped(self, run: Run, rows: list[object]) -> Sequence[object]:
        """All rows, in what the driver's own cursor gives them in."""
        ...

    def following(self, run: Run) -> Run | None:
        """The next result of the same statement, if there is one."""
        ...

    def leave(self, run: Run) -> None:
        """The program wants no more of it, and it was not cut."""
        ...

    def cut(self, run: Run) -> Transaction:
        """Stop it, and leave the connection usable if that can be."""
        ...


class _Plain:
    """What most drivers have in common."""

    double_quotes_hide = False
    tells_rows = False

    def finish(self, run: Run) -> None:
        """Nothing is left to do."""

    def shaped(self, run: Run, rows: list[object]) -> Sequence[object]:
        """A list."""
        del run
        return rows

    def following(self, run: Run) -> Run | None:
        """A guarded query has one result."""
        del run
        return None

    def leave(self, run: Run) -> None:
        """Its cursor is the program's own, which ends it."""


class Sqlite(_Plain):
    """sqlite3: `execute` computes the first row, and each further one when it is asked for."""

    reads_ahead = False

    def start(self, cursor: Any, statement: Any, words: tuple[Any, ...], options: dict[str, Any]) -> Run:
        """Rows as the cursor steps through them."""
        cursor.execute(statement, *words, **options)
        return Run(cursor, cursor, iter(cursor))

    def cut(self, run: Run) -> Transaction:
        """Another statement resets this one, and leaves the cursor open for the next."""
        importlib.import_module("sqlite3").Cursor.execute(run.cursor, "SELECT NULL LIMIT 0")
        return "usable"


class Batches:
    """Rows of a cursor, asked for in batches of 1, 2, 4 and so on: huge rows show themselves before many are asked for.

    Attributes:
        ahead: rows that were asked for and not yet given.
    """

    def __init__(self, cursor: Any) -> None:
        self.ahead: deque[object] = deque()
        self._cursor = cursor
        self._size = 1

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> object:
        if not self.ahead:
            self.ahead.extend(self._cursor.fetchmany(self._size) if self._cursor.description is not None else ())
            if not self.ahead:
                raise StopIteration
            last = self.ahead[-1]
            glance = sum(map(getsizeof, last)) if isinstance(last, tuple) else 0
            fitting = limits.GUARD_BATCH_BYTES // (glance + 1)
            self._size = max(1, min(2 * self._size, limits.GUARD_BATCH_ROWS_MAX, fitting))
        return self.ahead.popleft()

    def drop(self) -> int:
        """Forget what is ahead; says how many rows that were."""
        dropped = len(self.ahead)
        self.ahead.clear()
        return dropped


class Batched(_Plain):
    """A cursor that is asked for a few rows at a time: server-side cursors, and asynchronous drivers behind SQLAlchemy."""

    def __init__(self, *, reads_ahead: bool) -> None:
        self.reads_ahead = reads_ahead

    def start(self, cursor: Any, statement: Any, words: tuple[Any, ...], options: dict[str, Any]) -> Run:
        """Rows in batches; what the server keeps goes when the program closes the cursor."""
        cursor.execute(statement, *words, **options)
        return Run(cursor, cursor, Batches(cursor))

    def cut(self, run: Run) -> Transaction:
        """Closing it tells the server to forget the rest."""
        run.cursor.close()
        return "usable"


class Psycopg(_Plain):
    """psycopg 3: libpq's single-row mode, or from libpq 17 on chunks of a few rows."""

    reads_ahead = True

    def start(self, cursor: Any, statement: Any, words: tuple[Any, ...], options: dict[str, Any]) -> Run:
        """Rows as they come from the server."""
        options.pop("prepare", None)  # a streamed statement is not prepared
        if importlib.import_module("psycopg").capabilities.has_stream_chunked():
            options["size"] = limits.GUARD_CHUNK_ROWS
        return Run(cursor, cursor, self._described(cursor, self._stream(cursor, statement, words, options)))

    @staticmethod
    def _stream(cursor: Any, statement: Any, words: tuple[Any, ...], options: dict[str, Any]) -> Iterator[object]:
        return iter(cursor.stream(statement, *words, **options))

    def cut(self, run: Run) -> Transaction:
        """A stream that is left is cancelled by psycopg, which takes in what was on its way."""
        with contextlib.suppress(Exception):
            run.rows.close()  # type: ignore[attr-defined]  # it is a generator
        connection = run.cursor.connection
        if connection.closed:
            return "lost"
        return "aborted" if connection.info.transaction_status.name == "INERROR" else "usable"

    @staticmethod
    def _described(cursor: Any, rows: Iterator[object]) -> Iterator[object]:
        """The rows; if there is none, the cursor still learns its columns, which a stream tells it with its first row."""
        yield from rows
        if cursor.pgresult is None:
            query = cursor._query  # noqa: SLF001 - documented, and the one place that has the statement as it was sent
            server = cursor.connection.pgconn
            server.prepare(b"", query.query, query.types)
            cursor.pgresult = server.describe_prepared(b"")


class AsyncPsycopg(Psycopg):
    """psycopg's asynchronous cursor as SQLAlchemy holds it: each step waits in SQLAlchemy's greenlet."""

    def start(self, cursor: Any, statement: Any, words: tuple[Any, ...], options: dict[str, Any]) -> Run:
        """Rows as they come from the server."""
        run = super().start(cursor._cursor, statement, words, options)  # noqa: SLF001 - the adapter has no public way to it
        return Run(cursor, run.cursor, run.rows)

    @staticmethod
    def _stream(cursor: Any, statement: Any, words: tuple[Any, ...], options: dict[str, Any]) -> Iterator[object]:
        wait = importlib.import_module("sqlalchemy.util").await_only
        rows = cursor.stream(statement, *words, **options)
        try:
            while True:
                try:
                    row = wait(anext(rows))
                except StopAsyncIteration:
                    return
                yield row
        finally:
            wait(rows.aclose())


class PyMySQL(_Plain):
    """PyMySQL: an unbuffered cursor instead of the program's own, and KILL QUERY through a second connection."""

    double_quotes_hide = True

    def __init__(self, *, reads_ahead: bool = True) -> None:
        self.reads_ahead = self.tells_rows = reads_ahead

    def start(self, cursor: Any, statement: Any, words: tuple[Any, ...], options: dict[str, Any]) -> Run:
        """Rows as they come from the server."""
        running = cursor.connection.cursor(_unbuffered(type(cursor))) if self.reads_ahead else cursor
        running.execute(statement, *words, **options)
        return self._run(cursor, running)

    @staticmethod
    def _run(asked: Any, running: Any) -> Run:
        return Run(asked, running, running.fetchall_unbuffered() if running.description else iter(()))

    def finish(self, run: Run) -> None:
        """The server's last words were read, unless it has another result."""
        if not run.cursor._result.has_next:  # noqa: SLF001 - asking for the next one would read it
            run.cursor.close()

    def shaped(self, run: Run, rows: list[object]) -> Sequence[object]:
        """A tuple, of dicts a list."""
        return rows if hasattr(run.cursor, "dict_type") else tuple(rows)

    def following(self, run: Run) -> Run | None:
        """The next result of a procedure's, or of several statements in one text."""
        return self._run(run.asked, run.cursor) if run.cursor.connection is not None and run.cursor.nextset() else None

    def leave(self, run: Run) -> None:
        """What is left is read and dropped, row by row."""
        if run.cursor is run.asked or run.cursor.connection is None:
            return
        while run.cursor.nextset():  # PyMySQL's own close() would leave the last one in flight
            deque(run.cursor, maxlen=0)
        run.cursor.close()

    def cut(self, run: Run) -> Transaction:
        """Without KILL QUERY, closing the cursor would read the rest of the table from the network."""
        err = importlib.import_module("pymysql.err")
        connection, result = run.cursor.connection, run.cursor._result  # noqa: SLF001 - there is no public way to leave a result
        try:
            with contextlib.closing(_sibling(connection)) as sibling, sibling.cursor() as killer:
                killer.execute("KILL QUERY %s", (connection.thread_id(),))
            _skip_rest(connection)
            result.unbuffered_active, result.has_next = False, False
            with connection.cursor() as last, contextlib.suppress(err.OperationalError):
                last.execute("DO 0")  # the kill may have come after the query's end: then this one takes it
            if run.cursor is not run.asked:
                run.cursor.close()
        except (err.MySQLError, OSError):
            result.unbuffered_active, connection._result = False, None  # noqa: SLF001 - else both would be read to their end
            connection._force_close()  # noqa: SLF001 - close() can be called once, and who owns it will do so
        return "usable" if connection.open else "lost"


def _skip_rest(connection: Any) -> None:
    """Read what the server had sent before it stopped: some MB, of which PyMySQL's own reader would take seconds.

    Packets are a length of three bytes, a number, and that many bytes; an error (0xFF) or an end (0xFE, short) is the last.
    """
    file = connection._rfile  # noqa: SLF001 - its buffer may hold part of it
    data, at, size, is_last, is_cut = b"", 0, 0, False, False
    while not is_last:
        have = len(data)
        while at + 4 < have and not is_last:
            is_more = size == 0xFFFFFF  # noqa: PLR2004 - a packet of this length goes on in the next
            first = data[at + 4]
            size = data[at] | data[at + 1] << 8 | data[at + 2] << 16
            is_last = not is_more and (first == 0xFF or (first == 0xFE and size < 9))  # noqa: PLR2004 - as said above
            at += 4 + size
        if at > have:  # the rest of a large packet, in one piece
            data, at = file.read(at - have), at - have
            is_cut = len(data) < at
        elif not is_last:
            more = file.read1(_SKIP_BYTES)
            data, at, is_cut = data[at:] + more, 0, not more
        if is_cut:
            raise OSError("the server closed the connection")


def _unbuffered(kind: type[Any]) -> type[Any]:
    """The unbuffered class of a buffered one, with the program's own additions."""
    cursors = importlib.import_module("pymysql.cursors")
    known: dict[type[Any], type[Any]] = {cursors.Cursor: cursors.SSCursor, cursors.DictCursor: cursors.SSDictCursor}
    if kind not in known:
        base = cursors.SSDictCursor if issubclass(kind, cursors.DictCursorMixin) else cursors.SSCursor
        own = [each for each in kind.__mro__ if each.__module__ != cursors.__name__ and each is not object]
        additions = {name: value for each in reversed(own) for name, value in vars(each).items() if name != "__dict__"}
        additions.pop("__weakref__", None)
        return type(kind.__name__, (base,), additions)
    return known[kind]


def _sibling(connection: Any) -> Any:
    """Another connection to the same server, as the same user."""
    kind = importlib.import_module("pymysql.connections").Connection
    sibling = kind.__new__(kind)  # making one anew loads the system's certificates: 80 ms
    fresh = {"_sock": None, "_rfile": None, "_result": None, "_closed": False, "init_command": None}
    vars(sibling).update(vars(connection) | fresh)
    sibling.connect()
    return sibling


def driver_of(cursor: Any) -> Driver | None:
    """The driver of a cursor; None if it is not known.

    Raises:
        UsageError: an asynchronous cursor; that is guarded through SQLAlchemy.
    """
    kinds = {(each.__module__.partition(".")[0], each.__name__) for each in type(cursor).__mro__}
    if ("sqlite3", "Cursor") in kinds:
        return Sqlite()
    if ("sqlalchemy", "AsyncAdapt_psycopg_cursor") in kinds and (
        "sqlalchemy",
        "AsyncAdapt_dbapi_ss_cursor",
    ) not in kinds:
        return AsyncPsycopg()
    if ("psycopg", "AsyncCursor") in kinds or ("psycopg", "AsyncServerCursor") in kinds:
        raise errors.UsageError(
            "asynchronous connections are not wrapped.",
            hint="Use them through SQLAlchemy, and install the guard there.",
        )
    if ("psycopg", "ServerCursor") in kinds:
        return Batched(reads_ahead=False)
    if ("psycopg", "Cursor") in kinds:
        return Psycopg()
    if ("pymysql", "SSCursor") in kinds:
        return PyMySQL(reads_ahead=False)
    if ("pymysql", "Cursor") in kinds:
        return PyMySQL()
    return None
