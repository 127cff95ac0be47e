"""proof.leaks.evidence: who is suspected, and what is left of it."""

from __future__ import annotations

import sys
import types

from flatwater.proof.leaks import census as censuses
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


def test_blocks_that_go_after_the_round(monkeypatch):
    """Blocks that each round takes, and that a thread gives back a little later, do not stay; those that do are told."""
    for staying, blocks in ((0, 0), (40, 40)):
        evidence = Evidence(census(), {}, suspects_in(census(), census(), Steady({}), 4, blocks=100))
        for index in (1, 2, 3, 4):
            monkeypatch.setattr(
                sys, "getallocatedblocks", lambda index=index, staying=staying: 10_000 + staying * index
            )
            evidence.look_at_figures({figures.BLOCKS: 40 * index})
        assert evidence.blocks() == blocks


def test_pages_that_nothing_explains():
    """Pages count only as far as neither objects nor malloc account for them."""
    flat = steady({figures.RESIDENT: 0}, {figures.RESIDENT: 65536}, {figures.RESIDENT: 131072})
    assert suspects_in(census(), census(), flat, 2).resident_bytes == 65536
    assert suspects_in(census(), census(size=131072), flat, 2).resident_bytes == 0
    assert suspects_in(census(), census(size=80_000), flat, 2).resident_bytes == 0  # Python's allocator rounds up


def test_native_memory_that_large_objects_explain():
    """Bytes of malloc that are a large object's are not native; those beyond it are."""
    for large, native in ((100_000, 0), (0, 100_016)):
        suspects = suspects_in(census(), census(), steady({figures.MALLOC: 0}, {figures.MALLOC: 100_016}), 1)
        evidence = Evidence(census(), {}, suspects)
        for index in (1, 2, 3):
            evidence.look_at_figures({figures.MALLOC: 100_016 * index})
            evidence.look(census(large=large * index))
        assert evidence.native_bytes() == native


def test_native_memory_with_a_pause():
    """A round of four in which a block did not show is forgiven, a second one or a fall is not."""
    for growths, native in (((80, 80, 0, 80), 80), ((80, 0, 0, 80), 0), ((80, -80, 80, 80), 0)):
        suspects = suspects_in(census(), census(), steady({figures.MALLOC: 0}, {figures.MALLOC: 80}), 1)
        evidence = Evidence(census(), {}, suspects)
        total = 0
        for growth in growths:
            total += growth
            evidence.look_at_figures({figures.MALLOC: total})
            evidence.look(census())
        assert evidence.native_bytes() == native, growths


def test_what_is_no_object():
    """What Python keeps outside of objects is looked at where it can have grown on every round."""
    before, after = ({figures.CHILDREN: count, figures.SET_APART: 7} for count in (1, 9))
    first, last = (Census({}, {}, {}, {}, 0, complete=True, kept=kept) for kept in (before, after))
    suspects = suspects_in(first, last, Steady({}), 8)
    assert suspects
    assert suspects.kept == {figures.CHILDREN}


def looked_at(*looks):
    """The evidence after looks at lists of objects that all have one holder."""
    taken = [censuses.take(objects) for objects in looks]
    evidence = Evidence(taken[0], {}, suspects_in(taken[0], taken[-1], Steady({}), len(looks) - 1))
    held = types.SimpleNamespace(holder=lambda _key: "app", holders=lambda keys: ("app" for _ in keys))
    evidence.look_at_holders(held, looks[0])
    for objects, one in zip(looks[1:], taken[1:], strict=True):
        evidence.look_at_figures({})
        evidence.look(one)
        evidence.look_at_holders(held, objects)
    return evidence


def test_a_bounded_buffer_is_no_growth():
    """Texts of which one after the other is replaced by a longer one are larger each time, and no leak."""
    looks = [[*(f"short {n}" for n in range(9 - done)), *(f"longer {n}" for n in range(done))] for done in range(4)]
    evidence = looked_at(*looks)
    assert evidence.types() == {"str"}
    assert evidence.held() == {}
    assert evidence.everywhere() == frozenset()


def test_one_text_that_gets_longer_is():
    """A text that is made anew and longer is held by whom it is held, though others are longer."""
    looks = [["x" * 500, "x" * (50 + done)] for done in range(4)]
    evidence = looked_at(*looks)
    assert evidence.held() == {("app", "str"): (0, 1)}
    assert evidence.everywhere() == {"str"}


def test_a_dict_that_is_made_anew():
    """A dict or frozenset with one entry more each time is found, though its bytes are mostly the same."""
    for make in (dict.fromkeys, frozenset):
        evidence = looked_at(*[[make(range(20)), make(range(6 + done))] for done in range(4)])
        assert evidence.held() == {("app", type(make(())).__name__): (0, 8)}
