"""proof.leaks.collecting: the collector counted, and left as it was."""

from __future__ import annotations

import subprocess
import sys

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


DISTURBED = """
import gc, sys
from flatwater.proof.leaks.collecting import Collecting
(gc.enable if sys.argv[1] == "on" else gc.disable)()
if sys.argv[2] == "frozen":
    gc.freeze()
frozen = gc.get_freeze_count()
before = gc.isenabled(), gc.get_threshold(), gc.get_debug(), list(gc.callbacks)
try:
    with Collecting():
        (gc.disable if gc.isenabled() else gc.enable)()
        gc.set_threshold(5, 6, 7)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.freeze()
        raise ZeroDivisionError
except ZeroDivisionError:
    pass
assert (gc.isenabled(), gc.get_threshold(), gc.get_debug(), list(gc.callbacks)) == before
assert gc.get_freeze_count() >= frozen > 0 if frozen else gc.get_freeze_count() == 0, (frozen, gc.get_freeze_count())
"""


@pytest.mark.parametrize("heap", ["free", "frozen"])
@pytest.mark.parametrize("collector", ["on", "off"])
def test_it_is_left_as_it_was(collector, heap):
    """Whatever the action does to the collector, and however it ends, is undone; what was set apart before stays so."""
    subprocess.run([sys.executable, "-c", DISTURBED, collector, heap], check=True, timeout=60)
