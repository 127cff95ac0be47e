import sys
import time

import pytest

from flatwater.meter import probe
from flatwater.watch import quiet

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks are for Linux")
PAGE = 4096


class Texts:
    """A probe whose texts are given: resident and shared pages."""

    def __init__(self, *pages):
        self.texts = [f"0 {resident} {shared} 0 0 0 0\n".encode() for resident, shared in pages]
        self.looks = 0

    def read_raw(self):
        self.looks += 1
        return self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]


def test_it_looks_until_the_next_tick():
    """So many looks, and the highest sizes seen."""
    seen = Texts((100, 10), (300, 10), (200, 10))
    assert quiet.look_out(seen.read_raw, 0.001, 1e12, by_rss=False, rounds=9, is_stopped=lambda: False) == (
        300 * PAGE,
        290 * PAGE,
    )
    assert seen.looks == 9


def test_a_size_that_matters_ends_it_at_once():
    """The tick that acts must not wait for the rest of the looks."""
    seen = Texts((100, 10), (300, 10))
    quiet.look_out(seen.read_raw, 0.001, 290 * PAGE, by_rss=False, rounds=9, is_stopped=lambda: False)
    assert seen.looks == 2
    seen = Texts((100, 10), (300, 200))
    quiet.look_out(seen.read_raw, 0.001, 300 * PAGE, by_rss=True, rounds=9, is_stopped=lambda: False)
    assert seen.looks == 2


def test_a_stop_is_heard():
    """Neither a look nor a pause outlives it by more than a slice."""
    seen = Texts((100, 10))
    assert quiet.look_out(seen.read_raw, 0.001, 1e12, by_rss=False, rounds=9, is_stopped=lambda: True) == (0, 0)
    assert seen.looks == 0
    began = time.monotonic()
    quiet.pause(600, lambda: time.monotonic() > began + 0.01)
    assert time.monotonic() - began < 60


def test_a_real_process_is_seen():
    """The probe of this process tells sizes like those of a full read."""
    with probe.Probe() as own:
        rss, anon = quiet.look_out(own.raw_reader(), 0.001, 1, by_rss=False, rounds=9, is_stopped=lambda: False)
    assert abs(rss - probe.usage().rss) < 64 << 20
    assert 0 < anon <= rss
    assert quiet.can_look_out(0.01)
    assert not quiet.can_look_out(1.0)
