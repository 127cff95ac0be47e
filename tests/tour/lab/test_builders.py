"""tour.lab.builders and its programs: all variants do the same work."""

from __future__ import annotations

import pytest

from flatwater.tour.lab import registry
from flatwater.tour.lab.programs import builders


def ended(program, count):
    """The moments it named, and what it returned."""
    steps, moments = program(count), []
    while True:
        try:
            moments.append(next(steps))
        except StopIteration as end:
            return moments, end.value


@pytest.mark.parametrize(
    "program",
    ["by_hand", "struct_fresh", "dataclass_fresh", "validated_fresh", "struct_reused", "struct_pooled", "struct_make"],
)
def test_every_way_builds_the_same(program):
    """As many objects as asked for, with their values; the last moment names one of them."""
    ((timed, each_ns), (built, one)), total = ended(getattr(builders, program), 100)
    assert (timed, built, total) == ("timed", "built", 3_000)
    assert each_ns > 0
    assert (one.number, one.name, one.email, one.age, one.score) == (1, "John", "john@example.org", 30, 1.5)


def test_batches_add_up_the_same():
    """Rows that are handed over and forgotten give the sum that kept objects give."""
    ((timed, each_ns),), total = ended(builders.in_batches, 100)
    assert (timed, total) == ("timed", 3_000)
    assert each_ns > 0


def test_a_pool_stays_at_what_was_open():
    """Fifty open at a time leave fifty, after a hundred builds and after a thousand; a list of all keeps them all."""
    moments, total = ended(builders.pooled, 1_000)
    assert (moments, total) == ([("empty", 0), ("after 100", 50), ("after all", 50)], 30_000)
    moments, total = ended(builders.all_kept, 1_000)
    assert (moments, total) == ([("empty", 0), ("after 100", 100), ("after all", 1_000)], 30_000)


def test_the_write_ups_figures_stand_beside():
    """60, 80 and 120 bytes an object, and a pool of about fifty."""
    modes, pool = registry.find(["builders", "pool"])
    words = [figure.words for variant in modes.variants for figure in variant.seed_figures]
    assert words == ["~60 B each (Node)", "~80 B each (Node)", "~120 B each (Node)"]
    assert [figure.words for figure in pool.variants[0].seed_figures] == ["0 builders", "~50 builders", "~50 builders"]
