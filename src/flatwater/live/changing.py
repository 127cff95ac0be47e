"""INSERT, UPDATE and DELETE: which rows become which, decided in the transaction that writes them.

Covers:     values and defaults, conflicts of keys, rows by key or by condition, RETURNING.
Not here:   what columns are set to (`live.assigning`), committing (`live.writing`), conditions (`live.conditions`), who may (`live.access`).
Holds:      the rows that one statement changes, at most `LIVE_STATEMENT_ROWS_MAX`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, final

from sqlglot import exp

from flatwater import errors, limits
from flatwater.live.assigning import DEFAULT, altered, assignments, bound, cell_of, conflict_of, made_now
from flatwater.live.assigning import known as known  # noqa: PLC0414 - which others take from here
from flatwater.live.conditions import Condition, condition_of
from flatwater.live.log import Get
from flatwater.live.reading import Snapshot
from flatwater.live.refusals import Conflict
from flatwater.live.rows import NUMBER_BYTES, Place, number_of
from flatwater.live.schema import NOW, Row, Schema
from flatwater.live.sequence import PER_MS
from flatwater.live.sequence import Sequence as Numbers
from flatwater.live.statements import Sql, identifier
from flatwater.live.types import json_in
from flatwater.live.writing import Edit, Plan

_KEY_BYTES_MAX = limits.LIVE_KEY_BYTES_MAX


class Written(NamedTuple):
    """What a statement did.

    Attributes:
        columns: of the rows that it gives back.
        rows: these; None without RETURNING.
        changed: rows that it changed.
    """

    columns: tuple[str, ...]
    rows: list[Row] | None
    changed: int


@final
class Insert:
    """An INSERT, prepared for a table. Immutable.

    Args:
        tree: the statement.
        schema: the table.
    """

    def __init__(self, tree: exp.Insert, schema: Schema) -> None:
        for unknown in ("overwrite", "by_name", "source", "partition", "where", "with_"):
            if tree.args.get(unknown):
                raise errors.UsageError(
                    "this form of INSERT is not known.", hint="INSERT INTO table (columns) VALUES (...), (...)."
                )
        self.schema = schema
        target = tree.this
        names = (
            [identifier(each) for each in target.expressions]
            if isinstance(target, exp.Schema)
            else list(schema.columns)
        )
        known(names, schema)
        if len(set(names)) < len(names):
            raise errors.UsageError("INSERT names a column twice.")
        self.names = names
        source = tree.args.get("expression")
        self.select = source if isinstance(source, exp.Query) and not isinstance(source, exp.Values) else None
        self.cells: list[list[Any]] = []
        if self.select is None:
            if not isinstance(source, exp.Values):
                raise errors.UsageError(
                    "INSERT has no values.", hint="INSERT INTO table (columns) VALUES (...), (...)."
                )
            for part in source.expressions:
                cells = (
                    part.expressions
                    if isinstance(part, exp.Tuple)
                    else [part.this if isinstance(part, exp.Paren) else part]
                )
                if len(cells) != len(names):
                    raise errors.UsageError(
                        f"{len(cells)} values are given for {len(names)} columns of {schema.full_name}."
                    )
                self.cells.append(
                    [cell_of(cell, schema.columns[name]) for name, cell in zip(names, cells, strict=True)]
                )
            if len(self.cells) > limits.LIVE_STATEMENT_ROWS_MAX:
                raise too_many()
        self.conflict = conflict_of(tree.args.get("conflict"), schema)
        self.returning = returned(tree.args.get("returning"), schema)

    def rows(self, values: Sequence[Any], numbers: Numbers) -> Iterator[Row]:
        """The rows, with their defaults; all of one moment."""
        now = datetime.now(UTC)
        for cells in self.cells:
            yield complete(
                self.schema,
                self.names,
                [cell(values, now) if callable(cell) else cell for cell in cells],
                numbers,
                now,
            )

    def selected(self, cells: Sequence[Any], numbers: Numbers, now: datetime, *, is_text: bool) -> Row:
        """A row that its SELECT gave.

        Args:
            cells: its values.
            numbers: for defaults.
            now: the time of the statement.
            is_text: the SQL engine gave them: JSON is a text there; a text that is none stays one.

        Raises:
            UsageError: they do not fit.
        """
        if len(cells) != len(self.names):
            raise errors.UsageError(f"{len(cells)} values are selected for {len(self.names)} columns.")
        columns = self.schema.columns
        made = [
            json_in(cell) if is_text and columns[name].type.name == "JSON" else cell
            for name, cell in zip(self.names, cells, strict=True)
        ]
        return complete(self.schema, self.names, made, numbers, now)

    def plan(
        self, place: Place, rows: Sequence[Row], values: Sequence[Any], now: int, given: list[Row]
    ) -> tuple[Plan, int]:
        """What is to be written, decided where nothing comes between, and how many bytes, or about.

        `given` becomes the rows that are given back.
        """
        schema = self.schema
        made = [(place.key(row), schema.encode(row), row) for row in rows]
        for key, json, _row in made:
            check_key(key)
            check_row(json, schema)
        conflict = None if self.conflict is None else self.conflict.bound(values)

        def plan(get: Get) -> list[Edit]:
            given.clear()
            edits: list[Edit] = []
            new: dict[bytes, bytes] = {}  # of this statement
            for key, json, row in made:
                found = new.get(key)
                if found is None:
                    stored = get(key)
                    if stored is not None and schema.ttl_s and expired(stored, schema, now):
                        edits.append(Edit(schema.number, place.head, key, None))
                        stored = None
                    found = None if stored is None else stored[NUMBER_BYTES:]
                if found is not None:
                    if conflict is None:
                        shown = ", ".join(f"{name} = {row[name]!r:.60}" for name in schema.key)
                        raise Conflict(
                            f"{schema.full_name} has a row with {shown}.",
                            hint="Use ON CONFLICT to change it, or to leave it.",
                        )
                    updated = conflict(schema.decode(found), row)
                    if updated is None:
                        continue
                    row, json = updated, check_row(schema.encode(updated), schema)  # noqa: PLW2901 - that row instead
                new[key] = json
                given.append(row)
                edits.append(Edit(schema.number, place.head, key, json))
            return edits

        return plan, sum(len(key) + len(json) + limits.LIVE_EDIT_BYTES for key, json, _row in made)


@final
class Alteration:
    """An UPDATE or a DELETE, prepared for a table. Immutable.

    Args:
        tree: the statement.
        schema: the table.
    """

    def __init__(self, tree: exp.Update | exp.Delete, schema: Schema) -> None:
        for unknown in ("from_", "from", "with_", "with", "using", "order", "limit", "tables", "cluster"):
            if tree.args.get(unknown):
                raise errors.UsageError("this form of the statement is not known.", hint="It has one table and WHERE.")
        self.schema = schema
        where = tree.args.get("where")
        self.where = where.this if where is not None else None
        self.sets = assignments(tree.expressions, schema) if isinstance(tree, exp.Update) else None
        self.returning = returned(tree.args.get("returning"), schema)
        condition_of(self.where, schema, None)  # refuses what is not known

    def plan(
        self, place: Place, snapshot: Snapshot, values: Sequence[Any], now: int, given: list[Row]
    ) -> tuple[Plan, int]:
        """As of an INSERT, and how many bytes it changes, or about."""
        schema, moment = self.schema, datetime.now(UTC)
        condition = condition_of(self.where, schema, values, moment=moment)
        since = oldest(schema, now)
        key = condition.key(place)
        keys: list[bytes]
        size = 0
        if key is not None:
            keys = [key]
        else:
            keys = []
            for found, json in matching(snapshot, place, condition, since):
                keys.append(found)
                size += len(json) + len(found)
                if len(keys) > limits.LIVE_STATEMENT_ROWS_MAX or size > limits.STORE_WRITE_BYTES_MAX // 4:
                    raise too_many()
        change = None if self.sets is None else bound(self.sets, schema, values, moment)

        def plan(get: Get) -> list[Edit]:
            given.clear()
            edits: list[Edit] = []
            for each in keys:
                stored = get(each)
                if stored is None or number_of(stored) < since:
                    continue
                row = schema.decode(stored[NUMBER_BYTES:])
                if condition.matches(row):
                    new = None if change is None else altered(schema, row, change)
                    given.append(row if new is None else new)
                    edits += _moved(place, each, new, edits, get)
            return edits

        return plan, size + len(keys) * limits.LIVE_EDIT_BYTES


def _moved(place: Place, key: bytes, new: Row | None, before: Sequence[Edit], get: Get) -> list[Edit]:
    """What becomes of the row of a key: deleted, changed, or changed under another key."""
    schema = place.schema
    if new is None:
        return [Edit(schema.number, place.head, key, None)]
    to, json = place.key(new), check_row(schema.encode(new), schema)
    if to == key:
        return [Edit(schema.number, place.head, key, json)]
    check_key(to)
    if get(to) is not None or any(edit.key == to and edit.new is not None for edit in before):
        shown = ", ".join(f"{name} = {new[name]!r:.60}" for name in schema.key)
        raise Conflict(
            f"{schema.full_name} has a row with {shown}, which another row would get.",
            hint="A key is of one row: name that row in WHERE, or DELETE the other one first.",
        )
    return [Edit(schema.number, place.head, key, None), Edit(schema.number, place.head, to, json)]


# --- rows -------------------------------------------------------------------------------------------------------------


def complete(schema: Schema, names: Sequence[str], values: Sequence[Any], numbers: Numbers, now: datetime) -> Row:
    """A row of these values, with the defaults of other columns.

    Raises:
        UsageError: a value does not fit, or is missing.
    """
    given = dict(zip(names, values, strict=True))
    row: Row = {}
    for name, column in schema.columns.items():
        value = given.get(name, DEFAULT)
        if value is DEFAULT:
            value = column.default
            if column.is_made:
                value = made_now(column, now) if value == NOW else numbers.next()
        elif value is not None:
            value = column.type.take(value, name)
        if value is None and column.is_required:
            raise errors.UsageError(f"{name!r} of {schema.full_name} takes no NULL.", hint="Give it a value.")
        row[name] = value
    return row


def matching(snapshot: Snapshot, place: Place, condition: Condition, since: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and JSON of the rows that a condition holds for."""
    decode = place.schema.decode
    for page in snapshot.walk(condition.ranges(place), place.there, since=since):
        for key, json in page:
            if condition.matches(decode(json)):
                yield key, json


