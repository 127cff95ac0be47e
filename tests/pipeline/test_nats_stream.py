"""Streams of JetStream as sources: to their end, waited for, from a checkpoint on, through a restart of the server."""

from __future__ import annotations

import pickle
import sys
import threading

import nats_server
import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.pipeline.flow import Flow

pytest.importorskip("nats", reason="SKIPPED FOR WANT OF A CLIENT: pip install nats-py")


@pytest.fixture(params=["stand-in", "nats-server"])
def server(request, tmp_path):
    """An empty stream "orders" on a server of the test's own."""
    if request.param == "nats-server" and not nats_server.is_installed():
        pytest.skip("SKIPPED FOR WANT OF A SERVER: nats-server is not installed; only its stand-in was asked")
    made = (nats_server.StandIn if request.param == "stand-in" else nats_server.Real)(tmp_path)
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def stream(server):
    """A function that makes the source: what is there, to its end, unless told otherwise."""
    return lambda name="orders", **options: fw.NatsStream(server.url, name, **{"stop_when_empty": True, **options})


def numbered(count, first=0, subject="orders.new"):
    return [(subject, b"%d" % number) for number in range(first, first + count)]


def number(item):
    return int(item["data"])


def test_what_is_there(server, stream):
    """All messages in their order, with their sequences; a second run reads them again."""
    server.fill(numbered(500))
    flow = Flow(stream())
    found = list(flow)
    assert found[7] == {"subject": "orders.new", "sequence": 8, "data": b"7", "headers": None}
    assert [number(item) for item in found] == list(range(500))
    assert flow.run().items == 500
    assert [number(item) for item in Flow(stream(after=497))] == [497, 498, 499]


def test_gaps_and_subjects(server, stream):
    """Messages that were deleted are passed over, and so are other subjects: what is left comes once, in its order."""
    for first in range(0, 300, 3):
        server.fill([*numbered(2, first), *numbered(1, first + 2, "orders.old")])
    for sequence in (1, 2, 3, 40, 41, 42, 43, 44, 150, 300):
        server.drop(sequence)
    gone = {0, 1, 2, 39, 40, 41, 42, 43, 149, 299}
    assert [number(item) for item in Flow(stream())] == [n for n in range(300) if n not in gone]
    old = Flow(stream(subject="orders.old"))
    assert [number(item) for item in old] == [n for n in range(2, 300, 3) if n not in gone]


def test_reads_are_bounded_in_bytes(server, stream):
    """By the mean of the messages before; the sum is taken from the budget while it is read, and given back."""
    server.fill([("orders.new", bytes(10_000))] * 100)
    source = stream(batch_bytes="100 KiB")
    with fw.Budget("8 MiB") as budget:
        sizes = [len(batch) for batch in source.batches()]
        assert sum(sizes) == 100
        assert 5 <= max(sizes) <= 10
        assert budget.peak == source.bytes_max() == 300 * 1024 + limits.DRIVER_BYTES
        assert budget.held == 0


def test_it_waits_for_more(server, stream):
    """Each message comes out before the next is published; the event ends it."""
    stop = threading.Event()
    server.fill(numbered(1))
    seen = []
    for item in Flow(stream(stop_when_empty=False, stop=stop)).map(number):
        seen.append(item)
        if item < 10:
            server.fill(numbered(1, item + 1))
        else:
            stop.set()
    assert seen == list(range(11))


def test_only_what_is_published_from_now_on(server, stream):
    """A run that begins at "$" does not give what was there."""
    server.fill(numbered(10))
    walk = stream(after="$", stop_when_empty=False).batches()
    turns = iter(walk)
    assert next(turns) == []
    assert walk.token == 10
    server.fill(numbered(1, 10))
    assert [number(item) for item in next(turns)] == [10]
    walk.close()


def test_a_job_goes_on_behind_the_last_message(server, stream, tmp_path):
    """Each run of it gives what was published since the one before."""
    done = []
    flow = Flow(stream()).map(number).each(done.append)
    for turn in range(3):
        server.fill(numbered(50, 50 * turn))
        flow.run(checkpoint=tmp_path / "c")
    assert done == list(range(150))


def test_a_server_that_is_started_again(server, stream):
    """The client connects anew: no message is lost or comes twice."""
    server.fill(numbered(200))
    seen = []
    for item in Flow(stream(batch_bytes="4 KiB")).map(number):
        seen.append(item)
        if item == 50:
            server.kill()
            server.start()
    assert seen == list(range(200))


def test_a_server_that_is_gone(server, stream, monkeypatch):
    """Is said, with no password in it, and with what to do."""
    monkeypatch.setattr(limits, "FLOW_SERVER_S", 0.3)
    server.kill()
    try:
        source = fw.NatsStream(server.url.replace("//", "//ann:secret@"), "orders")
        with pytest.raises(errors.BrokenError, match="could not be read") as caught:
            Flow(source).run()
        assert "secret" not in str(caught.value) + repr(source)
        assert "checkpoint" in caught.value.hint
    finally:
        server.start()


def test_what_is_no_stream(stream):
    """Another name, another kind of address, a sequence that is none."""
    with pytest.raises(errors.UsageError, match="is not there"):
        Flow(stream("invoices")).run()
    with pytest.raises(errors.UsageError, match="is not there"):
        Flow(stream("invoices", after="$")).run()
    for arguments, named in [(("host", "s"), {}), (("nats://host", ""), {}), (("nats://host", "s"), {"after": "now"})]:
        with pytest.raises(errors.UsageError, match="is no"):
            fw.NatsStream(*arguments, **named)


def test_it_is_sent_to_other_processes(server, stream):
    """Its arguments are; a connection is made by each run."""
    server.fill(numbered(3))
    assert pickle.loads(pickle.dumps(Flow(stream()))).run().items == 3


def test_without_the_client(monkeypatch):
    """It says what to install, when it is made."""
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(errors.MissingExtra, match=r"flatwater\[flow\]"):
        fw.NatsStream("nats://localhost", "s")
