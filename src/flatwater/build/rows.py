"""The generated half of a batch builder: take a row, weigh it, put its values into columns.

Covers:     `append`, `add`, the fluent row, objects made of columns.
Not here:   when a batch goes, and where to (`build.batch`).
Holds:      nothing; the lists are the batch builder's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple, final

from flatwater.build import generate
from flatwater.build.building import Builder, finish, make_class
from flatwater.build.checking import Checker, telling_all
from flatwater.build.columns import NUMBER_BYTES, PLACE_BYTES, ROUNDING_BYTES, Column
from flatwater.build.schemas import MISSING, Schema, missing, unknown_all
from flatwater.sizing import heap_bytes

if TYPE_CHECKING:
    from flatwater.sizing import Sizer

_OBJECT_BYTES = 48  # a header, what the collector adds, rounding
_DICT_OBJECT_BYTES = 64  # and a __dict__ that shares its keys
_PYDANTIC_BYTES = 1_000  # of a model without its values, measured with pydantic 2.14


CLOSED_BYTES = 1 << 62  # gathered by a batch builder that is closed: no row fits beside it


@final
class Gathered:
    """How many bytes there are, and how many there may be."""

    __slots__ = ("bytes", "bytes_max", "rows_max")

    def __init__(self, bytes_max: int, rows_max: int) -> None:
        self.bytes = 0
        self.bytes_max = bytes_max
        self.rows_max = rows_max


class Functions(NamedTuple):
    """What is generated for one batch builder."""

    append: Callable[..., None]
    add: Callable[[object], None]
    row: Any
    objects: Callable[[], list[Any]]


def functions(
    schema: Schema,
    columns: Sequence[Column],
    lists: Sequence[list[Any]],
    gathered: Gathered,
    make_room: Callable[[int], None],
    *,
    sizer: Sizer | None,
    with_objects: bool,
    validate: bool,
) -> Functions:
    """Generate them.

    Args:
        schema: of a row.
        columns: how values are weighed.
        lists: where they go.
        gathered: the figures that are kept.
        make_room: called with a row's bytes before it would exceed a bound.
        sizer: weighs nested values.
        with_objects: whether objects are made of the rows later, and weigh as well.
        validate: check each row.
    """
    numbers = range(len(columns))
    base_bytes, weights, strange = _weights(columns)
    base_bytes += _object_bytes(schema) if with_objects else 0
    check = Checker(schema) if validate else None
    everything = "".join(f"p{number}, " for number in numbers)
    values = {
        **generate.values_of(schema), "G": gathered, "type": type, "make_room": make_room, "check": check,
        "int": int, "float": float, "bool": bool, "str": str, "bytes": bytes, "dict": dict,
        "weigh_row": sizer.row if sizer is not None else heap_bytes,
        "weigh_all": _weigher(schema, base_bytes), "len": len,
        **{f"L{number}": values for number, values in enumerate(lists)},
    }  # fmt: skip
    is_late = check is not None or len(strange) == len(columns)  # what is not given is seen when the row is looked at
    take = f"    {everything}= check(({everything}))\n" if check else ""
    for number, field in enumerate(schema.fields):
        if field.factory is not None:
            take += f"    if p{number} is U: p{number} = F{number}()\n"
        elif field.default is not MISSING:
            take += f"    if p{number} is U: p{number} = D{number}\n" if is_late else ""
        elif field.may_be_absent and not with_objects:
            take += f"    if p{number} is U: p{number} = None\n"
    take += f"    size = {' + '.join([str(base_bytes), *weights])}\n"
    if strange:
        take += f"    if {' or '.join(strange)}: size = weigh_all(({everything}))\n"
    take += (
        "    total = G.bytes + size\n"
        f"    if total > {gathered.bytes_max} or len(L0) >= {gathered.rows_max}:\n"
        "        make_room(size)\n"
        "        total = G.bytes + size\n"
    )
    take += "".join(f"    L{number}.append(p{number})\n" for number in numbers)
    take += "    G.bytes = total\n"
    names = generate.placeholders(schema)
    unseen = [number for number in numbers if schema.fields[number].is_required and columns[number].scalar is None]
    look = (
        ""
        if check or not unseen
        else f"    if {' or '.join(f'p{number} is U' for number in unseen)}: weigh_all(({everything}))\n"
    )
    generate.compiled(f"def take({everything}):\n{look}{take}", names, values)
    add = _adder(schema, values, names, take)
    append = generate.append_function(schema, values, names, take, checked=is_late)
    values["append"] = append
    return Functions(append, add, _fluent(schema, values), _objects(schema, lists))


def _weights(columns: Sequence[Column]) -> tuple[int, list[str], list[str]]:
    """Constant bytes of a row, what is added for its values, and when a value is not of its column's type."""
    base_bytes = PLACE_BYTES * len(columns)
    weights, strange = [], []
    for number, column in enumerate(columns):
        if column.scalar is None:
            weights.append(f"weigh_row(p{number})")
            continue
        if column.scalar in {str, bytes, int}:
            weights.append(f"p{number}.__sizeof__()")
            base_bytes += ROUNDING_BYTES
        elif column.scalar is float:
            base_bytes += NUMBER_BYTES
        test = f"type(p{number}) is not {column.scalar.__name__}"
        strange.append(f"({test} and p{number} is not None)" if column.nullable else test)
    return base_bytes, weights, strange


