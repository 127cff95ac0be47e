"""WHERE: whether a row is meant, and which keys can be; conditions that differ in values only share their form.

Covers:     the form and the values of a condition, equalities and ranges in it, the range of keys that it leaves.
Not here:   expressions (`live.expressions`), which conditions a changed row is in (`live.matching`).
Holds:      forms that were used, at most `LIVE_FORMS_BYTES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, final

from sqlglot import exp

from flatwater import errors, limits
from flatwater.live.cache import Cache
from flatwater.live.expressions import FLIPPED, Compiler, Function, flattened
from flatwater.live.rows import Place, Range
from flatwater.live.schema import Schema
from flatwater.live.statements import Sql, identifier

_FORM_BYTES = 3_000  # of a form with its functions, beside its text
_RANGES: Final = (exp.LT, exp.LTE, exp.GT, exp.GTE)


@final
class Form:
    """What conditions have in common that differ in values only. Immutable, shared.

    Attributes:
        table: number of the table.
        text: of the condition, with a mark for each value.
        equal: a column, and where its values stand (one, or a set of them): the condition holds for no row that has none of
            these in it; None if there is no such column.
        bound: a column, an operator of sqlglot and where the value stands: the same with a comparison.
        is_all: there is nothing else in the condition.
    """

    __slots__ = ("bound", "equal", "evaluate", "is_all", "table", "text")

    def __init__(self, table: int, text: str, evaluate: Function, tops: Sequence[tuple[str, type, int]]) -> None:
        self.table, self.text, self.evaluate = table, text, evaluate
        equal = [(name, at) for name, kind, at in tops if kind in {exp.EQ, exp.In}]
        bound = [(name, kind, at) for name, kind, at in tops if kind in _RANGES]
        self.equal = equal[0] if equal else None
        self.bound = bound[0] if bound and not equal else None
        self.is_all = False


class Predicate(NamedTuple):
    """A form and its values: two that are equal hold for the same rows."""

    form: Form
    values: tuple[Any, ...]

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Whether it holds for a row."""
        return self.form.evaluate(row, self.values) is True


_forms: Cache[Form] = Cache(limits.LIVE_FORMS_BYTES)


