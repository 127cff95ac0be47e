"""Types of columns: what Python, JSON and Arrow make of each.

Covers:     the types by their SQL names, values that fit them, how they stand in the JSON of a row.
Not here:   which columns a table has (`live.schema`), what SQL may do with them (`live.expressions`, `live.engine`).
Holds:      nothing.
"""

from __future__ import annotations

import base64
import binascii
import math
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import msgspec

from flatwater import errors, limits

if TYPE_CHECKING:
    from sqlglot import exp

EXACT = Context(
    prec=2 * limits.LIVE_DECIMAL_DIGITS_MAX + 2,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)  # of decimals: a sum or product of two with all their digits is exact, whatever the thread's own context is
_INTEGERS = {"SMALLINT": 16, "INT": 32, "BIGINT": 64}
_FLOATS = {"FLOAT": 32, "DOUBLE": 64}
_PYTHON: dict[str, Any] = {
    "BOOLEAN": bool,
    "SMALLINT": int,
    "INT": int,
    "BIGINT": int,
    "FLOAT": float,
    "DOUBLE": float,
    "DECIMAL": Decimal,
    "TEXT": str,
    "BYTES": bytes,
    "DATE": date,
    "TIMESTAMP": datetime,
    "UUID": UUID,
    "JSON": Any,
}
_SQL = {  # names that sqlglot knows, and ours
    "BOOLEAN": "BOOLEAN", "SMALLINT": "SMALLINT", "TINYINT": "SMALLINT", "INT": "INT", "BIGINT": "BIGINT",
    "FLOAT": "FLOAT", "DOUBLE": "DOUBLE", "DECIMAL": "DECIMAL", "TEXT": "TEXT", "VARCHAR": "TEXT", "CHAR": "TEXT",
    "BPCHAR": "TEXT", "NCHAR": "TEXT", "NVARCHAR": "TEXT", "VARBINARY": "BYTES", "BINARY": "BYTES", "BLOB": "BYTES",
    "DATE": "DATE", "TIMESTAMP": "TIMESTAMP", "TIMESTAMPTZ": "TIMESTAMP", "DATETIME": "TIMESTAMP", "UUID": "UUID",
    "JSON": "JSON", "JSONB": "JSON",
}  # fmt: skip
_VALUES = (bool, int, float, Decimal, str, bytes, bytearray, memoryview, date, UUID, dict, list, tuple)
POSSIBLE = "A value is a bool, int, float, Decimal, str, bytes, date, datetime, UUID or None, and what JSON has."
KEYS = frozenset({"BOOLEAN", "SMALLINT", "INT", "BIGINT", "TEXT", "BYTES", "TIMESTAMP", "UUID"})  # of a primary key


class Type(NamedTuple):
    """The type of a column.

    Attributes:
        name: BOOLEAN, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL, TEXT, BYTES, DATE, TIMESTAMP, UUID or JSON.
        precision: digits of a DECIMAL; 0 for others.
        scale: of these, how many stand behind the point.
    """

    name: str
    precision: int = 0
    scale: int = 0

    @classmethod
    def of(cls, kind: exp.DataType) -> Type:
        """What a column definition names.

        Raises:
            UsageError: there is no such type.
        """
        name = _SQL.get(kind.this.name) if hasattr(kind.this, "name") else None
        if str(kind.args.get("kind")).upper() == "BYTES":  # which PostgreSQL does not have
            name = "BYTES"
        if name is None or (name != "DECIMAL" and kind.args.get("nested")):
            raise errors.UsageError(
                f"{kind.sql()} is no type of a column.",
                hint=f"Take one of {', '.join(_PYTHON)}.".replace("FLOAT", "REAL"),
            )
        if name != "DECIMAL":
            return cls(name)
        written = [part.name for part in kind.expressions]
        if any(not digits.isdecimal() or len(digits) > len(str(limits.LIVE_DECIMAL_DIGITS_MAX)) for digits in written):
            raise errors.UsageError(
                f"{kind.sql():.80} is no type of a column.", hint="Write DECIMAL(digits, digits behind the point)."
            )
        given = [int(digits) for digits in written] or [18]
        precision, scale = given[0], given[1] if len(given) > 1 else 0
        if not 0 <= scale <= precision <= limits.LIVE_DECIMAL_DIGITS_MAX or not precision:
            raise errors.UsageError(
                f"{kind.sql()} is no type of a column.",
                hint=f"A DECIMAL has from 1 to {limits.LIVE_DECIMAL_DIGITS_MAX} digits, of which no more are behind the point.",
            )
        return cls("DECIMAL", precision, scale)

    def __str__(self) -> str:
        if self.name == "FLOAT":
            return "REAL"  # FLOAT is double precision in SQL
        return f"DECIMAL({self.precision}, {self.scale})" if self.precision else self.name

    @property
    def python(self) -> Any:
        """What rows have in this column: bool, int, float, Decimal, str, bytes, date, datetime (UTC), UUID, or any JSON."""
        return _PYTHON[self.name]

    def arrow(self) -> Any:
        """The pyarrow.DataType of the column; UUID and JSON are texts there."""
        import pyarrow as pa

        if self.name == "DECIMAL":
            return pa.decimal128(self.precision, self.scale)
        return {
            "BOOLEAN": pa.bool_(),
            "SMALLINT": pa.int16(),
            "INT": pa.int32(),
            "BIGINT": pa.int64(),
            "FLOAT": pa.float32(),
            "DOUBLE": pa.float64(),
            "TEXT": pa.string(),
            "BYTES": pa.binary(),
            "DATE": pa.date32(),
            "TIMESTAMP": pa.timestamp("us", tz="UTC"),
            "UUID": pa.string(),
            "JSON": pa.string(),
        }[self.name]

    def take(self, value: Any, column: str) -> Any:
        """`value` as the column has it; None stays None.

        Texts are read as dates, times, UUIDs, decimals and (base64) bytes where the column is one of these.

        Raises:
            UsageError: it does not fit.
        """
        if value is None:
            return None
        try:
            return _TAKE[self.name](value, self)
        except (ValueError, TypeError, OverflowError, InvalidOperation, RecursionError, binascii.Error) as error:
            raise errors.UsageError(
                f"{_shown(value)} does not fit into {column!r}, which is {self}: {error}.",
                hint=f"ROUND(..., {self.scale}) rounds it."
                if "behind the point" in str(error)
                else ""
                if self.name == "JSON" or isinstance(value, _VALUES)
                else POSSIBLE,
            ) from None