def oldest(schema: Schema, now: int) -> int:
    """The number that rows have to have, at least, that are not expired."""
    return max(now - schema.ttl_s * 1_000 * PER_MS, 0) if schema.ttl_s else 0


def expired(stored: bytes, schema: Schema, now: int) -> bool:
    """Whether a row of a STREAM table has lived long enough."""
    return number_of(stored) < oldest(schema, now)


def check_key(key: bytes) -> None:
    """Refuse a primary key that is too long.

    Raises:
        UsageError: it is.
    """
    if len(key) > _KEY_BYTES_MAX:
        raise errors.UsageError(
            f"a primary key of {len(key)} B, with its table and user, is too long.",
            hint=f"{_KEY_BYTES_MAX} B are possible: take a hash of it.",
        )


def check_row(json: bytes, schema: Schema) -> bytes:
    """The JSON of a row, if it is not too long.

    Raises:
        LimitReached: it is.
    """
    if len(json) > limits.LIVE_ROW_BYTES_MAX:
        raise errors.LimitReached(
            f"a row of {schema.full_name} has {len(json):,} B as JSON, where {limits.LIVE_ROW_BYTES_MAX:,} are possible.",
            what="LIVE_ROW_BYTES_MAX", limit=limits.LIVE_ROW_BYTES_MAX,
            hint="Keep large values in several rows, or in files, and their names here.",
        )  # fmt: skip
    return json


