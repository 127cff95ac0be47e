"""Used builders kept for later, which CPython does not need: bounded, stoppable, and never with a value in them.

Covers:     the pools of all factories with `pooled=True`, their common bounds, their figures, giving them back.
Not here:   what a builder does (`build.building`).
Holds:      at most `limits.BUILD_POOLED_MAX` builders and `limits.BUILD_POOLS_BYTES_MAX` in all; see `bytes_max`.
"""

from __future__ import annotations

import sys
import threading
import weakref
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits, units
from flatwater.budget import Budget
from flatwater.build import generate
from flatwater.build.schemas import Schema

if TYPE_CHECKING:
    from flatwater.budget import PressureHandle

_PLACE_BYTES = 18  # two words in arrays, and what a growing list keeps spare
_ALIGNMENT = 16  # of Python's allocator

_lock = threading.RLock()  # a finalizer that runs inside may build an object, too
_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_handles: weakref.WeakKeyDictionary[Budget, PressureHandle] = weakref.WeakKeyDictionary()
_kept = 0  # builders in all pools
_kept_bytes = 0
_clock = 0  # counts what was put back: the oldest has the least


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """Of the pools of one schema, or of all.

    Attributes:
        pools: factories with `pooled=True` that live.
        objects: builders that wait to be used again.
        bytes: what they take, with their places in lists.
        created: builders made anew since the start.
        reused: taken from a pool.
        discarded: not kept, or thrown out: the pools were full, or somebody still held the builder.
    """

    pools: int = 0
    objects: int = 0
    bytes: int = 0
    created: int = 0
    reused: int = 0
    discarded: int = 0


@final
@dataclass(frozen=True, slots=True)
class PoolStats(PoolFigures):
    """The pools of the process at one moment; prints as a table.

    Attributes:
        by_schema: the same figures for each schema's name.
    """

    by_schema: dict[str, PoolFigures] | None = None

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        from dataclasses import asdict

        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{'schema':20} {'pools':>5} {'objects':>8} {'bytes':>9} {'created':>9} {'reused':>9} {'discarded':>9}"
        ]
        for name, each in [*sorted((self.by_schema or {}).items()), ("all", self)]:
            lines.append(
                f"{name[:20]:20} {each.pools:5,} {each.objects:8,} {units.format_bytes(each.bytes):>9} "
                f"{each.created:9,} {each.reused:9,} {each.discarded:9,}"
            )
        return "\n".join(lines)


def pool_stats() -> PoolStats:
    """How many used builders wait in pools, and what they cost.

    A pool has as many builders as were open at once at most since it was cleared, and all pools together no more than
    1,000: then the oldest goes. Thread-safe.

    >>> from flatwater.build import builder, clear_pools
    >>> create = builder(["id"], pooled=True).create
    >>> _ = clear_pools()
    >>> made = [create().with_id(number).build() for number in range(100)]
    >>> pool_stats().objects
    1
    """
    with _lock:
        found = list(_pools)
        by_schema: dict[str, PoolFigures] = {}
        for pool in found:
            by_schema[pool.schema.name] = _sum(by_schema.get(pool.schema.name, PoolFigures()), pool.figures())
    total = PoolFigures()
    for figures in by_schema.values():
        total = _sum(total, figures)
    return PoolStats(
        total.pools, total.objects, total.bytes, total.created, total.reused, total.discarded, by_schema=by_schema
    )


def clear_pools() -> int:
    """Free all used builders; returns their bytes. Thread-safe; pools fill again when builders are used.

    >>> clear_pools() >= 0
    True
    """
    gone: list[Any] = []
    with _lock:
        freed = sum(pool.drop(gone) for pool in list(_pools))
    del gone  # outside of the lock
    return freed


def bytes_max() -> int:
    """The most that all pools together can hold, in bytes."""
    total = 0
    total += limits.BUILD_POOLS_BYTES_MAX  # the builders, and their places
    return total


