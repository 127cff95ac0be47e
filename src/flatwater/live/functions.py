"""Functions of SQL on values of Python: what they make of texts and numbers, as the SQL engine does.

Covers:     CONCAT, REPLACE, SUBSTRING, LEFT, RIGHT, TRIM, STRPOS, STARTS_WITH, ROUND, FLOOR, CEIL, GREATEST, LEAST.
Not here:   operators and casts (`live.operators`), NULL and what fails (`live.expressions`), those of the engine (`live.allowed`).
Holds:      nothing.

What an argument is has to be known from the statement, since the engine chooses by it: others are left to the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any, Final, NamedTuple

from sqlglot import exp

from flatwater import limits
from flatwater.live.operators import alike, text_of
from flatwater.live.types import EXACT

Families = Callable[[Any], str | None]

_MADE: Final[dict[str, tuple[type, ...]]] = {  # nodes that are of one family, whatever is in them
    "TEXT": (exp.DPipe, exp.Lower, exp.Upper, exp.Trim, exp.Concat, exp.Replace, exp.Substring, exp.Left, exp.Right),
    "number": (exp.Length, exp.StrPosition, exp.Round, exp.Floor, exp.Ceil),
    "BOOLEAN": (exp.StartsWith, exp.And, exp.Or, exp.Not, exp.Predicate),
}
_ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_INNER: Final = (exp.Abs, exp.Greatest, exp.Least, exp.Coalesce, exp.Nullif)
_TIMES: Final = {"DATE", "TIMESTAMP"}
_JOINED: Final = {"TEXT", "BOOLEAN", "number", "TIMESTAMP", "DATE", "NULL"}
_ARGS: Final[dict[type, tuple[str, ...]]] = {  # of each, in their order
    exp.Concat: ("expressions",), exp.Replace: ("this", "expression", "replacement"), exp.Substring: ("this", "start", "length"),
    exp.Left: ("this", "expression"), exp.Right: ("this", "expression"), exp.Trim: ("this", "expression"), exp.StrPosition: ("this", "substr"),
    exp.StartsWith: ("this", "expression"), exp.Round: ("this", "decimals"), exp.Floor: ("this",), exp.Ceil: ("this",),
    exp.Greatest: ("this", "expressions"), exp.Least: ("this", "expressions"),
}  # fmt: skip
_FLAGS: Final = {"safe", "coalesce", "ignore_nulls", "position"}  # that say no more than PostgreSQL's own function does


class Call(NamedTuple):
    """A function that is known.

    Attributes:
        act: what it does to values; to NULL only where `takes_null`.
        args: nodes of these.
        takes_null: NULL is left out of what it joins or compares, and does not make a NULL of it.
    """

    act: Callable[..., Any]
    args: list[Any]
    takes_null: bool = False


def call_of(node: Any, family_of: Families) -> Call | None:
    """The function that a node is; None if it is none of these, or its arguments are not known to be what it takes."""
    kind = type(node)
    names = _ARGS.get(kind)
    if names is None or any(value for name, value in node.args.items() if name not in names and name not in _FLAGS):
        return None
    args: list[Any] = []
    for name in names:
        value = node.args.get(name)
        args += value if isinstance(value, list) else [] if value is None else [value]
    families = [family_of(each) for each in args]
    if kind in {exp.Greatest, exp.Least}:
        found = set(families) - {"NULL"}
        is_known = len(found) == 1 and found <= {"TEXT", "number", "TIMESTAMP", "DATE"}
        return Call(partial(_chosen, max if kind is exp.Greatest else min), args, takes_null=True) if is_known else None
    if kind is exp.Concat:
        return Call(_joined, args, takes_null=True) if set(families) <= _JOINED else None
    taken = _TAKEN[kind]
    if any(given not in {wanted, "NULL"} for given, wanted in zip(families, taken, strict=False)):
        return None
    if kind is exp.Trim:
        return Call(_TRIMMED.get(str(node.args.get("position") or "BOTH").upper(), str.strip), _with_space(args))
    return Call(_ACTS[kind], args)


def family_of(node: Any, inner: Families) -> str | None:
    """Of what a function or an operator gives: TEXT, number, BOOLEAN, or that of what is in it; None: it is not known."""
    for family, nodes in _MADE.items():
        if isinstance(node, nodes):
            return family
    if isinstance(node, _ARITHMETIC):
        return _computed(type(node), inner(node.this), inner(node.expression))
    if isinstance(node, _INNER):
        found = {inner(each) for each in node.iter_expressions()} - {"NULL"}
        return found.pop() if len(found) == 1 else None
    if isinstance(node, exp.Case):
        parts = [each.args["true"] for each in node.args["ifs"]]
        parts += [node.args["default"]] if node.args.get("default") else []
        found = {inner(each) for each in parts} - {"NULL"}
        return found.pop() if len(found) == 1 else None
    if isinstance(node, exp.Paren | exp.Neg):
        return inner(node.this)
    return None


def _computed(kind: type, one: str | None, other: str | None) -> str | None:
    """The family of what an operator makes of two."""
    both = {one, other} - {"NULL"}
    if both <= {"number"}:
        return "number" if both else "NULL"
    if kind in {exp.Add, exp.Sub} and "INTERVAL" in both and len(both) == 2 and both & _TIMES:  # noqa: PLR2004 - it and a time
        return "TIMESTAMP"
    if kind in {exp.Add, exp.Sub} and both == {"DATE", "number"}:
        return "DATE"
    if kind is exp.Sub and both <= _TIMES:
        return "number" if both == {"DATE"} else "INTERVAL"
    return "INTERVAL" if both <= {"INTERVAL", "number"} else None


# --- texts ------------------------------------------------------------------------------------------------------------


def _joined(*values: Any) -> str:
    return "".join(text_of(each) for each in values if each is not None)


def _replaced(text: str, old: str, new: str) -> str:
    if not old:
        return text
    if len(text) + text.count(old) * (len(new) - len(old)) > limits.LIVE_TEXT_MADE_MAX:
        raise OverflowError
    return text.replace(old, new)


def _part(text: str, start: int, length: int | None = None) -> str:
    if length is None:
        return text[max(start - 1, 0) :]
    if length < 0:
        raise ValueError
    return text[max(start - 1, 0) : max(start - 1 + length, 0)]


def _left(text: str, count: int) -> str:
    return text[:count]


def _right(text: str, count: int) -> str:
    return text[max(len(text) - count, 0) :] if count >= 0 else text[-count:]


def _place(text: str, wanted: str) -> int:
    return text.find(wanted) + 1


def _with_space(args: list[Any]) -> list[Any]:
    return args if len(args) > 1 else [*args, exp.Literal.string(" ")]


# --- numbers ----------------------------------------------------------------------------------------------------------


def _rounded(value: Any, digits: int = 0) -> Any:
    """Half is away from zero."""
    if isinstance(value, float):
        scale = 10.0**digits
        scaled = abs(value) * scale
        if not math.isfinite(scaled) or not scale:
            return value
        return math.copysign((math.floor(scaled) + (scaled % 1 >= 0.5)) / scale, value)  # noqa: PLR2004 - half
    if isinstance(value, int) and digits >= 0:
        return value
    found = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, EXACT)
    return int(found) if isinstance(value, int) else found


def _floor(value: Any) -> Any:
    return value.to_integral_value(ROUND_FLOOR, EXACT) if isinstance(value, Decimal) else float(math.floor(value))


def _ceil(value: Any) -> Any:
    return value.to_integral_value(ROUND_CEILING, EXACT) if isinstance(value, Decimal) else float(math.ceil(value))


def _chosen(choose: Callable[[Any], Any], *values: Any) -> Any:
    """The largest or smallest, as a value of the type that all of them fit into."""
    there = [each for each in values if each is not None]
    if not there:
        return None
    found = choose(there)
    for each in there:
        if isinstance(each, float | Decimal):
            found = alike(found, each)[0]
            found = type(each)(found) if isinstance(found, int) else found
    return found


_TAKEN: Final[dict[type, tuple[str, ...]]] = {  # families of the arguments
    exp.Replace: ("TEXT", "TEXT", "TEXT"), exp.Substring: ("TEXT", "number", "number"), exp.Left: ("TEXT", "number"),
    exp.Right: ("TEXT", "number"), exp.Trim: ("TEXT", "TEXT"), exp.StrPosition: ("TEXT", "TEXT"), exp.StartsWith: ("TEXT", "TEXT"),
    exp.Round: ("number", "number"), exp.Floor: ("number",), exp.Ceil: ("number",),
}  # fmt: skip
_ACTS: Final[dict[type, Callable[..., Any]]] = {
    exp.Replace: _replaced, exp.Substring: _part, exp.Left: _left, exp.Right: _right, exp.StrPosition: _place,
    exp.StartsWith: str.startswith, exp.Round: _rounded, exp.Floor: _floor, exp.Ceil: _ceil,
}  # fmt: skip
_TRIMMED: Final[dict[str, Callable[[str, str], str]]] = {
    "BOTH": str.strip, "LEADING": str.lstrip, "TRAILING": str.rstrip,
}  # fmt: skip
