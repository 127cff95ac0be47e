"""A million objects, each referring to the next and the last to the first: dropped, and then collected.

Covers:     a ring that only the collector can free; the same ring cut open before it is dropped.
Not here:   what was measured, and what it means (`tour.lab.cycles`).
Holds:      all objects at once.
"""

from __future__ import annotations

import gc
from collections.abc import Generator


class Node:
    """Refers to another one."""

    def __init__(self) -> None:
        self.next: Node | None = None


def ring(count: int) -> Generator[str, None, int]:
    """Drops the ring as it is, and calls the collector, which was off, only later."""
    gc.disable()
    nodes = _ring_of(count)
    yield "built"
    del nodes
    yield "dropped"
    gc.collect()
    yield "collected"
    return count


def cut_ring(count: int) -> Generator[str, None, int]:
    """Takes one reference out before the ring is dropped: counting references is then enough."""
    gc.disable()
    nodes = _ring_of(count)
    yield "built"
    nodes[-1].next = None
    del nodes
    yield "dropped"
    gc.collect()
    yield "collected"
    return count


def _ring_of(count: int) -> list[Node]:
    nodes = [Node() for _ in range(count)]
    for index in range(count):
        nodes[index - 1].next = nodes[index]
    return nodes
