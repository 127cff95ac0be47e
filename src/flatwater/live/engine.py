"""The SQL engine: one DataFusion context for all, which knows tables only while a query runs, and nothing else.

Covers:     running a query that was looked through, its tables under random names, its pool of memory, its errors in our words.
Not here:   what may be asked (`live.fence`), reads of one table by key (`live.selecting`).
Holds:      what a pool lets it hold, four times over; see `Engine.bytes_max`.

One context for the process: a context that is kept costs 43 KB, and each of several would have a pool of its own. The engine is
locked against definitions, changes and settings, and has no tables of its own.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import itertools
import os
import re
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, final
from uuid import UUID

from flatwater import errors, limits, units
from flatwater.budget.budget import Budget
from flatwater.budget.reservation import Reservation
from flatwater.live.dataset import RowsDataset, Source
from flatwater.live.fence import Query, TableReference
from flatwater.live.turns import GONE, Turn, Turns
from flatwater.live.widths import TooWide, Widths

_TOKEN = re.compile(r't[0-9a-f]{32}_\d+"?\.?|"datafusion\.public\.|datafusion\.public\.')
_FROM_POOL = re.compile(r"Resources exhausted|Failed to allocate|[Oo]ut of memory|OutOfMemory")
_FROM_ARROW = re.compile(r"PyErr|ArrowTypeError|ArrowNotImplementedError|array-like")
_INT64 = 1 << 63
_PARAMETERS = (bool, int, float, str, bytes, Decimal, date, datetime, type(None))


@final
class Engine:
    """DataFusion. Thread-safe; `LIVE_QUERIES_MAX` queries are open at once, and others wait.

    Args:
        pool_bytes: that sorting, joins and grouping have before they go to disk.
        spill_path: a directory of its own for that; what another process left there is removed.
        budget: that it takes its bytes from.

    Raises:
        BudgetExceeded: four times the pool does not fit.
    """

    contexts = 0  # how many were ever made in this process, for the proof that it is one

    def __init__(self, pool_bytes: int, spill_path: str, budget: Budget) -> None:
        self._pool_bytes, self._budget = pool_bytes, budget
        self._reservation = _reserved(pool_bytes, budget)
        self._spill_path = spill_path
        try:
            self._context, self._options = self._made()
        except BaseException:
            self._reservation.release()
            raise
        self._names = itertools.count()
        self._front = f"t{secrets.token_hex(16)}"
        self._loop = asyncio.new_event_loop()  # batches are awaited in it, for what is awaited can be ended
        self._thread = threading.Thread(target=self._loop.run_forever, name="flatwater-sql", daemon=True)
        self._thread.start()
        self._turns = Turns()
        self._rows = limits.LIVE_BATCH_ROWS  # of a batch, as the context has it now
        self._planning = threading.Lock()  # of who sets it, until the query has it
        self._lock = threading.Lock()
        self._is_closed = False

    def _made(self) -> tuple[Any, Any]:
        try:
            from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext, SQLOptions
        except ImportError:
            raise errors.MissingExtra("live", "datafusion") from None
        shutil.rmtree(self._spill_path, ignore_errors=True)
        os.makedirs(self._spill_path, mode=0o700)
        runtime = (
            RuntimeEnvBuilder().with_fair_spill_pool(self._pool_bytes).with_disk_manager_specified(self._spill_path)
        )
        config = (
            SessionConfig()
            .with_information_schema(False)  # noqa: FBT003 - its signature
            .with_target_partitions(1)
            .with_batch_size(limits.LIVE_BATCH_ROWS)
        )
        type(self).contexts += 1
        options = SQLOptions().with_allow_ddl(False).with_allow_dml(False).with_allow_statements(False)  # noqa: FBT003
        return SessionContext(config, runtime), options

    def bytes_max(self) -> int:
        """The most it holds, in bytes, beside its libraries."""
        return limits.LIVE_POOL_RATIO * self._pool_bytes

    def run(
        self, query: Query, sources: Mapping[TableReference, Source], values: Sequence[Any], seconds: float
    ) -> tuple[Any, Handed]:
        """The schema of the rows of a query, and the rows as they come; where they are few, it is over when this returns.

        Args:
            query: that was looked through.
            sources: one for each of its tables.
            values: of its parameters.
            seconds: that it may take.

        Raises:
            UsageError: a column that is not there, types that do not go together.
            LimitReached: it did not get its turn, or took too long; it needs more than the pool.
        """
        batches = self._run(query, sources, values, seconds)
        return next(batches), Handed(batches, self._budget)

    def _run(
        self, query: Query, sources: Mapping[TableReference, Source], values: Sequence[Any], seconds: float
    ) -> Generator[Any]:
        until = time.monotonic() + seconds
        widths = Widths(query, values, self._pool_bytes)
        turn = self._turns.take(seconds)
        if turn is None:
            raise _too_long(seconds)
        is_told = is_guarded = False
        try:
            while True:
                text = functools.partial(query.render, is_guarded=is_guarded)
                batches = self._batches(text, query.is_plain, sources, values, widths, turn, until, seconds)
                try:
                    schema = next(batches)
                    if not is_told:
                        is_told = True
                        yield schema
                    yield from batches
                except TooWide:
                    continue
                except _NotTaken as error:
                    if is_guarded or widths.has_begun:
                        raise error.said from None
                    is_guarded = True
                    continue
                finally:
                    batches.close()
                return
        finally:
            turn.end()

    def _batches(
        self, text: Callable[[Mapping[tuple[str, str], str]], str], is_plain: bool, sources: Mapping[TableReference, Source],  # noqa: FBT001
        values: Sequence[Any], widths: Widths, turn: Turn, until: float, seconds: float,
    ) -> Generator[Any]:  # fmt: skip
        """The schema, and the batches."""
        names: dict[tuple[str, str], str] = {}
        failed: list[Exception] = []
        try:
            self._check_open()
            for table, source in sources.items():
                names[table] = f"{self._front}_{next(self._names)}"
                watched = _Watched(table, source, widths, failed, until, seconds)
                self._context.register_dataset(names[table], RowsDataset(watched))
            frame = self._planned(text(names), values, widths.rows)
            turn.stream = frame.execute_stream()
            schema = _as_given(frame.schema())
            del frame
            turn.idle_since_s = time.monotonic()
            yield schema
            while True:
                with turn.computing() as stream:
                    batch = self._plain(stream) if is_plain else self._next(stream, until, seconds)
                    del stream
                if batch is None:
                    return
                widths.has_begun = True
                yield batch if batch.schema == schema else _as(batch, schema)
        except errors.FlatwaterError:
            raise
        except BaseException as error:  # the library's errors have no common base, and its panics are no Exception
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            if failed:
                raise failed[0] from None
            said = self._said(error, names)
            raise (_NotTaken(said) if _FROM_ARROW.search(str(error)) else said) from None
        finally:
            turn.stream = None
            for name in names.values():
                with contextlib.suppress(Exception):
                    self._context.deregister_table(name)

    def _planned(self, text: str, values: Sequence[Any], rows: int) -> Any:
        """A query that was understood, with so many rows in a batch."""
        given = {str(number): _parameter(value) for number, value in enumerate(values, 1)}
        with self._planning:
            if rows != self._rows:
                self._context.sql(f"SET datafusion.execution.batch_size = {rows:d}")
                self._rows = rows
            return self._context.sql_with_options(text, self._options, param_values=given)

    def _plain(self, stream: Any) -> Any:
        """The next batch of a query that takes no longer than reading its rows, which is ended there. It costs 2 ms less."""
        self._check_open()
        batch = next(stream, None)
        return None if batch is None else batch.to_pyarrow()

    def _next(self, stream: Any, until: float, seconds: float) -> Any:
        """The next batch of a query that may compute without end. Where it takes too long, it is given up."""
        with self._lock:
            self._check_open()
            future = asyncio.run_coroutine_threadsafe(_batch(stream), self._loop)
        gone = GONE.get()
        try:
            while not concurrent.futures.wait([future], min(max(until - time.monotonic(), 0), limits.LIVE_GONE_S)).done:
                if gone is not None and gone.is_set():
                    raise errors.ClosedError("nobody waits for the query any more.", hint="Ask again.")
                if time.monotonic() >= until:
                    raise _too_long(seconds)
            return future.result()
        except concurrent.futures.CancelledError:
            raise _closed() from None
        finally:
            future.cancel()

    def tables(self) -> int:
        """How many tables it knows now: those of queries that run."""
        return len(self._context.catalog().schema("public").names())

    def _said(self, error: BaseException, names: Mapping[tuple[str, str], str]) -> errors.FlatwaterError:
        """An error of the engine in our words."""
        text = str(error)
        if _FROM_POOL.search(text):
            return errors.LimitReached(
                f"the query needs more than the SQL engine's {self._pool_bytes:,} B.",
                what="sql_pool", limit=self._pool_bytes, hint="Open the database with a larger sql_pool=, or ask for less at a time.",
            )  # fmt: skip
        if "unique expression names" in text:
            return errors.UsageError("two columns of the result have the same name.", hint="Give one another: AS name.")
        for table, name in reversed([*names.items()]):  # ..._10 before ..._1
            text = text.replace(name, ".".join(filter(None, table)))
        text = _TOKEN.sub("", text).replace("datafusion.", "")
        text = re.sub(
            r"^(Error during planning|Schema error|Arrow error|Execution error|DataFusion error|External error|SQL error)[:;] ?",
            "",
            text,
        )
        return errors.UsageError(f"the query cannot be run: {text[:500].rstrip('.')}.")

    def _check_open(self) -> None:
        if self._is_closed:
            raise _closed()

    def close(self) -> None:
        """End; more than once does no harm."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._turns.close()
        asyncio.run_coroutine_threadsafe(_end(), self._loop)
        if threading.current_thread() is not self._thread:
            self._thread.join()
            if not self._loop.is_running():  # which it is where the interpreter ends, and its threads have stopped
                self._loop.close()
        self._context = None
        shutil.rmtree(self._spill_path, ignore_errors=True)
        self._reservation.release()


