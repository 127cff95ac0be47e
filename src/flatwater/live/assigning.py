"""SET and VALUES: what columns are set to, by what the statement says.

Covers:     values of an INSERT, assignments, DEFAULT, texts of JSON, ON CONFLICT.
Not here:   which rows (`live.changing`), what expressions are (`live.expressions`), defaults as a table has them (`live.definitions`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlglot import exp

from flatwater import errors
from flatwater.live.conditions import value_of
from flatwater.live.definitions import constant
from flatwater.live.schema import NOW, Column, Row, Schema
from flatwater.live.statements import Sql, identifier

DEFAULT: Final[Any] = object()  # a value that stands for the column's default


def cell_of(node: Any, column: Column) -> Any:
    """A value of an INSERT: itself, or a function of the parameters and the time of the statement.

    Raises:
        UsageError: a text for a JSON column is none.
    """
    if column.type.name == "JSON":
        node = _as_json(node)
    if isinstance(node, exp.Parameter):
        at = int(node.name) - 1
        return lambda values, _now: values[at]
    if isinstance(node, exp.Var) and node.name.upper() == "DEFAULT":
        return DEFAULT
    try:
        return constant(node)
    except errors.UsageError:
        return lambda values, now: value_of(node, None, values, moment=now)({})


def _as_json(node: Any) -> Any:
    """What a JSON column is set to, where texts that are written there are JSON, as in PostgreSQL; parameters are what they are."""
    match node:
        case exp.Literal() if node.is_string:
            return exp.Cast(this=node.copy(), to=exp.DataType.build("JSON"))
        case exp.Paren() | exp.Coalesce() | exp.Case() | exp.If():
            node = node.copy()
            for name, value in node.args.items():
                if isinstance(node, exp.Case) and name == "this":
                    continue
                if isinstance(value, list):
                    node.set(name, [_as_json(each) for each in value])
                elif isinstance(value, exp.Expression) and not (isinstance(node, exp.If) and name == "this"):
                    node.set(name, _as_json(value))
    return node


def assignments(nodes: Sequence[Any], schema: Schema) -> list[tuple[str, Any]]:
    """Columns and what they are set to.

    Raises:
        UsageError: one is no column, or is set twice.
    """
    found: list[tuple[str, Any]] = []
    for node in nodes:
        if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Column):
            raise errors.UsageError(f"{node.sql(dialect=Sql)!r} is no assignment.", hint="SET column = value.")
        name, value = identifier(node.this.this), node.expression
        if isinstance(value, exp.Column) and value.sql().upper() == "DEFAULT":  # unquoted
            value = DEFAULT
        found.append((name, value))
    known([name for name, _node in found], schema)
    if len({name for name, _node in found}) < len(found):
        raise errors.UsageError("a column is set twice.")
    found = [(name, _as_json(value) if schema.columns[name].type.name == "JSON" else value) for name, value in found]
    for name, value in found:
        if value is DEFAULT and schema.columns[name].is_made and schema.columns[name].default != NOW:
            raise errors.UsageError(
                f"{name!r} gets its default when a row is inserted, and is not set to it.", hint="Set a value."
            )
    return found


def bound(
    sets: Sequence[tuple[str, Any]], schema: Schema, values: Sequence[Any], moment: datetime, *, excluded: bool = False
) -> list[tuple[str, Callable[[Row], Any]]]:
    """Columns, and what computes for a row what they are set to."""
    made: list[tuple[str, Callable[[Row], Any]]] = []
    for name, node in sets:
        if node is not DEFAULT:
            made.append((name, value_of(node, schema, values, excluded=excluded, moment=moment)))
            continue
        column = schema.columns[name]
        value = made_now(column, moment) if column.is_made else column.default
        made.append((name, lambda _row, value=value: value))  # type: ignore[misc]
    return made


class OnConflict:
    """What is done with a row whose key is there."""

    def __init__(self, sets: list[tuple[str, Any]] | None, where: Any, schema: Schema) -> None:
        self._sets, self._where, self._schema = sets, where, schema

    def bound(self, values: Sequence[Any]) -> Callable[[Row, Row], Row | None]:
        """With parameters: given the row that is there and the one that was to be inserted, the one to be written."""
        schema, sets = self._schema, self._sets
        if sets is None:
            return lambda _there, _new: None
        moment = datetime.now(UTC)
        change = bound(sets, schema, values, moment, excluded=True)
        condition = None if self._where is None else value_of(self._where, schema, values, excluded=True, moment=moment)

        def updated(there: Row, new: Row) -> Row | None:
            both = there | {f"excluded.{name}": value for name, value in new.items()}
            if condition is not None and condition(both) is not True:
                return None
            made = altered(schema, both, change)
            return {name: made[name] for name in schema.columns}

        return updated


def conflict_of(node: Any, schema: Schema) -> OnConflict | None:
    """What ON CONFLICT says; None without it.

    Raises:
        UsageError: it names another key, or does something else.
    """
    if node is None:
        return None
    keys = [
        identifier(each.this if isinstance(each, exp.Ordered) else each)
        for each in node.args.get("conflict_keys") or ()
    ]
    if node.args.get("duplicate") or node.args.get("constraint") or (keys and sorted(keys) != sorted(schema.key)):
        raise errors.UsageError(
            f"ON CONFLICT has another key than {schema.full_name}.", hint=f"ON CONFLICT ({', '.join(schema.key)})."
        )
    action = str(node.args.get("action")).upper()
    where = node.args.get("where")
    if action == "DO NOTHING":
        return OnConflict(None, None, schema)
    if action != "DO UPDATE":
        raise errors.UsageError("ON CONFLICT does neither NOTHING nor UPDATE.")
    sets = assignments(node.expressions, schema)
    if any(name in schema.key for name, _node in sets):
        raise errors.UsageError("ON CONFLICT cannot change the key that is in conflict.")
    return OnConflict(sets, where.this if where is not None else None, schema)


def made_now(column: Column, now: datetime) -> Any:
    """What NOW() is as the default of a column: a time, or its date."""
    return now.date() if column.type.name == "DATE" else now


def altered(schema: Schema, row: Row, change: Sequence[tuple[str, Callable[[Row], Any]]]) -> Row:
    """A row with other values in some columns."""
    new = dict(row)
    for name, value in change:
        column = schema.columns[name]
        new[name] = column.type.take(value(row), name)
        if new[name] is None and column.is_required:
            raise errors.UsageError(f"{name!r} of {schema.full_name} takes no NULL.")
    return new


def known(names: Iterable[str], schema: Schema) -> None:
    """Refuse names that are no columns.

    Raises:
        UsageError: one is none.
    """
    for name in names:
        if name not in schema.columns:
            raise errors.UsageError(
                f"{schema.full_name} has no column {name!r}.", hint=f"It has {', '.join(schema.columns)}."
            )
