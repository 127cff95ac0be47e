"""run(on="dask"): the same results, in the same order, from processes on this machine.

Functions are made in tests, so that they go to workers by value: those cannot import this file.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import threading

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.pipeline import checkpoint, on_dask
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.writing import To

distributed = pytest.importorskip("distributed", reason="Dask is not installed: nothing is tested on a cluster")
LOOKS = 2_000  # at a cluster, a round trip each, until something is so that has to become so


@pytest.fixture(scope="module")
def cluster():
    """Two processes on loopback."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as found:
        yield found


@pytest.fixture
def client(cluster):
    """Connected to it, with both workers there."""
    with distributed.Client(cluster, set_as_default=False) as found:
        found.wait_for_workers(2, timeout=60)
        yield found


@pytest.fixture
def small_parts(monkeypatch):
    """Many parts of small sources."""
    monkeypatch.setattr(limits, "FLOW_DASK_PARTITION_BYTES", 8192)
    monkeypatch.setattr("flatwater.pipeline.partitions._FIRST_BYTES", 4096)


def there(flow, client, **options):
    """What comes out, and the report."""
    found = []
    report = flow.to(found.append).run(on=client, **options)
    return found, report


def here(flow):
    return list(flow)


def settled(client, function):
    """Whether a function of the scheduler comes to say yes."""
    return any(client.run_on_scheduler(function) for _ in range(LOOKS))


def lines_of(path):
    path.write_text("".join(f"line {n} " + "x" * (n % 97) + "\n" for n in range(5_000)))
    return fw.lines(path)


def pieces_of(path):
    path.write_bytes(bytes(n * n % 251 for n in range(100_001)))
    return fw.FileChunks(path, 1_000)


def records_of(path):
    path.write_text("".join(json.dumps({"n": n, "text": "y" * (n % 50)}) + "\n" for n in range(3_000)))
    return fw.records(path, format="jsonl")


def packed_of(path):
    import gzip

    path.write_bytes(gzip.compress(b"".join(b"%d\n" % n for n in range(5_000))))
    return fw.lines(path)


