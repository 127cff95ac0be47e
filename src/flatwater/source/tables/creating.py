"""Rows into a table in short transactions of bounded bytes, and a writer whose transactions its user ends.

Covers:     `Table.create_many`, `Table.writer`; what is told where a row is refused; states of jobs beside their rows.
Not here:   rows made ready (`tables.readying`), statements (`tables.inserting`), the table of states (`tables.checkpoints`).
Holds:      one batch and the statement that it is sent in: see `Creating.bytes_max`, `Writer.bytes_max`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from typing import Any, Self, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.budget.reservation import Reservation
from flatwater.source.tables.adapters.base import Adapter
from flatwater.source.tables.checkpoints import Checkpoints, check_note
from flatwater.source.tables.destination import Destination, refuse_engine
from flatwater.source.tables.inserting import Inserting, Ready, RefusedError
from flatwater.source.tables.readying import Created, NotCreated, Readying, check_rows, refused

__all__ = ["Created", "Creating", "NotCreated", "Writer"]

_BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN", "mysql": "START TRANSACTION"}


@final
class Creating:
    """One call of `create_many`.

    Args:
        to: where the rows go; its adapter's transactions are ours alone.
        batch_bytes: heap bytes of the rows of one transaction.
        batch_rows: of one transaction, at most.
    """

    def __init__(self, to: Destination, *, batch_bytes: int, batch_rows: int) -> None:
        self._to = to
        self._target = to.target()
        self._batch_bytes = batch_bytes
        self._batch_rows = batch_rows
        self._budget = Budget.current()
        self._reservation: Reservation | None = None
        self._batch: list[Ready] = []
        self._bytes = 0
        self._committed = 0  # rows, with those that were skipped
        self._in_doubt = False  # whether the last batch was on its way to be committed
        self._begun = time.perf_counter()
        self.done = Created()
        self._ready = Readying(to.given(), self.told, self.done).ready

    def bytes_max(self) -> int:
        """The most it holds at once, in bytes, beside a row that is larger than a batch; taken from the budget."""
        total = 0
        total += self._batch_bytes  # the batch
        total += limits.TABLE_CHUNK_BYTES  # the values of one statement, as the driver writes them
        total += limits.TABLE_CHUNK_BYTES  # the statement as it is sent
        total += self._to.adapter.bytes_max()  # the driver
        return total

    def run(self, rows: Iterable[Any]) -> Created:
        """Write all rows."""
        check_rows(rows)
        ready, room, most = self._ready, self._batch_bytes, self._batch_rows
        with self._at_work():
            batch = self._batch
            for row in rows:
                made = ready(row)
                if batch and (self._bytes + made.bytes > room or len(batch) >= most):
                    self._wait()
                    self.flush()
                    batch = self._batch
                if made.bytes > room:
                    self._make_room(made)
                batch.append(made)
                self._bytes += made.bytes
            self._wait()
            self.flush()
        return self.done

    async def arun(self, rows: AsyncIterable[Any]) -> Created:
        """Write all rows of an asynchronous source."""
        run = self._to.adapter.run
        with self._at_work():
            async for row in rows:
                made = self._ready(row)
                if self._batch and (
                    self._bytes + made.bytes > self._batch_bytes or len(self._batch) >= self._batch_rows
                ):
                    await self._budget.gate.wait_async()
                    await run(self.flush)
                if made.bytes > self._batch_bytes:
                    self._make_room(made)
                self._batch.append(made)
                self._bytes += made.bytes
            await run(self.flush)
        return self.done

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        name = f"table {self._to.relation}"
        with self._budget.reserve(self.bytes_max(), name) as self._reservation:
            try:
                yield
            except BaseException as error:
                if self.told() not in str(error):  # what the rows themselves raise
                    error.add_note(self.told())
                raise
            finally:
                self.done.wall_s = time.perf_counter() - self._begun

    def told(self) -> str:
        """What is committed by now, in a sentence."""
        done, count = self.done, self._committed
        if self._in_doubt:
            doubt = f"Whether rows {count + 1:,} to {count + len(self._batch):,} are committed is not known"
            return f"{doubt}; rows 1 to {count:,} are." if count else f"{doubt}."
        if not count:
            return "Nothing is committed."
        unit = "transaction" if done.transactions == 1 else "transactions"
        return f"Committed: rows 1 to {count:,}, in {done.transactions:,} {unit}; nothing behind them."

    def _make_room(self, made: Ready) -> None:
        """More of the budget, for a row that is larger than a batch."""
        assert self._reservation is not None
        self._reservation.resize(self.bytes_max() + 3 * made.bytes)  # itself, as the driver writes it, as it is sent

    def _wait(self) -> None:
        gate = self._budget.gate
        if not gate.is_open and not gate.wait():
            raise errors.LimitReached(
                f"{self._to.relation} waited {limits.GATE_WAIT_S:.0f} s at the budget's closed gate ({gate.reason}).",
                what="GATE_WAIT_S", limit=limits.GATE_WAIT_S, hint=self.told(),
            )  # fmt: skip

    def flush(self) -> None:
        """Write the batch in a transaction."""
        batch = self._batch
        if not batch:
            return
        adapter = self._to.adapter
        try:
            with adapter.transaction() as run:
                skipped = Inserting(adapter, run, self._target).write(batch)
                self._in_doubt = True
            self._in_doubt = False
        except RefusedError as error:
            self._in_doubt = False
            raise refused(error, batch, self._committed, self.done, self.told()) from error.cause
        except errors.FlatwaterError as error:
            error.hint = self.told() if isinstance(error, errors.BrokenError) else f"{error.hint} {self.told()}".strip()
            raise
        self._committed += len(batch)
        self.done.written += len(batch) - skipped
        self.done.skipped += skipped
        self.done.transactions += 1
        self._batch, self._bytes = [], 0
        assert self._reservation is not None
        if self._reservation.bytes > self.bytes_max():
            self._reservation.resize(self.bytes_max())


@final
class Writer:
    """Rows into a table over a connection of its own, in transactions that its user ends.

    A transaction begins with the first rows, and nothing is committed but by `commit`: rows, and with them the state of a
    job. After kill -9 either both are there or neither is; `state_of(job)` tells which.

    One thread or task at a time, not always the same; a child of a fork opens another. After an error of `write` or
    `commit` nothing goes but `rollback` and `close`.

    Attributes:
        written: rows of committed transactions.
        skipped: rows of them that were there already, with `on_conflict="skip"`.
        transactions: that were committed.
    """

    def __init__(self, to: Destination) -> None:
        self._to = to
        self._target = to.target()
        self._given = to.given()
        self._own: Adapter | None = None
        self._checkpoints: Checkpoints | None = None
        self._reservation: Reservation | None = None
        self._pid = os.getpid()
        self._is_begun = False
        self._is_broken = False
        self._pending = [0, 0]  # rows of the transaction that is open: written, skipped
        self.written = self.skipped = self.transactions = 0

    def bytes_max(self) -> int:
        """The most it holds at once, in bytes, beside the rows that it is given and the largest of them."""
        total = 0
        total += limits.TABLE_CHUNK_BYTES  # the values of one statement, as tuples
        total += limits.TABLE_CHUNK_BYTES  # the same, as the driver writes them
        total += limits.TABLE_CHUNK_BYTES  # the statement as it is sent
        total += 3 * limits.TABLE_STATE_BYTES_MAX  # a state: as it is, as the driver writes it, as it is sent
        total += self._to.adapter.bytes_max()  # the driver
        return total

    def open(self) -> Self:
        """Open the connection, and take its bytes from the budget.

        Raises:
            UsageError: the table belongs to a connection of the user's, or cannot take part in a transaction.
            BudgetExceeded: the budget has no room for it.
        """
        if self._reservation is None:
            self._pid = os.getpid()
            self._reservation = Budget.current().reserve(self.bytes_max(), f"writer of {self._to.relation}")
            try:
                self._connect()
            except BaseException:
                self.close()
                raise
        return self

    def write(self, rows: Sequence[Any]) -> None:
        """Add rows to the transaction that is open; begin one if none is.

        Raises:
            UsageError: a row lacks a column, or has one that the table does not have.
            NotCreated: the database refused a row; its number is that in this list.
            BrokenError: the database broke.
        """
        check_rows(rows)
        own = self._begun()
        self._is_broken = True  # until all of it is written
        told = "Roll back: this transaction cannot be committed any more."
        prepare = Readying(self._given, lambda: told).ready
        inserting = Inserting(own, own.execute, self._target)
        part: list[Ready] = []
        size = 0
        before = 0
        for row in rows:
            ready = prepare(row)
            if part and (size + ready.bytes > limits.TABLE_CHUNK_BYTES or len(part) >= limits.TABLE_COPY_ROWS):
                self._send(inserting, part, before, told)
                before, part, size = before + len(part), [], 0
            part.append(ready)
            size += ready.bytes
        self._send(inserting, part, before, told)
        self._is_broken = False

    def _send(self, inserting: Inserting, part: list[Ready], before: int, told: str) -> None:
        if not part:
            return
        try:
            skipped = inserting.write(part)
        except RefusedError as error:
            raise refused(error, part, before, None, told) from error.cause
        except errors.FlatwaterError as error:
            error.hint = told
            raise
        self._pending[0] += len(part) - skipped
        self._pending[1] += skipped

    def commit(self, note: tuple[str, bytes] | None = None) -> None:
        """End the transaction, and keep what it wrote; with the state of a job, if `note` is `(job, state)`.

        Raises:
            UsageError: the note is none, or its state is too large.
            BrokenError: it broke, and `rollback` is next. Where the connection is gone, `state_of(job)` tells over the next
                one whether this was committed.
        """
        if note is not None:
            check_note(note)
            own = self._begun()
        elif not self._is_begun:
            self._connected()
            return
        else:
            own = self._begun()
        self._is_broken = True
        try:
            with own.errors():
                if note is not None:
                    assert self._checkpoints is not None
                    self._checkpoints.make(own.execute, self._to.adapter.own)
                    self._checkpoints.write(own.execute, *note)
                own.execute(("COMMIT", ()))
        except errors.FlatwaterError as error:
            error.hint = "Roll back; state_of(job) tells what was committed."
            raise
        self._is_broken = self._is_begun = False
        self.written += self._pending[0]
        self.skipped += self._pending[1]
        self.transactions += 1
        self._pending = [0, 0]

    def rollback(self) -> None:
        """End the transaction, and keep nothing of it. If the connection is gone, the next call opens another."""
        is_begun, self._is_begun, self._is_broken = self._is_begun, False, False
        self._pending = [0, 0]
        own = self._own
        if own is None or not is_begun or self._pid != os.getpid():
            return
        try:
            with own.errors():
                own.execute(("ROLLBACK", ()))
        except Exception:  # noqa: BLE001 - the database has ended it by itself, or is gone
            self._disconnect()

    def create_many(self, rows: Sequence[Any]) -> None:
        """Write rows and commit: all of them or none. So a writer is the sink of a `BatchBuilder`, which keeps what failed."""
        try:
            self.write(rows)
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def state_of(self, job: str) -> bytes | None:
        """The state that the job's last commit left; None if there is none. Waits for one that is on its way."""
        self._connected()
        assert self._checkpoints is not None
        return self._checkpoints.read(job)

    def forget(self, job: str) -> None:
        """Delete the state of a job: in the transaction that is open, else at once."""
        own = self._begun() if self._is_begun else self._connected()
        assert self._checkpoints is not None
        self._checkpoints.forget(own.execute, job)

    def close(self) -> None:
        """Roll back what is not committed, close the connection, give the bytes back. Closing twice is fine."""
        reservation, self._reservation = self._reservation, None
        try:
            self.rollback()
            self._disconnect()
        finally:
            if reservation is not None:
                reservation.release()

    def __del__(self) -> None:
        if getattr(self, "_reservation", None) is not None:
            self.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begun(self) -> Adapter:
        """The connection, with a transaction open."""
        if self._is_broken:
            raise errors.BrokenError("this writer's transaction broke.", hint="Call rollback() first.")
        own = self._connected()
        if not self._is_begun:
            with own.errors():
                own.execute((_BEGIN[own.dialect.name], ()))
            self._is_begun = True
        return own

    def _connected(self) -> Adapter:
        if self._reservation is None:
            raise errors.ClosedError("this writer is not open.", hint="Call open(), or use it in a with.")
        if self._pid != os.getpid():
            raise errors.ClosedError(
                "this writer belongs to the process that this one was forked from.", hint="Open another one here."
            )
        return self._own if self._own is not None else self._connect()

    def _connect(self) -> Adapter:
        own = self._own = self._to.adapter.own()
        self._checkpoints = Checkpoints(own)
        if own.dialect.name == "mysql":
            refuse_engine(own, self._to.relation)
        return own

    def _disconnect(self) -> None:
        own, self._own = self._own, None
        if self._pid != os.getpid():
            self._left_behind = own  # closing it here would end the parent's transaction
        elif own is not None:
            with contextlib.suppress(Exception):  # it may be gone already
                own.close()