@final
class Condition:
    """A condition on one table. Immutable.

    Attributes:
        predicate: that it is; None: it holds for all rows.
        is_filter: rows have to be asked for it; else the keys say it all.
    """

    __slots__ = ("_equal", "is_filter", "predicate")

    def __init__(self, predicate: Predicate | None, equal: dict[str, Any]) -> None:
        self.predicate = predicate
        self._equal = equal
        self.is_filter = predicate is not None

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Whether it holds for a row."""
        return self.predicate is None or self.predicate.matches(row)

    def _prefix(self, place: Place) -> tuple[Any, ...]:
        """Values of the first columns of the key that all rows have."""
        found: list[Any] = []
        for name in place.schema.key:
            value = self._equal.get(name)
            if value is None:
                break
            try:
                found.append(place.schema.columns[name].type.take(value, name))
            except errors.UsageError:
                break  # no row has it: the condition says so of each
        return tuple(found)

    def key(self, place: Place) -> bytes | None:
        """The only key that can be meant, if it is one."""
        values = self._prefix(place)
        return place.key_of(values) if len(values) == len(place.schema.key) else None

    def range(self, place: Place) -> Range:
        """The keys that can be meant."""
        key = self.key(place)
        return (key, key + b"\x00") if key is not None else place.prefix(self._prefix(place))


def condition_of(where: Any, schema: Schema, params: Sequence[Any] | None) -> Condition:
    """A condition with its parameters; without (None), only whether it is one.

    Raises:
        UsageError: it has a part that is not known, or compares what cannot be compared.
    """
    if where is None:
        return Condition(None, {})
    compiler = Compiler(schema, params)
    try:
        parts = sorted(map(_as_in, flattened(where, exp.And)), key=_text)
    except RecursionError:
        raise errors.UsageError("the condition is nested too deep.", hint="Use IN for long ORs.") from None
    functions: list[Function] = []
    tops: list[tuple[str, type, int]] = []
    equal: dict[str, Any] = {}
    for part in parts:
        top, at = _top(part, compiler), len(compiler.values)
        functions.append(compiler.function(part))
        if top is not None:
            tops.append((*top, at))
            if top[1] is exp.EQ:
                equal[top[0]] = compiler.values[at]
    values = tuple(compiler.values)
    if params is None:
        return Condition(None, {})
    text = " AND ".join(map(_text, parts)) + _kinds(values)
    form = _forms.get((schema.number, schema.full_name, text))
    if form is None:
        form = Form(schema.number, text, _all(functions), tops)
        form.is_all = len(parts) == 1 and bool(tops)
        _forms.put((schema.number, schema.full_name, text), form, _FORM_BYTES + 2 * len(text))
    return Condition(Predicate(form, values), equal)


def value_of(
    node: Any, schema: Schema | None, params: Sequence[Any], *, excluded: bool = False
) -> Callable[[Mapping[str, Any]], Any]:
    """What an expression is for a row; None where it cannot be computed.

    Raises:
        UsageError: it has a part that is not known.
    """
    compiler = Compiler(schema, params, excluded=excluded)
    function = compiler.function(node)
    values = compiler.values
    return lambda row: function(row, values)


def _top(part: Any, compiler: Compiler) -> tuple[str, type] | None:
    """The column and the operator of a comparison of a column with a value, or of an IN."""
    if isinstance(part, exp.In) and not part.args.get("query"):
        name = compiler.column(part.this)
        return None if name is None else (name, exp.In)
    if type(part) not in FLIPPED or isinstance(part, exp.NEQ):
        return None
    left, right, kind = part.this, part.expression, type(part)
    if compiler.constant(left)[0]:
        left, right, kind = right, left, FLIPPED[kind]
    name = compiler.column(left)
    return (name, kind) if name is not None and compiler.constant(right)[0] else None


def _as_in(part: Any) -> Any:
    """`a = 1 OR a = 2` as `a IN (1, 2)`, which says the same and can be looked up; others as they are."""
    if not isinstance(part, exp.Or):
        return part
    column, values = None, []
    for each in flattened(part, exp.Or):
        if not isinstance(each, exp.EQ):
            return part
        left, right = each.this, each.expression
        if not isinstance(left, exp.Column):
            left, right = right, left
        if (
            not isinstance(left, exp.Column)
            or not isinstance(right, exp.Literal | exp.Parameter)
            or column not in {None, left}
        ):
            return part
        column = left
        values.append(right.copy())
    assert column is not None
    return exp.In(this=column.copy(), expressions=values)


def _all(functions: Sequence[Function]) -> Function:
    if len(functions) == 1:
        return functions[0]

    def all_of(row: Mapping[str, Any], values: Sequence[Any]) -> bool:
        return all(function(row, values) is True for function in functions)

    return all_of


def _text(node: Any) -> str:
    """What a node says, with a mark for each value: those of the same text are of the same form."""
    match node:
        case exp.Paren():
            return _text(node.this)
        case exp.Identifier():
            return repr(identifier(node))
        case exp.DataType():
            return node.sql(dialect=Sql)
        case exp.Literal() | exp.Parameter() | exp.Boolean() | exp.Null():
            return node.sql(dialect=Sql) if isinstance(node.parent, exp.Is) else "?"
        case exp.And() | exp.Or():
            return f"{type(node).__name__}({', '.join(map(_text, flattened(node, type(node))))})"
        case exp.In() if not node.args.get("query"):
            return f"In({_text(node.this)})"
    return f"({type(node).__name__} {' '.join(filter(None, map(_argument, node.args.items())))})"


def _argument(given: tuple[str, Any]) -> str:
    name, value = given
    if isinstance(value, list):
        return f"{name}=[{', '.join(map(_text, value))}]"
    if isinstance(value, exp.Expression):
        return f"{name}={_text(value)}"
    return "" if value in {None, False} else f"{name}={value!r}"


def _kinds(values: Sequence[Any]) -> str:
    """What kind each value is of: a NULL, or a set with one, makes another form."""
    return "".join("0" if value is None else "i" if isinstance(value, frozenset) else "." for value in values)