def table_of(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        connection.executemany("INSERT INTO items (name) VALUES (?)", [(f"name {n}",) for n in range(3_000)])
    connection.close()
    return fw.Table(str(path), "items")


def numbers():
    yield from range(3_000)


SOURCES = {
    "lines": lines_of,
    "pieces": pieces_of,
    "records": records_of,
    "compressed": packed_of,
    "table": table_of,
    "list": lambda _path: [str(n) for n in range(3_000)],
    "range": lambda _path: range(3_000),
    "tuple": lambda _path: tuple(range(50)),
    "iterator": lambda _path: iter(range(3_000)),
    "function": lambda _path: numbers,
    "nothing": lambda _path: [],
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same(kind, client, tmp_path, small_parts):
    """What comes out, and its order, are those of a run here; and so are the figures of all stages."""
    source = SOURCES[kind](tmp_path / "source")
    again = SOURCES[kind](tmp_path / "again")

    def flow_of(origin):
        return Flow(origin).map(str).filter(lambda text: len(text) % 3).flat_map(lambda text: [text, text[:5]])

    expected = []
    local = flow_of(again).batch(rows=100).each(expected.append).run()
    found, report = there(flow_of(source).batch(rows=100), client)
    assert found == expected
    assert [each.items_out for each in report.stages] == [each.items_out for each in local.stages]
    assert "stages 1 to 3" in report.on
    assert report.on in str(report)
    assert local.on == ""


def test_pmap_and_batches_behind_it(client):
    """Threads on the workers; what needs its neighbours is done here."""
    flow = Flow(range(2_000)).pmap(lambda n: n * n, workers=2).tap(lambda n: n).window(3).map(sum)
    found, report = there(flow, client)
    assert found == here(flow)
    assert "stages 1 to 2" in report.on


def test_what_is_written_and_counted(client, tmp_path):
    """Sinks are here, with all items in order."""
    report = Flow(range(3_000)).map(lambda n: {"n": n}).to(tmp_path / "rows.jsonl").run(on=client)
    assert [json.loads(line)["n"] for line in (tmp_path / "rows.jsonl").read_text().splitlines()] == list(range(3_000))
    assert [each.items_out for each in report.stages] == [3_000] * 3
    assert report.stages[1].busy_s > 0


def test_a_worker_that_is_killed(client, tmp_path):
    """Another one does what it had: results and their order are the same."""
    flag = str(tmp_path / "flag")

    def deadly(n):
        import os
        import signal

        if n == 1_500:
            try:
                os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return n
            os.kill(os.getpid(), signal.SIGKILL)
        return n

    found, _report = there(Flow(range(3_000)).map(deadly), client)
    assert os.path.exists(flag)
    assert found == list(range(3_000))


def test_items_that_kill_every_worker(client, cluster):
    """The run ends, and says what to look at."""

    def deadly(n):
        import os

        os.kill(os.getpid(), 9)

    before, cluster.scheduler.allowed_failures = cluster.scheduler.allowed_failures, 0
    try:
        with pytest.raises(errors.BrokenError, match=r"KilledWorker.*memory_limit"):
            Flow([1]).map(deadly).run(on=client)
    finally:
        cluster.scheduler.allowed_failures = before
    assert signal.SIGKILL == 9


def test_the_first_error_ends_it(client):
    """It is the function's own, with its stage and its number; what came before it was handed on; nothing is left there."""

    def picky(n):
        if n >= 1_000:
            raise KeyError(n)
        return n

    found = []
    with pytest.raises(KeyError) as raised:
        Flow(range(100_000), batch_rows=10).map(str).map(int).map(picky).to(found.append).run(on=client)
    assert raised.value.args == (1_000,)
    assert "3 map(picky), item 1,001 (1000)" in raised.value.__notes__[0]
    assert "in picky" in raised.value.__notes__[1]
    assert found == list(range(len(found)))
    assert len(found) > 900
    assert settled(client, lambda dask_scheduler: not dask_scheduler.tasks)


def test_items_that_are_passed_over(client, tmp_path):
    """Counted and told as here, with the same numbers; dead letters are written here, and can be run again."""

    def picky(n):
        if n % 7 == 0:
            raise ValueError(n)
        return n

    flow = Flow(range(2_000)).map(lambda n: n + 1).map(picky).batch(rows=10)
    found, report = there(flow, client, on_error="skip")
    expected = []
    local = flow.each(expected.append).run(on_error="skip")
    assert found == expected
    assert report.skipped == local.skipped == 285
    assert [(each.stage, each.number, each.item, each.error) for each in report.failures] == [
        (each.stage, each.number, each.item, each.error) for each in local.failures
    ]
    assert [each.skipped for each in report.stages] == [each.skipped for each in local.stages]
    letters = tmp_path / "letters.jsonl"
    flow.run(on=client, dead_letters=letters)
    assert [json.loads(line)["item"] for line in letters.read_text().splitlines()] == list(range(7, 2_001, 7))
    again = Flow(range(2_000)).map(lambda n: n + 1).map(picky).batch(rows=10).replay(letters, on_error="skip")
    assert again.skipped == 285


def test_a_result_that_is_too_large_comes_in_pieces(client, tmp_path, monkeypatch):
    """A part pauses and goes on; nothing is lost or done twice."""
    path = tmp_path / "lines"
    path.write_text("".join(f"{n:099}\n" for n in range(1_000)))
    sent = []
    begin = on_dask.Elsewhere._begin
    monkeypatch.setattr(on_dask.Elsewhere, "_begin", lambda self, one: sent.append(one) or begin(self, one))
    flow = Flow(fw.lines(path), batch_rows=20).flat_map(lambda line: [line * 200, line * 200])
    found = []
    report = flow.to(lambda text: found.append(int(text[:99]))).run(on=client)
    assert found == [n for n in range(1_000) for _ in range(2)]
    assert report.stages[0].items_out == 1_000
    assert len({id(each.part) for each in sent}) < len(sent)


def test_one_item_that_becomes_too_much(client):
    """It is told with what to do, and the workers live."""
    flow = Flow([1]).flat_map(lambda _n: (bytes(1_000_000) for _ in range(100)))
    with pytest.raises(errors.LimitReached, match="batch_rows"):
        flow.run(on=client)


def test_a_checkpoint(client, tmp_path, small_parts):
    """A job that failed goes on from there, on a cluster or here: each line once in the file."""
    source = tmp_path / "lines"
    lines_of(source)
    written = tmp_path / "out.txt"
    flag = str(tmp_path / "flag")

    def picky(text):
        import os

        if text.startswith("line 3000 ") and not os.path.exists(flag):
            raise RuntimeError(text)
        return text

    flow = Flow(fw.lines, source).map(picky).to(written)
    options = {"checkpoint": tmp_path / "job", "checkpoint_s": 0.001}
    with pytest.raises(RuntimeError):
        flow.run(on=client, **options)
    open(flag, "w").close()
    report = flow.run(on=client, **options)
    assert 0 < report.resumed_at < 3_000
    assert written.read_text() == source.read_text()
    with open(source, "a") as file:
        file.write("one more\n")
    assert flow.run(on=client, **options).items == 1
    assert written.read_text() == source.read_text()


def test_a_run_that_is_left_early(client):
    """The tasks on workers end at their next batch, and are forgotten."""

    def slow(n):
        import time

        time.sleep(0.001)
        return n

    run = Flow(range(1_000_000), batch_rows=10).map(slow)._run(on=client)
    batches = run.batches()
    next(batches)
    batches.close()
    assert settled(client, lambda dask_scheduler: not dask_scheduler.tasks)
    assert any(not any(client.run(lambda dask_worker: len(dask_worker.active_threads)).values()) for _ in range(LOOKS))


def test_a_run_that_is_stopped_while_it_waits(client):
    """It ends, though no result has come."""

    def endless(n):
        import time

        time.sleep(0.2)
        return n

    run = Flow([1] * 100).map(endless)._run(on=client)
    run.stop()
    with pytest.raises(errors.ClosedError):
        list(run.batches())


class Ahead:
    """A sink that keeps the number of the checkpoint with its items, as a database does."""

    name = "ahead"

    def __init__(self):
        self.kept, self.record, self.fresh = [], None, []

    def bytes_max(self, batch_bytes):
        return 0

    def open(self, job, state):
        self.fresh = []
        return self

    def write(self, items, gauge, policy):
        gauge.items_in += len(items)
        self.fresh += items
        return items

    def recorded(self, job):
        return self.record

    def commit(self, record, *, is_last):
        self.kept, self.fresh, self.record = self.kept + self.fresh, [], record

    def finish(self):
        return None

    def close(self, *, keep):
        self.fresh = []


@pytest.mark.parametrize("again_on", ["cluster", "here"])
def test_a_sink_that_is_ahead_of_the_checkpoint(again_on, client, tmp_path, small_parts, monkeypatch):
    """Killed between the sink's commit and the file's: what the sink has is not written again, and nothing is left out."""
    lines_of(tmp_path / "lines")
    sink = Ahead()
    flow = Flow(fw.lines, tmp_path / "lines").map(str.upper).filter(lambda text: "X" in text)._with(To(sink))
    save = checkpoint.Checkpoint.save

    def dying(self):
        if self.state.epoch == 3:
            raise KeyboardInterrupt
        save(self)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Checkpoint, "save", dying)
        with pytest.raises(KeyboardInterrupt):
            flow.run(on=client, checkpoint=tmp_path / "job", checkpoint_s=1e-6)
    assert 0 < len(sink.kept) < 4_000
    report = flow.run(on=client if again_on == "cluster" else None, checkpoint=tmp_path / "job", checkpoint_s=1e-6)
    assert sink.kept == [line.upper() for line in fw.lines(tmp_path / "lines") if "x" in line]
    assert bool(report.on) == (again_on == "cluster")


def test_which_cluster(client):
    """An address, the current client, or the client of the day."""
    assert (
        Flow(range(10)).map(str).run(on=client.scheduler.address).on.startswith(f"Dask at {client.scheduler.address}")
    )
    with client.as_current():
        assert Flow(range(10)).map(str).run(on="dask").on.startswith(f"Dask at {client.scheduler.address}")
    assert client.status == "running"


def test_a_worker_with_little_memory(client, cluster):
    """Stages take their bytes from its share; what does not fit is refused, and says where."""
    flow = Flow(range(10)).pmap(str, bytes="64 GiB")
    with fw.Budget("200 GiB"), pytest.raises(errors.BudgetExceeded, match="flow on a worker"):
        flow.run(on=client)


def test_from_an_event_loop(client):
    """arun takes it too."""
    report = asyncio.run(Flow(range(100)).map(str).arun(on=client))
    assert report.items == 100


def test_its_bytes(client):
    """What is held here for the cluster is a part of the sum, and taken from the budget; stages there are named."""
    flow = Flow(range(100)).map(str).batch(rows=10)
    assert "on Dask: 1 map(str)" in flow.explain(on="dask")
    assert flow.bytes_max(on="dask") > on_dask.bytes_max() > flow.bytes_max()
    with fw.Budget("8 MiB") as budget:
        with pytest.raises(errors.BudgetExceeded):
            flow.run(on=client)
        assert budget.held == 0
    with fw.Budget("128 MiB") as budget:
        flow.run(on=client)
        assert (budget.held, budget.peak) == (0, flow.bytes_max(on=client))


def test_bad_rows_of_a_reader(client, tmp_path, small_parts):
    """Lines that workers pass over are in the reader's report."""
    path = tmp_path / "lines"
    path.write_bytes(b"".join(b"\xff bad\n" if n % 10 == 0 else b"good\n" for n in range(3_000)))
    lines = fw.lines(path, errors="skip")
    assert Flow(lines).map(str).run(on=client).items == 2_700
    assert lines.report.count == 300
    assert len(lines.report.rows) == 100


def test_functions_that_are_too_large(client):
    """They would go with every part: it is told what to do."""
    data = bytes(9 << 20)
    with pytest.raises(errors.LimitReached, match=r"functools\.cache"):
        Flow([1]).map(lambda n: data[n]).run(on=client)


def test_what_cannot_be_sent(client):
    """A function that holds a lock, a result that cannot be pickled, an error that cannot."""
    lock = threading.Lock()
    with pytest.raises(errors.UsageError, match="cannot be sent"):
        Flow([1]).map(lambda _n: lock.locked()).run(on=client)
    with pytest.raises(errors.UsageError, match="cannot be sent"):
        Flow([1]).map(lambda n: (each for each in [n])).run(on=client)

    def failing(_n):
        import threading

        raise OSError(threading.Lock())

    with pytest.raises(errors.BrokenError, match="in failing"):
        Flow([1]).map(failing).run(on=client)
