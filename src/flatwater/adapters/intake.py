"""Whether a service takes a request in, and what it tells about itself: the decisions that all frameworks share.

Covers:     the gate of a budget, bytes for each request, paths that are always answered, health, metrics, the watcher's life.
Not here:   a framework's way of answering (`adapters.asgi`, `adapters.wsgi`, `adapters.django`), what may be asked for (`adapters.settings`).
Holds:      a watcher, and two counters; see `Intake.bytes_max`.
"""

from __future__ import annotations

import hmac
import inspect
import json
import logging
import math
import os
import threading
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, cast, final

from flatwater import errors, limits, units
from flatwater.adapters import settings
from flatwater.budget.budget import Budget
from flatwater.build.pools import pool_stats
from flatwater.watch.health import STATUS
from flatwater.watch.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from prometheus_client.registry import Collector

    from flatwater.budget.reservation import Reservation

LOG = logging.getLogger("flatwater.watch")
UNWATCHED = "unwatched"
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
    workers make one in each. It is stopped with `stop()`, or when nobody has the service any more, as in tests that make one each.

    Args:
        budget: a `Budget` that caches and queries of the service share, or a size; what this process may have, if left out.
        watcher: one of your own in place of one that is made, with its budget; started here if it was not, and stopped by you.
        reserve: bytes that each request takes from the budget while it is answered; 503 where they are not there. At most the budget.
        retry_after_s: seconds that a refused client is asked to wait; longer where memory is critical.
        health: the path of the health page; "" for none.
        metrics: the path of figures for Prometheus; None for none.
        token: what health and metrics want as `Authorization: Bearer …` before they tell figures: visible ASCII. None: they tell everybody.
        always: a path, or several, that are handed on even while the gate is closed, such as "/live"; "/static/" stands for all below it.

    Raises:
        UsageError: a size, a path, a token or a number of seconds that cannot be, alone or beside another.
        LimitReached: more than `limits.WEB_PATHS_MAX` paths.
        MissingExtra: figures, without the extra `web`.
    """

    def __init__(
        self, budget: Budget | str | int | None = None, *, watcher: Watcher | None = None, reserve: str | int = 0,
        retry_after_s: int = limits.WEB_RETRY_AFTER_S, health: str | None = "/health", metrics: str | None = None,
        token: str | None = None, always: Iterable[str] | str = (),
    ) -> None:  # fmt: skip
        if watcher is not None:
            _check_watcher(watcher, budget)
        is_whole = isinstance(retry_after_s, int) and not isinstance(retry_after_s, bool)
        if not is_whole or not 1 <= retry_after_s <= limits.WEB_RETRY_AFTER_S_MAX:
            raise errors.UsageError(
                f"retry_after_s={retry_after_s!r}: from 1 to {limits.WEB_RETRY_AFTER_S_MAX} whole seconds.",
                hint="Leave it out for 5.",
            )
        self.health_path = settings.page_path_of(health, what="health")
        self.metrics_path = settings.page_path_of(metrics, what="metrics")
        if self.health_path and self.health_path == self.metrics_path:
            raise errors.UsageError(
                f"health and metrics have the same path, {health!r}, where only one of them can be.",
                hint='Write metrics="/metrics".',
            )
        if self.metrics_path:
            _prometheus()
        self._token = settings.token_of(token).encode()
        self._always = settings.paths_of(always, what="always")
        self._size = (
            budget if not isinstance(budget, Budget) else None
        )  # of which each process makes a budget of its own
        self.reserve_bytes = errors.bytes_of(reserve, what="reserve")
        self.budget = cast("Budget", watcher.budget) if watcher is not None else self._made(budget)
        self._check_reserve(self.budget)
        self.retry_after_s = retry_after_s
        self.refused = 0  # requests that were answered with 503
        self.taken = 0  # requests that were handed on
        self._given = watcher
        self._is_own = watcher is None and not isinstance(budget, Budget)
        self._watcher = watcher
        self._is_left = False  # by a watcher that was stopped and cannot begin again
        self._pid = os.getpid()
        self._starting = threading.Lock()
        self._ending: weakref.finalize[..., Intake] | None = None  # of the watcher that was made

    @classmethod
    def of(cls, made: Intake | None, given: dict[str, Any]) -> Intake:
        """The one that is there, or a new one of these arguments.

        Raises:
            UsageError: both are given, or what is given is no `Intake`; and as the class does.
        """
        if made is None:
            return cls(**given)
        if not isinstance(made, cls):
            raise errors.UsageError(f"intake={made!r} is no Intake.", hint='Leave it out, and pass budget="512 MiB".')
        if given:
            raise errors.UsageError(
                f"intake= is made already, so that {', '.join(given)} beside it would change nothing.",
                hint="Pass these to Intake(…).",
            )
        return made

    @classmethod
    def of_settings(cls, found: object) -> Intake:
        """By a framework's setting FLATWATER, a dict of the arguments.

        Raises:
            UsageError: it is no dict, or has names that are no arguments; and as the class does.
        """
        return cls(**cast("Any", settings.settings_of(found, cls.names())))

    @classmethod
    def names(cls) -> list[str]:
        """Of all arguments."""
        return list(inspect.signature(cls).parameters)

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
        if self._pid != os.getpid():
            self._after_fork()
        found = self._watcher
        if found is not None and (found.is_watching or self._is_left):
            return found
        with self._starting:
            if self._watcher is None:
                self._watcher = Watcher(self.budget).start()
                self._ending = weakref.finalize(self, self._watcher.stop, wait=False)
                self._ending.atexit = False  # its thread ends with the process
            elif not self._watcher.is_watching and not self._is_left:
                self._begin(self._watcher)
            return self._watcher

    def _begin(self, watcher: Watcher) -> None:
        """One that was given and does not watch: not yet, or no more."""
        try:
            watcher.start()
        except errors.ClosedError:
            if not watcher.is_watching:  # else somebody else began it a moment ago
                self._is_left = True
                LOG.warning("the watcher of this service was stopped: nobody watches its memory from here on")

    def _after_fork(self) -> None:
        """In a forked worker nothing that watched goes on, and the budget is not to be used."""
        if not self._is_own:
            raise errors.ClosedError(
                f"the budget or watcher that was given belongs to process {self._pid}, from which this one was forked.",
                hint="Give a size: each worker then makes a budget of its own; or make the middleware in the worker.",
            )
        self._starting = threading.Lock()
        self._forget()
        made = self._made(self._size)
        self._check_reserve(made)  # what a worker may have is known only there
        self.budget, self._watcher, self._pid = made, None, os.getpid()

    @staticmethod
    def _made(budget: Budget | str | int | None) -> Budget:
        if isinstance(budget, Budget):
            return budget
        if budget is None:
            return Budget.detect()
        return Budget(errors.bytes_of(budget, what="budget", least=limits.BUDGET_BYTES_MIN), name="web")

    def _check_reserve(self, budget: Budget) -> None:
        """What can never fit would be 503 for everybody, for ever."""
        if self.reserve_bytes > budget.limit:
            reserve, limit = units.format_bytes(self.reserve_bytes), units.format_bytes(budget.limit)
            raise errors.UsageError(
                f"reserve: each request would take {reserve} from a budget of {limit}, so that none could be answered.",
                hint="Lower reserve, or raise the budget: a tenth of it is for ten requests at once.",
            )

    def stop(self) -> None:
        """End the watching that `start` began; one that was given goes on."""
        with self._starting:
            found, self._watcher = self._watcher, self._given
            self._forget()
        if found is not None and found is not self._given:
            found.stop()

    def _forget(self) -> None:
        if self._ending is not None:
            self._ending.detach()
            self._ending = None

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
            told |= {"requests_taken": self.taken, "requests_refused": self.refused, "pools": _pools()}
        if not watcher.is_watching:
            told["status"] = UNWATCHED  # its figures are those of its last sample
        headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
        if is_closed:
            headers = (*headers, ("Retry-After", str(self.wait_s())))
        return Answer(503 if is_closed else 200, headers, json.dumps(_finite(told)).encode())

    def _metrics(self) -> Answer:
        prometheus = _prometheus()
        registry = prometheus.CollectorRegistry(auto_describe=False)
        registry.register(cast("Collector", _Figures(self)))
        return Answer(200, (("Content-Type", prometheus.CONTENT_TYPE_LATEST),), prometheus.generate_latest(registry))


def _prometheus() -> Any:
    try:
        import prometheus_client
    except ImportError:
        raise errors.MissingExtra("web", "prometheus_client") from None
    return prometheus_client


def _check_watcher(watcher: object, budget: object) -> None:
    if not isinstance(watcher, Watcher):
        raise errors.UsageError(
            f"watcher={watcher!r} is no fw.Watcher.",
            hint="Leave it out for one of its own, or pass fw.Watcher(budget).",
        )
    if budget is not None:
        raise errors.UsageError(
            "budget= and watcher= were both given, and a watcher has a budget already.",
            hint="Leave budget= out: PressureMiddleware(app, watcher=fw.Watcher(budget)).",
        )
    if watcher.budget is None:
        raise errors.UsageError(
            "this watcher has a size and no budget, so there is no gate that it could close.",
            hint="Make it with a Budget: fw.Watcher(fw.Budget('512 MiB')).",
        )


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
                "1 for ok, 0.5 for degraded, 0 for critical and unwatched.",
                {"normal": 1, "high": 0.5}.get(watcher.level, 0) if watcher.is_watching else 0,
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


def _pools() -> dict[str, int]:
    """Of used builders, in all: each schema's own figures would make the page as long as there are schemas."""
    found = pool_stats()
    return {
        "pools": found.pools,
        "objects": found.objects,
        "bytes": found.bytes,
        "created": found.created,
        "reused": found.reused,
        "discarded": found.discarded,
    }


def _finite(value: object) -> object:
    """JSON has no infinity."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
