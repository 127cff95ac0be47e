"""watch.alerts: who is told what, and how often."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.watch.alerts import Alerts, words_of

FORKING = """
import os, threading, warnings
warnings.simplefilter("ignore")
import flatwater as fw
from flatwater.watch import Alerts
parent, going = os.getpid(), threading.Event()
def tell(alert):
    going.wait(30)
    print("parent" if os.getpid() == parent else "child", alert["level"], flush=True)
alerts = Alerts(tell, every_s=0)
watcher = fw.Watcher(fw.Budget("100 MiB"), sample=lambda: (97 << 20, 97 << 20))
for _ in range(5):
    alerts("high", watcher)
if os.fork() == 0:
    assert alerts.flush()
    going = threading.Event()
    going.set()
    alerts("critical", watcher)
    assert alerts.flush()
    os._exit(0)
os.wait()
going.set()
alerts.flush()
"""


@pytest.fixture
def watcher():
    """One that sees what it is told to see."""
    return fw.Watcher(fw.Budget("100 MiB", name="job"), sample=lambda: (97 << 20, 97 << 20))


class Hook(BaseHTTPRequestHandler):
    status = 200
    got: list = []  # noqa: RUF012 - the server's

    def do_POST(self):
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    """A function: a webhook on loopback that answers with this status; its URL, and what it got."""
    servers = []

    def serve(status=200):
        handler = type("Hook", (Hook,), {"status": status, "got": []})
        server = HTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/memory", handler.got

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_function_is_told(watcher):
    """Figures, who holds what, and where it began."""
    held = watcher.budget.reserve("60 MiB", "cache")
    got = []
    alerts = Alerts(got.append)
    watcher.tick()
    alerts("high", watcher)
    assert alerts.flush()
    (alert,) = got
    assert (alert["level"], alert["was"], alert["limit_bytes"]) == ("high", "normal", 100 << 20)
    assert alert["holders"] == [["cache", held.bytes]]
    assert "memory is high, was normal: 97.0 MiB of 100 MiB (97%)" in words_of(alert)
    json.dumps(alert)


def test_worse_is_told_at_once_and_the_same_later(watcher):
    """Those that the pause kept back are counted in the next one."""
    now, got = [0.0], []
    alerts = Alerts(got.append, every_s=60, clock=lambda: now[0])
    for level in ("high", "critical", "high", "critical", "high", "critical"):
        now[0] += 1
        alerts(level, watcher)
    alerts.flush()
    assert [each["level"] for each in got] == ["high", "critical"]
    now[0] += 100
    alerts("high", watcher)
    alerts.flush()
    assert got[-1]["held_back"] == 4


def test_the_end_is_told_to_who_was_told_of_the_beginning(watcher):
    """And to nobody else."""
    got = []
    alerts = Alerts(got.append, at="critical")
    for level in ("high", "normal", "high", "critical", "normal", "normal"):
        alerts(level, watcher)
    alerts.flush()
    assert [each["level"] for each in got] == ["critical", "normal"]


def test_what_comes_and_goes_is_told_once(watcher):
    """Its end, too; the rest is held back until the pause is over, and counted."""
    now, got = [0.0], []
    alerts = Alerts(got.append, every_s=60, clock=lambda: now[0])
    for _ in range(20):
        for level in ("high", "normal"):
            now[0] += 0.1
            alerts(level, watcher)
    alerts.flush()
    assert [each["level"] for each in got] == ["high", "normal"]
    now[0] += 100
    alerts("high", watcher)
    alerts.flush()
    assert got[-1]["held_back"] == 19


def test_a_logger_is_told(watcher, caplog):
    """As a warning, with the figures beside the words."""
    with caplog.at_level(logging.INFO):
        alerts = Alerts(logging.getLogger("my.app"))
        alerts("high", watcher)
        alerts.flush()
    (record,) = [each for each in caplog.records if each.name == "my.app"]
    assert (record.levelname, record.flatwater["level"]) == ("WARNING", "high")


def test_a_webhook_is_told(watcher, hook):
    """By POST, as JSON."""
    url, got = hook()
    alerts = Alerts(url)
    alerts("critical", watcher)
    assert alerts.flush()
    assert [each["level"] for each in got] == ["critical"]
    assert (alerts.sent, alerts.lost) == (1, 0)


@pytest.mark.parametrize("status", [500, 302, 404])
def test_what_a_webhook_refuses_is_counted(watcher, hook, caplog, status):
    """Redirects are not followed; nothing of the URL's path is logged."""
    url, got = hook(status)
    alerts = Alerts(url)
    with caplog.at_level(logging.WARNING, "flatwater.watch"):
        alerts("high", watcher)
        alerts.flush()
    assert (len(got), alerts.sent, alerts.lost) == (1, 0, 1)
    assert str(status) in caplog.text
    assert "/memory" not in caplog.text


def test_this_machine_is_not_reached_through_a_proxy(watcher, hook, monkeypatch):
    """What is said to a hook on loopback stays here."""
    url, got = hook()
    other, taken = hook()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, other)
    monkeypatch.delenv("no_proxy", raising=False)
    alerts = Alerts(url)
    alerts("high", watcher)
    alerts.flush()
    assert (len(got), len(taken)) == (1, 0)


