"""Columns of values: what each is taken to weigh, and how it becomes Arrow.

Covers:     Arrow types from annotations, nested ones too; record batches, and which value does not fit its column.
Not here:   gathering rows (`build.batch`), heap bytes of nested values (`sizing`).
Holds:      nothing; a record batch, and for nested columns their values as dicts, while it is made.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import importlib
import typing
import uuid
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from flatwater import errors, limits
from flatwater.build.checking import InvalidError
from flatwater.build.findings import bare, without_none
from flatwater.build.schemas import MISSING, Field, Schema, Unresolved, read

DECIMAL_DIGITS, DECIMAL_PLACES = 38, 9  # of a Decimal without an Arrow schema: 29 digits before the point
PLACE_BYTES = 9  # a list's pointer, and the eighth that a growing list keeps spare
NUMBER_BYTES = 32  # of a float, as the allocator rounds it
ROUNDING_BYTES = 8  # what the allocator adds to a text or a whole number, on average

_SIMPLE: dict[Any, str] = {
    bool: "bool_", int: "int64", float: "float64", str: "string", bytes: "binary", bytearray: "binary",
    dt.date: "date32", decimal.Decimal: "decimal", uuid.UUID: "string",
    dt.datetime: "timestamp", dt.time: "time", dt.timedelta: "duration",
}  # fmt: skip
_CONVERTED = (uuid.UUID, bytearray)  # which Arrow does not take as they are


class Part(NamedTuple):
    """One field of a struct in a column.

    Attributes:
        name: as it is encoded.
        kind: its Arrow type in words.
        nullable: whether it may be None, or not be there.
        field: of the schema.
        may_be_omitted: whether msgspec leaves it out where it is the default.
    """

    name: str
    kind: tuple[Any, ...]
    nullable: bool
    field: Field
    may_be_omitted: bool

    def default(self) -> Any:
        """A plain one; None where there is none."""
        field = self.field
        value = field.factory() if field.factory is not None else field.default
        return None if value is MISSING else _plain([value])[0]


@final
@dataclass(frozen=True, slots=True)
class Column:
    """One column of a batch.

    Attributes:
        name: of the field.
        scalar: its Python type, where values of it weigh what `sys.getsizeof` says; None for all others.
        kind: its Arrow type in words: a name and what is inside; "infer" where nothing is known.
        nullable: whether None is allowed.
        converted: whether its values must be made plain before Arrow takes them.
        may_omit: whether msgspec leaves out values that are defaults when it does so.
    """

    name: str
    scalar: type | None
    kind: tuple[Any, ...]
    nullable: bool
    converted: bool
    may_omit: bool = False


def columns_of(schema: Schema, *, for_arrow: bool) -> list[Column]:
    """The columns of a schema.

    Raises:
        UsageError: a column has no Arrow type, if that is asked for.
    """
    found = []
    for field in schema.fields:
        hint, nullable = without_none(bare(field.type))
        kind: tuple[Any, ...] = ("infer",)
        converted = False
        if for_arrow:
            kind, converted = _kind(hint, f"{schema.name}.{field.name}", 0)
        scalar = next((each for each in (int, float, bool, str, bytes) if hint is each), None)
        is_open = nullable or field.may_be_absent or kind == ("infer",)
        found.append(Column(field.name, scalar, kind, is_open, converted, _may_omit(kind)))
    return found


def arrow_schema_of(columns: Sequence[Column]) -> Any:
    """Their Arrow schema, those that are to be inferred as null."""
    pa = pyarrow()
    return pa.schema([pa.field(each.name, _arrow(pa, each.kind), each.nullable) for each in columns])


def record_batch(columns: Sequence[Column], values: Sequence[list[Any]], schema: Any) -> Any:
    """A batch of these columns.

    Raises:
        InvalidError: a value does not fit; names every column with one, and the row.
    """
    pa = pyarrow()
    arrays = []
    problems: list[tuple[str, str]] = []
    for column, field, given in zip(columns, schema, values, strict=True):
        try:
            kind = None if column.kind == ("infer",) and field.type == pa.null() else field.type
            plain = _plain(given) if column.converted else given
            if column.may_omit:
                plain = [_filled(column.kind, value) for value in plain]
            array = _array(pa, plain, kind)
            if _has_holes(array, column.kind):  # a dict without a key that has a default, or must be there
                plain = [_filled(column.kind, value) for value in plain]
                array = _array(pa, plain, kind)
                row = next((row for row, value in enumerate(plain) if _hole(column.kind, value)), -1)
                if row >= 0:
                    where = _hole(column.kind, plain[row])
                    problems.append(
                        (
                            column.name,
                            f"row {row}: {where.removeprefix('.')} is not there, or None, which it may not be",
                        )
                    )
                    continue
        except Exception as error:  # noqa: BLE001 - Arrow raises its own, Python's and OverflowError for values that do not fit
            problems.append((column.name, _misfit(pa, column, field.type, given, error)))
            continue
        if array.null_count and not field.nullable:
            problems.append((column.name, f"row {given.index(None)} is None, and the annotation does not allow it"))
        arrays.append(array)
    if problems:
        raise InvalidError("the batch", problems)
    named = [pa.field(field.name, array.type, field.nullable) for field, array in zip(schema, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(named, schema.metadata))


def pyarrow() -> Any:
    """The library.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise errors.MissingExtra("tables", "pyarrow") from error


