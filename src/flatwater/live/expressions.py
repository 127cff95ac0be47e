"""Expressions of SQL as functions of a row, with NULL as SQL has it.

Covers:     comparisons, AND, OR, NOT, IS, IN, BETWEEN, LIKE, arithmetic, texts, CASE, CAST, a few functions.
Not here:   functions of values (`live.functions`), which rows a condition is asked for (`live.conditions`, `live.matching`),
            everything else (`live.engine`).
Holds:      a function for each node.

Literals and parameters are taken out: a function is given them beside the row, so that conditions which differ in these only
share it. NULL is None; what cannot be computed (a division by zero, a text that is no number) is None, too, and never an error.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, final

from sqlglot import exp

from flatwater import errors, limits
from flatwater.live.functions import Call, call_of, family_of
from flatwater.live.intervals import interval_of, is_moment, moment_of
from flatwater.live.logic import (
    FAMILIES,
    TIMES,
    Function,
    Values,
    all_of,
    any_of,
    compared,
    family_named,
    is_alike,
    is_same,
    of_column,
    safe,
)
from flatwater.live.operators import ACTS, NUMBERS, absolute, alike, cast, negated, pattern_of
from flatwater.live.schema import Schema
from flatwater.live.statements import Sql, identifier
from flatwater.live.types import POSSIBLE, Type, json_of

_COMPARE: Final[dict[type, Callable[[Any, Any], bool]]] = {
    exp.EQ: operator.eq, exp.NEQ: operator.ne, exp.LT: operator.lt, exp.LTE: operator.le, exp.GT: operator.gt, exp.GTE: operator.ge,
}  # fmt: skip
FLIPPED: Final = {exp.EQ: exp.EQ, exp.NEQ: exp.NEQ, exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE}
_ARGS: Final = {  # of a node, that are known; one with another one says something else
    "this", "expression", "expressions", "low", "high", "ifs", "default", "to", "negate", "typed", "safe", "query", "unnest", "field",
}  # fmt: skip
_FLOATS = {"FLOAT", "DOUBLE"}
_DIGITS_MAX: Final = 1_000  # of a number in a statement; Python reads some more
_TEXTS: Final[dict[type, Callable[[str], Any]]] = {
    exp.Lower: str.lower, exp.Upper: str.upper, exp.Length: len,
}  # fmt: skip


@final
class Compiler:
    """Makes functions of the nodes of one expression.

    Args:
        schema: whose columns it has; None: it has none.
        params: values of the parameters; None: they are not known yet, and nothing is compared with them.
        excluded: `excluded.column` is known, too, as a row has it under that name.
        moment: that NOW() is: the statement's; None: that of this call.

    Attributes:
        values: of literals, parameters and the moment, in the order in which they were met.
        is_of_moment: the time is among them.
    """

    def __init__(
        self, schema: Schema | None, params: Values | None, *, excluded: bool = False, moment: datetime | None = None
    ) -> None:
        self._schema, self._params, self._excluded = schema, params, excluded
        self._moment = moment or datetime.now(UTC)
        self.values: list[Any] = []
        self.is_of_moment = False
        self._depth = 0

    # --- what is told of a node ---------------------------------------------------------------------------------------

    def column(self, node: Any) -> str | None:
        """The column that a node is, or None."""
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return None
        name, schema = identifier(node.this), self._schema
        table = identifier(node.args["table"]) if node.args.get("table") else ""
        if table == "excluded" and self._excluded:
            name = f"excluded.{name}"
        elif node.args.get("db") or (table and (schema is None or table != schema.name)):
            raise errors.UsageError(f"{node.sql(dialect=Sql)!r:.80} is no column of the statement's table.")
        if schema is None or name.removeprefix("excluded.") not in schema.columns:
            where = "" if schema is None else f" {schema.full_name} has {', '.join(schema.columns)}."
            raise errors.UsageError(f"there is no column {name!r}.{where}")
        return name

    def type_of(self, node: Any) -> Type | None:
        """Of a column or a cast; None where it is not known."""
        if isinstance(node, exp.Column) and self._schema is not None:
            name = self.column(node)
            return None if name is None else self._schema.columns[name.removeprefix("excluded.")].type
        if isinstance(node, exp.Paren | exp.Neg | exp.Coalesce | exp.Nullif):
            return self.type_of(node.this)
        return Type.of(node.args["to"]) if isinstance(node, exp.Cast) else None

    def family_of(self, node: Any) -> str | None:
        """What kind of values a node gives, as far as that is said: TEXT, number, ..., NULL; None where it is not known."""
        is_one, value = self.constant(node)
        if is_one:
            return "NULL" if value is None else FAMILIES.get(type(value))
        kind = self.type_of(node)
        if kind is not None:
            return None if kind.name == "FLOAT" else family_named(kind)  # of which the engine computes with 32 bits
        return family_of(node, self.family_of)

    def constant(self, node: Any) -> tuple[bool, Any]:
        """Whether a node is a literal, a parameter, an interval or a moment, and its value.

        It depends on what is said only, never on a value: those of one form have their values at the same places.
        """
        if isinstance(node, exp.Paren):
            return self.constant(node.this)
        if isinstance(node, exp.Parameter):
            given = None if self._params is None else self._params[int(node.name) - 1]
            return True, bytes(given) if isinstance(given, bytearray | memoryview) else given
        if isinstance(node, exp.Null):
            return True, None
        if isinstance(node, exp.Boolean):
            return True, bool(node.this)
        if isinstance(node, exp.Literal):
            return True, str(node.this) if node.is_string else _number(node)
        if isinstance(node, exp.Interval):
            return True, interval_of(node)
        if is_moment(node):
            self.is_of_moment = True
            return True, moment_of(node, self._moment)
        if isinstance(node, exp.Neg):
            is_one, value = self.constant(node.this)
            if is_one and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                return True, negated(value)
        return False, None

    def put(self, value: Any) -> int:
        """Where a value stands among the values."""
        self.values.append(value)
        return len(self.values) - 1

    def taken(self, value: Any, kind: Type | None, node: Any) -> Any:
        """A value as it is compared with a type.

        Raises:
            UsageError: that makes no sense.
        """
        if value is None or kind is None:
            return value if value is None else self._matched(value, node)
        family = FAMILIES.get(type(value))
        wanted = "number" if kind.name in NUMBERS else kind.name
        if kind.name in _FLOATS and isinstance(value, Decimal):  # 0.1 as it is written: the float that is nearest to it
            return float(value)
        if (
            kind.name == "DECIMAL" and isinstance(value, float) and math.isfinite(value)
        ):  # the digits it is written with
            return Decimal(repr(value))
        if family == wanted and (wanted != "number" or value == value):  # noqa: PLR0124 - no NaN
            return kind.take(value, "the condition") if wanted == "TIMESTAMP" else value
        if wanted in {"TIMESTAMP", "DATE", "UUID", "BYTES"}:
            return kind.take(value, "the condition")
        raise errors.UsageError(
            f"{node.sql(dialect=Sql)!r:.80} compares {kind} with {value!r:.40}.",
            hint="Cast one of them." if family is not None else POSSIBLE,
        )

    def _matched(self, value: Any, node: Any) -> Any:
        """A value that is compared with something computed: a text beside a time is one, too."""
        family, given = self.family_of(node.this), FAMILIES.get(type(value))
        if family in {None, "NULL"} or is_alike(family, given):
            return value
        if family in TIMES and given == "TEXT":
            return Type("TIMESTAMP").take(value, "the condition")
        raise errors.UsageError(
            f"{node.sql(dialect=Sql)!r:.80} compares {family} with {value!r:.40}.", hint="Cast one of them."
        )

    # --- functions ----------------------------------------------------------------------------------------------------

    def function(self, node: Any) -> Function:
        """What computes a node.

        Raises:
            UsageError: it has a part that is not known here.
        """
        self._depth += 1
        if self._depth > limits.LIVE_NESTING_MAX:
            raise errors.UsageError("the condition is nested too deep.", hint="Use IN for long ORs.")
        try:
            return self._function(node)
        except RecursionError:
            raise errors.UsageError("the condition is nested too deep.", hint="Use IN for long ORs.") from None
        finally:
            self._depth -= 1

    def _function(self, node: Any) -> Function:  # noqa: C901, PLR0912 - a table of nodes
        is_one, value = self.constant(node)
        if is_one:
            at = self.put(value)
            return lambda _row, values: values[at]
        if isinstance(node, exp.Paren):
            return self.function(node.this)
        name = self.column(node)
        if name is not None:
            return lambda row, _values: row[name]
        call = call_of(node, self.family_of)
        if call is not None:
            return self._call(call)
        if any(value for arg, value in node.args.items() if arg not in _ARGS):
            raise _unknown(node)
        if node.args.get("negate"):  # IS NOT, NOT LIKE
            plain = type(node)(**{arg: value for arg, value in node.args.items() if arg != "negate"})
            return self.function(exp.Not(this=plain))
        if type(node) in _COMPARE:
            return self._comparison(node)
        match node:
            case exp.And() | exp.Or():
                return self._logic(node)
            case exp.Not():
                inner = self.function(node.this)
                return lambda row, values: None if (found := inner(row, values)) is None else not found
            case exp.Is():
                return self._is(node)
            case exp.In():
                return self._in(node)
            case exp.Between():
                low = self.function(exp.GTE(this=node.this, expression=node.args["low"]))
                high = self.function(exp.LTE(this=node.this, expression=node.args["high"]))
                return all_of([low, high])
            case exp.Like() | exp.ILike():
                return self._like(node)
            case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.Mod() | exp.DPipe() | exp.Neg():
                return self._arithmetic(node)
            case exp.Coalesce():
                parts = [self.function(each) for each in (node.this, *node.expressions)]
                return lambda row, values: next(
                    (found for part in parts if (found := part(row, values)) is not None), None
                )
            case exp.Nullif():
                left, right = self.function(node.this), self.function(node.expression)
                return lambda row, values: None if is_same(found := left(row, values), right(row, values)) else found
            case exp.Case():
                return self._case(node)
            case exp.Cast():
                return self._cast(node)
            case exp.Abs():
                inner = self.function(node.this)
                return safe(lambda row, values: None if (found := inner(row, values)) is None else absolute(found))
            case exp.Lower() | exp.Upper() | exp.Length():
                inner, act = self.function(node.this), _TEXTS[type(node)]
                return safe(lambda row, values: None if (found := inner(row, values)) is None else act(found))
        raise _unknown(node)

    def _comparison(self, node: Any) -> Function:
        left, right, compare = node.this, node.expression, _COMPARE[type(node)]
        left_is, (right_is, right_value) = self.constant(left)[0], self.constant(right)
        if left_is and not right_is:
            return self._comparison(FLIPPED[type(node)](this=right, expression=left))
        kind, name = self.type_of(left), self.column(left)
        if right_is:
            is_time = is_moment(right) and kind is not None and kind.name in TIMES
            at = self.put(right_value if left_is or is_time else self.taken(right_value, kind, node))
            if name is not None and not is_time:
                return of_column(name, at, compare)
            return compared(self.function(left), lambda _row, values: values[at], compare)
        other = self.type_of(right)
        if kind is not None and other is not None and not is_alike(family_named(kind), family_named(other)):
            raise errors.UsageError(
                f"{node.sql(dialect=Sql)!r:.80} compares {kind} with {other}.", hint="Cast one of them."
            )
        return compared(self.function(left), self.function(right), compare)

    def _logic(self, node: Any) -> Function:
        parts = [self.function(each) for each in flattened(node, type(node))]
        return all_of(parts) if isinstance(node, exp.And) else any_of(parts)

    def _is(self, node: Any) -> Function:
        inner, wanted = self.function(node.this), node.expression
        if isinstance(wanted, exp.Null):
            return lambda row, values: inner(row, values) is None
        if isinstance(wanted, exp.Boolean):
            value = bool(wanted.this)
            return lambda row, values: inner(row, values) is value
        raise errors.UsageError(
            f"{node.sql(dialect=Sql)!r:.80} is not known.", hint="IS NULL, IS TRUE and IS FALSE are."
        )

    def _in(self, node: Any) -> Function:
        if node.args.get("query") or node.args.get("unnest") or node.args.get("field"):
            raise errors.UsageError("a query inside of a condition is not known here.")
        inner, kind = self.function(node.this), self.type_of(node.this)
        wanted: list[Any] = []
        for each in node.expressions:
            is_one, value = self.constant(each)
            if not is_one:
                raise errors.UsageError("IN has a list of values.", hint="Write it with OR.")
            wanted.append(self.taken(value, kind, node))
        if kind is None:  # what is computed may be a float
            wanted += [float(each) for each in wanted if isinstance(each, Decimal)]
        at = self.put(frozenset(each for each in wanted if each is not None))
        null_at = self.put(None in wanted)

        def found_in(row: Mapping[str, Any], values: Values) -> bool | None:
            found = inner(row, values)
            if found is None:
                return None
            return True if found in values[at] else None if values[null_at] else False

        return safe(found_in)

    def _like(self, node: Any) -> Function:
        flags = re.DOTALL | (re.IGNORECASE if isinstance(node, exp.ILike) else 0)
        name, (is_one, given) = self.column(node.this), self.constant(node.expression)
        if is_one and given is not None and not isinstance(given, str):  # it would share a form with texts
            raise errors.UsageError(f"LIKE takes a text, not {type(given).__name__}.")
        if name is not None and is_one and given is not None:
            at = self.put(pattern_of(given, flags))

            def column_like(row: Mapping[str, Any], values: Values) -> bool | None:
                found = row[name]
                return values[at].fullmatch(found) is not None if isinstance(found, str) else None

            return column_like
        inner, pattern = self.function(node.this), self.function(node.expression)

        def like(row: Mapping[str, Any], values: Values) -> bool | None:
            found, wanted = inner(row, values), pattern(row, values)
            return None if found is None or wanted is None else pattern_of(wanted, flags).fullmatch(found) is not None

        return safe(like)

    def _arithmetic(self, node: Any) -> Function:
        if isinstance(node, exp.Neg):
            inner = self.function(node.this)
            return safe(lambda row, values: None if (found := inner(row, values)) is None else negated(found))
        left, right, act = self.function(node.this), self.function(node.expression), ACTS[type(node)]

        def computed(row: Mapping[str, Any], values: Values) -> Any:
            one, other = left(row, values), right(row, values)
            return None if one is None or other is None else act(*alike(one, other))

        return safe(computed)

    def _call(self, call: Call) -> Function:
        parts, act, takes_null = [self.function(each) for each in call.args], call.act, call.takes_null

        def called(row: Mapping[str, Any], values: Values) -> Any:
            found = [part(row, values) for part in parts]
            return act(*found) if takes_null or None not in found else None

        return safe(called)

    def _cast(self, node: Any) -> Function:
        inner, kind, of = self.function(node.this), Type.of(node.args["to"]), self.type_of(node.this)
        is_one, said = self.constant(node.this)
        if is_one and isinstance(said, str) and kind.name == "JSON" and not isinstance(node, exp.TryCast):
            json_of(said, "the cast")  # what is said in the statement is not made NULL of
        return safe(lambda row, values: cast(inner(row, values), kind, of))

    def _case(self, node: Any) -> Function:
        subject = node.this
        turns = [
            (
                self.function(exp.EQ(this=subject, expression=each.this) if subject is not None else each.this),
                self.function(each.args["true"]),
            )
            for each in node.args["ifs"]
        ]
        other = self.function(node.args["default"]) if node.args.get("default") is not None else None

        def chosen(row: Mapping[str, Any], values: Values) -> Any:
            for condition, value in turns:
                if condition(row, values) is True:
                    return value(row, values)
            return None if other is None else other(row, values)

        return chosen


def _number(node: Any) -> int | Decimal:
    if len(node.this) > _DIGITS_MAX:
        raise errors.UsageError(f"a number of {len(node.this)} digits is none that can be computed with.")
    return int(node.this) if node.is_int else Decimal(node.this)


def _unknown(node: Any) -> errors.UsageError:
    return errors.UsageError(
        f"{node.sql(dialect=Sql)!r:.80} is not known in a condition that is asked for each row.",
        hint="Comparisons, AND, OR, NOT, IS, IN, BETWEEN, LIKE, arithmetic, ||, CASE, CAST, NOW(), INTERVAL, COALESCE, NULLIF, "
        "GREATEST, LEAST, LOWER, UPPER, LENGTH, TRIM, CONCAT, REPLACE, SUBSTRING, LEFT, RIGHT, STRPOS, STARTS_WITH, ABS, ROUND, FLOOR "
        "and CEIL are.",
    )


def flattened(node: Any, kind: type) -> list[Any]:
    """The parts of `a AND b AND c`, however they are nested."""
    found: list[Any] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        while isinstance(each, exp.Paren):
            each = each.this
        if isinstance(each, kind):
            waiting += [each.expression, each.this]  # type: ignore[attr-defined]
        else:
            found.append(each)
    return found
