"""A store as a sink: entries, each once, whatever was written twice."""

from __future__ import annotations

import resource
import signal

import pytest

import flatwater as fw
from flatwater import errors

pytest.importorskip("lmdb")


def test_entries_of_a_partition(tmp_path):
    """Pairs of key and value, read by another flow from there."""
    with fw.Store(tmp_path / "store") as store:
        names = store.partition("names", type=str)
        fw.Flow(range(3000)).map(lambda n: ((n,), f"name {n}")).to(names).run()
        assert list(fw.Flow(names)) == [((n,), f"name {n}") for n in range(3000)]


def test_a_pair_that_is_no_entry(tmp_path):
    """It is named; under "skip" the others are written."""
    pairs = [(("a",), b"1"), (("b",), 2), "no pair", (("c",), b"3")]
    with fw.Store(tmp_path / "store") as store:
        with pytest.raises(errors.UsageError) as caught:
            fw.Flow(pairs).to(store).run()
        assert "item 2" in caught.value.__notes__[0]
        assert caught.value.__context__ is None  # it is told once
        report = fw.Flow(pairs).to(store).run(on_error="skip")
        assert (report.items, report.skipped) == (2, 2)
        assert [pair for batch in store.batches() for pair in batch] == [(("a",), b"1"), (("c",), b"3")]


def test_from_one_store_into_another_with_a_checkpoint(tmp_path):
    """The walk goes on behind the last key, and a job that is done has nothing to do."""
    with fw.Store(tmp_path / "one") as one, fw.Store(tmp_path / "two") as two:
        one.write(((n,), b"%d" % n) for n in range(5000))
        flow = fw.Flow(one).to(two)
        assert flow.run(checkpoint=tmp_path / "job.state", checkpoint_s=0.001).items == 5000
        assert flow.run(checkpoint=tmp_path / "job.state").items == 0
        one.write(((n,), b"%d" % n) for n in range(5000, 5100))
        report = flow.run(checkpoint=tmp_path / "job.state")
        assert (report.items, report.resumed_at) == (100, 5000)
        assert two.count_estimate() == 5100


def test_a_full_disk_is_of_no_item(tmp_path):
    """The run ends, also where items that fail are passed over."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with fw.Store(tmp_path / "store") as store:
        flow = fw.Flow(range(2000)).map(lambda n: ((n,), bytes(1000))).to(store)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limit[1]))
            with pytest.raises(errors.BrokenError, match=r"full|ulimit"):
                flow.run(on_error="skip")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, handler)
        assert flow.run(on_error="skip").skipped == 0
