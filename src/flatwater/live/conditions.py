"""WHERE: whether a row is meant, and which keys can be; conditions that differ in values only share their form.

Covers:     the form and the values of a condition, equalities and ranges in it, the range of keys that it leaves.
Not here:   expressions (`live.expressions`), which conditions a changed row is in (`live.matching`).
Holds:      forms that were used, at most `LIVE_FORMS_BYTES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, final

from sqlglot import exp

from flatwater import errors, limits
from flatwater.live.cache import Cache
from flatwater.live.expressions import FLIPPED, Compiler, flattened
from flatwater.live.logic import Function
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
        tops: comparisons of a column with a value that all have to hold: the column, the operator, where the value stands.
    """

    __slots__ = ("bound", "equal", "evaluate", "is_all", "table", "text", "tops")

    def __init__(self, table: int, text: str, evaluate: Function, tops: Sequence[tuple[str, type, int]]) -> None:
        self.table, self.text, self.evaluate = table, text, evaluate
        equal = [(name, at) for name, kind, at in tops if kind in {exp.EQ, exp.In}]
        bound = [(name, kind, at) for name, kind, at in tops if kind in _RANGES]
        self.equal = equal[0] if equal else None
        self.bound = bound[0] if bound and not equal else None
        self.is_all = False
        self.tops = tuple(tops)

    @property
    def cost(self) -> int:
        """Bytes that it takes in memory, or about."""
        return _FORM_BYTES + 2 * len(self.text)


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
        is_filter: rows have to be asked for it; else all are meant.
    """

    __slots__ = ("_is_of_moment", "_predicate")

    def __init__(self, predicate: Predicate | None, *, is_of_moment: bool = False) -> None:
        self._predicate, self._is_of_moment = predicate, is_of_moment

    @property
    def is_filter(self) -> bool:
        """Whether rows have to be asked for it; else all are meant."""
        return self._predicate is not None

    @property
    def predicate(self) -> Predicate | None:
        """What changes are matched with, as long as it is followed; None: it holds for all rows.

        Raises:
            UsageError: it has the time in it.
        """
        if self._is_of_moment:
            raise errors.UsageError(
                "a condition with the time in it cannot be followed: rows would enter and leave it without a change.",
                hint="Pass a time as a parameter, and subscribe anew when it is over.",
            )
        return self._predicate

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Whether it holds for a row."""
        return self._predicate is None or self._predicate.matches(row)

    def _prefix(self, place: Place) -> tuple[Any, ...]:
        """Values of the first columns of the key that all rows have."""
        equal = {name: value for name, kind, value in self._tops() if kind is exp.EQ}
        found: list[Any] = []
        for name in place.schema.key:
            taken = _taken(place, name, equal.get(name))
            if taken is None:
                break
            found.append(taken)
        return tuple(found)

    def _tops(self) -> Iterator[tuple[str, type, Any]]:
        """Columns, operators and values of comparisons that all have to hold."""
        if self._predicate is not None:
            for name, kind, at in self._predicate.form.tops:
                yield name, kind, self._predicate.values[at]

    def key(self, place: Place) -> bytes | None:
        """The only key that can be meant, if it is one."""
        values = self._prefix(place)
        return place.key_of(values) if len(values) == len(place.schema.key) else None

    def ranges(self, place: Place) -> list[Range]:
        """The keys that can be meant, in their order."""
        prefix = self._prefix(place)
        if len(prefix) == len(place.schema.key):
            return [_exactly(place, prefix)]
        name = place.schema.key[len(prefix)]
        tops = [(kind, value) for top, kind, value in self._tops() if top == name]
        for kind, value in tops:
            if kind is exp.In and isinstance(value, frozenset) and len(value) <= limits.LIVE_RANGES_MAX:
                return self._each(place, prefix, name, value)
        low, high = place.prefix(prefix)
        for kind, value in tops:
            taken = None if kind is exp.In else _taken(place, name, value)
            if taken is None:
                continue
            first, end = place.prefix((*prefix, taken))
            if kind in {exp.GT, exp.GTE}:
                low = max(low, end if kind is exp.GT else first)
            else:
                high = min(high, first if kind is exp.LT else end)
        return [(low, high)] if low < high else []

    @staticmethod
    def _each(place: Place, prefix: tuple[Any, ...], name: str, values: frozenset[Any]) -> list[Range]:
        """Of the values of an IN; one that no row can have has none."""
        found = [(*prefix, taken) for value in values if (taken := _taken(place, name, value)) is not None]
        is_whole = len(prefix) + 1 == len(place.schema.key)
        return sorted({_exactly(place, each) if is_whole else place.prefix(each) for each in found})


def condition_of(
    where: Any, schema: Schema, params: Sequence[Any] | None, *, moment: datetime | None = None
) -> Condition:
    """A condition with its parameters; without (None), only whether it is one. NOW() is `moment`, or that of the call.

    Raises:
        UsageError: it has a part that is not known, or compares what cannot be compared.
    """
    if where is None:
        return Condition(None)
    compiler = Compiler(schema, params, moment=moment)
    try:
        parts = sorted(map(_as_in, flattened(where, exp.And)), key=_text)
    except RecursionError:
        raise errors.UsageError("the condition is nested too deep.", hint="Use IN for long ORs.") from None
    functions: list[Function] = []
    tops: list[tuple[str, type, int]] = []
    for part in parts:
        found, at = _compared(part, compiler), len(compiler.values)
        functions.append(compiler.function(part))
        put = sum(1 + (kind is exp.In) for _name, kind in found)  # values; an IN has its NULL beside it
        if len(compiler.values) == at + put:
            tops += [(name, kind, at + number) for number, (name, kind) in enumerate(found)]
    values = tuple(compiler.values)
    if params is None:
        return Condition(None)
    text = " AND ".join(map(_text, parts)) + _kinds(values)
    form = _forms.get((schema.number, schema.full_name, text))
    if form is None:
        form = Form(schema.number, text, _all(functions), tops)
        form.is_all = len(parts) == 1 and len(tops) == 1
        _forms.put((schema.number, schema.full_name, text), form, form.cost)
    return Condition(Predicate(form, values), is_of_moment=compiler.is_of_moment)


def value_of(
    node: Any, schema: Schema | None, params: Sequence[Any], *, excluded: bool = False, moment: datetime | None = None
) -> Callable[[Mapping[str, Any]], Any]:
    """What an expression is for a row; None where it cannot be computed. NOW() is `moment`, or that of the call.

    Raises:
        UsageError: it has a part that is not known.
    """
    compiler = Compiler(schema, params, excluded=excluded, moment=moment)
    function = compiler.function(node)
    values = compiler.values
    return lambda row: function(row, values)


def _exactly(place: Place, values: tuple[Any, ...]) -> Range:
    key = place.key_of(values)
    return key, key + b"\x00"


def _taken(place: Place, name: str, value: Any) -> Any:
    """A value as a key has it; None if no key can have it, or it is NULL."""
    if value is None:
        return None
    try:
        return place.schema.columns[name].type.take(value, name)
    except errors.UsageError:
        return None  # the condition says of each row what it is


def _compared(part: Any, compiler: Compiler) -> list[tuple[str, type]]:
    """The columns and operators of a part of a condition, one for each of its values; none if it is something else."""
    if part.args.get("negate"):
        return []
    if isinstance(part, exp.Between):
        name = compiler.column(part.this)
        is_plain = name is not None and all(compiler.constant(part.args[end])[0] for end in ("low", "high"))
        return [(name, exp.GTE), (name, exp.LTE)] if name is not None and is_plain else []
    top = _top(part, compiler)
    return [] if top is None else [top]


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
