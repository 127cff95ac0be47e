"""How a server is: its health for whoever looks after it, its figures for Prometheus.

Covers:     status, bytes seen and promised, who holds them, connections, live queries.
Not here:   seeing (`watch`), who may ask (`serving.app`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from flatwater.watch.account import heap_bytes
from flatwater.watch.health import STATUS
from flatwater.watch.watched import holder_pairs

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

    from flatwater.live.serving.service import Service


def health(service: Service) -> dict[str, Any]:
    """Figures without names of users: the status, the process, the budget, and its holders as pools."""
    from flatwater.meter.probe import usage

    budget = service.database.budget
    seen = usage()
    heap = heap_bytes()
    level = service.watcher.level if service.watcher is not None else "normal"
    return {
        "status": STATUS[level],
        "rss": seen.rss,
        "anon": seen.anon if seen.anon >= 0 else None,
        "heap": heap,
        "external": None if heap is None or seen.anon < 0 else max(0, seen.anon - heap),
        "budget": {"limit": budget.limit, "held": budget.held, "free": max(0, budget.limit - budget.held)},
        "pools": {name: {"promised": promised, "seen": part_seen} for name, promised, part_seen in _pools(service)},
        "connections": len(service.connections),
        "subscriptions": len(service.fanout.targets),
        "uptime_s": round(service.loop.time() - service.began, 1),
    }


def _pools(service: Service) -> Iterator[tuple[str, int, int | None]]:
    for row in service.database.parts():
        yield row["part"], row["promised"], row["seen"]
    admission = service.admission
    yield "connections", admission.promised(), admission.bytes_held()
    known = {"live.connections", "live.subscriptions"}
    others = [(name, held) for name, held in holder_pairs(service.database.budget) if name in _SERVED - known]
    yield from ((name, held, None) for name, held in sorted(others))


_SERVED = frozenset({"live.requests", "live.log-ins", "live.follow"})


def metrics(service: Service) -> tuple[bytes, str]:
    """The text of Prometheus, and its media type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(cast("Collector", _Figures(service)))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Figures:
    """What is collected, at the moment at which it is asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Any]:
        """All families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        found = health(self._service)
        for name, what, value in (
            ("resident_bytes", "Resident memory.", found["rss"]),
            ("anonymous_bytes", "Anonymous memory.", found["anon"]),
            ("heap_bytes", "In objects of Python's allocator.", found["heap"]),
            ("budget_limit_bytes", "Of the budget.", found["budget"]["limit"]),
            ("budget_held_bytes", "Promised in the budget.", found["budget"]["held"]),
            ("connections", "Of live queries, open.", found["connections"]),
            ("http_connections", "Of HTTP, open.", self._service.admission.https),
            ("stalled_connections", "That do not take what they are sent.", self._service.admission.paused),
            ("subscriptions", "Live queries, open.", found["subscriptions"]),
            ("uptime_seconds", "Since the start.", found["uptime_s"]),
            (
                "healthy",
                "1 for ok, 0.5 for degraded, 0 for critical.",
                {"ok": 1, "degraded": 0.5}.get(found["status"], 0),
            ),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"flatwater_{name}", what, value=value)
        pools = GaugeMetricFamily("flatwater_pool_promised_bytes", "Promised by part.", labels=["pool"])
        for name, pool in found["pools"].items():
            pools.add_metric([name], pool["promised"])
        yield pools
        yield CounterMetricFamily("flatwater_requests", "Requests of HTTP.", value=self._service.requests)
        yield CounterMetricFamily(
            "flatwater_deliveries", "Changes given as they came.", value=self._service.fanout.delivered
        )