def _shown(value: object) -> str:
    try:
        return f"{value!r:.80}"
    except (ValueError, RecursionError, TypeError):
        return f"a {type(value).__name__}"


def _boolean(value: Any, _type: Type) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"it is {type(value).__name__}")


def _integer(value: Any, kind: Type) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(f"it is {type(value).__name__}")
    half = 1 << (_INTEGERS[kind.name] - 1)
    if not -half <= value < half:  # asked first: int() of 1e999999999 has no end
        raise ValueError(f"it is not from {-half} to {half - 1}")
    if value != int(value):
        raise TypeError(f"it is {type(value).__name__}")
    return int(value)


def _float(value: Any, kind: Type) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(f"it is {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("JSON has no such number")
    if _FLOATS[kind.name] == 32:  # noqa: PLR2004 - bits
        import struct

        number = struct.unpack("f", struct.pack("f", number))[0]
        if not math.isfinite(number):
            raise ValueError("it is beyond what 32 bits hold")
    return number


def _decimal(value: Any, kind: Type) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TypeError(f"it is {type(value).__name__}")
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError("it is no number") from None
    if not number.is_finite():
        raise ValueError("it is no number")
    if number and number.adjusted() >= kind.precision - kind.scale:
        raise ValueError(f"it has more than {kind.precision - kind.scale} digits in front of the point")
    rounded = number.quantize(Decimal(1).scaleb(-kind.scale), context=EXACT)
    if rounded != number:
        raise ValueError(f"it has more than {kind.scale} digits behind the point")
    return rounded


def _text(value: Any, _type: Type) -> str:
    if not isinstance(value, str):
        raise TypeError(f"it is {type(value).__name__}")
    value.encode()  # a surrogate alone is no text
    return str(value)


def _bytes(value: Any, _type: Type) -> bytes:
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise TypeError(f"it is {type(value).__name__}")


def _date(value: Any, _type: Type) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise TypeError(f"it is {type(value).__name__}")


def _timestamp(value: Any, _type: Type) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            raise TypeError(f"it is {type(value).__name__}")
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    moment: datetime = value
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _uuid(value: Any, _type: Type) -> UUID:
    return value if isinstance(value, UUID) else UUID(_text(value, _type))


def json_of(text: str, where: str) -> Any:
    """What a text of JSON says.

    Raises:
        UsageError: it is none.
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise errors.UsageError(
            f"{text!r:.80} of {where} is no JSON: {error}.",
            hint="Write it as '{\"a\": 1}' or '\"text\"', or pass the value as a parameter.",
        ) from None


def json_in(value: Any) -> Any:
    """What a text says where it is one of JSON; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return value


def _json(value: Any, _type: Type) -> Any:
    if not _is_finite(value):
        raise ValueError("JSON has no such number")
    return msgspec.json.decode(msgspec.json.encode(value))


def _is_finite(value: Any) -> bool:
    """Whether all numbers in it have a form in JSON: infinity and NaN would become null."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    return not isinstance(value, list | tuple) or all(map(_is_finite, value))


_TAKE = {
    "BOOLEAN": _boolean, "SMALLINT": _integer, "INT": _integer, "BIGINT": _integer, "FLOAT": _float, "DOUBLE": _float,
    "DECIMAL": _decimal, "TEXT": _text, "BYTES": _bytes, "DATE": _date, "TIMESTAMP": _timestamp, "UUID": _uuid, "JSON": _json,
}  # fmt: skip

assert _TAKE.keys() == _PYTHON.keys()
assert set(_SQL.values()) == set(_PYTHON)