class _NotTaken(Exception):  # noqa: N818 - it may be tried in another way
    """Arrow did not take a condition that was handed down to it."""

    def __init__(self, said: errors.FlatwaterError) -> None:
        super().__init__(str(said))
        self.said = said


@final
class Handed:
    """Batches of a query. The first ones are made at once: a query with few rows holds its turn no longer than it takes.

    Args:
        batches: of the query.
        budget: that those which wait here take their bytes from.
    """

    def __init__(self, batches: Generator[Any], budget: Budget) -> None:
        self._batches = batches
        self._first: deque[Any] = deque()
        self._reservation = budget.reserve(2 * limits.LIVE_PAGE_BYTES, "live.read")
        held = 0
        try:
            for batch in batches:
                self._first.append(batch)
                held += batch.nbytes
                if held > limits.LIVE_PAGE_BYTES:
                    break
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._first:
            return self._first.popleft()
        self._reservation.release()
        return next(self._batches)

    def close(self) -> None:
        """End; more than once does no harm."""
        self._first.clear()
        self._batches.close()
        self._reservation.release()

    def __del__(self) -> None:
        if hasattr(self, "_reservation"):
            self._reservation.release()


@final
class _Watched:
    """A source that is read until a time, and the errors that reading it raised: the engine has only their text."""

    def __init__(
        self,
        table: TableReference,
        source: Source,
        widths: Widths,
        failed: list[Exception],
        until: float,
        seconds: float,
    ) -> None:
        self.schema, self.widest = source.schema, 0
        self._table, self._source, self._widths = table, source, widths
        self._failed, self._until, self._seconds = failed, until, seconds

    def batches(self, columns: list[str] | None) -> Iterator[Any]:
        try:
            for batch in self._source.batches(columns):
                if time.monotonic() > self._until:
                    raise _too_long(self._seconds)
                self._widths.note(self._table, batch, self._source.widest)
                rows = self._widths.rows  # what is made of a batch that comes in is one batch, too
                if batch.num_rows <= rows:
                    yield batch
                else:
                    yield from (batch.slice(first, rows) for first in range(0, batch.num_rows, rows))
        except (errors.FlatwaterError, TooWide) as error:
            self._failed.append(error)
            raise


