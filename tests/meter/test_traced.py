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
