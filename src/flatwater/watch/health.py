"""A watcher's health: the figures for a health endpoint, and the same in words.

Covers:     status, sizes, pressure, forecast, gate, the newest events.
Not here:   seeing and acting (`watch.watcher`), one moment's promises beside what is seen (`watch.account`).
Holds:      nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flatwater import units
from flatwater.watch.account import heap_bytes
from flatwater.watch.levels import Level

if TYPE_CHECKING:
    from flatwater.watch.watcher import Watcher

STATUS: dict[Level, str] = {"normal": "ok", "high": "degraded", "critical": "critical"}
EVENTS_SHOWN = 10


def health_of(watcher: Watcher) -> dict[str, object]:
    """JSON-ready figures; None where one is not known. A forecast is made for it: about 5 ms.

    >>> from flatwater.watch.watcher import Watcher
    >>> health_of(Watcher("64 GiB"))["status"]
    'ok'
    """
    heap = heap_bytes()
    budget = watcher.budget
    return {
        "status": STATUS[watcher.level],
        "level": watcher.level,
        "memory": {
            "heap_bytes": heap,
            "rss_bytes": watcher.rss,
            "external_bytes": max(0, watcher.seen + watcher.baseline - heap) if heap is not None else None,
            "seen_bytes": watcher.seen,
            "promised_bytes": budget.held if budget is not None else None,
            "limit_bytes": watcher.limit,
            "metric": watcher.metric,
        },
        "pressure": round(watcher.pressure, 4),
        "forecast": watcher.forecast.to_dict(),
        "gate_open": budget.gate.is_open if budget is not None else None,
        "alarms": watcher.alarms,
    }


def explain(watcher: Watcher) -> str:
    """The health and the newest events, for people; no more than a dozen lines."""
    seen, limit = units.format_bytes(watcher.seen), units.format_bytes(watcher.limit)
    lines = [f"memory is {watcher.level}: {seen} of {limit} ({watcher.pressure:.0%}, {watcher.metric})"]
    lines.append(str(watcher.forecast))
    lines += [f"  {event.at_s:9.2f} s  {event.words}" for event in watcher.journal.newest(EVENTS_SHOWN)]
    return "\n".join(lines)


def full_at_start(watcher: Watcher) -> str:
    """What is said where a program begins with more than will ever let its level be normal again."""
    seen, limit = units.format_bytes(watcher.seen), units.format_bytes(watcher.limit)
    follows = ", so that its gate, once it is closed, stays closed" if watcher.budget is not None else ""
    return (
        f"the process holds {seen} of {limit} at its start{follows}: raise the budget, or give fw.Watcher a baseline="
    )
