"""tour.lab.retention and its programs: all variants do the same work."""

from __future__ import annotations

import pytest

from flatwater.tour.lab.programs import retention


@pytest.mark.parametrize("program", [retention.all_freed, retention.small_survivors, retention.large_survivors])
def test_all_go_through_the_same_moments(program):
    """Made, freed, trimmed, and the number they began with."""
    steps = program(2_000)
    assert [next(steps), next(steps), next(steps)] == ["made", "freed", "trimmed"]
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == 2_000
