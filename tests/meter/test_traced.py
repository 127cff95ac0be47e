import gc
import sys
import tracemalloc

from flatwater.meter import traced


def test_the_line_that_holds_the_growth_comes_first():
    """Growth is booked to the line that allocated it, ours and tracemalloc's own left out."""
    traced.begin()
    then = traced.now()
    kept = [bytes(1000) for _ in range(1000)]
    growth = traced.since(then)
    traced.end()
    assert len(kept) == 1000
    place, size, blocks = growth.top[0]
    assert "test_traced.py" in place
    assert size > 1_000_000
    assert blocks >= 1000
    assert growth.peak >= growth.bytes > 1_000_000
    assert not tracemalloc.is_tracing()


def test_somebody_elses_tracing_goes_on():
    """It is stopped only where it was started."""
    tracemalloc.start()
    try:
        traced.begin()
        traced.begin()
        traced.end()
        traced.end()
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_each_knows_the_peak_of_its_own_time():
    """A moment that begins inside another starts the peak over for itself alone."""
    traced.begin()
    outer = traced.now()
    spike = bytearray(20_000_000)
    del spike
    inner = traced.now()
    small = bytearray(2_000_000)
    del small
    assert 2_000_000 < traced.since(inner).peak < 10_000_000
    assert traced.since(outer).peak > 20_000_000
    traced.end()


def test_what_it_takes_to_list_blocks_is_nobodys_peak():
    """The lists that a moment makes are large, and are not the program's."""
    traced.begin()
    kept = [bytes(10) for _ in range(30_000)]
    outer = traced.now()
    inner = traced.now()
    traced.since(inner)
    growth = traced.since(outer)
    traced.end()
    assert len(kept) == 30_000
    assert growth.peak < 30_000 * 60 + 4_000_000  # the blocks, and one list of them


def test_the_tracers_own_memory_is_told():
    """About a hundred bytes for each block."""
    traced.begin()
    then = traced.now()
    kept = [bytes(10) for _ in range(50_000)]
    growth = traced.since(then)
    traced.end()
    assert 80 * len(kept) < growth.tracer < 160 * len(kept)


def test_tracing_that_was_stopped_is_a_doubt():
    """Whether it was stopped, cleared, or begun again, nothing is made up; the next one traces."""
    for stop in (tracemalloc.stop, tracemalloc.clear_traces, lambda: (tracemalloc.stop(), tracemalloc.start())):
        traced.begin()
        then = traced.now()
        stop()
        growth = traced.since(then)
        assert "stopped or cleared" in growth.doubt
        assert (growth.bytes, growth.peak, growth.top) == (0, -1, ())
        traced.begin()
        assert tracemalloc.is_tracing()
        assert not traced.since(traced.now()).doubt
        traced.end()
        traced.end()
        assert not tracemalloc.is_tracing()


def test_no_function_is_called_for_each_block():
    """Finding the lines among many blocks is one loop: tracing costs more than that, a call for each would not."""
    calls = []

    def note(_frame, event, _argument):
        if event == "call":
            calls.append(1)

    traced.begin()
    then = traced.now()
    kept = [bytes(10) for _ in range(5_000)]
    profiler = sys.getprofile()
    gc.collect()
    gc.disable()  # what a collection calls, for what earlier tests left, is not the tracing's
    try:
        sys.setprofile(note)
        growth = traced.since(then)
    finally:
        sys.setprofile(profiler)
        gc.enable()
    traced.end()
    assert growth.top[0][2] >= len(kept)
    assert len(calls) < 500
