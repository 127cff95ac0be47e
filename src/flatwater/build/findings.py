"""Say everything that is wrong with one value, where msgspec stops at the first.

Covers:     lists, sets, tuples, mappings, Structs, dataclasses, TypedDicts, named tuples, optional ones, nested.
Not here:   which fields there are (`build.schemas`), what is done with the findings (`build.checking`).
Holds:      nothing.
"""

from __future__ import annotations

import itertools
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from flatwater import limits
from flatwater.build.schemas import read

UNITED = (typing.Union, types.UnionType)
_PLACE = " - at `$"  # how msgspec says where

Convert = Callable[[Any, Any], Any]
Part = tuple[Any, Any, str]  # type, value, and where it is below its whole


def findings(convert: Convert, wrong: type[Exception], kind: Any, value: Any, path: str = "") -> Iterator[str]:
    """A reason for each part of `value` that its type does not allow, with its place in msgspec's words; none if all is well.

    >>> import msgspec
    >>> list(findings(msgspec.convert, msgspec.ValidationError, list[int], [1, "a", 2, "b"]))
    ['Expected `int`, got `str` - at `$[1]`', 'Expected `int`, got `str` - at `$[3]`']
    """
    try:
        convert(value, kind)
    except wrong as error:
        reason, _, place = str(error).partition(_PLACE)
    else:
        return
    found = False
    for inner, part, step in _parts(kind, value) if path.count("[") + path.count(".") < limits.BUILD_NESTED_MAX else ():
        if part is _ABSENT:
            found = True
            yield f"Object missing required field `{step[1:]}`{f'{_PLACE}{path}`' if path else ''}"
            continue
        for said in findings(convert, wrong, inner, part, path + step):
            found = True
            yield said
    if not found:
        place = path + place.removesuffix("`")
        yield f"{reason}{_PLACE}{place}`" if place else reason


def bare(hint: Any) -> Any:
    """An annotation without what is said about it."""
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated or origin in {typing.Required, typing.NotRequired, typing.Final}:
            hint = typing.get_args(hint)[0]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif hasattr(hint, "__value__"):  # a `type` statement's alias
            hint = hint.__value__
        else:
            return hint


def without_none(hint: Any) -> tuple[Any, bool]:
    """An annotation without `None`, and whether it allowed that."""
    if typing.get_origin(hint) not in UNITED:
        return hint, hint is None or hint is type(None)
    others = [part for part in typing.get_args(hint) if part is not type(None)]
    nullable = len(others) < len(typing.get_args(hint))
    return (bare(others[0]) if len(others) == 1 else hint), nullable


_ABSENT = object()


def _parts(kind: Any, value: Any) -> Iterator[Part]:
    """What is inside, each with its type. Nothing where the type or the value does not say."""
    hint, _nullable = without_none(bare(kind))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    outer = origin or hint
    if not isinstance(outer, type):
        return
    if isinstance(value, Mapping):
        if typing.is_typeddict(outer) or any(
            hasattr(outer, each) for each in ("__struct_fields__", "__dataclass_fields__", "_fields")
        ):
            yield from _fields(hint, outer, value)
        elif issubclass(outer, Mapping) and len(arguments) == 2:  # noqa: PLR2004 - keys, values
            yield from ((arguments[1], part, f"[{key!r:.40}]") for key, part in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)) and issubclass(outer, (Sequence, AbstractSet)) and arguments:
        each = itertools.repeat(arguments[0]) if outer is not tuple or arguments[-1] is ... else iter(arguments)
        yield from ((inner, part, f"[{number}]") for number, (inner, part) in enumerate(zip(each, value, strict=False)))


def _fields(hint: Any, outer: Any, value: Mapping[Any, Any]) -> Iterator[Part]:
    fields = read(hint).fields
    renamed = getattr(outer, "__struct_encode_fields__", None) or [field.name for field in fields]
    for field, name in zip(fields, renamed, strict=True):
        if name in value:
            yield field.type, value[name], f".{name}"
        elif field.is_required:
            yield field.type, _ABSENT, f".{name}"
