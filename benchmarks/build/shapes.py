"""The five-field row that the cases of this folder build, in each form, and how its construction is timed."""

from __future__ import annotations

import dataclasses
import time
import tracemalloc
from collections.abc import Callable

import msgspec
from benchmarks.case import Run


class StructUser(msgspec.Struct, gc=False):
    """The seed's interface mode: nothing but values."""

    id: int
    name: str
    email: str
    age: int
    score: float


@dataclasses.dataclass(slots=True)
class SlotsUser:
    """The seed's class mode."""

    id: int
    name: str
    email: str
    age: int
    score: float


def timed(make: Callable[[int], object], size: int) -> Run:
    """Run `make(size)`; a short run first, because an interpreter specialises code that it has seen."""
    make(1_000)

    def run() -> dict[str, float]:
        before_ns = time.process_time_ns()
        make(size)
        return {"build_ns": (time.process_time_ns() - before_ns) / size}

    return run


def bytes_per_object(make: Callable[[], object], count: int = 20_000) -> float:
    """Heap bytes of one object without its values: all of them have the same, and none but an object itself is new."""
    kept: list[object] = [None] * count
    make()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(count):
        kept[number] = make()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return grown / count


def fluently(create: Callable[[], object]) -> Callable[[int], None]:
    """Five setters and `build` on a builder of its own for each object."""

    def make(size: int) -> None:
        new: Callable[[], object] = create
        for number in range(size):
            new().with_id(number).with_name("John").with_email("john@example.org").with_age(30).with_score(1.5).build()  # type: ignore[attr-defined]  # generated

    return make


def reused(create: Callable[[], object]) -> Callable[[int], None]:
    """The same on one builder for all objects."""

    def make(size: int) -> None:
        user = create()
        for number in range(size):
            user.with_id(number).with_name("John").with_email("john@example.org").with_age(30).with_score(1.5).build()  # type: ignore[attr-defined]  # generated

    return make


def by_keyword(cls: Callable[..., object]) -> Callable[[int], None]:
    """What everybody writes."""

    def make(size: int) -> None:
        for number in range(size):
            cls(id=number, name="John", email="john@example.org", age=30, score=1.5)

    return make
