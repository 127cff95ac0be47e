from __future__ import annotations

import pytest

from flatwater import errors
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
