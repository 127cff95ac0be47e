"""Take named parts of nested values, and nothing else, by code that is compiled once.

Covers:     dicts, objects, Structs and lists, nested; what is missing: refused, null, or left out.
Not here:   the language of paths (`build.paths`), building typed objects (`build.building`).
Holds:      the compiled functions: about 1 KiB for each path.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal, final

from flatwater import errors, limits
from flatwater.build.checking import InvalidError
from flatwater.build.generate import compiled
from flatwater.build.paths import Node, tree_of
from flatwater.build.schemas import MISSING

Missing = Literal["error", "null", "drop"]

# What is code, and reaches more than its object: a path must not lead into it, nor end there.
_CODE = (
    type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.CodeType,
    types.FrameType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
    types.MethodWrapperType, functools.partial,
)  # fmt: skip


@final
class Picker:
    """A compiled projection. Made by `pick`; call it with a value. Thread-safe, and can be pickled.

    Attributes:
        paths: as given.
        missing: what happens where a path leads nowhere.
    """

    __slots__ = ("_take", "missing", "paths")

    def __init__(self, paths: tuple[str, ...], missing: Missing) -> None:
        self.paths = paths
        self.missing = missing
        self._take = _compile(tree_of(paths), missing)

    def __call__(self, value: object) -> Any:
        """What the paths name of `value`, in new dicts and lists of the same shape; the values at their ends are not copied.

        Raises:
            InvalidError: something is missing, or no list where one is named; with the whole path.
        """
        return self._take(value)

    def __reduce__(self) -> tuple[object, ...]:
        return Picker, (self.paths, self.missing)

    def __repr__(self) -> str:
        return f"<picker of {', '.join(self.paths[:8])}{', ...' if len(self.paths) > 8 else ''}>"  # noqa: PLR2004 - a line's worth


def pick(paths: Iterable[str], *, missing: Missing = "error") -> Picker:
    r"""A function that takes what `paths` name, and nothing else.

    Args:
        paths: such as `"id"`, `"user.name"`, `"items[].price"`, `"[].id"`. `\.`, `\[`, `\]` and `\\` stand for those signs
            in a name. One that names a whole and another that names a part of it contradict each other.
        missing: where a key or attribute is not there: `"error"`, `"null"` for None in its place, `"drop"` to leave it out.

    Dicts and other mappings are asked for keys, everything else for attributes, but never for `__names__` and never for
    methods, so that a path from outside reaches data only. None passes as None wherever it stands.

    Raises:
        UsageError: not a path, a contradiction, nothing named.

    Memory: the result, which holds the picked values and new dicts and lists around them. Thread-safe.

    >>> order = {"id": 7, "user": {"name": "Ann", "password": "x"}, "items": [{"price": 3, "cost": 1}, {"price": 4}]}
    >>> pick(["id", "user.name", "items[].price"])(order)
    {'id': 7, 'user': {'name': 'Ann'}, 'items': [{'price': 3}, {'price': 4}]}
    >>> pick(["id", "user.email"])(order)
    Traceback (most recent call last):
    flatwater.build.checking.InvalidError: what was picked from is not valid: user.email: is not there.
    >>> pick(["id", "user.email"], missing="drop")(order)
    {'id': 7, 'user': {}}
    """
    if missing not in {"error", "null", "drop"}:
        raise errors.UsageError(f"missing={missing!r} is not known.", hint="Use 'error', 'null' or 'drop'.")
    listed = paths if isinstance(paths, (str, bytes)) or not isinstance(paths, Iterable) else tuple(paths)
    return Picker(listed, missing)  # type: ignore[arg-type]  # what is no iterable of paths is refused there


def _compile(root: Node, missing: Missing) -> Callable[[Any], Any]:
    """A function for each node, from the leaves up; each tries the straight way, and takes the careful one where it fails."""
    if root.is_whole:
        return lambda value: value
    if root.item is not None:
        return _list_function(root, _compile(root.item, missing), is_whole=root.item.is_whole)
    below = {name: _compile(node, missing) for name, node in root.parts.items()}

    known: dict[type, bool] = {}  # classes whose declared fields have all the names: their attributes are data

    def careful(value: Any) -> Any:
        cls = type(value)
        if cls not in known and len(known) < limits.BUILD_CLASSES_MAX and names <= _declared(cls):
            known[cls] = True
        return _take_carefully(root, below, missing, value)

    named = list(root.parts.items())
    names = set(root.parts)
    values: dict[str, Any] = {"dict": dict, "type": type, "careful": careful, "known": known}
    keys = {f"p{number}": name for number, (name, _node) in enumerate(named)}
    keywise, fieldwise = [], []
    for number, (name, node) in enumerate(named):
        function = "" if node.is_whole else f"N{number}"
        values[f"N{number}"] = below[name]
        keywise.append(f"'p{number}': {function}(value['p{number}'])")
        fieldwise.append(f"'p{number}': {function}(value.p{number})")
    text = (
        "def take(value):\n"
        "    if type(value) is dict:\n"
        "        try:\n"
        f"            return {{{', '.join(keywise)}}}\n"
        "        except KeyError:\n"
        "            pass\n"
        "    elif type(value) in known:\n"
        "        try:\n"
        f"            return {{{', '.join(fieldwise)}}}\n"
        "        except AttributeError:\n"
        "            pass\n"
        "    return careful(value)\n"
    )
    made: Callable[[Any], Any] = compiled(text, keys, values)["take"]
    return made


def _list_function(node: Node, take: Callable[[Any], Any], *, is_whole: bool) -> Callable[[Any], Any]:
    path = node.path

    def take_each(value: Any) -> Any:
        if type(value) is list or type(value) is tuple:
            return list(value) if is_whole else list(map(take, value))
        if value is None:
            return None
        if isinstance(value, (str, bytes, bytearray, Mapping)) or not isinstance(value, (Sequence, AbstractSet)):
            raise _invalid(path or "[]", f"is no list, but {_a(value)}")
        return list(map(take, value))

    return take_each


def _take_carefully(root: Node, below: Mapping[str, Callable[[Any], Any]], missing: Missing, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, (str, bytes, bytearray, int, float, complex, list, tuple, set, frozenset)) and not _is_named(
        value
    ):
        raise _invalid(root.path or "the value", f"has no names in it, being {_a(value)}")
    found = {}
    for name, node in root.parts.items():
        part = _part(value, name)
        if part is not MISSING:
            found[name] = below[name](part)
        elif missing == "error":
            raise _invalid(node.path, "is not there")
        elif missing == "null":
            found[name] = None
    return found


def _part(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value[name] if name in value else MISSING  # noqa: SIM401 - a mapping of your own may have no `get`
    if name.startswith("__") or isinstance(value, _CODE):
        return MISSING
    part = getattr(value, name, MISSING)
    if name in _declared(type(value)):
        return part
    # What can be called on the class as well is a method, whatever made it one: a cache around it, or a compiler.
    is_method = callable(part) and callable(getattr(type(value), name, None))
    return MISSING if is_method or isinstance(part, _CODE) else part


def _declared(cls: Any) -> set[str]:
    """The fields of a Struct or a dataclass that a path may name."""
    fields: Any = getattr(cls, "__struct_fields__", None) or getattr(cls, "__dataclass_fields__", ())
    return set() if issubclass(cls, Mapping) else {name for name in fields if not name.startswith("__")}


def _is_named(value: Any) -> bool:
    """Named tuples are tuples with names."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _a(value: object) -> str:
    return f"of type {type(value).__name__}"


def _invalid(path: str, reason: str) -> InvalidError:
    return InvalidError("what was picked from", [(path, reason)])