@final
class Pool:
    """The used builders of one factory. Thread-safe.

    A builder is handed out again only when nobody else has a reference to it, which `sys.getrefcount` tells; one that a
    caller kept is discarded. After `build()` it has another class, which refuses everything, until it is handed out.
    """

    def __init__(self, slotted: Any, schema: Schema, check: Callable[[tuple[Any, ...]], Any] | None) -> None:
        from flatwater.build.building import finish, refuse_unset

        self.schema = schema
        self.created = self.reused = self.discarded = 0
        self._idle: list[Any] = []  # the oldest first
        self._times = array("Q")  # when each was put back
        self._open: Any = type(slotted.__name__, (slotted,), {"__slots__": (), "__module__": slotted.__module__})
        self._spent: Any = type(
            slotted.__name__, (_Spent, slotted), {"__slots__": (), "__module__": slotted.__module__}
        )
        functions = generate.life(schema, refuse=refuse_unset, check=check, done=self._put)
        finish(self._open, functions)
        self._clear: Any = functions["clear"]
        self._fresh = generate.opener(self._open, schema, checked=check is not None)
        size = sys.getsizeof(self._open()) + _ALIGNMENT - 1
        self.builder_bytes = size - size % _ALIGNMENT + _PLACE_BYTES
        with _lock:
            _pools.add(self)
        _register(Budget.current())

    def figures(self) -> PoolFigures:
        """Of this pool; guarded by the lock."""
        count = len(self._idle)
        return PoolFigures(1, count, count * self.builder_bytes, self.created, self.reused, self.discarded)

    def take(self) -> Any:
        """An empty builder, which nobody else has."""
        global _kept, _kept_bytes  # noqa: PLW0603 - one sum over all pools is what bounds them
        while True:
            with _lock:
                if not self._idle:
                    self.created += 1
                    break
                made = self._idle.pop()
                self._times.pop()
                _kept -= 1
                _kept_bytes -= self.builder_bytes
                if sys.getrefcount(made) <= ALONE:
                    self.reused += 1
                    made.__class__ = self._open
                    return made
                self.discarded += 1
            del made
        return self._fresh()

    def _put(self, made: Any) -> None:
        """Keep a builder that has built; it is emptied first."""
        global _kept, _kept_bytes, _clock  # noqa: PLW0603 - as above
        self._clear(made)
        made.__class__ = self._spent
        size = self.builder_bytes
        gone: list[Any] = []
        with _lock:
            while (_kept >= limits.BUILD_POOLED_MAX or _kept_bytes + size > limits.BUILD_POOLS_BYTES_MAX) and _kept:
                oldest = min((pool for pool in list(_pools) if pool._times), key=lambda pool: pool._times[0])  # noqa: SLF001 - its own kind
                gone.append(oldest._idle.pop(0))  # noqa: SLF001 - the same
                del oldest._times[0]  # noqa: SLF001 - the same
                oldest.discarded += 1
                _kept -= 1
                _kept_bytes -= oldest.builder_bytes
            if size > limits.BUILD_POOLS_BYTES_MAX:
                self.discarded += 1  # one builder alone is larger than all pools may be
            else:
                _clock += 1
                self._idle.append(made)
                self._times.append(_clock)
                _kept += 1
                _kept_bytes += size
        del gone  # outside of the lock

    def drop(self, gone: list[Any]) -> int:
        """Empty it into `gone`, and say how many bytes that frees; guarded by the lock."""
        global _kept, _kept_bytes  # noqa: PLW0603 - as above
        count, freed = len(self._idle), len(self._idle) * self.builder_bytes
        gone += self._idle
        self._idle, self._times = [], array("Q")
        _kept -= count
        _kept_bytes -= freed
        return freed

    def __del__(self) -> None:
        try:
            with _lock:
                self.drop([])
        except (AttributeError, TypeError):
            return  # never finished, or the interpreter is going down


class _Spent:
    """A builder that has built, and waits in the pool or in the hands of whoever kept it."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not name.startswith(("with_", "build")):
            raise AttributeError(name)
        raise self._closed()

    def set(self, *_: object) -> Any:
        """Refuse."""
        raise self._closed()

    def reset(self) -> Any:
        """Refuse."""
        raise self._closed()

    @staticmethod
    def _closed() -> errors.ClosedError:
        return errors.ClosedError(
            "this pooled builder has built its object.",
            hint="Take another one with create(), or leave pooled=True out.",
        )


def _register(budget: Budget) -> None:
    """Have a budget ask for the pools' bytes back, once, whichever pool came first. The budget is held weakly."""
    with _lock:
        known = budget in _handles
    if not known:
        handle = budget.on_pressure(_shed, "build.pools")
        with _lock:
            _handles[budget] = handle


def _shed(_wanted: int) -> int:
    return clear_pools()


def _sum(one: PoolFigures, other: PoolFigures) -> PoolFigures:
    return PoolFigures(
        one.pools + other.pools, one.objects + other.objects, one.bytes + other.bytes,
        one.created + other.created, one.reused + other.reused, one.discarded + other.discarded,
    )  # fmt: skip


def _references_alone() -> int:
    """What `sys.getrefcount` says of an object that one local variable holds and nothing else; less from Python 3.14 on."""
    idle = [object()]
    made = idle.pop()
    return sys.getrefcount(made)


ALONE = _references_alone()
