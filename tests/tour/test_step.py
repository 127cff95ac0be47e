"""tour.step: loading steps by name."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.tour.step import load
from flatwater.tour.steps import STEPS


def test_the_houses_steps_can_be_loaded():
    """Each registered name is a step with a name, a least and a promise within the room."""
    for step in load(STEPS):
        assert step.name
        assert 0 < step.bytes_least <= step.bytes_max(160 << 20) <= 160 << 20


@pytest.mark.parametrize("name", ["nowhere:Step", "flatwater.tour.steps.words:Nothing", "words", ""])
def test_a_step_that_is_not_there_is_named(name):
    """The error says which, and how a step is named."""
    with pytest.raises(errors.UsageError, match=r"there is no step .*'module:Class'"):
        load([name])
