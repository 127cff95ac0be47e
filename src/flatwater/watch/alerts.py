"""Tell somebody when memory is short: a log, a webhook or a function, no more often than he can bear.

Covers:     which changes of level are told, a pause between two alerts, how many were held back, sending without keeping anybody waiting.
Not here:   seeing levels (`watch.watcher`), acting on them (`watch.ladder`).
Holds:      a queue of `limits.ALERTS_WAITING_MAX` alerts, and a thread while there are some; see `Alerts.bytes_max`.
"""

from __future__ import annotations

import atexit
import contextlib
import http.client
import json
import logging
import os
import queue
import re
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits, units
from flatwater.watch.event import LOG
from flatwater.watch.levels import RANK, Level
from flatwater.watch.watched import holder_pairs

if TYPE_CHECKING:
    from flatwater.watch.watcher import Watcher

Alert = dict[str, Any]
Target = Callable[[Alert], object] | logging.Logger | str
ALERT_BYTES = 8 * units.KIB  # of one, as a dict, at most
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@final
class Alerts:
    """Tells one target of a watcher's levels.

    An alert is a dict: `level`, `was`, `at` (Unix seconds), `program`, `pid`, `seen_bytes`, `limit_bytes`, `pressure`, `forecast`, `holders`, `events`, and `held_back`,
    `lost`: alerts since the last one that the pause kept back, and that could not be delivered. A webhook gets it as JSON by POST.

    Args:
        target: a logger, `https://…`, or a function of one alert.
        at: the least level that is told; the way back to normal is told to who was told of the way up.
        every_s: seconds between two alerts. What is worse than the last one is told at once.
        clock: monotonic seconds.

    Raises:
        UsageError: a target, a level or a pause that cannot be; a webhook without TLS on another machine.

    Thread-safety: called by the watcher's thread, which it never keeps waiting; sends in a thread of its own.

    watcher.on_level(Alerts("https://hooks.example/memory", every_s=300))
    """

    def __init__(
        self, target: Target, *, at: Level = "high", every_s: float = limits.ALERTS_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        if at not in RANK or at == "normal":
            raise errors.UsageError(f"at={at!r}: it is 'high' or 'critical'.", hint="Leave it out for 'high'.")
        if isinstance(every_s, bool) or not isinstance(every_s, int | float) or not 0 <= every_s <= limits.WAIT_S_MAX:
            raise errors.UsageError(
                f"every_s={every_s!r}: from 0 to {limits.WAIT_S_MAX} seconds.", hint="Pass a number, such as 300."
            )
        self._send = _sender(target)
        self._at, self._every_s, self._clock = at, every_s, clock
        self._begin()
        self._worst_s = -float("inf")  # when it was last told that memory is short, and how short
        self._worst: Level = "normal"
        self._told: Level = "normal"  # what who is told believes
        self._ends_with_program = False
        self._before: Level = "normal"
        self.sent = 0  # alerts that reached their target
        self.held_back = 0  # by the pause, since the last one
        self.lost = 0  # that could not be delivered, or had no room, since the last one that was

    def _begin(self) -> None:
        """In this process: what waits when it forks is the parent's to tell, and so is the thread that tells it."""
        self._pid = os.getpid()
        self._waiting: queue.Queue[Alert] = queue.Queue(limits.ALERTS_WAITING_MAX)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def bytes_max(self) -> int:
        """The most it holds, in bytes."""
        total = limits.ALERTS_WAITING_MAX * ALERT_BYTES  # those that wait
        total += ALERT_BYTES  # the one that is sent
        return total

    def __call__(self, level: Level, watcher: Watcher) -> None:
        """The level has changed: what `watcher.on_level` calls."""
        if self._pid != os.getpid():
            self._begin()
        was, self._before = self._before, level
        now_s = self._clock()
        if level == "normal":
            if self._told == "normal":
                return  # nobody was told of the beginning
        elif RANK[level] < RANK[self._at]:
            return
        elif now_s - self._worst_s < self._every_s and RANK[level] <= RANK[self._worst]:
            self.held_back += 1
            return
        else:
            self._worst, self._worst_s = level, now_s
        self._told = level
        alert = alert_of(level, was, watcher)
        with self._lock:
            alert["held_back"], self.held_back = self.held_back, 0
        try:
            self._waiting.put_nowait(alert)
        except queue.Full:
            self._not_told(alert)
            return
        self._go_on()

    def _not_told(self, alert: Alert) -> None:
        """What it would have said counts for the next one."""
        with self._lock:
            self.lost += 1
            self.held_back += alert["held_back"]

    def flush(self, wait_s: float = limits.ALERTS_FLUSH_S) -> bool:
        """Wait until what there is to tell was told, or could not be; False if that takes longer."""
        if self._pid != os.getpid():
            return True
        deadline = time.monotonic() + wait_s
        while (thread := self._thread) is not None and thread.is_alive():
            thread.join(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                break
        return self._waiting.empty() and self._thread is None

    def _go_on(self) -> None:
        """A thread while there is something to tell, and none otherwise."""
        with self._lock:
            if not self._ends_with_program:
                self._ends_with_program = True
                atexit.register(self.flush)  # the last alert is the one that matters
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._deliver, name="flatwater-alerts", daemon=True)
                self._thread.start()

    def _deliver(self) -> None:
        while True:
            with self._lock:
                try:
                    alert = self._waiting.get_nowait()
                except queue.Empty:
                    self._thread = None
                    return
            alert["lost"] = lost = self.lost
            try:
                self._send(alert)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a target does, the next is sent; it is said and counted
                self._not_told(alert)
                LOG.warning("an alert was not delivered: %s: %.200s", type(error).__name__, error)
            else:
                with self._lock:
                    self.sent, self.lost = self.sent + 1, self.lost - lost


def alert_of(level: Level, was: Level, watcher: Watcher) -> Alert:
    """What is told: figures and names, no arguments of the program, no environment."""
    held = holder_pairs(watcher.budget) if watcher.budget is not None else []
    return {
        "level": level,
        "was": was,
        "at": round(time.time(), 3),
        "program": os.path.basename(sys.argv[0] or sys.executable)[:100],
        "pid": os.getpid(),
        "seen_bytes": watcher.seen,
        "limit_bytes": watcher.limit,
        "pressure": round(watcher.pressure, 4),
        "forecast": watcher.forecast.words if level == "high" else "",
        "holders": [[name[:100], count] for name, count in held[: limits.BUDGET_HOLDERS_SHOWN]],
        "events": [event.words for event in watcher.journal.newest(limits.ALERTS_EVENTS)],
    }


def words_of(alert: Alert) -> str:
    """The same as a sentence."""
    seen, limit = units.format_bytes(alert["seen_bytes"]), units.format_bytes(alert["limit_bytes"])
    text = f"memory is {alert['level']}, was {alert['was']}: {seen} of {limit} ({alert['pressure']:.0%})"
    if alert["forecast"]:
        text += f"; {alert['forecast']}"
    if alert["holders"]:
        text += "; held by " + ", ".join(f"{name} {units.format_bytes(count)}" for name, count in alert["holders"])
    if alert["held_back"]:
        text += f"; {alert['held_back']} alerts were held back"
    return text


def _sender(target: Target) -> Callable[[Alert], object]:
    if isinstance(target, logging.Logger):
        return lambda alert: target.log(
            logging.INFO if alert["level"] == "normal" else logging.WARNING,
            "%s",
            words_of(alert),
            extra={"flatwater": alert},
        )
    if isinstance(target, str):
        return _webhook(target)
    if callable(target):
        errors.check_function(target, hint="Pass a function, which may call asyncio.run_coroutine_threadsafe.")
        return target
    raise errors.UsageError(
        f"{target!r} is no target of alerts.", hint="Pass a logger, an https:// URL, or a function of one alert."
    )


def _webhook(url: str) -> Callable[[Alert], object]:
    parts = _address(url)

    def send(alert: Alert) -> None:
        body = json.dumps(alert).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - the scheme was looked at
        connections: list[http.client.HTTPConnection] = []
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects(), _Http(connections), _Https(connections)]
        if parts.hostname in LOOPBACK:
            handlers.append(urllib.request.ProxyHandler({}))  # this machine is not reached through another one
        ending = threading.Timer(
            limits.ALERTS_TIMEOUT_S, _shut, [connections]
        )  # each read has its time, and all together
        ending.daemon = True
        ending.start()
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=limits.ALERTS_TIMEOUT_S) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            error.close()
            raise OSError(f"the webhook answered {error.code}") from None  # without the URL, which may be a secret
        finally:
            ending.cancel()

    return send


