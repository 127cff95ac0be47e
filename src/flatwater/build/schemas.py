"""Read any kind of schema into one list of fields.

Covers:     lists of names, dataclasses, msgspec Structs, TypedDicts, pydantic models, classes with annotations.
Not here:   code that builds objects (`build.generate`), checking values (`build.checking`), Arrow types (`build.columns`).
Holds:      nothing; a `Schema` is a few hundred bytes and about 150 for each field.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import inspect
import sys
import types
import typing
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, final

from flatwater import errors, limits

UNSET_FIELDS_SHOWN = 10  # names in one message

Kind = Literal["dict", "call", "assign", "fill", "keywords"]


@final
class _Missing(enum.Enum):
    """Marks what is not there; an enum member survives copying and type checkers narrow it."""

    MISSING = 0

    def __repr__(self) -> str:
        return "<unset>"


MISSING = _Missing.MISSING
COPIED = (list, dict, set, bytearray, deque)  # defaults that an object would share with the next one


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a schema.

    Attributes:
        name: as the class calls it.
        key: as its constructor calls it: another one where pydantic has an alias.
        type: its annotation, resolved; `Any` where there is none.
        default: a value that may be shared; `MISSING` where there is none.
        factory: makes a default for each object.
        may_be_absent: unset, it is left out (optional keys of a TypedDict, defaults of a pydantic model).
        by_keyword: the constructor takes it by keyword only.
    """

    name: str
    key: str = ""
    type: Any = Any
    default: object = MISSING
    factory: Callable[[], object] | None = None
    may_be_absent: bool = False
    by_keyword: bool = False

    @property
    def is_required(self) -> bool:
        """Whether nothing can be built without it."""
        return self.default is MISSING and self.factory is None and not self.may_be_absent


