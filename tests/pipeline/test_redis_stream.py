"""A real Redis server's streams as sources: to their end, waited for, from a checkpoint on, through a kill of either side."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.pipeline.checkpoint import _DIGEST_BYTES, _MAGIC
from flatwater.pipeline.flow import Flow


@pytest.fixture
def stream(redis_server):
    """A function that makes the source: what is there, to its end, unless told otherwise."""

    def made(key="s", **options):
        return fw.RedisStream(redis_server.url, key, **{"stop_when_empty": True, **options})

    return made


def fill(redis, count, key="s", first=0):
    """Entries with a number each."""
    pipe = redis.pipeline(transaction=False)
    for number in range(first, first + count):
        pipe.xadd(key, {"n": number, "text": f"é {number}"})
    return [entry.decode() for entry in pipe.execute()]


def number(item):
    return int(item["fields"]["n"])


def test_what_is_there(redis, stream):
    """All entries in their order, as texts, with their IDs; a second run reads them again."""
    names = fill(redis, 3000)
    flow = Flow(stream())
    found = list(flow)
    assert found[7] == {"id": names[7], "fields": {"n": "7", "text": "é 7"}}
    assert [item["id"] for item in found] == names
    assert flow.run().items == 3000
    assert [number(item) for item in Flow(stream(after=names[2996]))] == [2997, 2998, 2999]
    assert list(Flow(stream("another"))) == []


def test_bytes_as_they_are(redis, stream):
    """Without an encoding; else what is no text is an error that names the entry."""
    redis.xadd("s", {b"\xff": b"\xfe"})
    assert [item["fields"] for item in Flow(stream(encoding=None))] == [{b"\xff": b"\xfe"}]
    with pytest.raises(errors.CorruptError, match="is no utf-8"):
        Flow(stream()).run()


def test_reads_are_bounded_in_bytes(redis, stream):
    """By the mean of the entries before; the sum is taken from the budget while it is read, and given back."""
    pipe = redis.pipeline()
    for _turn in range(300):
        pipe.xadd("s", {"blob": bytes(10_000)})
    pipe.execute()
    source = stream(encoding=None, batch_bytes="100 KiB")
    with fw.Budget("8 MiB") as budget:
        sizes = [len(batch) for batch in source.batches()]
        assert sum(sizes) == 300
        assert 5 <= max(sizes) <= 10
        assert budget.peak == source.bytes_max() == 200 * 1024 + limits.DRIVER_BYTES
        assert budget.held == 0
    assert f"{limits.DRIVER_BYTES // 2**20}" in Flow(source).explain()
    with fw.Budget("1 MiB"), pytest.raises(errors.BudgetExceeded):
        Flow(source).run()


def test_it_waits_for_more(redis, stream):
    """Each entry comes out before the next is added; the event ends it."""
    stop = threading.Event()
    redis.xadd("s", {"n": 0})
    seen = []
    for item in Flow(stream(stop_when_empty=False, stop=stop)).map(number):
        seen.append(item)
        if item < 30:
            redis.xadd("s", {"n": item + 1})
        else:
            stop.set()
    assert seen == list(range(31))


def test_only_what_is_added_from_now_on(redis, stream):
    """A run that begins at "$" does not give what was there; what comes between two reads is not lost."""
    fill(redis, 10)
    walk = stream(after="$", stop_when_empty=False).batches()
    turns = iter(walk)
    assert next(turns) == []
    names = fill(redis, 5, first=10)
    assert walk.token < names[0]
    found = []
    while len(found) < 5:
        found += next(turns)
    assert [number(item) for item in found] == [10, 11, 12, 13, 14]
    walk.close()


def test_a_run_that_waits_can_be_stopped(redis, stream):
    """From another thread; the connection is closed, and the bytes are given back."""
    redis.xadd("s", {"n": 0})
    came = threading.Event()
    with fw.Budget("16 MiB") as budget:
        run = Flow(stream(stop_when_empty=False)).each(lambda _item: came.set())._run()
        stopper = threading.Thread(target=lambda: came.wait(20) and run.stop())
        stopper.start()
        with pytest.raises(errors.ClosedError):
            run.drained()
        stopper.join(20)
        assert budget.held == 0


def test_a_job_goes_on_behind_the_last_entry(redis, stream, tmp_path):
    """Each run of it gives what was added since the one before."""
    done = []
    flow = Flow(stream()).map(number).each(done.append)
    for turn in range(3):
        fill(redis, 100, first=100 * turn)
        flow.run(checkpoint=tmp_path / "c")
    assert done == list(range(300))


def noted(path):
    """How many items the checkpoint says are done."""
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        return pickle.loads(file.read()[len(_MAGIC) + _DIGEST_BYTES :])["position"][0]


CHILD = """
import sys
import flatwater as fw

