from __future__ import annotations

import asyncio

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.source import lines
from flatwater.source.files.one_pass import Body, OnePass
from flatwater.source.files.place import Place
from flatwater.source.files.stream import Stream


class Letters(Body):
    """A body with two lists of items."""

    __slots__ = ()

    def bytes_max(self):
        return 10

    def lists(self):
        yield ["a", "b"]
        yield []
        yield ["c"]


def test_lists_become_items(write):
    """What a body gives in lists comes one at a time, once, and then the stream is closed."""
    body = Letters(Stream(Place(write(b"x")), "test"))
    reader = OnePass(body)
    assert next(reader) == "a"
    assert list(reader) == ["b", "c"]
    assert body.stream.is_done
    with pytest.raises(errors.ClosedError):
        iter(reader)
    with pytest.raises(errors.UsageError, match="being read"):
        reader._refuse_started()


def test_closing_twice_and_before(write):
    """Closing what was never started, or is closed, is fine; entering it afterwards is not."""
    reader = OnePass(Letters(Stream(Place(write(b"x")), "test")))
    reader.close()
    reader.close()
    with pytest.raises(errors.ClosedError), reader:
        pass


def test_left_by_a_coroutine(write, open_files):
    """`async with` opens and closes in a thread: a loop that is left leaves nothing open."""
    before, budget = open_files(), fw.Budget("64 MiB")

    async def read():
        async with lines(write(b"one\ntwo\n")) as reader:
            assert budget.held
            return await anext(aiter(reader))

    with budget:
        assert asyncio.run(read()) == "one"
    assert budget.held == 0
    assert open_files() <= before
