"""What operators of SQL do to values of Python.

Covers:     arithmetic on numbers that are alike and on times, joining texts, CAST, patterns of LIKE.
Not here:   NULL, and what fails (`live.expressions`).
Holds:      patterns that were used, at most `LIVE_PATTERNS_MAX`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlglot import exp

from flatwater import limits
from flatwater.live.intervals import Months, added, subtracted
from flatwater.live.types import EXACT, Type, json_of

NUMBERS: Final = {"SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"}
_NUMBER: Final = int | float | Decimal
_FACTORS: Final = int | float | Decimal | timedelta
_TIMES: Final = date | timedelta | Months


def alike(one: Any, other: Any) -> tuple[Any, Any]:
    """Two numbers that can be computed with: a decimal beside a float becomes one, too."""
    if isinstance(one, bool) or isinstance(other, bool):
        raise TypeError
    if isinstance(one, Decimal) and isinstance(other, float):
        return float(one), other
    if isinstance(one, float) and isinstance(other, Decimal):
        return one, float(other)
    return one, other


def _added(one: Any, other: Any) -> Any:
    if isinstance(one, _TIMES) or isinstance(other, _TIMES):
        return added(one, other)
    return EXACT.add(one, other) if _is_exact(one, other) else one + other


def _subtracted(one: Any, other: Any) -> Any:
    if isinstance(one, _TIMES) or isinstance(other, _TIMES):
        return subtracted(one, other)
    return EXACT.subtract(one, other) if _is_exact(one, other) else one - other


def _multiplied(one: Any, other: Any) -> Any:
    if not isinstance(one, _FACTORS) or not isinstance(other, _FACTORS):  # or a text would be written several times
        raise TypeError
    return EXACT.multiply(one, other) if _is_exact(one, other) else one * other


def _divided(one: Any, other: Any) -> Any:
    if isinstance(one, int) and isinstance(other, int):
        found = abs(one) // abs(other)
        return found if (one < 0) == (other < 0) else -found
    return EXACT.divide(one, other) if _is_exact(one, other) else one / other


def _rest(one: Any, other: Any) -> Any:
    if isinstance(one, int) and isinstance(other, int):
        return one - other * _divided(one, other)
    if not isinstance(one, _NUMBER) or not isinstance(other, _NUMBER):  # a text has a % of its own
        raise TypeError
    return EXACT.remainder(one, other) if _is_exact(one, other) else math.fmod(one, other)


def _is_exact(one: Any, other: Any) -> bool:
    return isinstance(one, Decimal) or isinstance(other, Decimal)


def negated(value: Any) -> Any:
    """A number or an interval with the other sign; a decimal keeps all its digits."""
    return value.copy_negate() if isinstance(value, Decimal) else -value


def absolute(value: Any) -> Any:
    """A number without its sign; a decimal keeps all its digits."""
    return value.copy_abs() if isinstance(value, Decimal) else abs(value)


def _joined(one: Any, other: Any) -> str:
    return text_of(one) + text_of(other)


ACTS: Final[dict[type, Callable[[Any, Any], Any]]] = {
    exp.Add: _added, exp.Sub: _subtracted, exp.Mul: _multiplied, exp.Div: _divided, exp.Mod: _rest, exp.DPipe: _joined,
}  # fmt: skip


def text_of(value: Any) -> str:
    """A value as a text, as the SQL engine writes it.

    Raises:
        UnicodeDecodeError: bytes that are none.
    """
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case float():
            return _float_text(value)
        case bytes():
            return value.decode()
        case datetime():
            digits = (
                "seconds" if not value.microsecond else "microseconds" if value.microsecond % 1_000 else "milliseconds"
            )
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=digits) + "Z"
        case dict() | list():
            return msgspec.json.encode(value).decode()
        case Decimal():
            return f"{value:f}"
        case int() | date() | UUID():
            return str(value)
    raise TypeError


def _float_text(value: float) -> str:
    """Python has signs and zeros in exponents, and one for 0.00001, too."""
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa
    if int(exponent) == -5:  # noqa: PLR2004 - the one that the engine writes out
        return f"{'-' * (value < 0)}0.0000{mantissa.lstrip('-').replace('.', '')}"
    return f"{mantissa}e{int(exponent)}"


def cast(value: Any, kind: Type, of: Type | None = None) -> Any:
    """A value as another type; None stays None.

    Args:
        value: of Python.
        kind: that it shall have.
        of: that it has, where that is known: a text is JSON unless it comes from a column of JSON.

    Raises:
        UsageError: it does not fit.
        ValueError, KeyError, ArithmeticError: it is none of these.
    """
    if value is None:
        return None
    if kind.name == "TEXT":
        return text_of(value)
    if kind.name == "JSON" and isinstance(value, str) and (of is None or of.name != "JSON"):
        return json_of(value, "the cast")
    if kind.name == "BOOLEAN" and isinstance(value, str):
        return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}[value.lower()]
    if kind.name == "DATE" and isinstance(value, datetime):
        return value.astimezone(UTC).date()
    if kind.name in NUMBERS:
        value = _number(value, kind)
    return kind.take(value, "the cast")


def _number(value: Any, kind: Type) -> Any:
    """A value as a number, with as many digits as the type has."""
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, str):
        value = Decimal(value)
    if kind.name in {"SMALLINT", "INT", "BIGINT"} and abs(value) < 1 << 64:  # int() of 1e999999999 has no end
        value = int(value)
    if kind.name == "DECIMAL" and isinstance(value, Decimal) and value.adjusted() < kind.precision:
        value = value.quantize(Decimal(1).scaleb(-kind.scale), ROUND_HALF_UP, EXACT)
    return value


@lru_cache(limits.LIVE_PATTERNS_MAX)
def pattern_of(pattern: str, flags: int) -> re.Pattern[str]:
    """The regular expression of a pattern of LIKE: `%` is any text, `_` any character, a backslash takes the next one as it is."""
    made: list[str] = []
    is_escaped = False
    for character in pattern:
        if is_escaped or character not in "%_\\":
            made.append(re.escape(character))
            is_escaped = False
        elif character == "\\":
            is_escaped = True
        else:
            made.append(".*" if character == "%" else ".")
    if is_escaped:  # nothing follows it: it is itself
        made.append(re.escape("\\"))
    return re.compile("".join(made), flags)
