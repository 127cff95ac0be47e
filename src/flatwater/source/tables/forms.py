"""What a row becomes: a tuple, a dict, an object of a class, and how many bytes it takes on the way.

Covers:     which columns are asked for, code generated for them that makes rows and weighs them one by one.
Not here:   record batches (`tables.arrow`), what a value becomes (`tables.convert`), reading (`tables.reading`).
Holds:      the generated function.

A row is weighed before it is made: what can be of any size is asked for it (`__sizeof__`), all else counts at a constant,
learned from the first row. So a batch ends in front of the row that would not fit, however wide it is.

The generated text has column numbers and nothing else of the user's: names and classes go in as values.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from flatwater import errors
from flatwater.build import schemas
from flatwater.sizing import heap_bytes
from flatwater.sizing.objects import children_of, own_bytes
from flatwater.source.tables import convert
from flatwater.source.tables.order import check_columns
from flatwater.source.tables.shape import Dialect, Shape

BASE_BYTES = 400  # of a row before one was seen
_FIXED_BYTES = {  # heap bytes of values whose type tells their size
    "smallint": 32, "integer": 32, "int": 32, "bigint": 32, "mediumint": 32, "tinyint": 32, "year": 32, "oid": 32,
    "tiny": 32, "short": 32, "int24": 32, "intint": 32,
    "real": 32, "float": 32, "double": 32, "double precision": 32, "boolean": 16, "bool": 16,
    "date": 48, "datetime": 64, "timestamp": 64, "time": 64, "timestamp without time zone": 64,
    "timestamp with time zone": 64, "time without time zone": 64, "time with time zone": 64,
}  # fmt: skip
_UUID_BYTES = 128
_FLAT = ("text", "character varying", "character", "varchar", "char", "bytea", "name", "citext", "numeric", "string")
_ROUNDING_BYTES = 16  # what an allocator adds to a value, at most
_SLOT_BYTES = 8  # of the list that points to the row
_BLAMED = (ValueError, TypeError, ArithmeticError, msgspec.MsgspecError)

Row = Sequence[Any]
Collect = Callable[[Iterable[Row], list[Any], int, int], tuple[int, Row | None, bool]]


class RowRefused(errors.BrokenError):
    """A value of a row is not what the class wants; names the row's key, the column and the value."""


class Form(NamedTuple):
    """How rows are made.

    Attributes:
        columns: asked for; those of the order that the rows do not carry come last.
        collect: takes raw rows until the room is used up: see `_SOURCE`.
        base_bytes: learns from a row what the others take besides the values that are asked.
        key_at: where in a raw row the columns of the order stand.
        made_key: reads the raw key off a row that was made; None where it is not in it as the database has it.
    """

    columns: tuple[str, ...]
    collect: Collect
    base_bytes: Callable[[object], int]
    key_at: tuple[int, ...]
    made_key: Callable[[Any], tuple[object, ...]] | None


def form_of(as_: Any, shape: Shape, order: Sequence[str], dialect: Dialect, only: Sequence[str] | None = None) -> Form:
    """The form of rows.

    Args:
        as_: `dict`, `tuple`, or a class: dataclass, msgspec.Struct, TypedDict, NamedTuple, pydantic model, annotated class.
        shape: of the table.
        order: columns that a pass goes by.
        dialect: of the database.
        only: columns of a dict or tuple; None for all.

    Raises:
        UsageError: the class wants columns that there are not, or is none.
    """
    if as_ in (dict, tuple):
        names = tuple(only) if only is not None else shape.names
        check_columns(names, shape.names, what="columns")
        fields: list[tuple[str, convert.Converter | None]] = [(name, None) for name in names]
        return _form(_Making(fields, [], _mapping(len(names)), {}, as_), shape, order, dialect)
    return _form(_class_making(as_, shape, dialect), shape, order, dialect)


def single_form(name: str, shape: Shape, order: Sequence[str], dialect: Dialect) -> Form:
    """Rows that are one bare value each."""
    check_columns([name], shape.names, what="columns")
    return _form(_Making([(name, None)], [], "v0", {}, object), shape, order, dialect)