@dataclasses.dataclass(frozen=True, slots=True)
class Schema:
    """What there is to build.

    Attributes:
        name: for people.
        cls: what is called; `dict` for names and a TypedDict.
        kind: how: a dict, a call, an empty object that is assigned to or filled past its constructor, or keywords.
        fields: in the order of the constructor.
        is_typed: whether the fields' types are known.
        checks_itself: whether its constructor validates (pydantic).
    """

    name: str
    cls: Any
    kind: Kind
    fields: tuple[Field, ...]
    is_typed: bool = True
    checks_itself: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of the fields, in order."""
        return tuple(field.name for field in self.fields)


def read(source: object) -> Schema:
    """The schema of `source`.

    Raises:
        UsageError: it is none; names with an error in them; annotations that cannot be resolved.

    >>> read(["id", "name"]).names
    ('id', 'name')
    """
    if isinstance(source, (str, bytes)):
        raise errors.UsageError(
            f"{source!r} is no schema.", hint='Pass a list of names such as ["id", "name"], or a class.'
        )
    origin = typing.get_origin(source)
    cls = origin if origin is not None and typing.get_args(source) else source
    if isinstance(cls, type):
        schema = _read_class(cls, _type_arguments(cls, source))
    elif isinstance(cls, Iterable) and not isinstance(cls, Mapping):
        schema = _read_names(cls)
    else:
        raise errors.UsageError(
            f"{_shown(source)} is no schema.",
            hint="Pass a list of names, or a class: a dataclass, Struct, TypedDict, pydantic model or one with annotations.",
        )
    _check_names(schema.names)
    return schema


def unknown(name: object, names: Iterable[str], of: str) -> errors.UsageError:
    """The refusal of a field that is not there, with the nearest one that is."""
    return unknown_all([name], names, of)


def unknown_all(found: Iterable[object], names: Iterable[str], of: str) -> errors.UsageError:
    """The refusal of several."""
    import difflib

    known = list(names)
    said = []
    for name in list(found)[:UNSET_FIELDS_SHOWN]:
        near = difflib.get_close_matches(name, known[: limits.BUILD_FIELDS_MAX], 1) if isinstance(name, str) else []
        said.append(f"{_shown(name)} (did you mean {near[0]!r}?)" if near else _shown(name))
    return errors.UsageError(f"{of} has no field {', '.join(said)}.", hint=f"It has {_listed(known)}.")


def missing(names: list[str], of: str) -> errors.UsageError:
    """The refusal of an object without these fields."""
    return errors.UsageError(f"{of} cannot be built: {_listed(names)} {'is' if len(names) == 1 else 'are'} not set.")


def _listed(names: list[str]) -> str:
    more = len(names) - UNSET_FIELDS_SHOWN
    shown = ", ".join(map(repr, names[:UNSET_FIELDS_SHOWN]))
    return f"{shown} and {more} more" if more > 0 else shown or "no fields"


def _shown(value: object) -> str:
    """Of anything a user passes, as much as fits a message."""
    if isinstance(value, type):
        return value.__qualname__
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a message about a broken object must not break
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line's worth


def _check_names(names: tuple[str, ...]) -> None:
    if len(names) > limits.BUILD_FIELDS_MAX:
        raise errors.UsageError(f"{len(names):,} fields are too many; at most {limits.BUILD_FIELDS_MAX:,}.")
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str):
            raise errors.UsageError(f"{_shown(name)} is no name for a field.", hint="Names are strings.")
        if not name or len(name) > limits.BUILD_NAME_CHARS_MAX:
            raise errors.UsageError(
                f"a field's name has 1 to {limits.BUILD_NAME_CHARS_MAX:,} characters, and not {len(name):,}."
            )
        if name in seen:
            raise errors.UsageError(f"{_shown(name)} is named twice.")
        seen.add(name)


def _read_names(names: Iterable[Any]) -> Schema:
    found = []
    for name in names:
        found.append(name)
        if len(found) > limits.BUILD_FIELDS_MAX:
            raise errors.UsageError(f"more than {limits.BUILD_FIELDS_MAX:,} fields are too many.")
    if not found:
        raise errors.UsageError("a schema without fields has nothing to build.")
    _check_names(tuple(found))
    return Schema("dict", dict, "dict", tuple(Field(str(name), str(name)) for name in found), is_typed=False)


def _read_class(cls: type, arguments: Mapping[Any, Any]) -> Schema:
    if issubclass(cls, enum.Enum):
        raise errors.UsageError(f"{cls.__qualname__} is an enumeration: its members are there, and none can be built.")
    if inspect.isabstract(cls):
        left = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        raise errors.UsageError(f"{cls.__qualname__} is abstract ({left}): no object of it can be built.")
    if typing.is_typeddict(cls):
        return _read_typed_dict(cls)
    if "pydantic" in sys.modules and hasattr(cls, "__pydantic_fields__"):
        return _read_pydantic(cls, arguments)
    struct = sys.modules.get("msgspec")
    if struct is not None and issubclass(cls, struct.Struct):
        return _read_struct(cls, arguments)
    if cls.__init__ is object.__init__ and cls.__new__ is object.__new__:
        return _read_attributes(cls, arguments)
    return _read_signature(cls, arguments)


def _read_typed_dict(cls: Any) -> Schema:
    hints = _hints(cls)
    fields = []
    for name, hint in hints.items():
        bare = hint
        while typing.get_origin(bare) in {typing.Required, typing.NotRequired}:
            (bare,) = typing.get_args(bare)
        fields.append(Field(name, name, bare, may_be_absent=_is_optional_key(cls, name, hint)))
    return Schema(cls.__name__, dict, "dict", tuple(fields))


def _is_optional_key(cls: Any, name: str, hint: object) -> bool:
    # Under `from __future__ import annotations` Python does not see Required and NotRequired in its own key sets.
    origin = typing.get_origin(hint)
    if origin in {typing.Required, typing.NotRequired}:
        return origin is typing.NotRequired
    return name in cls.__optional_keys__


def _read_struct(cls: Any, arguments: Mapping[Any, Any]) -> Schema:
    import msgspec

    positional = set(cls.__match_args__)
    try:
        known = {info.name: info for info in msgspec.structs.fields(cls)}
    except Exception as error:
        raise _unresolved(cls, error) from error
    fields = []
    for name in cls.__struct_fields__:
        info = known[name]
        default = MISSING if info.default is msgspec.NODEFAULT else info.default
        factory = None if info.default_factory is msgspec.NODEFAULT else info.default_factory
        fields.append(
            Field(name, name, _bound(info.type, arguments), default, factory, by_keyword=name not in positional)
        )
    return Schema(cls.__name__, cls, "call", tuple(fields))


def _read_pydantic(cls: Any, arguments: Mapping[Any, Any]) -> Schema:
    config = getattr(cls, "model_config", None) or getattr(cls, "__pydantic_config__", None) or {}
    by_name = bool(config.get("populate_by_name") or config.get("validate_by_name"))
    fields = []
    for name, info in cls.__pydantic_fields__.items():
        if info.init is False:
            continue
        fields.append(
            Field(
                name, name if by_name else _alias(cls, name, info), _bound(info.annotation, arguments),
                may_be_absent=not info.is_required(),
            )
        )  # fmt: skip
    return Schema(cls.__name__, cls, "keywords", tuple(fields), checks_itself=True)


def _alias(cls: Any, name: str, info: Any) -> str:
    alias = info.validation_alias or info.alias or name
    for choice in getattr(alias, "choices", [alias]):
        if isinstance(choice, str):
            return choice
    raise errors.UsageError(
        f"{cls.__qualname__}.{name} is validated from a path only, which a keyword cannot name.",
        hint="Set populate_by_name=True in its model_config.",
    )


def _read_attributes(cls: Any, arguments: Mapping[Any, Any]) -> Schema:
    """A class without a constructor of its own: its annotations are set one by one; class attributes are defaults."""
    fields = []
    for name, hint in _hints(cls).items():
        if _is_class_variable(hint):
            continue
        value = inspect.getattr_static(cls, name, MISSING)
        if isinstance(value, property) and value.fset is None:
            raise errors.UsageError(
                f"{cls.__qualname__}.{name} is a property that cannot be set.",
                hint="Give it a setter, or take its annotation away.",
            )
        is_slot = isinstance(value, (types.MemberDescriptorType, property))
        default, factory = _default(MISSING if is_slot else value)
        fields.append(Field(name, name, _bound(hint, arguments), default, factory))
    if not fields:
        raise errors.UsageError(
            f"{cls.__qualname__} has no annotations and no constructor: there is nothing to build from.",
            hint="Annotate its fields (`id: int`), or pass a list of names.",
        )
    return Schema(cls.__name__, cls, "assign", tuple(fields))


def _read_signature(cls: Any, arguments: Mapping[Any, Any]) -> Schema:
    """Whatever has a constructor is built through it: dataclasses, named tuples, attrs classes, your own."""
    try:
        parameters = inspect.signature(cls).parameters
    except (TypeError, ValueError) as error:
        raise errors.UsageError(
            f"{cls.__qualname__} does not say what its constructor takes.", hint="Pass a dataclass or a Struct instead."
        ) from error
    hints = _hints(cls, wanted=bool(parameters))
    own = getattr(cls, "__dataclass_fields__", {})
    fields = []
    for name, parameter in parameters.items():
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            continue  # what has no name cannot be set by name
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise errors.UsageError(f"{cls.__qualname__}: {name!r} is positional only, and has no name for a keyword.")
        default, factory = _default(MISSING if parameter.default is parameter.empty else parameter.default)
        declared = own.get(name)
        if declared is not None and declared.default_factory is not dataclasses.MISSING and default is not MISSING:
            default, factory = MISSING, declared.default_factory
        kind = _bound(hints.get(name, Any), arguments)
        fields.append(Field(name, name, kind, default, factory, by_keyword=parameter.kind is parameter.KEYWORD_ONLY))
    if parameters and not fields:
        raise errors.UsageError(
            f"{cls.__qualname__}: its constructor names no parameters, so there is nothing to set by name.",
            hint="Pass a class that does, such as a dataclass or a Struct.",
        )
    is_plain = bool(own) and _is_plain_dataclass(cls, tuple(field.name for field in fields))
    return Schema(cls.__name__, cls, "fill" if is_plain else "call", tuple(fields))


def _is_plain_dataclass(cls: Any, names: tuple[str, ...]) -> bool:
    """Whether the constructor is the generated one that only stores its arguments, so that it can be left out.

    Leaving it out saves the call from C back into Python, a tenth of a fluent build.
    """
    parameters = cls.__dict__.get("__dataclass_params__")
    constructor = cls.__dict__.get("__init__")
    code = getattr(constructor, "__code__", None)
    return (
        parameters is not None
        and parameters.init
        and not parameters.frozen
        and code is not None
        and code.co_filename == "<string>"  # where dataclasses compiles it; one of your own is in a file
        and code.co_varnames[1 : 1 + len(names)] == names
        and tuple(cls.__dataclass_fields__) == names  # no InitVar, no ClassVar, none that is not in __init__
        and not hasattr(cls, "__post_init__")
        and cls.__new__ is object.__new__
        and cls.__setattr__ is object.__setattr__
        and type(cls).__call__ is type.__call__
        and not any(hasattr(inspect.getattr_static(cls, name, None), "__set__") and not _is_slot(cls, name) for name in names)
    )  # fmt: skip


def _is_slot(cls: Any, name: str) -> bool:
    return isinstance(inspect.getattr_static(cls, name, None), types.MemberDescriptorType)


def _default(value: object) -> tuple[object, Callable[[], object] | None]:
    """A default that is safe to share, or a factory of copies."""
    if isinstance(value, COPIED):
        return MISSING, Copies(value)
    return value, None


@final
class Copies:
    """A factory of deep copies of one value."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        try:
            self.value = copy.deepcopy(value)
        except Exception as error:
            raise errors.UsageError(
                f"the default {_shown(value)} cannot be copied for each object: {error}.",
                hint="Make it in the constructor or by a default_factory, or set it each time.",
            ) from error

    def __call__(self) -> object:
        """One more copy."""
        return copy.deepcopy(self.value)


