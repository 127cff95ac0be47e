"""proof.leaks.collecting: the collector counted, and left as it was."""

from __future__ import annotations

import gc

import pytest

from flatwater.proof.leaks.collecting import Collecting


def make_cycle():
    ring = []
    ring.append(ring)


def test_what_only_the_collector_frees_is_counted():
    """A cycle counts, an ordinary object does not."""
    with Collecting() as collecting:
        collecting.finish_round()
        collecting.start_round()
        _ = [object() for _ in range(10)]
        assert collecting.finish_round() == 0
        for _ in range(7):
            make_cycle()
        assert collecting.finish_round() == 7


def disturb(*, is_enabled):
    (gc.disable if is_enabled else gc.enable)()
    gc.set_threshold(5, 6, 7)
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.freeze()
    raise ZeroDivisionError


@pytest.mark.parametrize("is_enabled", [True, False])
def test_it_is_left_as_it_was(is_enabled):
    """Whatever the action does to the collector, and however it ends, is undone."""
    was_enabled, thresholds, debug = gc.isenabled(), gc.get_threshold(), gc.get_debug()
    callbacks = list(gc.callbacks)
    (gc.enable if is_enabled else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), Collecting():
            disturb(is_enabled=is_enabled)
        assert gc.isenabled() == is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
    assert (gc.get_threshold(), gc.get_debug(), gc.get_freeze_count()) == (thresholds, debug, 0)
    assert gc.callbacks == callbacks
