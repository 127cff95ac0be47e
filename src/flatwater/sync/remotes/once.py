"""An attribute that is made when it is first asked for, once, whoever asks.

Covers:     attributes whose making imports a library or opens something.
Not here:   what is made.
Holds:      nothing.

functools.cached_property has no lock from Python 3.12 on, and before that one that all objects of a class share: two of
them that need each other wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, final, overload

_Value = TypeVar("_Value")


@final
class once(Generic[_Value]):  # noqa: N801 - a decorator, named as property is
    """Make a method such an attribute. What it belongs to has an RLock of its own: `lock`.

    Where making it fails, it is tried again when it is asked for again.
    """

    def __init__(self, make: Callable[[Any], _Value]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...

    @overload
    def __get__(self, owner: object, kind: type) -> _Value: ...

    def __get__(self, owner: Any, kind: type) -> Any:
        """Make it; from then on it is found in the object itself."""
        if owner is None:
            return self
        with owner.lock:
            made = owner.__dict__
            if self._name not in made:
                made[self._name] = self._make(owner)
            return made[self._name]
