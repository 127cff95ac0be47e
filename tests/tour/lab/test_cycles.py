"""tour.lab.cycles and its programs: all variants do the same work."""

from __future__ import annotations

import gc
import weakref

import pytest

from flatwater.tour.lab.programs import cycles


@pytest.fixture(autouse=True)
def collector():
    """The programs switch it off; it is on again afterwards."""
    yield
    gc.enable()


@pytest.mark.parametrize(("program", "alive"), [(cycles.ring, True), (cycles.cut_ring, False)])
def test_only_the_collector_frees_a_ring(monkeypatch, program, alive):
    """Dropped, a ring lives on and a cut one does not; collected, neither does."""
    seen = []

    class Node(cycles.Node):
        def __init__(self):
            super().__init__()
            seen.append(weakref.ref(self))

    monkeypatch.setattr(cycles, "Node", Node)
    steps = program(10)
    assert next(steps) == "built"
    assert next(steps) == "dropped"
    assert {ref() is not None for ref in seen} == {alive}
    assert next(steps) == "collected"
    assert {ref() for ref in seen} == {None}
