"""What a run takes: the addends, and their sum."""

from __future__ import annotations

import flatwater as fw
from flatwater.pipeline import promise
from flatwater.pipeline.sources import Source
from flatwater.pipeline.stages import Each, Map
from flatwater.pipeline.writing import To


def test_each_holder_has_a_line():
    """Those that hold something, with the sum at the end."""
    stages = (Map(str), Each(print))
    held = promise.holders(Source([1], ()), stages, 1000)
    assert [name for name, _count in held] == [
        "list",
        "1 map(str)",
        "2 each(print)",
        "the batch that is used",
        "failures that are kept",
    ]
    shown = promise.explained(Source([1], ()), stages, 1 << 20)
    assert "1 map(str)" in shown
    assert "each(print)" not in shown
    assert shown.splitlines()[-1].split() == ["in", "all", "3.1", "MiB"]


def test_what_a_sink_takes_itself():
    """Is told by the sink."""

    class Sink:
        name = "mine"

        def bytes_max(self, batch_bytes):
            return 0

        def own_bytes(self):
            return 12345

        def open(self, job, state):
            raise AssertionError

    assert promise.own_bytes(To(Sink())) == 12345
    assert promise.own_bytes(Map(str)) == 0
    assert "12.1 KiB" in promise.explained(Source([1], ()), (To(Sink()),), 1000)


def test_the_sum_is_what_the_budget_gives():
    """To the byte, while it runs."""
    held = []
    with fw.Budget("64 MiB") as budget:
        flow = fw.Flow(range(5)).map(lambda n: held.append(budget.held) or n)
        flow.run()
    assert set(held) == {flow.bytes_max()}
