"""Whether a service takes a request in, and what it tells about itself: the decisions that all frameworks share.

Covers:     the gate of a budget, bytes for each request, paths that are always answered, health, metrics, the watcher's life.
Not here:   a framework's way of answering (`adapters.asgi`, `adapters.wsgi`, `adapters.django`).
Holds:      a watcher, and two counters; see `Intake.bytes_max`.
"""

from __future__ import annotations

import hmac
import json
import math
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.watch.health import STATUS
from flatwater.watch.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from prometheus_client.registry import Collector

    from flatwater.budget.reservation import Reservation

HOLDER = "web.requests"
TEXT = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """A whole response: what is said when a request is not handed on."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@final
class Intake:
    """Decides for one service of this process. Thread-safe.

    The watcher is started by `start()` or with the first request, in the process that answers it: servers that fork their
    workers make one in each. It is stopped with `stop()`.

    Args:
        budget: a `Budget` that caches and queries of the service share, or a size; what this process may have, if left out.
        watcher: one of your own, started by you, in place of one that is made.
        reserve: bytes that each request takes from the budget while it is answered; 503 where they are not there.
        retry_after_s: seconds that a refused client is asked to wait; longer where memory is critical.
        health: the path of the health page; "" for none.
        metrics: the path of figures for Prometheus; "" for none.
        token: what health and metrics want as `Authorization: Bearer …` before they tell figures.
        always: paths that are handed on even while the gate is closed, such as "/live"; "/static/" stands for all below it.

    Raises:
        UsageError: a size, a path or a number of seconds that cannot be.
    """

    def __init__(
        self, budget: Budget | str | int | None = None, *, watcher: Watcher | None = None, reserve: str | int = 0,
        retry_after_s: int = limits.WEB_RETRY_AFTER_S, health: str = "/health", metrics: str = "", token: str = "",
        always: Sequence[str] = (),
    ) -> None:  # fmt: skip
        if watcher is not None and watcher.budget is None:
            raise errors.UsageError(
                "this watcher has a size and no budget, so there is no gate that it could close.",
                hint="Make it with a Budget: fw.Watcher(fw.Budget('512 MiB')).",
            )
        if not isinstance(retry_after_s, int) or not 1 <= retry_after_s <= limits.WEB_RETRY_AFTER_S_MAX:
            raise errors.UsageError(
                f"retry_after_s={retry_after_s!r}: from 1 to {limits.WEB_RETRY_AFTER_S_MAX} whole seconds.",
                hint="Leave it out for 5.",
            )
        for path in (health, metrics, *always):
            if path and not path.startswith("/"):
                raise errors.UsageError(f"the path {path!r} does not begin with '/'.", hint=f"Write {'/' + path!r}.")
        if len(always) > limits.WEB_PATHS_MAX:
            raise errors.LimitReached(
                f"{len(always)} paths are to be answered always.", what="WEB_PATHS_MAX", limit=limits.WEB_PATHS_MAX,
                hint="One that ends in '/' stands for all below it.",
            )  # fmt: skip
        self._size = (
            budget if not isinstance(budget, Budget) else None
        )  # of which each process makes a budget of its own
        self.budget = cast("Budget", watcher.budget) if watcher is not None else self._made(budget)
        self.reserve_bytes = errors.bytes_of(reserve, what="reserve")
        self.retry_after_s = retry_after_s
        self.health_path, self.metrics_path = health, metrics
        self.refused = 0  # requests that were answered with 503
        self.taken = 0  # requests that were handed on
        self._token = token.encode()
        self._always = tuple(always)
        self._given = watcher
        self._is_own = watcher is None and not isinstance(budget, Budget)
        self._watcher = watcher
        self._pid = os.getpid()
        self._starting = threading.Lock()

    def bytes_max(self) -> int:
        """What it holds beside the requests: the watcher."""
        return self._watcher.bytes_max() if self._watcher is not None else 0

    @property
    def watcher(self) -> Watcher:
        """The watcher of this process; started, if it was not."""
        return self.start()

    def start(self) -> Watcher:
        """Watch from now on; starting twice is fine. A forked worker gets a budget and a watcher of its own.

        Raises:
            ClosedError: a budget or a watcher was given, and belongs to the process before the fork.
        """
        found = self._watcher
        if found is not None and self._pid == os.getpid():
            return found
        if self._pid != os.getpid():
            self._after_fork()
        with self._starting:
            if self._watcher is None:
                self._watcher = Watcher(self.budget).start()
            return self._watcher

    def _after_fork(self) -> None:
        """In a forked worker nothing that watched goes on, and the budget is not to be used."""
        if not self._is_own:
            raise errors.ClosedError(
                f"the budget or watcher that was given belongs to process {self._pid}, from which this one was forked.",
                hint="Give a size: each worker then makes a budget of its own; or make the middleware in the worker.",
            )
        self._starting = threading.Lock()
        self.budget, self._watcher, self._pid = self._made(self._size), None, os.getpid()

    @staticmethod
    def _made(budget: Budget | str | int | None) -> Budget:
        if isinstance(budget, Budget):
            return budget
        return Budget(budget, name="web") if budget is not None else Budget.detect()

    def stop(self) -> None:
        """End the watching that `start` began; one that was given goes on."""
        with self._starting:
            found, self._watcher = self._watcher, self._given
        if found is not None and found is not self._given:
            found.stop()

    # --- requests -------------------------------------------------------------------------------------------------------

    def take(self, path: str) -> Reservation | Answer | None:
        """What becomes of a request: an answer in its place, bytes that it holds until it ends, or None to go on without."""
        self.start()
        if not self.budget.gate.is_open and not self._is_always(path):
            return self._refusal("memory is short")
        if self.reserve_bytes and not self._is_always(path):
            reservation = self.budget.try_reserve(self.reserve_bytes, HOLDER)
            if reservation is None:
                return self._refusal("every byte that requests may have is taken")
            self.taken += 1
            return reservation
        self.taken += 1
        return None

    def is_closed(self) -> bool:
        """Whether nothing is taken in."""
        return not self.budget.gate.is_open

    def _is_always(self, path: str) -> bool:
        return any(path == each or (each.endswith("/") and path.startswith(each)) for each in self._always)

    def _refusal(self, why: str) -> Answer:
        self.refused += 1
        return Answer(
            503,
            (("Retry-After", str(self.wait_s())), ("Content-Type", TEXT), ("Cache-Control", "no-store")),
            f"{why}; try again in {self.wait_s()} s\n".encode(),
        )

    def wait_s(self) -> int:
        """Seconds that who is refused is asked to wait: twice as long while memory is critical."""
        critical = self._watcher is not None and self._watcher.level == "critical"
        return min(limits.WEB_RETRY_AFTER_S_MAX, self.retry_after_s * (2 if critical else 1))

    # --- what is told ----------------------------------------------------------------------------------------------------

    def page(self, path: str, authorization: str = "") -> Answer | None:
        """The health or the figures, if this is their path."""
        if path == self.health_path and path:
            return self._health(is_trusted=self._is_trusted(authorization))
        if path == self.metrics_path and path:
            if not self._is_trusted(authorization):
                return Answer(401, (("WWW-Authenticate", "Bearer"), ("Content-Type", TEXT)), b"a token is needed\n")
            return self._metrics()
        return None

    def _is_trusted(self, authorization: str) -> bool:
        if not self._token:
            return True
        kind, _, given = authorization.partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)

    def _health(self, *, is_trusted: bool) -> Answer:
        """200 while requests are taken in, 503 while they are not. Without the token, if there is one, no figures."""
        watcher = self.start()
        is_closed = self.is_closed()
        told: dict[str, object] = {"status": STATUS[watcher.level], "taking_requests": not is_closed}
        if is_trusted:
            told |= watcher.health()
            told |= {"requests_taken": self.taken, "requests_refused": self.refused}
        headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
        if is_closed:
            headers = (*headers, ("Retry-After", str(self.wait_s())))
        return Answer(503 if is_closed else 200, headers, json.dumps(_finite(told)).encode())

    def _metrics(self) -> Answer:
        try:
            from prometheus_client import CollectorRegistry
            from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
        except ImportError:
            raise errors.MissingExtra("web", "prometheus_client") from None
        registry = CollectorRegistry(auto_describe=False)
        registry.register(cast("Collector", _Figures(self)))
        return Answer(200, (("Content-Type", CONTENT_TYPE_LATEST),), generate_latest(registry))


@final
class _Figures:
    """What is collected, at the moment at which it is asked for."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def collect(self) -> Iterator[Any]:
        """All families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        intake = self._intake
        watcher = intake.start()
        seconds = watcher.forecast.to_dict().get("seconds")
        for name, what, value in (
            ("resident_bytes", "Resident memory of the process and its children.", watcher.rss),
            ("seen_bytes", "Memory as the watcher compares it with its limit.", watcher.seen),
            ("budget_limit_bytes", "Of the budget.", watcher.limit),
            ("budget_held_bytes", "Promised in the budget.", intake.budget.held),
            ("pressure", "Seen, as a share of the limit.", watcher.pressure),
            ("gate_open", "1 while requests are taken in.", int(not intake.is_closed())),
            (
                "healthy",
                "1 for ok, 0.5 for degraded, 0 for critical.",
                {"normal": 1, "high": 0.5}.get(watcher.level, 0),
            ),
            ("seconds_to_limit", "At the present growth.", seconds),
        ):
            if isinstance(value, int | float) and math.isfinite(value):
                yield GaugeMetricFamily(f"flatwater_{name}", what, value=value)
        yield CounterMetricFamily("flatwater_requests_taken", "Requests that were handed on.", value=intake.taken)
        yield CounterMetricFamily(
            "flatwater_requests_refused", "Requests that were answered with 503.", value=intake.refused
        )
        yield CounterMetricFamily("flatwater_alarms", "Times that memory was high or critical.", value=watcher.alarms)


def _finite(value: object) -> object:
    """JSON has no infinity."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