def test_a_webhook_that_drips_has_no_more_time_than_one_that_is_silent(watcher, monkeypatch):
    """All of it together ends in time, and it is counted."""
    import socket

    monkeypatch.setattr(limits, "ALERTS_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                while not stop.wait(0.1):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        alerts = Alerts(f"http://127.0.0.1:{server.getsockname()[1]}/")
        alerts("high", watcher)
        assert alerts.flush(wait_s=20)
        stop.set()
        dripping.join(20)
    assert (alerts.sent, alerts.lost) == (0, 1)


def test_what_was_held_back_is_told_by_the_next_that_arrives(watcher):
    """Also if the one that would have said it was lost."""
    now, got = [0.0], []

    def tell(alert):
        if len(got) == 1:
            got.append(None)
            raise OSError("no route")
        got.append(alert)

    alerts = Alerts(tell, every_s=60, clock=lambda: now[0])
    for level in ("high", "normal", "high", "normal", "high"):  # two are held back
        alerts(level, watcher)
        alerts.flush()
    now[0] += 100
    alerts("high", watcher)
    alerts.flush()
    assert got[-1]["held_back"] == 2
    assert got[-1]["lost"] == 1


class Later:
    async def __call__(self, _alert):
        pass


@pytest.mark.parametrize("failure", [OSError, SystemExit])
def test_a_function_that_fails_harms_nobody(watcher, caplog, failure):
    """It is said, and told with the next alert."""
    got = []

    def tell(alert):
        if not got:
            got.append("failed")
            raise failure("no route")
        got.append(alert)

    alerts = Alerts(tell, every_s=0)
    with caplog.at_level(logging.WARNING, "flatwater.watch"):
        alerts("high", watcher)
        alerts.flush()
        alerts("critical", watcher)
        alerts.flush()
    assert got[1]["lost"] == 1
    assert "no route" in caplog.text


def test_a_forked_child_does_not_repeat_what_its_parent_has_to_tell():
    """What waited when it forked; its own alert it tells."""
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    told = done.stdout.split("\n")
    assert (told.count("parent high"), told.count("child critical"), len(told)) == (5, 1, 7)


def test_a_target_that_hangs_keeps_nobody_waiting(watcher):
    """What has no room is counted."""
    going = threading.Event()
    alerts = Alerts(lambda _: going.wait(30), every_s=0)
    for _ in range(limits.ALERTS_WAITING_MAX + 5):
        alerts("high", watcher)
    assert alerts.lost >= 4
    assert not alerts.flush(wait_s=0.01)
    going.set()
    assert alerts.flush()


@pytest.mark.parametrize(
    ("target", "given"),
    [
        ("http://example.com/hook", {}),
        ("ftp://example.com", {}),
        ("not a url", {}),
        (7, {}),
        (Later(), {}),
        (Later.__call__, {}),
        (print, {"at": "normal"}),
        (print, {"every_s": -1}),
        (print, {"every_s": "soon"}),
    ],
)
def test_what_cannot_be_is_refused(target, given):
    """With what to pass in its place."""
    with pytest.raises(errors.UsageError) as raised:
        Alerts(target, **given)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("hello", "'hello' is no http:// or https:// address"),
        ("", "'' is no http:// or https:// address"),
        ("ftp://example.com", "'ftp://example.com' is no http:// or https:// address"),
        ("https://", "'https://' is no http:// or https:// address"),
        ("https://[1", "'https://[1' is no http:// or https:// address"),
        ("https://example.com:many", "'https://example.com:many' is no http:// or https:// address"),
        ("http://example.com/s3cret", "http://example.com is another machine"),
        ("hooks.example/s3cret", "'hooks.example/\u2026' is no"),
        ("ftp://me:s3cret@example.com?s3cret", "'ftp://example.com/\u2026' is no"),
    ],
)
def test_an_address_that_cannot_be_is_named(url, named):
    """By what was given, up to where secrets begin."""
    with pytest.raises(errors.UsageError) as raised:
        Alerts(url)
    assert str(raised.value).startswith(named)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["https://hooks.example", "HTTPS://hooks.example:8443/a?b", "http://localhost:8000/a", "http://[::1]/a"]
)
def test_an_address_that_can_be(url):
    """With TLS, or on this machine."""
    assert Alerts(url).sent == 0


def test_a_watcher_tells_by_itself():
    """`on_level` takes it."""
    got = []
    sizes = iter([10 << 20] * 2 + [99 << 20] * 40)
    watcher = fw.Watcher(
        fw.Budget("100 MiB"),
        sample=lambda: (next(sizes),) * 2,
        collect=lambda: 0,
        trim=lambda: 0,
        clock=iter(range(10**6)).__next__,
    )
    alerts = watcher.on_level(Alerts(got.append))
    for _ in range(10):
        watcher.tick()
    alerts.flush()
    assert [each["level"] for each in got] == ["critical"]
    assert alerts.bytes_max() > 0