# Takes rows until one does not fit: (bytes taken, the last row taken, whether one did not fit).
_SOURCE = """
def make({arguments}):
    def collect(rows, out, room, base):
        append = out.append
        used = 0
        last = row = None
        try:
            for row in rows:
                {unpack}, = row
                need = base{sizes}
                if used + need > room and (last is not None or out):
                    return used, last, True
                {statements}
                append({made})
                used += need
                last = row
        except passed:
            raise
        except blamed as error:
            raise blame(row, last, error) from error
        return used, last, False
    return collect
"""
_INDENT = f"\n{' ' * 16}"


class _Making(NamedTuple):
    """How one row is made: what is converted, what is done before, the expression, and the names in both."""

    fields: list[tuple[str, convert.Converter | None]]
    before: list[str]
    made: str
    values: dict[str, Any]
    kind: Any


def _form(making: _Making, shape: Shape, order: Sequence[str], dialect: Dialect) -> Form:
    names = [name for name, _ in making.fields]
    hidden = [name for name in order if name not in names]
    columns = (*names, *hidden)
    types = {column.name: column.type for column in shape.columns}
    marks = [f"v{at}" for at in range(len(columns))]
    values = {**making.values, **{f"n{at}": name for at, name in enumerate(columns)}}
    sizes, fixed_bytes, statements = [], 0, []
    for at, name in enumerate(columns):
        by = making.fields[at][1] if at < len(names) else None
        weight = _weight(types[name], by, dialect, is_key=shape.key == (name,))
        fixed_bytes += weight if isinstance(weight, int) else _ROUNDING_BYTES
        if isinstance(weight, str):
            sizes.append(weight.format(at=at))
        if by is not None:
            values[f"c{at}"] = by
            statements.append(f"if v{at} is not None: v{at} = c{at}(v{at})")
    made = making.made
    if making.kind is tuple:
        kept = "".join(f"{mark}, " for mark in marks[: len(names)])
        made = "row" if not hidden and not statements else f"({kept})"
    values.update(
        weigh=heap_bytes, passed=errors.FlatwaterError, blamed=_BLAMED, blame=_Blame(columns, making.fields, order)
    )
    text = _SOURCE.format(
        arguments=", ".join(values),
        unpack=", ".join(marks),
        sizes="".join(f" + {size}" for size in sizes),
        statements=_INDENT.join([*statements, *making.before]) or "pass",
        made=made,
    )
    scope: dict[str, Any] = {}
    exec(compile(text, "<flatwater rows>", "exec"), scope)  # noqa: S102 - numbers of columns and nothing else

    def base_bytes(row: object) -> int:
        own = 0 if making.kind is object else round(own_bytes(row, children_of(row)[0]))
        return own + fixed_bytes + _SLOT_BYTES

    converted = {name for name, by in making.fields if by is not None}
    readable = not hidden and not converted.intersection(order)
    key_of = _key_reader(making.kind, names, order) if readable else None
    return Form(columns, scope["make"](**values), base_bytes, tuple(columns.index(name) for name in order), key_of)


def _weight(declared: str, by: convert.Converter | None, dialect: Dialect, *, is_key: bool) -> str | int:
    """What tells a value's size: an expression, or the bytes that its type says."""
    if dialect.name == "sqlite" and "object" not in declared:
        # It takes any value in any column, but for the row's own number; longer text is no date.
        if (is_key and declared == "integer") or by in convert.DATES:
            return _FIXED_BYTES["datetime"]
        return "v{at}.__sizeof__()"
    bare = bare_type(declared)
    if bare in _FIXED_BYTES:
        return _FIXED_BYTES[bare]
    if dialect.name == "postgresql":
        if bare == "uuid":
            return _UUID_BYTES
        return "v{at}.__sizeof__()" if bare in _FLAT else "weigh(v{at})"
    return "weigh(v{at})" if "object" in declared else "v{at}.__sizeof__()"


def bare_type(declared: str) -> str:
    """A type without its length and sign.

    >>> bare_type("smallint(5) unsigned"), bare_type("timestamp(3) without time zone")
    ('smallint', 'timestamp without time zone')
    """
    words = re.sub(r"\([^)]*\)", "", declared).split()
    return " ".join(word for word in words if word not in ("unsigned", "signed", "zerofill"))


