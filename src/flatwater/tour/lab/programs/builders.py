"""Objects of five fields, built in several ways; used builders, kept in a pool and without bounds.

Covers:     a class by hand; builders that are fresh, reused, pooled, of several schemas; rows in batches; ten thousand builds.
Not here:   what was measured, and what it means (`tour.lab.builders`).
Holds:      `in_batches` a batch, `pooled` the pool; the others all objects at once. Their values are shared.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator
from typing import Any

import msgspec

from flatwater.build.batch import BatchBuilder
from flatwater.build.building import builder
from flatwater.build.pools import clear_pools, pool_stats
from flatwater.tour.lab.programs import Count

Moment = str | tuple[str, Any]
OPEN_AT_A_TIME = 50
FIRST_BUILDS = 100
BATCH_BYTES = 1 << 20
ROUNDS, ROUND_OBJECTS = 7, 3_000  # the least of several short rounds: what else the machine does is not in it
IMPORTS = ("flatwater.build.rows", "flatwater.build.checking", "flatwater.build.generate")


class Plain:
    """Nothing special."""

    def __init__(self, number: int, name: str, email: str, age: int, score: float) -> None:
        self.number = number
        self.name = name
        self.email = email
        self.age = age
        self.score = score


class Interface(msgspec.Struct, gc=False):
    """Nothing but values."""

    number: int
    name: str
    email: str
    age: int
    score: float


@dataclasses.dataclass(slots=True)
class Classy:
    """A class of one's own."""

    number: int
    name: str
    email: str
    age: int
    score: float


def by_hand(count: int) -> Generator[Moment, None, int]:
    """Keyword arguments of a plain class."""
    return _keep(count, lambda: Plain(number=1, name="John", email="john@example.org", age=30, score=1.5))


def struct_fresh(count: int) -> Generator[Moment, None, int]:
    """A builder for each object."""
    create = builder(Interface).create
    return _keep(count, lambda: _filled(create()))


def dataclass_fresh(count: int) -> Generator[Moment, None, int]:
    """The same, of a dataclass with slots."""
    create = builder(Classy).create
    return _keep(count, lambda: _filled(create()))


def validated_fresh(count: int) -> Generator[Moment, None, int]:
    """The same, and every value is checked."""
    create = builder(Interface, validate=True).create
    return _keep(count, lambda: _filled(create()))


def struct_reused(count: int) -> Generator[Moment, None, int]:
    """One builder for all objects, with all five setters each time."""
    one = builder(Interface).create()
    return _keep(count, lambda: _filled(one))


def struct_pooled(count: int) -> Generator[Moment, None, int]:
    """A builder from a pool for each object."""
    create = builder(Interface, pooled=True).create
    return _keep(count, lambda: _filled(create()))


def struct_make(count: int) -> Generator[Moment, None, int]:
    """One call an object."""
    make = builder(Interface).make
    return _keep(count, lambda: make(number=1, name="John", email="john@example.org", age=30, score=1.5))


def in_batches(count: int) -> Generator[Moment, None, int]:
    """Objects in lists of at most a megabyte, each handed over and forgotten."""
    yield "timed", Count(_least_ns(lambda: _in_batches(ROUND_OBJECTS)))
    return _in_batches(count)


def _in_batches(count: int) -> int:
    total = 0

    def add(rows: list[Interface]) -> None:
        nonlocal total
        total += sum(row.age for row in rows)

    with BatchBuilder(Interface, add, batch_bytes=BATCH_BYTES, as_="rows") as rows:
        for _ in range(count):
            rows.append(number=1, name="John", email="john@example.org", age=30, score=1.5)
    return total


def pooled(count: int) -> Generator[Moment, None, int]:
    """Fifty builders open at a time, from a pool."""
    create = builder(Interface, pooled=True).create
    # flatwater: allow FW503 — the lab begins with an empty pool
    clear_pools()
    yield "empty", Count(pool_stats().objects)
    ages = _build_many(create, FIRST_BUILDS)
    yield "after 100", Count(pool_stats().objects)
    ages += _build_many(create, count - FIRST_BUILDS)
    yield "after all", Count(pool_stats().objects)
    return ages


def all_kept(count: int) -> Generator[Moment, None, int]:
    """The same, and every used builder stays in a list: what a pool without bounds comes to."""
    create = builder(Interface).create
    kept: list[Any] = []

    def created() -> Any:
        kept.append(create())
        return kept[-1]

    yield "empty", Count(len(kept))
    ages = _build_many(created, FIRST_BUILDS)
    yield "after 100", Count(len(kept))
    ages += _build_many(created, count - FIRST_BUILDS)
    yield "after all", Count(len(kept))
    return ages


def _build_many(create: Callable[[], Any], count: int) -> int:
    ages = 0
    for _ in range(0, count, OPEN_AT_A_TIME):
        opened = [create() for _ in range(OPEN_AT_A_TIME)]
        ages += sum(_filled(one).age for one in opened)
    return ages


def _filled(made: Any) -> Any:
    return made.with_number(1).with_name("John").with_email("john@example.org").with_age(30).with_score(1.5).build()


def _keep(count: int, make: Callable[[], Any]) -> Generator[Moment, None, int]:
    def make_many() -> None:
        for _ in range(ROUND_OBJECTS):
            make()

    objects: list[Any] = [None] * count
    yield (
        "timed",
        Count(_least_ns(make_many)),
    )  # what the first ones leave behind belongs to none of those that are kept
    for place in range(count):
        objects[place] = make()
    yield "built", objects[0]
    return sum(one.age for one in objects)


def _least_ns(make_many: Callable[[], object]) -> int:
    """CPU time an object, in nanoseconds: of the round that took least."""
    rounds = []
    for _ in range(ROUNDS):
        began_ns = time.process_time_ns()
        make_many()
        rounds.append((time.process_time_ns() - began_ns) // ROUND_OBJECTS)
    return min(rounds)
