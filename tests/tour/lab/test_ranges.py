"""tour.lab.ranges and its programs: all variants do the same work."""

from __future__ import annotations

import sys

from flatwater.tour.lab.programs import ranges


def test_both_add_up_the_same():
    """A list and a range name what they made, and give the same sum."""
    sums = []
    for program, kind in ((ranges.as_list, list), (ranges.as_range, range)):
        steps = program(1000)
        name, numbers = next(steps)
        assert (name, type(numbers)) == ("made", kind)
        assert sys.getsizeof(numbers) > 0
        try:
            next(steps)
        except StopIteration as end:
            sums.append(end.value)
    assert sums == [499_500, 499_500]
