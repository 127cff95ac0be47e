"""proof.leaks.evidence: who is suspected, and what is left of it."""

from __future__ import annotations

from flatwater.proof.leaks import figures
from flatwater.proof.leaks.census import Census
from flatwater.proof.leaks.evidence import Evidence, suspects_in
from flatwater.proof.leaks.steady import Steady


def census(count=0, length=0, large=0, size=0):
    return Census({"Node": count}, {"Node": size}, {7: length}, {8: length}, large, complete=True)


def steady(*looks):
    figures_then, *later = looks
    series = Steady(figures_then)
    for now in later:
        series.look(now)
    return series


def test_growth_of_less_than_one_a_round_is_no_suspect():
    """Seven more after eight rounds cannot have grown on each; eight can."""
    assert not suspects_in(census(), census(7, 7, 0, 7), Steady({}), 8, blocks=7)
    suspects = suspects_in(census(), census(8, 8, 0, 8), Steady({}), 8, blocks=40)
    assert (suspects.types, suspects.containers, suspects.caches) == ({"Node"}, {7}, {8})
    assert suspects.flat == {figures.BLOCKS}


def test_pages_that_nothing_explains():
    """Pages count only as far as neither objects nor malloc account for them."""
    flat = steady({figures.RESIDENT: 0}, {figures.RESIDENT: 65536}, {figures.RESIDENT: 131072})
    assert suspects_in(census(), census(), flat, 2).resident_bytes == 65536
    assert suspects_in(census(), census(size=131072), flat, 2).resident_bytes == 0


def test_native_memory_that_large_objects_explain():
    """Bytes of malloc that are a large object's are not native; those beyond it are."""
    for large, native in ((100_000, 0), (0, 100_016)):
        suspects = suspects_in(census(), census(), steady({figures.MALLOC: 0}, {figures.MALLOC: 100_016}), 1)
        evidence = Evidence(census(), {}, suspects)
        for index in (1, 2, 3):
            evidence.look_at_figures({figures.MALLOC: 100_016 * index})
            evidence.look(census(large=large * index))
        assert evidence.native_bytes() == native
