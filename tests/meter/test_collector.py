import gc

from flatwater.meter import collector


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
