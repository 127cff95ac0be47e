"""A cursor whose queries are cut off when they would return more than the guard allows.

Covers:     PEP 249's cursor around a driver's own; whatever else that one has is passed on.
Not here:   how rows are got from each driver (`guard.drivers`), connections (`guard.connection`).
Holds:      of drivers that read a result whole, the rows of one query, up to its limit; else one row.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, Self, final

from flatwater.source.guard.counting import Count
from flatwater.source.guard.drivers import Driver, Run
from flatwater.source.guard.page import Limits, limits_now
from flatwater.source.guard.statement import is_query, short, text_of
from flatwater.source.guard.too_large import PageTooLarge

_OWN = frozenset((
    "_at", "_connection", "_count", "_driver", "_inner", "_lost", "_refusal", "_run", "_shown", "_standing", "_whole",
))  # fmt: skip
_OTHER_STATEMENTS = frozenset(("callproc", "copy", "executemany", "executescript"))
_ABOUT_THE_STATEMENT = frozenset(
    ("_executed", "lastrowid", "warning_count")
)  # that ran on a cursor of ours, with PyMySQL


@final
class GuardedCursor:
    """A driver's cursor; queries that run while limits hold are counted. As thread-safe as the driver's.

    Args:
        inner: the driver's cursor.
        driver: how it is dealt with.
        standing: limits that hold where no guard is open.
        connection: what `connection` gives; the driver's own if it is None.
        lost: called when the connection had to be closed.
    """

    def __init__(
        self,
        inner: Any,
        driver: Driver,
        standing: Limits | None,
        *,
        connection: object = None,
        lost: Callable[[], object] | None = None,
    ) -> None:
        self._inner = inner
        self._driver = driver
        self._standing = standing
        self._connection = connection
        self._lost = lost
        self._run: Run | None = None  # the guarded query; without one, the inner cursor has the rows
        self._count: Count | None = None
        self._whole: Sequence[object] | None = None  # a result that was read ahead
        self._at = 0  # the next of its rows
        self._shown: object = None  # its columns
        self._refusal: PageTooLarge | None = None

    def execute(self, statement: Any, *words: Any, **options: Any) -> Any:
        """As the driver's `execute`.

        Raises:
            PageTooLarge: the driver would read the whole result now, and it is too large.
        """
        self._forget()
        limits = limits_now(self._standing)
        if limits is None or not is_query(text_of(statement)):
            result = self._inner.execute(statement, *words, **options)
            return self if result is self._inner else result
        self._count = Count(limits, short(statement, double_quotes_hide=self._driver.double_quotes_hide))
        self._run = self._driver.start(self._inner, statement, words, options)
        self._read_ahead(self._run)
        return self._whole_rows if self._driver.tells_rows else self

    def _read_ahead(self, run: Run) -> None:
        """Where the driver's own cursor has all rows by now, have them."""
        if not self._driver.reads_ahead:
            return
        try:
            read = self._read()
        except BaseException:
            if self._refusal is None:
                self._run = None  # the driver's error: nothing of the result is left
            raise
        self._shown = run.cursor.description
        self._whole, self._at = self._driver.shaped(run, read), 0
        self._driver.finish(run)

    @property
    def _whole_rows(self) -> int:
        return -1 if self._whole is None else len(self._whole)

    def stream(self, statement: Any, *words: Any, **options: Any) -> Iterator[Any]:
        """As psycopg's `stream`, counted."""
        self._forget()
        limits = limits_now(self._standing)
        rows = self._inner.stream(statement, *words, **options)
        if limits is None or not is_query(text_of(statement)):
            return iter(rows)
        return self._counted(Count(limits, short(statement)), Run(self._inner, self._inner, rows))

    def _counted(self, count: Count, run: Run) -> Iterator[object]:
        """A generator like psycopg's: who leaves it ends the stream, which would keep the connection for itself."""
        for row in run.rows:
            try:
                count.one(row)
            except PageTooLarge as found:
                refusal = found
            else:
                yield row
                continue
            del row
            self._refuse(run, refusal)

    def _read(self, most: int | None = None) -> list[object]:
        """The next rows from the driver, counted."""
        assert self._count is not None, "set where the query starts"
        assert self._run is not None, "set where the query starts"
        try:
            return self._count.read(self._run.rows, most)
        except PageTooLarge as found:
            refusal = found
        return self._refuse(self._run, refusal)

    def _refuse(self, run: Run, refusal: PageTooLarge) -> NoReturn:
        """Stop the query and say so, with an error whose traceback does not hold the rows that were read."""
        self._refusal = refusal.with_traceback(None).after(self._driver.cut(run))
        if self._lost is not None and self._refusal.transaction == "lost":
            self._lost()
        raise self._refusal.after(self._refusal.transaction)

    def fetchone(self) -> Any:
        """The next row, or None."""
        return self._inner.fetchone() if self._run is None else next(self, None)

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows, as many as asked for or left."""
        if self._run is None:
            return self._inner.fetchmany() if size is None else self._inner.fetchmany(size)
        self._check()
        most = self._inner.arraysize if size is None else size
        return self._read(most) if self._whole is None else self._next_rows(self._whole, most)

    def fetchall(self) -> Any:
        """All rows that are left."""
        if self._run is None:
            return self._inner.fetchall()
        self._check()
        return self._read() if self._whole is None else self._next_rows(self._whole, len(self._whole))

    def _next_rows(self, whole: Sequence[object], most: int) -> Sequence[object]:
        begin, self._at = self._at, min(self._at + most, len(whole))
        return whole[begin : self._at]

    def fetchall_unbuffered(self) -> Any:
        """As PyMySQL's: an iterator."""
        return self._inner.fetchall_unbuffered() if self._run is None else iter(self)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inner) if self._run is None else self

    def __next__(self) -> Any:
        if self._run is None:
            return next(self._inner)
        self._check()
        if self._whole is not None:
            if self._at == len(self._whole):
                raise StopIteration
            self._at += 1
            return self._whole[self._at - 1]
        assert self._count is not None, "set where the query starts"
        row = next(self._run.rows)
        try:
            self._count.one(row)
        except PageTooLarge as found:
            refusal = found
        else:
            return row
        del row
        return self._refuse(self._run, refusal)

    def scroll(self, value: int, mode: str = "relative") -> None:
        """As psycopg's and PyMySQL's.

        Raises:
            IndexError: there is no such row.
        """
        if self._run is None or self._whole is None:
            ahead = getattr(
                self._run and self._run.rows, "drop", int
            )()  # the server's cursor is further than the program
            self._inner.scroll(value - ahead if mode == "relative" else value, mode)
            return
        self._check()
        to = self._at + value if mode == "relative" else value
        if mode not in {"relative", "absolute"}:
            raise ValueError(f"bad mode: {mode}. It should be 'relative' or 'absolute'")
        if not 0 <= to < len(self._whole):
            raise IndexError("position out of bound")
        self._at = to

    @property
    def rownumber(self) -> Any:
        """How many rows were fetched, where the driver says it."""
        if self._whole is not None:
            return self._at
        return self._inner.rownumber - len(getattr(self._run and self._run.rows, "ahead", ()))

    @property
    def description(self) -> Any:
        """The columns."""
        if self._whole is not None:
            return self._shown
        return (self._inner if self._run is None else self._run.cursor).description

    @property
    def rowcount(self) -> int:
        """As the driver's."""
        if self._whole is not None:
            return len(self._whole)
        return int((self._inner if self._run is None else self._run.cursor).rowcount)

    @property
    def connection(self) -> Any:
        """The connection that it was made by."""
        return self._inner.connection if self._connection is None else self._connection

    def nextset(self) -> Any:
        """As the driver's; each result of several is guarded like a query."""
        if self._run is None:
            return self._inner.nextset()
        self._check()
        following = self._driver.following(self._run)
        if following is None:
            return None
        assert self._count is not None, "set where the query starts"
        self._count = Count(self._count.limits, self._count.statement)
        self._run, self._whole = following, None
        self._read_ahead(following)
        return True

    def results(self) -> Iterator[Self]:
        """As psycopg's; a guarded query has one result."""
        if self._run is None:
            for _ in self._inner.results():
                yield self
        else:
            yield self

    def close(self) -> None:
        """Close it, and the statement that it runs."""
        self._forget()
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if name in _ABOUT_THE_STATEMENT and self._run is not None:
            return getattr(self._run.cursor, name)
        found = getattr(self._inner, name)
        return functools.partial(self._other, found) if name in _OTHER_STATEMENTS else found

    def _other(self, run: Callable[..., Any], *words: Any, **options: Any) -> Any:
        """A statement that is not guarded: what is fetched from now on is its own, not the last query's."""
        self._forget()
        result = run(*words, **options)
        return self if result is self._inner else result

    def __setattr__(self, name: str, value: object) -> None:
        if name in _OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self._inner, name, value)

    def _check(self) -> None:
        """Whoever swallowed the refusal must not take what came before it for the whole result."""
        if self._refusal is not None:
            # A new one each time: the one that is kept has no traceback, so it makes no ring with this cursor.
            raise self._refusal.after(self._refusal.transaction)

    def _forget(self) -> None:
        """Leave the last statement."""
        run, refusal = self._run, self._refusal
        self._run = self._whole = self._shown = self._refusal = self._count = None
        if run is not None and refusal is None:
            self._driver.leave(run)
