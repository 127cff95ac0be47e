"""The samples between two ticks of a watcher, while nothing happens.

Covers:     looking every period for a size that matters, at the least cost there is.
Not here:   what a tick does with what was found (`watch.watcher`).
Holds:      one line of text.

A tick costs 100 us with cold caches, as they are every 10 ms. A look costs 80, of which 50 are waking up.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from flatwater.meter.probe import IS_LINUX, sizes_in

SLICE_S = 0.05  # of a longer pause: how late a stop is heard at most
ROUNDS = 20  # looks between two ticks: children, the control group and the history are seen to every 0.2 s
ROUNDS_WITH_BEATS = 5  # the same, where a separate process waits for a sign of life


def can_look_out(period_s: float) -> bool:
    """Whether looks are cheaper than ticks here."""
    return IS_LINUX and period_s <= SLICE_S


def pause(seconds: float, is_stopped: Callable[[], bool]) -> None:
    """Sleep, in slices."""
    due = time.monotonic() + seconds
    while not is_stopped() and (left := due - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_S))


def look_out(
    read_raw: Callable[[], bytes],
    period_s: float,
    alarm_bytes: float,
    *,
    by_rss: bool,
    rounds: int,
    is_stopped: Callable[[], bool],
) -> tuple[int, int]:
    """Look, with a probe's `raw_reader`, every `period_s`, `rounds` times or until a size reaches `alarm_bytes`.

    Returns:
        The highest `(rss, anon)` seen, in bytes; `(0, 0)` if there was nothing new.
    """
    rss_max = anon_max = 0
    last = b""
    due = time.monotonic()
    for _ in range(rounds):
        # Late looks are dropped, not caught up with: a stalled process must not be sampled in a burst.
        now = time.monotonic()
        due = max(due + period_s, now)
        time.sleep(due - now)
        if is_stopped():
            break
        text = read_raw()
        if text == last:
            continue
        last = text
        rss, anon = sizes_in(text)
        rss_max, anon_max = max(rss_max, rss), max(anon_max, anon)
        if (rss if by_rss else anon) >= alarm_bytes:
            break
    return rss_max, anon_max
