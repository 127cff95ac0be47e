"""Growth of a run on Dask, both sides of it in one fresh process, beside twins that keep what they should let go.

The cluster is one that works at once, where it is asked: what is measured is what the flow and its workers hold.
"""

from __future__ import annotations

import pytest

import flatwater as fw
from flatwater import limits
from flatwater.pipeline import cluster, on_dask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Future:
    """Done when it is made."""

    def __init__(self, value):
        self.value = value

    def done(self):
        return True

    def add_done_callback(self, call):
        call(self)

    def result(self):
        return self.value

    def release(self):
        self.value = None


class Inline:
    """A cluster of two threads, as far as it is asked, that does each task when it gets it. The twin forgets no result."""

    slots = 2
    address = "here"

    def __init__(self, keep):
        self.client = self
        self.kept = []
        self.keep = keep

    def submit(self, function, *arguments, **_options):
        done = function(*arguments)
        if self.keep:
            self.kept.append(list(done.batches))
        return Future(done)

    def cancel(self, futures):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def run(flow, keep):
    limits.FLOW_DASK_RESULT_BYTES = limits.FLOW_DASK_PARTITION_BYTES = 64 << 10
    cluster.Cluster = lambda _on: Inline(keep)
    cluster.refuse_missing = lambda: None
    return flow.run(on="dask", on_error="skip")


def slices(n, *, keep=False):
    """A list's worth of items that are sent as ranges, and become rows of a kilobyte."""
    run(fw.Flow(range(n)).map(lambda number: bytes(1_000 + number % 3)), keep)


def read_here(n, *, keep=False):
    """Items of a generator, sent as they are."""

    def rows(count):
        for number in range(count):
            yield bytes(1_000 + number % 3)

    run(fw.Flow(rows, n).map(bytes.upper).filter(len), keep)


def failing(n, *, keep=False):
    """Every other item fails."""

    def picky(number):
        if number % 2:
            raise ValueError(number)
        return bytes(1_000)

    run(fw.Flow(range(n)).map(picky), keep)


@pytest.mark.parametrize("program", [slices, read_here, failing])
def test_a_run_on_dask_is_constant_and_its_twin_grows(program):
    """However many items: what waits, is sent and comes back stays the same; a cluster that is not told to forget grows."""

    def twin(n):
        return program(n, keep=True)

    good = fw.prove(program, sizes="4k..64k", resolution="64 B", repeat=3)
    assert (good.verdict, good.outcome) == ("constant", "holds"), str(good)
    leaking = fw.prove(twin, sizes="4k..64k", resolution="64 B")
    assert (leaking.verdict, leaking.outcome) == ("grows", "fails"), str(leaking)
    assert leaking.bytes_per_item > 200
    assert on_dask.bytes_max() < 64 << 20
