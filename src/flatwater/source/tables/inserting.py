"""Rows into a table inside of a transaction that is open: many at a time, and one by one where the database refuses them.

Covers:     INSERT of several rows, what becomes of rows that are there already, which row was refused.
Not here:   transactions (`tables.creating`), rows of other kinds than tuples (`tables.given`).
Holds:      the values of one statement, beside the rows.

Each statement stands behind a savepoint. Where it fails its rows are tried one by one: so the row to blame is known by its
number, and what only many rows at once cannot do (a key twice in one statement of PostgreSQL) is done.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from flatwater import errors, limits
from flatwater.source.tables.adapters.base import Adapter
from flatwater.source.tables.given import Plan, Values
from flatwater.source.tables.shape import Dialect
from flatwater.source.tables.statements import Statement

CONFLICTS = ("raise", "skip", "update")
_SKIPPED = "@flatwater_skipped"
_SHOWN_CHARS_MAX = 40  # of one value in a message
_SHOWN_VALUES_MAX = 6  # of one row in a message


class Ready(NamedTuple):
    """A row that waits: its plan, its values as the driver takes them, about how many bytes they are."""

    plan: Plan
    values: Values
    bytes: int


class Target(NamedTuple):
    """Where rows go, and what becomes of those that are there already.

    Attributes:
        path: of the table.
        key: columns of the database that tell whether a row is there already.
        on_conflict: one of `CONFLICTS`.
    """

    path: tuple[str, ...]
    key: tuple[str, ...]
    on_conflict: str


class RefusedError(Exception):
    """The database refused a row of a list; `at` says which."""

    def __init__(self, at: int, cause: Exception) -> None:
        super().__init__(str(cause))
        self.at = at
        self.cause = cause


def insert(target: Target, columns: Sequence[str], rows: int, dialect: Dialect) -> str:
    """INSERT of so many rows."""
    quoted = dialect.identifier
    table = ".".join(map(quoted, target.path))
    marks = f"({', '.join([dialect.mark] * len(columns))})"
    text = f"INSERT INTO {table} ({', '.join(map(quoted, columns))}) VALUES {', '.join([marks] * rows)}"
    if target.on_conflict == "raise":
        return text
    key = list(map(quoted, target.key))
    others = [quoted(name) for name in columns if name not in target.key]
    if dialect.name == "mysql":
        changes = [f"{name} = VALUES({name})" for name in others] if target.on_conflict == "update" else []
        # A row that stays as it is counts differently by connection, so those that were there are counted by themselves.
        same = f"{key[0]} = IF(({_SKIPPED} := {_SKIPPED} + 1), {key[0]}, {key[0]})"
        return f"{text} ON DUPLICATE KEY UPDATE {', '.join(changes) or same}"
    changes = [f"{name} = excluded.{name}" for name in others] if target.on_conflict == "update" else []
    done = f"DO UPDATE SET {', '.join(changes)}" if changes else "DO NOTHING"
    return f"{text} ON CONFLICT ({', '.join(key)}) {done}"


class Inserting:
    """Writes lists of rows.

    Args:
        adapter: whose connection has a transaction open.
        run: runs a statement in it, and says how many rows it changed.
        target: where the rows go.
    """

    def __init__(self, adapter: Adapter, run: Callable[[Statement], int], target: Target) -> None:
        self._adapter = adapter
        self._run = run
        self._target = target
        self._dialect = adapter.dialect
        self._counts = target.on_conflict == "skip"

    def write(self, rows: Sequence[Ready]) -> int:
        """Write rows in their order; how many of them were skipped because they were there already.

        Raises:
            RefusedError: the database refused one, and the transaction can be rolled back only.
            FlatwaterError: it broke, and no row is to blame.
        """
        counts_here = self._counts and self._dialect.name == "mysql"
        with self._adapter.errors():
            if counts_here:
                self._run((f"SET {_SKIPPED} := 0", ()))
            changed = at = 0
            for part in self._parts(rows):
                changed += self._write_part(part, at)
                at += len(part)
            if counts_here:
                found = self._adapter.locked((f"SELECT {_SKIPPED}", ()))
                return int(found[0]) if found else 0
        return len(rows) - changed if self._counts else 0

    def _parts(self, rows: Sequence[Ready]) -> Iterator[Sequence[Ready]]:
        """Rows of the same columns that go together in one statement."""
        begin = size = most = 0
        plan: Plan | None = None
        for at, (row_plan, _, row_bytes) in enumerate(rows):
            size += row_bytes
            if row_plan is not plan or at - begin >= most or size > limits.TABLE_CHUNK_BYTES:
                if at > begin:
                    yield rows[begin:at]
                if row_plan is not plan or not most:
                    plan, most = row_plan, self._rows_most(row_plan)
                begin, size = at, row_bytes
        if begin < len(rows):
            yield rows[begin:]

    def _rows_most(self, plan: Plan) -> int:
        if self._copies(plan):
            return limits.TABLE_COPY_ROWS
        values = limits.SQLITE_VALUES_MAX if self._dialect.name == "sqlite" else limits.TABLE_INSERT_VALUES_MAX
        return max(1, min(limits.TABLE_INSERT_ROWS, values // len(plan.columns)))

    def _copies(self, plan: Plan) -> bool:
        return self._adapter.copies and plan.copies and self._target.on_conflict == "raise"

    def _write_part(self, part: Sequence[Ready], at: int) -> int:
        self._run(("SAVEPOINT flatwater_rows", ()))
        plan = part[0].plan
        try:
            if self._copies(plan):
                self._adapter.copy(self._target.path, plan.columns, [row.values for row in part])
                changed = len(part)
            else:
                changed = self._insert(part)
        except Exception as error:  # noqa: BLE001 - drivers have errors of every kind for values they do not take
            self._back(error)
            if self._copies(plan):
                plan.copies = False  # such as a float for a column of integers, which only INSERT rounds
                changed = 0
                for few in self._parts(part):
                    changed += self._write_part(few, at)
                    at += len(few)
            else:
                changed = self._one_by_one(part, at)
        self._run(("RELEASE SAVEPOINT flatwater_rows", ()))
        return changed

    def _insert(self, part: Sequence[Ready]) -> int:
        with self._adapter.errors():
            text = insert(self._target, part[0].plan.columns, len(part), self._dialect)
            return self._run((text, tuple(itertools.chain.from_iterable(row.values for row in part))))

    def _one_by_one(self, part: Sequence[Ready], at: int) -> int:
        changed = 0
        for place, row in enumerate(part):
            try:
                changed += self._insert([row])
            except Exception as error:
                raise RefusedError(at + place, error) from error
        return changed

    def _back(self, error: Exception) -> None:
        """Back to the savepoint; what made the database forget it is no single row's fault.

        Raises:
            Exception: the one given, where there is no way back.
        """
        try:
            with self._adapter.errors():
                self._run(("ROLLBACK TO SAVEPOINT flatwater_rows", ()))
        except Exception:  # noqa: BLE001 - as above
            raise error from None


def shown(names: Sequence[str], values: Values) -> str:
    """A row in a message: its first values, each cut short."""
    pairs = list(zip(names, values, strict=True))
    text = ", ".join(f"{name!r}: {_short(value)}" for name, value in pairs[:_SHOWN_VALUES_MAX])
    return f"{{{text}{', ...' if len(pairs) > _SHOWN_VALUES_MAX else ''}}}"


def _short(value: object) -> str:
    part = value[: _SHOWN_CHARS_MAX + 1] if isinstance(value, (str, bytes)) else value
    text = repr(part)
    return text if len(text) <= _SHOWN_CHARS_MAX else f"{text[:_SHOWN_CHARS_MAX]}..."


def words_of(error: BaseException) -> str:
    """What an error says, without a full stop, and without what it says of passes."""
    text = str(error.args[0]) if isinstance(error, errors.FlatwaterError) else str(error)
    return text.rstrip(".") or type(error).__name__