def _array(pa: Any, values: list[Any], kind: Any) -> Any:
    array = pa.array(values, kind)
    if isinstance(array, pa.ChunkedArray):  # text beyond 2 GiB comes in pieces, which a batch cannot have
        array = pa.array(values, pa.large_string() if pa.types.is_string(array.type) else pa.large_binary())
    return array


def _plain(values: list[Any]) -> Any:
    import msgspec

    kept = (bytes, bytearray, dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal)
    return msgspec.to_builtins(values, builtin_types=kept)


def _misfit(pa: Any, column: Column, kind: Any, values: list[Any], error: Exception) -> str:
    """Which row it was."""
    for row, value in enumerate(values):
        try:
            pa.array(_plain([value]) if column.converted else [value], None if kind == pa.null() else kind)
        except Exception as why:  # noqa: BLE001 - as above
            return f"row {row}: {str(why).splitlines()[0] if str(why) else type(why).__name__}"
    return str(error).splitlines()[0]  # each fits by itself, and not all of them together


def _kind(hint: Any, where: str, depth: int) -> tuple[tuple[Any, ...], bool]:
    """Its Arrow type in words, and whether values must be made plain."""
    hint = bare(hint)
    hint, _nullable = without_none(hint)
    if isinstance(hint, Unresolved):
        hint.refuse()
    if hint is Any or hint is object or isinstance(hint, typing.TypeVar):
        return ("infer",), False
    if depth > limits.BUILD_NESTED_MAX:
        raise errors.UsageError(
            f"{where} is nested more than {limits.BUILD_NESTED_MAX} deep, or within itself.", hint=_OVERRIDE
        )
    if hint in _SIMPLE:
        return (_SIMPLE[hint],), hint in _CONVERTED
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal or (isinstance(hint, type) and issubclass(hint, enum.Enum)):
        members = arguments or tuple(member.value for member in hint)
        kinds = {type(member) for member in members if member is not None}
        if len(kinds) == 1 and kinds <= {str, int, bool, float}:
            return (_SIMPLE[kinds.pop()],), origin is not typing.Literal
    nested = _nested(hint, where, depth)
    if nested is not None:
        return nested
    raise errors.UsageError(f"{where}: {hint} has no Arrow type.", hint=_OVERRIDE)


