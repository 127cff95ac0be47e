"""What a stage's function keeps: containers within its reach that grow with the items it is given.

Covers:     what a function is bound to, encloses or names, and its cache; locals of a generator that is suspended.
Not here:   batches that a stage still refers to (`pipeline.running` counts them), all that a program keeps (`proof.leaks`).
Holds:      references to these containers, while a run goes on.
"""

from __future__ import annotations

import contextlib
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator, Sequence
from functools import cache, partial
from gc import get_referents
from types import FunctionType, GeneratorType, ModuleType
from typing import Any, Final, final

from flatwater.pipeline.report import Gauge

_KINDS: Final = frozenset({list, dict, set, deque, defaultdict, OrderedDict, Counter})
_Cached: Final = type(cache(len))
_LEAST = 10  # entries: fewer are no growth yet
_SHARE = 2  # one entry for so many items is growth with the items


@contextlib.contextmanager
def told(stages: Sequence[Any], gauges: Sequence[Gauge]) -> Iterator[None]:
    """Names the containers that grew meanwhile, in the gauges of these stages."""
    reached = [_reached(_function_of(stage)) for stage in stages]
    before = [[len(container) for _name, container in found] for found in reached]
    yield
    for gauge, found, counts in zip(gauges[1:], reached, before, strict=True):
        for (name, container), count in zip(found, counts, strict=True):
            _note(gauge, name, container, len(container) - count)


@final
class Locals:
    """Of a generator function that is a stage: none should grow with the items. Look while it is suspended."""

    def __init__(self, generator: Any, gauge: Gauge) -> None:
        self._generator = generator if isinstance(generator, GeneratorType) else None
        self._gauge = gauge
        self._first: dict[int, int] = {}  # entries when it was seen first, by address

    def look(self) -> None:
        """Names the one that has grown."""
        if self._generator is None:
            return
        found = [each for each in get_referents(self._generator) if type(each) in _KINDS]
        self._first = {id(each): self._first.get(id(each), len(each)) for each in found}
        for each in found:
            _note(self._gauge, f"a local of {self._generator.__name__}", each, len(each) - self._first[id(each)])


def _note(gauge: Gauge, name: str, container: Any, count: int) -> None:
    if count >= max(_LEAST, gauge.items_in // _SHARE):
        kind = "cache" if type(container) is _Cache else type(container).__name__
        gauge.keeps = f"{name} ({kind}) is {count:,} entries longer after {gauge.items_in:,} items"


def _function_of(stage: Any) -> Any:
    holder = getattr(stage, "sink", stage)
    return getattr(holder, "function", None) or getattr(holder, "key", None)


def _reached(function: Any) -> list[tuple[str, Any]]:
    """Containers that it refers to, each with the name that people know, and those of objects that it refers to."""
    found: list[tuple[str, Any]] = []
    with contextlib.suppress(Exception):  # a proxy, say, of which nothing may be asked now: it is no fault of the run
        for name, value in _named(function):
            if type(value) in _KINDS:
                found.append((name, value))
            elif isinstance(value, _Cached) and value.cache_parameters()["maxsize"] is None:
                found.append((name, _Cache(value)))
            elif not isinstance(value, (ModuleType, FunctionType)):
                inner = list(getattr(value, "__dict__", {}).items())
                if not isinstance(value, type):
                    inner += type(value).__dict__.items()  # of all its kind
                found += [(f"{name}.{attribute}", each) for attribute, each in inner if type(each) in _KINDS]
    return found


@final
class _Cache:
    """What `functools.cache` and `lru_cache` keep: arguments, and results for them."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __len__(self) -> int:
        return int(self._function.cache_info().currsize)


def _named(function: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(function, partial):
        yield from ((f"an argument of {getattr(function.func, '__name__', 'it')}", each) for each in function.args)
        yield from function.keywords.items()
        function = function.func
    if isinstance(function, _Cached):
        yield function.__name__, function
        function = function.__wrapped__
    if not isinstance(function, FunctionType):  # a method, of a container or another object; an object that is called
        bound = getattr(function, "__self__", function)
        yield ("what it is bound to" if type(bound) in _KINDS else "self"), bound
        return
    code, names = function.__code__, function.__globals__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # it is not filled yet
            yield name, cell.cell_contents
    yield from ((name, names[name]) for name in code.co_names if name in names)
    defaults = function.__defaults__ or ()
    yield from zip(code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount], defaults, strict=True)
    yield from (function.__kwdefaults__ or {}).items()