def too_many() -> errors.LimitReached:
    """The refusal of a statement that changes too much at once."""
    return errors.LimitReached(
        f"the statement changes more than one transaction holds: {limits.LIVE_STATEMENT_ROWS_MAX:,} rows, or {limits.STORE_WRITE_BYTES_MAX >> 22} MiB of them.",
        what="LIVE_STATEMENT_ROWS_MAX", limit=limits.LIVE_STATEMENT_ROWS_MAX,
        hint="Change it in parts, such as WHERE id < ...; db.load takes any number of rows.",
    )  # fmt: skip


# --- parts of statements ----------------------------------------------------------------------------------------------


def returned(node: Any, schema: Schema) -> tuple[str, ...] | None:
    """The columns that RETURNING names."""
    if node is None:
        return None
    names: list[str] = []
    for each in node.expressions:
        if not isinstance(each, exp.Star | exp.Column | exp.Identifier):
            raise errors.UsageError(
                f"RETURNING has {each.sql(dialect=Sql):.80}.",
                hint="It gives columns by their names, or *: SELECT computes.",
            )
        names += schema.columns if isinstance(each, exp.Star) else [identifier(each)]
    known(names, schema)
    return tuple(names)


def written(returning: tuple[str, ...] | None, given: list[Row]) -> Written:
    """What a statement did, of the rows that it made or removed."""
    if returning is None:
        return Written((), None, len(given))
    return Written(returning, [{name: row[name] for name in returning} for row in given], len(given))