def _weigher(schema: Schema, base_bytes: int) -> Callable[[tuple[Any, ...]], int]:
    """Weighs a row in which a value is not of its column's type, or is not there."""

    def weigh(row: tuple[Any, ...]) -> int:
        absent = [
            field.name
            for field, value in zip(schema.fields, row, strict=True)
            if value is MISSING and field.is_required
        ]
        if absent:
            raise missing(absent, schema.name)
        return base_bytes + sum(map(heap_bytes, row))

    return weigh


def _object_bytes(schema: Schema) -> int:
    """What one object of the schema weighs without its values, and its place in a list."""
    count = len(schema.fields)
    if schema.kind == "dict":
        return sys.getsizeof(dict.fromkeys(schema.names)) + PLACE_BYTES
    if schema.kind == "keywords":
        return _PYDANTIC_BYTES + PLACE_BYTES
    has_dict = bool(getattr(schema.cls, "__dictoffset__", 0))
    return _OBJECT_BYTES + 8 * count + (_DICT_OBJECT_BYTES if has_dict else 0) + PLACE_BYTES


def _adder(schema: Schema, values: dict[str, Any], names: Mapping[str, str], take: str) -> Callable[[object], None]:
    numbers = range(len(schema.fields))
    read = ", ".join(f"o.p{number}" for number in numbers)
    everything = "".join(f"p{number}, " for number in numbers)

    def refuse(given: object) -> None:
        absent = [name for name in schema.names if not hasattr(given, name)]
        if absent:
            raise missing(absent, schema.name) from None

    def refuse_keys(given: Mapping[Any, object]) -> None:
        strange = [key for key in given if not isinstance(key, str)]
        if strange:
            raise unknown_all(strange, schema.names, schema.name) from None

    values["refuse_object"], values["is_mapping"] = refuse, lambda given: isinstance(given, Mapping)
    values["refuse_keys"], values["TypeError"] = refuse_keys, TypeError
    text = (
        "def add(o):\n"
        "    if type(o) is dict or is_mapping(o):\n"
        "        try: return append(**o)\n"
        "        except TypeError:\n"
        "            refuse_keys(o)\n"
        "            raise\n"
        f"    try: {everything}= {read},\n"
        "    except AttributeError:\n"
        "        refuse_object(o)\n"
        "        raise\n" + take
    )
    made: Callable[[object], None] = generate.compiled(text, names, values)["add"]
    return made


def _fluent(schema: Schema, values: dict[str, Any]) -> Any:
    """The one row that is filled, pushed, and filled again."""
    numbers = range(len(schema.fields))
    kind = make_class(schema, (Row,))
    empty = "".join(
        f"    self.v{number} = {generate.preset(schema, number, checked=False) or 'U'}\n" for number in numbers
    )
    given = ", ".join(f"self.v{number}" for number in numbers)
    text = f"def push(self):\n    take({given})\n{empty}def empty(self):\n{empty}"
    functions = generate.compiled(text, {}, values)
    finish(kind, {"build": functions["push"], "fill": functions["empty"], "clear": functions["empty"]})
    kind.push = kind.build
    return kind().reset()


class Row(Builder[None]):
    """The row of a batch builder that is being filled; `push()` takes it and leaves it empty."""

    __slots__ = ()


def _objects(schema: Schema, lists: Sequence[list[Any]]) -> Callable[[], list[Any]]:
    """A function that makes an object of each row."""
    assemble = generate.assembler(schema, telling_all(schema) if schema.checks_itself else None)

    def objects() -> list[Any]:
        made: list[Any] = []
        try:
            made.extend(starmap(assemble, zip(*lists, strict=True)))
        except Exception as error:
            error.add_note(f"This was row {len(made)} of the batch; all its rows are still there.")
            raise
        return made

    return objects
