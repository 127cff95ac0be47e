"""What one object of five fields costs by the way it is built: CPU time, and bytes that stay.

Run: python docs/examples/build_modes.py [COUNT]
"""

import dataclasses
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

import msgspec

from flatwater.build import Builder, builder

VALUES = {"id": 1, "name": "John", "email": "john@example.org", "age": 30, "score": 1.5}
ROUNDS = 5


class Interface(msgspec.Struct, gc=False):
    """Nothing but values."""

    id: int
    name: str
    email: str
    age: int
    score: float


@dataclasses.dataclass(slots=True)
class Classy:
    """A class of one's own."""

    id: int
    name: str
    email: str
    age: int
    score: float


def filled(made: Builder) -> object:
    """Five setters and build."""
    return made.with_id(1).with_name("John").with_email("john@example.org").with_age(30).with_score(1.5).build()


def bytes_each(make: Callable[[], object], count: int) -> float:
    """Of the objects alone: all have the same values."""
    kept = [None] * count
    make()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept[:] = [make() for _ in range(count)]
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return grown / count


def ns_each(make: Callable[[], object], count: int) -> float:
    """CPU time, the median of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        before_ns = time.process_time_ns()
        for _ in range(count):
            make()
        rounds.append((time.process_time_ns() - before_ns) / count)
    return statistics.median(rounds)


def main(count: int) -> None:
    """A line for each way."""
    print(f"{'way':36} {'ns':>7} {'bytes':>7}")
    for name, schema, options in (
        ("Struct", Interface, {}),
        ("dataclass with slots", Classy, {}),
        ("Struct, validated", Interface, {"validate": True}),
    ):
        factory = builder(schema, **options)
        pool = builder(schema, **options, pooled=True)
        one = factory.create()
        ways = {
            "keywords": lambda schema=schema: schema(**VALUES),
            "fresh builder": lambda create=factory.create: filled(create()),
            "reused builder": lambda one=one: filled(one),
            "pooled builder": lambda create=pool.create: filled(create()),
            "make": lambda make=factory.make: make(**VALUES),
        }
        if options:
            del ways["keywords"]  # which check nothing
        for way, make in ways.items():
            print(f"{f'{name}, {way}':36} {ns_each(make, count):7.0f} {bytes_each(make, count):7.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