def _parameter(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, _PARAMETERS):
        raise errors.UsageError(
            f"{value!r:.80} is no value of a parameter.", hint="Pass a text, number, time, bytes or None."
        )
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise errors.UsageError(f"{value!r:.60} does not fit into 64 bits.", hint="Pass a Decimal.")
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return value


async def _batch(stream: Any) -> Any:
    async for batch in stream:
        return batch.to_pyarrow()
    return None


async def _end() -> None:
    """End the loop, and whatever is awaited in it."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    asyncio.get_running_loop().stop()


def _reserved(pool_bytes: int, budget: Budget) -> Reservation:
    """The bytes of an engine.

    Raises:
        BudgetExceeded: they do not fit; with what to do about it.
    """
    try:
        return budget.reserve(limits.LIVE_POOL_RATIO * pool_bytes, "live.sql")
    except errors.BudgetExceeded as error:
        most = (error.limit - error.held) // limits.LIVE_POOL_RATIO // units.MIB
        way = (
            f"Open the database with a sql_pool= of {most} MiB or less" if most else "Ask by keys, which need no engine"
        )
        raise errors.BudgetExceeded(
            f"the statement needs the SQL engine, which takes {error.asked:,} B; {error.held:,} of {error.limit:,} B are held.",
            asked=error.asked, held=error.held, limit=error.limit, holders=error.holders, hint=f"{way}, or raise the budget.",
        ) from None  # fmt: skip


def _as_given(schema: Any) -> Any:
    """A schema as results have it: times in microseconds and UTC, each name once; the second `id` of a join is `id_1`."""
    import pyarrow as pa

    fields, names = [], set(schema.names)
    seen: set[str] = set()
    for field in schema:
        name, number = field.name, 0
        while name in seen or (number and name in names):
            number += 1
            name = f"{field.name}_{number}"
        seen.add(name)
        kind = field.type
        if pa.types.is_timestamp(kind):
            kind = pa.timestamp("us", "UTC")
        elif pa.types.is_duration(kind):
            kind = pa.duration("us")
        fields.append(field.with_name(name).with_type(kind))
    return pa.schema(fields)


def _as(batch: Any, schema: Any) -> Any:
    import pyarrow as pa

    columns = [column.cast(field.type, safe=False) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema) if columns else batch


def _closed() -> errors.ClosedError:
    return errors.ClosedError("the database was closed.", hint="Open it again.")


def _too_long(seconds: float) -> errors.LimitReached:
    return errors.LimitReached(
        f"the query took more than {seconds:.0f} s.",
        what="seconds",
        limit=seconds,
        hint="Ask for less, or ALTER USER ... SECONDS <more>.",
    )
