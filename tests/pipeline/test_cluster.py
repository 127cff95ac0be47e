"""Which cluster a run takes, and what is refused before anything is sent."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flatwater import errors, limits
from flatwater.pipeline import cluster
from flatwater.pipeline.cluster import Cluster, checked
from flatwater.pipeline.flow import Flow

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Scheduler:
    address = "tcp://127.0.0.1:1"


class Client:
    """As much of one as is asked here, with workers that tell what a test wants."""

    scheduler = Scheduler()
    asynchronous = False
    status = "running"

    def __init__(self, python=HERE, flatwater=None, workers=2):
        self._python, self._flatwater, self._workers = python, flatwater, workers

    def wait_for_workers(self, _count, timeout):
        if not self._workers:
            raise TimeoutError

    def nthreads(self):
        return {f"tcp://127.0.0.1:{port}": 4 for port in range(self._workers)}

    def get_versions(self):
        return {"workers": {address: {"host": {"python": f"{self._python}.1.final.0"}} for address in self.nthreads()}}

    def run(self, function, on_error):
        python, flatwater = function()
        return dict.fromkeys(self.nthreads(), (python, self._flatwater or flatwater))


def connected(monkeypatch, client):
    monkeypatch.setattr(Cluster, "_connected", lambda _self, on: on)
    return Cluster(client)


@pytest.mark.parametrize("on", ["cluster", 3, object(), True])
def test_what_names_no_cluster(on):
    """It is refused with what to give."""
    with pytest.raises(errors.UsageError, match=r"distributed\.Client"):
        Flow([1]).map(str).run(on=on)


def test_it_is_not_installed(monkeypatch):
    """The extra is named, before anything is read."""
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(errors.MissingExtra, match=r"flatwater\[dask\]"):
        Flow([1]).map(str).run(on="dask")


def test_a_flow_of_which_no_stage_can_go():
    """It is told which stage stands in the way."""
    with pytest.raises(errors.UsageError, match="begins with batch"):
        Flow([1]).batch().map(str).run(on="dask")
    with pytest.raises(errors.UsageError, match="begins with nothing"):
        Flow([1]).run(on="dask")
    assert checked("tcp://127.0.0.1:8786", Flow([]).map(str).batch().map(str)._stages) == 1


def test_slots(monkeypatch):
    """Threads of all workers."""
    assert connected(monkeypatch, Client(workers=3)).slots == 12


def test_versions_that_differ(monkeypatch):
    """Of Python or of flatwater: the worker is named, with both."""
    with pytest.raises(errors.UsageError, match=rf"127.0.0.1:0 has Python 3.9, and here it is {HERE}"):
        connected(monkeypatch, Client(python="3.9"))
    with pytest.raises(errors.UsageError, match="has flatwater none"):
        connected(monkeypatch, Client(flatwater="none"))


def test_no_workers(monkeypatch):
    """It is waited for one, but not for ever."""
    with pytest.raises(errors.LimitReached, match="no worker"):
        connected(monkeypatch, Client(workers=0))


def test_clients_that_cannot_be_used():
    """A closed one, and one of an event loop."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: clients are not tested")

    class Fake(distributed.Client):
        def __init__(self, status, asynchronous):
            self._status, self._is_asynchronous = status, asynchronous

        status = property(lambda self: self._status)
        asynchronous = property(lambda self: self._is_asynchronous)
        __del__ = close = lambda self: None
        __repr__ = object.__repr__

    for fake, told in (
        (Fake("closed", asynchronous=False), "closed"),
        (Fake("running", asynchronous=True), "asynchronous"),
    ):
        with pytest.raises(errors.UsageError, match=told):
            Cluster(fake)


def test_nobody_is_at_the_address(monkeypatch):
    """It is told within seconds."""
    pytest.importorskip("distributed", reason="Dask is not installed: connecting is not tested")
    monkeypatch.setitem(cluster._OPTIONS, "timeout", 0.5)
    with pytest.raises(errors.BrokenError, match="the cluster tcp://"):
        Flow([1]).map(str).run(on="tcp://127.0.0.1:9")


@pytest.mark.slow
def test_processes_of_this_machine(tmp_path):
    """Started for the run and ended with it; nobody but this machine reaches them."""
    pytest.importorskip("distributed", reason="Dask is not installed: no cluster is started")
    pytest.importorskip("psutil")
    program = tmp_path / "program.py"
    program.write_text(
        """
import psutil
import flatwater as fw


def look(n):
    return n


def listened():
    me = psutil.Process()
    found = [each for one in (me, *me.children(recursive=True)) for each in one.net_connections("tcp")]
    return {each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN}


if __name__ == "__main__":
    items, seen = [], []
    flow = fw.Flow(range(10)).map(look).to(items.append).tap(lambda _n: seen.append(listened()))
    report = flow.run(on="dask")
    print(items, set().union(*seen), report.on.partition(":")[0], listened(), len(psutil.Process().children()))
"""
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=100, check=False)
    words = f"{list(range(10))} {{'127.0.0.1'}} Dask at tcp set() "
    assert done.stdout.startswith(words), done.stdout + done.stderr
    assert limits.FLOW_DASK_WAIT_S > 0
