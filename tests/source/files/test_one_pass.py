from __future__ import annotations

import asyncio
import sys
import threading

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


def test_closed_by_many_threads_at_once(write):
    """Threads that close one reader at the same time do not end the interpreter: one closes, the others wait for it."""
    path, before = write(b"one\ntwo\n"), sys.getswitchinterval()
    readers, errors_seen = [lines(path) for _turn in range(500)], []
    start = threading.Barrier(3)

    def close():
        for reader in readers:
            start.wait()
            try:
                reader.close()
                assert reader._body.stream.is_done
            except BaseException as error:
                errors_seen.append(error)

    for reader in readers:
        next(reader)
    threads = [threading.Thread(target=close) for _thread in range(3)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert errors_seen == []
