"""Lists on their way through shared memory: what comes out is what went in, and what a large one took is given back."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.pipeline import arena
from flatwater.pipeline.arena import Arena, Message

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


@pytest.fixture
def memory():
    made = Arena.made()
    yield made
    made.close()
    made.close()


def used(memory):
    return os.fstat(memory.descriptor).st_size


@given(
    st.lists(
        st.one_of(
            st.none(), st.text(max_size=9), st.tuples(st.integers(), st.binary(max_size=20)),
            st.integers(0, 100_000).map(bytes), st.integers(0, 100_000).map(bytearray),
            st.integers(0, 100_000).map(lambda size: {"in": ["side", bytes(size)]}),
        )
    )
)  # fmt: skip
def test_what_comes_out_is_what_went_in(items):
    """Values and their types, over what was there before."""
    memory = Arena.made()
    memory.put([b"before" * 100_000])
    found = memory.take(memory.put(items))
    assert found == items
    assert [type(item) for item in found] == [type(item) for item in items]
    memory.close()


def test_large_buffers_are_not_in_the_pickle(memory):
    """Bytes of an item, and arrays anywhere in one; a long pickle goes through the memory as well."""
    numpy = pytest.importorskip("numpy")
    message = memory.put([b"x" * 100_000, {"rows": numpy.zeros(10_000)}])
    assert len(message.stream) < 1_000
    assert message.buffers == [(100_000, True), (80_000, False)]
    assert memory.take(message)[1]["rows"].flags.writeable
    message = memory.put([("a", b"x" * 100_000)])
    assert (message.stream, message.buffers) == (b"", [])
    assert message.bytes_used > 100_000


def test_views_come_as_bytes(memory):
    """Of what may be changed, as a bytearray; with gaps, too."""
    items = [memoryview(b"x" * 10_000), memoryview(b"small"), memoryview(bytearray(10_000)), memoryview(b"abcdef")[::2]]
    found = memory.take(memory.put(items))
    assert found == [b"x" * 10_000, b"small", bytearray(10_000), b"ace"]


def test_what_is_of_the_main_module_goes_by_value(memory):
    """Its name says nothing to another process."""
    here = type("Here", (), {"__module__": "__main__", "n": 5})
    import __main__

    __main__.Here = here
    try:
        message = memory.put([here()])
        assert b"cloudpickle" in message.stream
    finally:
        del __main__.Here
    assert memory.take(message)[0].n == 5


def test_it_gives_back_what_a_large_list_took(memory):
    """All but a fixed number of bytes."""
    large = [b"x" * (3 * limits.FLOW_ARENA_BYTES)]
    message = memory.put(large)
    assert memory.take(message) == large
    memory.trim(message.bytes_used)
    assert used(memory) == limits.FLOW_ARENA_BYTES
    memory.trim(10)
    assert used(memory) == limits.FLOW_ARENA_BYTES


def test_memory_that_became_shorter(memory):
    """Is an error, and not a crash."""
    message = memory.put([b"x" * 100_000])
    os.ftruncate(memory.descriptor, 10)
    with pytest.raises(errors.BrokenError, match="shared memory became shorter"):
        memory.take(message)


def test_elsewhere_than_on_linux(monkeypatch):
    """It is a file that has no name any more."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    memory = Arena.made()
    assert os.fstat(memory.descriptor).st_nlink == 0
    assert memory.take(memory.put([b"x" * 10_000])) == [b"x" * 10_000]
    memory.close()


def test_a_message_says_how_much_it_stands_for():
    """Buffers, and a pickle behind them."""
    assert Message(b"", 10, [(5, True), (7, False)]).bytes_used == 22
    assert arena._APART_BYTES_MIN < arena._STREAM_BYTES_MAX
