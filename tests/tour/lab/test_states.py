"""tour.lab.states and its programs: all variants change the same entries."""

from __future__ import annotations

import tracemalloc

import pytest

from flatwater.store.store import Store
from flatwater.tour.lab.inputs import Inputs
from flatwater.tour.lab.programs import states
from flatwater.tour.lab.states import EXPERIMENTS


@pytest.fixture
def path():
    with Inputs() as inputs:
        yield inputs.store(3_000)


def last_bytes(path):
    with Store(path) as store:
        return {value[-1] for batch in store.batches() for _key, value in batch}


def test_all_variants_change_all_entries(path):
    """Each program moves every entry to its next state, and says how many there were."""
    assert states.collected(path, 3_000) == 3_000
    assert last_bytes(path) == {1}
    for number, variant in enumerate(EXPERIMENTS[0].variants[1:], start=2):
        assert states.marked(path, *variant.args[1:]) == 3_000
        assert last_bytes(path) == {number}


def test_states_go_round():
    """After the last one comes the first: a store can be marked any number of times."""
    assert states.next_state(b"ab\xff") == b"ab\x00"


def test_collecting_holds_all_entries(path):
    """A change for every entry is held at once, and in short transactions only some: the sentence of the experiment."""

    def traced(function, *args):
        tracemalloc.start()
        try:
            function(path, *args)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    traced(states.marked, 500, 250)  # what is imported on the first call
    assert traced(states.collected, 3_000) > 4 * traced(states.marked, 500, 250)
