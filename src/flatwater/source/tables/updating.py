"""Write back, in short transactions: every row is worked on once, whatever kills the process.

Covers:     the loop of `Table.update_each`, the table of progress, rows that others change meanwhile.
Not here:   reading (`tables.reading`), a database's transactions (`tables.adapters`).
Holds:      one batch and its changes.

How far a job is stands in `flatwater_progress`, a table in the same database, and changes in the same transaction as the
rows: after kill -9 either both are there or neither is. A row is changed only if the columns to be changed still have the
values that were read; else it is read again, and the function is called with what it is now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flatwater import errors, limits
from flatwater.source.tables import statements
from flatwater.source.tables.adapters.base import Adapter
from flatwater.source.tables.checkpoints import JOB_CHARS_MAX
from flatwater.source.tables.explaining import Asked
from flatwater.source.tables.order import check_columns
from flatwater.source.tables.reading import Key, Reading

DELETE = object()
PROGRESS = "flatwater_progress"
_COMPARED = (str, int, bytes, bool, type(None))  # values that a database finds equal to themselves


@dataclass(slots=True)
class Updated:
    """What a job did in this call.

    Attributes:
        seen: rows the function was called with.
        changed: rows written.
        deleted: rows deleted.
        vanished: rows that others deleted meanwhile.
        repeated: rows read again because others had changed them meanwhile.
        resumed: whether it went on where an earlier call had ended.
    """

    seen: int = 0
    changed: int = 0
    deleted: int = 0
    vanished: int = 0
    repeated: int = 0
    resumed: bool = False


class Job:
    """One call of `update_each`.

    Args:
        adapter: the database; its transactions are ours alone.
        query: what is read; of a table, not of a select.
        function: the user's.
        name: of the job, as it stands in the table of progress.
        columns: all of the table's.
    """

    def __init__(
        self, adapter: Adapter, query: Asked, function: Callable[[Any], Any], name: str, columns: tuple[str, ...]
    ) -> None:
        if not query.relation.path:
            raise errors.UsageError("a select cannot be written back.", hint="Name the table, with where=.")
        if not callable(function):
            raise errors.UsageError(f"{function!r} is no function.", hint="Give one that takes a row.")
        self.adapter = adapter
        self.query = query
        self.function = function
        self.name = name
        self.columns = columns
        self.done = Updated()

    def progress(self) -> str | None:
        """The token that an earlier call left; makes the table of progress if there is none."""
        quoted = self.adapter.dialect.identifier
        table, job, token = quoted(PROGRESS), quoted("job"), quoted("token")
        with self.adapter.transaction() as run:
            run(
                (
                    f"CREATE TABLE IF NOT EXISTS {table} ({job} VARCHAR({JOB_CHARS_MAX}) NOT NULL PRIMARY KEY, {token} TEXT NOT NULL)",
                    (),
                )
            )
        select = f"SELECT {token} FROM {table} WHERE {job} = {self.adapter.dialect.mark}"
        found = self.adapter.fetch((select, (self.name,)))
        self.done.resumed = bool(found)
        return str(found[0][0]) if found else None

    def forget(self) -> None:
        """The job is done: the next call begins anew."""
        with self.adapter.transaction() as run:
            run(statements.delete((PROGRESS,), [("job", self.name)], self.adapter.dialect))

    def work(self, reading: Reading, sign: Callable[[Key], str]) -> None:
        """Go through all rows of a reading of raw rows."""
        while raw := reading.next_batch():
            changes = [(row, self._ask(made)) for row, made in zip(raw, self._made(raw), strict=True)]
            assert reading.position is not None
            token = sign(reading.position)
            with self.adapter.transaction() as run:
                for row, wanted in changes:
                    self._write(run, row, wanted, tries=limits.TABLE_UPDATE_TRIES)
                self._remember(run, token)

    def _made(self, raw: list[Any]) -> list[Any]:
        made: list[Any] = []
        self.query.form.collect(raw, made, 1 << 62, 0)
        return made

    def _ask(self, made: Any) -> Any:
        self.done.seen += 1
        wanted = self.function(made)
        if wanted is None or wanted is DELETE:
            return wanted
        if not isinstance(wanted, Mapping):
            raise errors.UsageError(
                f"the function returned {type(wanted).__name__}, which says no change.",
                hint="Return a dict of columns to change, None to leave the row, or Table.DELETE.",
            )
        check_columns(wanted, self.columns, what="the function's changes")
        moved = [name for name in self.query.order.names if name in wanted]
        if moved:
            raise errors.UsageError(
                f"the function changes {', '.join(moved)}, which the pass goes by.", hint="Change other columns."
            )
        return dict(wanted)

    def _write(self, run: Any, row: Any, wanted: Any, *, tries: int) -> None:
        columns = self.query.form.columns
        places = zip(self.query.order.names, self.query.form.key_at, strict=True)
        key = [self.adapter.stored(name, row[at]) for name, at in places]
        dialect = self.adapter.dialect
        path = self.query.relation.path
        if wanted is None:
            return
        if wanted is DELETE:
            if run(statements.delete(path, key, dialect)):
                self.done.deleted += 1
            else:
                self.done.vanished += 1
            return
        old = {name: row[at] for at, name in enumerate(columns)}
        changes = {name: value for name, value in wanted.items() if name not in old or not _is_same(old[name], value)}
        if not changes:
            return
        as_read = [(name, old[name]) for name in changes if name in old and isinstance(old[name], _COMPARED)]
        stored = [self.adapter.stored(*change) for change in changes.items()]
        as_stored = [self.adapter.stored(*each) for each in as_read]
        if run(statements.update(path, stored, [*key, *as_stored], dialect)):
            self.done.changed += 1
            return
        names = [self.adapter.stored(name, None)[0] for name in columns]
        now = self.adapter.locked(statements.row_by_key(path, names, key, dialect))
        if now is None:
            self.done.vanished += 1
            return
        now = self.adapter.loaded(columns, now)
        self.done.repeated += 1
        if tries <= 1:
            raise errors.BrokenError(
                f"row {dict(key)} changes faster than it can be written.",
                hint="Call again: it goes on with this batch.",
            )
        self.done.seen -= 1
        self._write(run, now, self._ask(self._made([now])[0]), tries=tries - 1)

    def _remember(self, run: Any, token: str) -> None:
        dialect = self.adapter.dialect
        where = [("job", self.name)]
        if not run(statements.update((PROGRESS,), [("token", token)], where, dialect)):
            run(statements.insert((PROGRESS,), [("job", self.name), ("token", token)], dialect))


def job_name(given: str | None, fingerprint: bytes, function: Callable[[Any], Any]) -> str:
    """The name that a job's progress stands under.

    Raises:
        UsageError: the one given is no name.
    """
    if given is None:
        called = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__name__)}"
        return f"{called[:120]} {hashlib.sha256(fingerprint + called.encode()).hexdigest()[:24]}"
    if not isinstance(given, str) or not 1 <= len(given) <= JOB_CHARS_MAX:
        raise errors.UsageError(f"job={given!r} is no name.", hint=f"Give 1 to {JOB_CHARS_MAX} characters.")
    return given


def _is_same(old: object, new: object) -> bool:
    return type(old) is type(new) and old == new
