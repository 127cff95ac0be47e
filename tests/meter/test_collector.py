import gc

import pytest

from flatwater.meter import collector


@pytest.fixture(autouse=True)
def no_collection_of_its_own():
    """Only the collections that a test asks for: one that Python begins by itself would be counted too."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def listening():
    return sum("_on_collection" in repr(callback) for callback in gc.callbacks)


def test_one_callback_for_all_listeners():
    """It is there while anybody listens, once, and gone after the last."""
    collector.listen()
    collector.listen()
    assert listening() == 1
    collector.stop_listening()
    assert listening() == 1
    collector.stop_listening()
    collector.stop_listening()  # one too many is harmless
    assert listening() == 0


def test_each_generation_is_counted_with_its_time():
    """A collection of generation n adds one to n, and seconds."""
    collector.listen()
    counts, pauses = collector.seen()
    gc.collect(2)
    after, pauses_after = collector.seen()
    collector.stop_listening()
    assert after[2] - counts[2] == 1
    assert pauses_after[2] > pauses[2]


def test_a_collection_in_which_it_begins_to_listen_is_not_counted():
    """A finalizer may begin it: the end of a collection whose begin nobody saw has no duration."""

    class Node:
        def __init__(self):
            self.me = self

        def __del__(self):
            collector.listen()

    Node()
    counts, pauses = collector.seen()
    gc.collect()
    after, pauses_after = collector.seen()
    collector.stop_listening()
    assert after == counts
    assert pauses_after == pauses
    assert listening() == 0


def test_the_lock_can_be_taken_again():
    """A finalizer that runs while the lock is held begins and ends listening, and the callback stays as it should."""
    collector.listen()
    with collector.lock:
        collector.listen()
        collector.stop_listening()
        assert listening() == 1
    collector.stop_listening()
    assert listening() == 0
