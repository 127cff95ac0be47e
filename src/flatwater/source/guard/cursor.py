"""A cursor whose queries are cut off when they would return more than the guard allows.

Covers:     PEP 249's cursor around a driver's own; whatever else that one has is passed on.
Not here:   how rows are got from each driver (`guard.drivers`), connections (`guard.connection`).
Holds:      of drivers that read a result whole, the rows of one query, up to its limit; else one row.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn, Self, final

from flatwater.source.guard.counting import Count
from flatwater.source.guard.drivers import Driver, Run
from flatwater.source.guard.page import Limits, limits_now
from flatwater.source.guard.statement import is_query, short, text_of
from flatwater.source.guard.too_large import PageTooLarge

_OWN = frozenset(("_count", "_driver", "_inner", "_refusal", "_rows", "_run", "_standing", "_whole"))


@final
class GuardedCursor:
    """A driver's cursor; queries that run while limits hold are counted. As thread-safe as the driver's.

    Args:
        inner: the driver's cursor.
        driver: how it is dealt with.
        standing: limits that hold where no guard is open.
    """

    def __init__(self, inner: Any, driver: Driver, standing: Limits | None) -> None:
        self._inner = inner
        self._driver = driver
        self._standing = standing
        self._run: Run | None = None  # the guarded query; without one, the inner cursor has the rows
        self._count: Count | None = None
        self._rows: Iterator[object] = iter(())  # of a result that was read ahead
        self._whole: tuple[object, int] | None = None  # its columns and number of rows
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
        if self._driver.reads_ahead:
            try:
                read = self._read()
            except BaseException:
                if self._refusal is None:
                    self._run = None  # the driver's error: nothing of the result is left
                raise
            self._whole = (self._run.cursor.description, len(read))
            self._rows = iter(read)
            self._driver.finish(self._run)
        return self

    def stream(self, statement: Any, *words: Any, **options: Any) -> Iterator[Any]:
        """As psycopg's `stream`, counted."""
        self._forget()
        limits = limits_now(self._standing)
        rows = self._inner.stream(statement, *words, **options)
        if limits is None:
            return iter(rows)
        self._count = Count(limits, short(statement))
        self._run = Run(self._inner, self._inner, rows)
        return self

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
        return self._read(most) if self._whole is None else list(islice(self._rows, most))

    def fetchall(self) -> Any:
        """All rows that are left."""
        if self._run is None:
            return self._inner.fetchall()
        self._check()
        return self._read() if self._whole is None else list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inner) if self._run is None else self

    def __next__(self) -> Any:
        if self._run is None:
            return next(self._inner)
        self._check()
        if self._whole is not None:
            return next(self._rows)
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

    @property
    def description(self) -> Any:
        """The columns."""
        if self._whole is not None:
            return self._whole[0]
        return (self._inner if self._run is None else self._run.cursor).description

    @property
    def rowcount(self) -> int:
        """As the driver's."""
        if self._whole is not None:
            return self._whole[1]
        return int((self._inner if self._run is None else self._run.cursor).rowcount)

    def nextset(self) -> Any:
        """As the driver's; a query has one result."""
        return self._inner.nextset() if self._run is None else None

    def close(self) -> None:
        """Close it, and the statement that it runs."""
        self._forget()
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

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
        self._rows = iter(())
        self._run = self._whole = self._refusal = self._count = None