class _Blame:
    """Finds the column that a row failed for."""

    def __init__(
        self, columns: tuple[str, ...], fields: list[tuple[str, convert.Converter | None]], order: Sequence[str]
    ) -> None:
        self.columns = columns
        self.fields = fields
        self.order = order

    def __call__(self, row: Row | None, last: Row | None, error: Exception) -> Exception:
        if row is last or row is None:  # there is no row at hand: the driver could not make one
            behind = "the first row" if last is None else f"the row behind {self._place(last)}"
            return RowRefused(f"{behind} cannot be read: {_cut(error)}.", hint="Cast the column in a SELECT.")
        where = self._place(row)
        for at, (name, by) in enumerate(self.fields):
            if by is None or row[at] is None:
                continue
            try:
                by(row[at])
            except Exception as reason:  # noqa: BLE001 - whatever a type says of a value
                return RowRefused(f"row {where}: {name}: {_shown(row[at])} is refused: {_cut(reason)}.")
        return RowRefused(f"row {where} is refused: {_cut(error)}.")

    def _place(self, row: Row) -> str:
        return ", ".join(f"{name}={_shown(row[self.columns.index(name)])}" for name in self.order)


def _cut(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".") if len(text) <= 200 else f"{text[:200]}..."  # noqa: PLR2004 - two lines of a message


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."  # noqa: PLR2004 - a line of a message


def _key_reader(kind: Any, names: list[str], order: Sequence[str]) -> Callable[[Any], tuple[object, ...]]:
    if kind is tuple:
        places = [names.index(name) for name in order]
        return lambda row: tuple(row[at] for at in places)
    if kind is dict:
        return lambda row: tuple(row[name] for name in order)
    if kind is object:
        return lambda row: (row,)
    return lambda row: tuple(getattr(row, name) for name in order)


def _mapping(count: int) -> str:
    return "{" + ", ".join(f"n{at}: v{at}" for at in range(count)) + "}"


def _class_making(cls: Any, shape: Shape, dialect: Dialect) -> _Making:
    """The fields of a class that the table has, and how an object is made of them."""
    schema, wanted = _read(cls)
    check_columns([field.name for field in wanted if field.required], shape.names, what=f"as_={schema.name}")
    have = [field for field in wanted if field.name in shape.names]
    fields = [
        (
            field.name,
            None if schema.checks_itself else convert.converter(convert.plain_type(field.hint)[0], dialect),
        )
        for field in have
    ]
    values: dict[str, Any] = {"cls": cls}
    marks = ", ".join(f"v{at}" for at in range(len(have)))
    whole = len(have) == len(wanted) and not any(field.keyword_only for field in wanted)
    if schema.kind == "dict":
        return _Making(fields, [], _mapping(len(have)), values, dict)
    if schema.kind == "keywords" and hasattr(cls, "model_validate"):
        return _Making(fields, [], f"validate({_mapping(len(have))})", {"validate": cls.model_validate}, cls)
    if issubclass(cls, tuple) and whole and not _has_own_new(cls):
        return _Making(fields, [], f"new(cls, ({marks},))", {**values, "new": tuple.__new__}, cls)
    if (schema.kind == "assign" or (whole and schema.kind == "fill")) and all(_is_safe(field.name) for field in have):
        # As its own __init__ would: an object, and its fields, but without a call for each.
        sets = [f"o.{field.name} = v{at}" for at, field in enumerate(have)]
        return _Making(fields, ["o = new(cls)", *sets], "o", {**values, "new": object.__new__}, cls)
    return _Making(fields, [], f"cls({marks})" if whole else f"cls(**{_mapping(len(have))})", values, cls)


class Wanted(NamedTuple):
    """A field of a class, by the name that its constructor takes."""

    name: str
    hint: object
    required: bool
    keyword_only: bool


def _read(cls: Any) -> tuple[schemas.Schema, list[Wanted]]:
    """The schema of a class, and what it wants.

    Raises:
        UsageError: it is none.
    """
    reason = ""
    try:
        schema = schemas.read(cls) if isinstance(cls, type) else None
    except errors.UsageError as error:
        schema, reason = None, f": {str(error.args[0]).rstrip('.')}"
    if schema is None or not schema.fields:
        raise errors.UsageError(
            f"as_={getattr(cls, '__name__', cls)!r} is no form of rows{reason}.",
            hint='Give dict, tuple, "arrow", "orm", or a class with annotated fields.',
        )
    return schema, [Wanted(each.key, each.type, each.is_required, each.by_keyword) for each in schema.fields]


def _is_safe(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not (name.startswith("__"))


def _has_own_new(cls: Any) -> bool:
    """Whether a named tuple is made by more than its fields."""
    home = next(base for base in cls.__mro__ if "_fields" in vars(base))
    return cls.__new__ is not home.__new__
