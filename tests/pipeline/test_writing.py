"""The stage that writes: items go on behind the sink, those that it has already are not written again."""

from __future__ import annotations

from flatwater.pipeline.place import Place
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sinks.calls import CallSink
from flatwater.pipeline.writing import To


def written(items, *, is_written=False):
    seen = []
    stage = To(CallSink(seen.append))
    place = Place(Gauge("1 to", 1), Policy("skip"), writer=stage.sink.open("", None), is_written=is_written)
    return [each for batch in stage.over(iter(items), place) for each in batch], seen, place.gauge.items_in


def test_items_go_on():
    """In their batches, once they are written."""
    assert written([[1, 2], [3]]) == ([1, 2, 3], [1, 2, 3], 3)


def test_what_the_sink_has_is_not_written_again():
    """It was faster than the checkpoint."""
    assert written([[1, 2], [3]], is_written=True) == ([1, 2, 3], [], 3)


def test_its_bytes_are_the_sinks():
    """A function holds nothing."""
    assert To(CallSink(print)).bytes_max(1000) == 0
    assert To(CallSink(print)).name == "to(print)"