def _nested(hint: Any, where: str, depth: int) -> tuple[tuple[Any, ...], bool] | None:
    """The same for maps, lists and structs; None for all else."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    outer = origin or hint
    if isinstance(outer, type):
        if issubclass(outer, Mapping) and not typing.is_typeddict(hint) and len(arguments) == 2:  # noqa: PLR2004 - keys, values
            (key, one), (value, other) = (_kind(part, where, depth + 1) for part in arguments)
            return ("map", key, value), one or other
        is_list = issubclass(outer, (Sequence, AbstractSet)) and not hasattr(outer, "_fields")
        if is_list and arguments and (outer is not tuple or len({*arguments} - {...}) == 1):
            inner, converted = _kind(arguments[0], where, depth + 1)
            return ("list", inner), converted or not issubclass(outer, (list, tuple))
        if typing.is_typeddict(hint) or hasattr(outer, "__struct_fields__") or hasattr(outer, "__dataclass_fields__"):
            return _struct(hint, where, depth)
    return None


_OVERRIDE = 'Pass arrow_schema=, or take rows with as_="rows".'


def _struct(hint: Any, where: str, depth: int) -> tuple[tuple[Any, ...], bool]:
    renamed = getattr(typing.get_origin(hint) or hint, "__struct_encode_fields__", None)
    parts = []
    fields = read(hint).fields
    config = getattr(typing.get_origin(hint) or hint, "__struct_config__", None)
    if config and config.array_like:
        raise errors.UsageError(f"{where}: {hint} is array_like, which has no Arrow type.", hint=_OVERRIDE)
    for field, name in zip(fields, renamed or [field.name for field in fields], strict=True):
        inner, _converted = _kind(field.type, f"{where}.{field.name}", depth + 1)
        _bare_type, nullable = without_none(bare(field.type))
        is_open = nullable or field.may_be_absent or inner == ("infer",)
        parts.append(Part(name, inner, is_open, field, bool(config and config.omit_defaults)))
    return ("struct", *parts), True


def _may_omit(kind: tuple[Any, ...]) -> bool:
    if kind[0] == "struct":
        return any(part.may_be_omitted or _may_omit(part.kind) for part in kind[1:])
    return any(isinstance(inner, tuple) and _may_omit(inner) for inner in kind[1:])


def _has_holes(array: Any, kind: tuple[Any, ...]) -> bool:
    """Whether a field of a struct, at any depth, is null that may not be. Looks at columns, and not at values."""
    if kind[0] == "list":
        return _has_holes(array.flatten(), kind[1])
    if kind[0] == "map":
        return _has_holes(array.items, kind[2])
    if kind[0] != "struct":
        return False
    for number, part in enumerate(kind[1:]):
        child = array.field(number)
        if not part.nullable and child.null_count and (not array.null_count or _null_below(child, array)):
            return True
        if _has_holes(child, part.kind):
            return True
    return False


def _null_below(child: Any, array: Any) -> bool:
    """Whether a field is null in a struct that is not."""
    compute = importlib.import_module("pyarrow.compute")
    return bool(compute.any(compute.and_(child.is_null(), array.is_valid())).as_py())


def _filled(kind: tuple[Any, ...], value: Any) -> Any:
    """The same value with the defaults of what is left out."""
    if kind[0] == "struct" and isinstance(value, dict):
        return {
            part.name: _filled(part.kind, value[part.name] if part.name in value else part.default())
            for part in kind[1:]
        }
    if kind[0] == "list" and isinstance(value, (list, tuple)):
        return [_filled(kind[1], each) for each in value]
    if kind[0] == "map" and isinstance(value, dict):
        return {key: _filled(kind[2], each) for key, each in value.items()}
    return value


def _hole(kind: tuple[Any, ...], value: Any) -> str:
    """Where a value lacks what it must have; nothing where it lacks nothing."""
    inner: Iterable[tuple[str, tuple[Any, ...], Any]] = ()
    if kind[0] == "struct" and isinstance(value, dict):
        absent = next((part.name for part in kind[1:] if value.get(part.name) is None and not part.nullable), "")
        if absent:
            return f".{absent}"
        inner = ((f".{part.name}", part.kind, value.get(part.name)) for part in kind[1:])
    elif kind[0] == "list" and isinstance(value, (list, tuple)):
        inner = ((f"[{number}]", kind[1], each) for number, each in enumerate(value))
    elif kind[0] == "map" and isinstance(value, dict):
        inner = ((f"[{key!r}]", kind[2], each) for key, each in value.items())
    for step, kind_of_part, part_value in inner:
        found = _hole(kind_of_part, part_value)
        if found:
            return step + found
    return ""


def _arrow(pa: Any, kind: tuple[Any, ...]) -> Any:
    name = kind[0]
    if name == "list":
        return pa.list_(_arrow(pa, kind[1]))
    if name == "map":
        return pa.map_(_arrow(pa, kind[1]), _arrow(pa, kind[2]))
    if name == "struct":
        return pa.struct([(part.name, _arrow(pa, part.kind)) for part in kind[1:]])
    special = {
        "infer": pa.null, "timestamp": lambda: pa.timestamp("us"), "time": lambda: pa.time64("us"),
        "duration": lambda: pa.duration("us"), "decimal": lambda: pa.decimal128(DECIMAL_DIGITS, DECIMAL_PLACES),
    }  # fmt: skip
    return special[name]() if name in special else getattr(pa, name)()
