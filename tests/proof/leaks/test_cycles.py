"""proof.leaks.cycles: one round's garbage."""

from __future__ import annotations

import gc
import sys

from flatwater.proof.leaks import census, cycles


class Node:
    def __init__(self):
        self.me = self
        self.text = str(id(self)) * 100


def test_members_and_an_example():
    """Types, counts and bytes with what only the cycle holds, an example by attribute, and no garbage left."""
    earlier = list(gc.garbage)
    found = cycles.look(lambda: [Node() for _ in range(10)] and None, 10)
    assert found.objects == 10
    assert {part.type_name: part.objects for part in found.parts} == {f"{__name__}.Node": 10, "str": 10}
    assert found.bytes > 10 * 1000
    one = Node()
    beside = census.beside(one)
    one.me = None
    size = {part.type_name: part.bytes for part in found.parts}[f"{__name__}.Node"]
    assert size == 10 * (sys.getsizeof(one) + beside)
    assert found.example == ("Node.me", "Node")
    assert not found.is_off
    assert (gc.garbage, gc.get_debug()) == (earlier, 0)
    assert gc.collect() == 0


def test_too_many_are_only_counted(monkeypatch):
    """Above the bound nothing is kept for a look."""
    monkeypatch.setattr(cycles, "OBJECTS_MAX", 5)
    found = cycles.look(Node, 10)
    assert (found.objects, found.bytes, found.example) == (10, 0, ())
