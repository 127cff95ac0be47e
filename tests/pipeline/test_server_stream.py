"""Passes over a stream of a server, over a stand-in that answers as it is told."""

import threading
from types import SimpleNamespace

import pytest

from flatwater.pipeline.server_stream import Walk


class Numbers(Walk):
    """Numbers up to a last one; `open` counts connections."""

    asked = ()
    last = 1_000
    open = 0

    def _read(self):
        self.open += 1
        try:
            yield from self._lists(self._numbers, "number", 64)
        finally:
            self.open -= 1

    def _numbers(self, count):
        self.asked = (*self.asked, count)
        first = (self.token or 0) + 1
        return [{"number": at} for at in range(first, min(first + count, self.last + 1))]


def stream(**options):
    return SimpleNamespace(**({"stop_when_empty": True, "stop": None, "batch_bytes": 10_000} | options))


@pytest.mark.parametrize("after", [None, 0, 990, 1_000])
def test_all_behind_a_token_once(after):
    walk = Numbers(stream(), after)
    found = [item["number"] for items in walk for item in items]
    assert found == list(range((after or 0) + 1, 1_001))
    assert walk.token == (1_000 if found else after)
    assert walk.open == 0


@pytest.mark.parametrize(("batch_bytes", "most"), [(1, 1), (4_000, 40), (10**9, 64)])
def test_a_batch_is_what_fits(batch_bytes, most):
    walk = Numbers(stream(batch_bytes=batch_bytes), None)
    largest = max(len(items) for items in walk)
    assert largest <= most
    assert largest > most // 4


def test_it_waits_and_goes_on():
    walk = Numbers(stream(stop_when_empty=False), 998)
    turns = iter(walk)
    assert next(turns) == [{"number": 999}]
    assert next(turns) == [{"number": 1_000}]
    assert next(turns) == []
    walk.last = 1_001
    assert next(turns) == [{"number": 1_001}]
    assert walk.open == 1
    walk.close()
    assert walk.open == 0


def test_an_event_ends_it():
    stop = threading.Event()
    walk = Numbers(stream(stop_when_empty=False, stop=stop), 1_000)
    turns = iter(walk)
    assert next(turns) == []
    stop.set()
    assert list(turns) == []
    assert walk.open == 0