def _address(url: str) -> urllib.parse.SplitResult:
    """The parts of a webhook's address. What is refused is named without path and password, which may be secrets."""
    hint = "Pass https://…; http:// goes to this machine only."
    try:
        parts = urllib.parse.urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0  # a port that is no number raises
    except ValueError:
        parts, named = urllib.parse.SplitResult("", "", "", "", ""), False
    if parts.scheme not in {"http", "https"} or not named:
        before, separator, after = url.partition("://")
        scheme, rest = (before, after) if separator else ("", before)
        head = re.split("[/?#]", rest, maxsplit=1)[0]
        shown = (scheme + separator)[:20] + head.rpartition("@")[2][:100] + ("/…" if head != rest else "")
        raise errors.UsageError(f"{shown!r} is no http:// or https:// address.", hint=hint)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise errors.UsageError(
            f"http://{parts.hostname} is another machine, and alerts go there by TLS only.", hint=hint
        )
    return parts


def _shut(connections: list[http.client.HTTPConnection]) -> None:
    for connection in connections:
        if connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


class _Http(urllib.request.HTTPHandler):
    """Keeps the connection, so that it can be ended."""

    def __init__(self, connections: list[http.client.HTTPConnection]) -> None:
        super().__init__()
        self._connections = connections

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open it, and remember it."""

        def connect(host: str, **given: Any) -> http.client.HTTPConnection:
            self._connections.append(made := http.client.HTTPConnection(host, **given))
            return made

        return self.do_open(connect, req)


class _Https(urllib.request.HTTPSHandler):
    """The same with TLS, with the system's certificates."""

    def __init__(self, connections: list[http.client.HTTPConnection]) -> None:
        super().__init__()
        self._connections = connections

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open it, and remember it."""

        def connect(host: str, **given: Any) -> http.client.HTTPConnection:
            self._connections.append(made := http.client.HTTPSConnection(host, **given))
            return made

        return self.do_open(connect, req)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Who was named is who is told."""

    def redirect_request(self, *_: object) -> None:
        return None