stream = fw.RedisStream(sys.argv[1], "s")
with fw.Store(sys.argv[2], sync="off") as store:
    flow = fw.Flow(stream).map(lambda item: ((int(item["fields"]["n"]),), item["id"].encode())).to(store)
    flow.run(checkpoint=sys.argv[3], checkpoint_s=0.01)
"""


def test_a_job_that_is_killed_goes_on(redis, redis_server, stream, tmp_path):
    """While it waits it notes how far it is; after the kill each entry is there, and none is read from the beginning."""
    pytest.importorskip("lmdb")
    paths = [str(tmp_path / "store"), str(tmp_path / "c")]
    fill(redis, 500)
    with subprocess.Popen([sys.executable, "-c", CHILD, redis_server.url, *paths]) as child:
        deadline = time.monotonic() + 60
        while noted(paths[1]) < 500:
            assert child.poll() is None
            assert time.monotonic() < deadline
        child.send_signal(signal.SIGKILL)
    fill(redis, 500, first=500)
    seen = []
    with fw.Store(paths[0], sync="off") as store:
        flow = Flow(stream()).map(lambda item: ((number(item),), item["id"].encode())).to(store)
        report = flow.run(checkpoint=paths[1])
        seen = [key for key, _value in Flow(store)]
    assert report.resumed_at == 500
    assert seen == [(n,) for n in range(1000)]


def test_a_server_that_is_started_again(redis, redis_server, stream):
    """The client connects anew: no entry is lost or comes twice."""
    fill(redis, 200)
    seen = []
    for item in Flow(stream(batch_bytes="4 KiB")).map(number):
        seen.append(item)
        if item == 50:
            redis_server.kill()
            assert redis_server.start()
    assert seen == list(range(200))


def test_a_server_that_is_gone(redis, redis_server, stream, monkeypatch):
    """Is said, with no password in it, and with what to do."""
    monkeypatch.setattr("flatwater.pipeline.redis_stream._TRIES", 1)
    redis_server.kill()
    try:
        with pytest.raises(errors.BrokenError, match="could not be read") as caught:
            Flow(stream()).run()
        assert redis_server._password not in str(caught.value) + repr(stream())
        assert "checkpoint" in caught.value.hint
    finally:
        assert redis_server.start()


def test_what_is_no_stream(redis, stream):
    """Another kind of key, another kind of address, an ID that is none."""
    redis.set("s", "text")
    with pytest.raises(errors.UsageError, match="WRONGTYPE"):
        Flow(stream()).run()
    with pytest.raises(errors.UsageError, match="Invalid stream ID"):
        Flow(stream("t", after="yesterday")).run()
    with pytest.raises(errors.UsageError, match="no address of Redis"):
        fw.RedisStream("http://host", "s")
    with pytest.raises(errors.UsageError, match="no key"):
        fw.RedisStream("redis://host", "")


def test_it_is_sent_to_other_processes(redis, stream):
    """Its arguments are; a connection is made by each run."""
    fill(redis, 3)
    assert pickle.loads(pickle.dumps(Flow(stream()))).run().items == 3


def test_without_the_client(monkeypatch):
    """It says what to install, when it is made."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(errors.MissingExtra, match=r"flatwater\[flow\]"):
        fw.RedisStream("redis://localhost", "s")
