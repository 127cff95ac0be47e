"""What reference counts free at once, what only the collector frees, and what is left when it is switched off.

Run: python docs/examples/gc_cycles.py [NUMBER OF OBJECTS]
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable

import flatwater as fw
from flatwater import units


class Node:
    """A thing that refers to another one."""

    def __init__(self, other: Node | None = None) -> None:
        self.other = other


def chain(count: int) -> Node:
    """Each refers to the one before: nothing refers back."""
    last = Node()
    for _ in range(count - 1):
        last = Node(last)
    return last


def ring(count: int) -> Node:
    """The same, and the first refers to the last: a cycle."""
    first = last = Node()
    for _ in range(count - 1):
        last = Node(last)
    first.other = last
    return last


def weak_ring(count: int) -> Node:
    """The way back is a weak reference: no cycle of counted ones."""
    first = last = Node()
    for _ in range(count - 1):
        last = Node(last)
    first.other = weakref.proxy(last)
    return last


def left_by(make: Callable[[int], Node], count: int) -> tuple[int, int, int]:
    """Blocks of Python's allocator while it is held, after it is dropped, and after a collection; none happens before."""
    gc.collect()
    gc.disable()
    try:
        before = sys.getallocatedblocks()
        made = make(count)
        held = sys.getallocatedblocks() - before
        del made
        dropped = sys.getallocatedblocks() - before
        gc.collect()
        return held, dropped, sys.getallocatedblocks() - before
    finally:
        gc.enable()


def main(count: int) -> None:
    """Each shape, and what it leaves."""
    print(f"{count:,} objects each, the collector switched off; blocks of Python's allocator")
    print(f"{'shape':<10} {'held':>9} {'dropped':>9} {'collected':>10}")
    for make in (chain, ring, weak_ring):
        held, dropped, collected = left_by(make, count)
        print(f"{make.__name__:<10} {held:>9,} {dropped:>9,} {collected:>10,}")
    with fw.measure("rings", gc=False) as reading:
        gc.disable()
        for _ in range(10):
            ring(count)
        gc.enable()
    print(f"ten rings, made and dropped with the collector off: {units.format_bytes(reading.delta)} more resident")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
