"""Rows of a statement, in three forms."""

import asyncio
import gc

import pytest

from flatwater import errors
from flatwater.live.access import Limits
from flatwater.live.results import Result, Rows


def result(pages=(({"a": 1}, {"a": 2}), ({"a": 3},)), **options):
    closed = []
    made = Result(["a"], Rows(lambda: pages, close=lambda: closed.append(1)), **options)
    return made, closed


def test_dicts_lines_and_nothing():
    """Rows come as dicts or lines, once; then what held them is closed."""
    made, closed = result()
    assert list(made) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert closed == [1]
    assert list(made) == []
    made, closed = result()
    assert list(made.json()) == [b'{"a":1}\n', b'{"a":2}\n', b'{"a":3}\n']
    assert list(Result(())) == []
    made, _closed = result()
    with pytest.raises(errors.UsageError, match="Arrow"):
        list(made.arrow())


def test_an_end_in_the_middle():
    """Closing ends it, and reading in another form after the first row is refused."""
    made, closed = result()
    assert next(made) == {"a": 1}
    with pytest.raises(errors.UsageError, match="once"):
        next(made.json())
    with made:
        pass
    made.close()
    assert set(closed) == {1}


def test_a_result_that_is_dropped():
    """In the middle of its rows it is closed at once, whether the collector runs or not."""
    gc.disable()
    try:
        made, closed = result()
        next(made)
        del made
        assert closed == [1]
    finally:
        gc.enable()


def test_limits():
    """Rows, bytes and seconds beyond them end it with what was reached."""
    for limits, what in ((Limits(rows=2), "rows"), (Limits(bytes=10), "bytes"), (Limits(seconds=-1), "seconds")):
        made, closed = result(limit=limits)
        with pytest.raises(errors.LimitReached, match=what):
            list(made)
        assert closed == [1]


def test_coroutines():
    """Rows come one by one in a loop."""

    async def main():
        async with result()[0] as made:
            return [row async for row in made]

    assert len(asyncio.run(main())) == 3
    assert "a" in repr(result()[0])
    assert "2 rows" in repr(Result((), count=2))