def _hints(cls: Any, *, wanted: bool = True) -> dict[str, Any]:
    """The annotations of a class, those of its bases first; of its constructor where it has none."""
    if not wanted:
        return {}
    try:
        found = typing.get_type_hints(cls, include_extras=True)
        constructor = cls.__dict__.get("__init__")
        if isinstance(constructor, types.FunctionType) and constructor.__code__.co_filename != "<string>":
            found |= typing.get_type_hints(constructor, include_extras=True)
    except Exception as error:
        if typing.is_typeddict(cls):
            raise _unresolved(cls, error) from error
        # Building needs names only; whoever needs a type is told why there is none.
        unknown_type = Unresolved(cls, error)
        written = [pair for each in reversed(cls.__mro__) for pair in inspect.get_annotations(each).items()]
        return {name: hint if _is_class_variable(hint) else unknown_type for name, hint in written}
    return {name: hint.type if isinstance(hint, dataclasses.InitVar) else hint for name, hint in found.items()}


def _unresolved(cls: Any, error: Exception) -> errors.UsageError:
    return errors.UsageError(
        f"the annotations of {cls.__qualname__} cannot be resolved: {error}.",
        hint="Define what they name at the top of its module, before the builder is made.",
    )


@final
class Unresolved:
    """Stands for an annotation that cannot be resolved, such as a name that is imported for type checkers only."""

    def __init__(self, cls: type, error: Exception) -> None:
        self.cls = cls
        self.error = error

    def refuse(self) -> typing.NoReturn:
        """Say why there is no type.

        Raises:
            UsageError: always.
        """
        raise _unresolved(self.cls, self.error) from self.error


def _is_class_variable(hint: object) -> bool:
    if isinstance(hint, str):
        return hint.removeprefix("typing.").startswith("ClassVar")
    return hint is typing.ClassVar or typing.get_origin(hint) is typing.ClassVar


def _type_arguments(cls: Any, source: object) -> Mapping[Any, Any]:
    """What the type variables of a generic class stand for in `Page[int]`."""
    return dict(zip(getattr(cls, "__parameters__", ()), typing.get_args(source), strict=False))


def _bound(hint: Any, arguments: Mapping[Any, Any]) -> Any:
    """An annotation with type variables replaced."""
    if not arguments:
        return hint
    if isinstance(hint, typing.TypeVar):
        return arguments.get(hint, hint)
    free = getattr(hint, "__parameters__", ())
    if free:
        return hint[tuple(arguments.get(variable, variable) for variable in free)]
    return hint
