"""Have a server's worker replaced when its memory stays above a bound: when, and why; each server has its own way of how.

Covers:     looking at one process from a thread, a second look behind a collection, jitter, a least age, one reason in the log.
Not here:   how a worker leaves (`adapters.gunicorn`, `adapters.uvicorn`), keeping a process inside a budget (`watch.watcher`).
Holds:      a thread, and one descriptor.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from typing import final

from flatwater import errors, limits, units
from flatwater.meter import retained
from flatwater.meter.probe import Probe

LOG = logging.getLogger("flatwater.watch")


@final
class Recycler:
    """Looks at the memory of this process, and calls `retire(why)` once when it stays above a bound.

    The bound of each process is `above`, less a random share of it up to `jitter`: workers that grow alike do not go at once, and none may have
    more than was said. What is looked at is anonymous memory, which cannot be taken back without freeing it; where the system does not tell,
    resident memory. A spike is no reason: it takes `limits.RECYCLE_SAMPLES` looks in a row, then garbage is collected, freed memory is given back to the
    system, and what is still above the bound then is the reason.

    Args:
        above: the bound, as a size.
        retire: has the worker finish its requests and end; called in the recycler's thread, once.
        jitter: share of the bound, from 0 to 0.5.
        age_s_min: seconds that a process lives at least, however much it holds.
        tell: who is told why; the logger `flatwater.watch`, if left out.
        clock: monotonic seconds.
        sample: bytes of this process in place of the operating system's figure, for replays.
        collect: in place of a collection and a trim, for replays.
        draw: `(low, high) -> between`, for replays.

    Raises:
        UsageError: a size, a share or a number of seconds that cannot be.

    Thread-safety: `start` and `stop` may be called from any thread.

    Source: the second look answers why gunicorn has no such bound (its issue 3581: a size "can be temporary"); the jitter is that of its `max_requests_jitter`.

    >>> sizes = iter([90 << 20, 110 << 20, 110 << 20, 110 << 20, 110 << 20])
    >>> left = []
    >>> recycler = Recycler("100 MiB", left.append, age_s_min=0, jitter=0, sample=lambda: next(sizes), collect=lambda: None, tell=lambda why: None)
    >>> [recycler.look() for _ in range(4)]
    [False, False, False, True]
    >>> left
    ['it holds 110 MiB, more than 100 MiB, also after a collection']
    """

    def __init__(
        self, above: str | int, retire: Callable[[str], object], *, jitter: float = limits.RECYCLE_JITTER,
        age_s_min: float = limits.RECYCLE_AGE_S_MIN, tell: Callable[[str], object] = LOG.warning,
        clock: Callable[[], float] = time.monotonic, sample: Callable[[], int] | None = None,
        collect: Callable[[], object] | None = None, draw: Callable[[float, float], float] | None = None,
    ) -> None:  # fmt: skip
        self.above_bytes = errors.bytes_of(above, what="above", least=limits.LIMIT_BYTES_MIN)
        _number(jitter, "jitter", limits.RECYCLE_JITTER_MAX, hint="Pass a share of the bound, such as 0.1.")
        _number(age_s_min, "age_s_min", limits.WAIT_S_MAX, hint="Pass seconds, such as 30.")
        share = (draw or random.SystemRandom().uniform)(0.0, jitter)  # processes forked from one have other numbers
        self.bound_bytes = int(self.above_bytes * (1 - share))
        self._retire, self._tell, self._clock = retire, tell, clock
        self._sample, self._collect = sample, collect or _collect
        self._age_s_min = age_s_min
        self._begin_s = clock()
        self._in_a_row = 0
        self._recheck_due_s = 0.0
        self._probe: Probe | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._ending = threading.Event()

    def bytes_max(self) -> int:
        """What it holds: a thread's stack, as far as that is touched."""
        return 64 * units.KIB

    def look(self) -> bool:
        """Look once, and do what follows from it; True once the worker was told to leave."""
        now_s = self._clock()
        if self._seen() <= self.bound_bytes:
            self._in_a_row = 0
            return False
        self._in_a_row += 1
        if self._in_a_row < limits.RECYCLE_SAMPLES or now_s < self._recheck_due_s:
            return False
        if now_s - self._begin_s < self._age_s_min:
            return False
        self._collect()
        seen, took_s = self._seen(), self._clock() - now_s
        if seen <= self.bound_bytes:
            self._in_a_row = 0
            # Collections stop the requests: just below the bound they must not come one after the other.
            self._recheck_due_s = now_s + took_s / limits.WATCH_RECHECK_TIME_SHARE
            return False
        why = f"it holds {units.format_bytes(seen)}, more than {units.format_bytes(self.bound_bytes)}"
        if self.bound_bytes != self.above_bytes:
            why += f" ({units.format_bytes(self.above_bytes)} less its jitter)"
        why += ", also after a collection"
        self._tell(f"process {os.getpid()} finishes its requests and is replaced: {why}")
        self._retire(why)
        return True

    def start(self) -> bool:
        """Look from a thread from now on. False where that is of no use: the process has more than the bound at its start, and so would the next one.

        Starting twice is fine; a forked process that starts it has a thread of its own.
        """
        if self._thread is not None and self._pid == os.getpid():
            return True
        self._pid, self._probe, self._ending = os.getpid(), None, threading.Event()
        seen = self._seen()
        if seen > self.bound_bytes:
            self._tell(
                f"process {os.getpid()} holds {units.format_bytes(seen)} before its first request, more than {units.format_bytes(self.bound_bytes)}: "
                f"it is not replaced, as the next one would hold no less. Raise the bound of {units.format_bytes(self.above_bytes)}"
            )
            return False
        self._begin_s = self._clock()
        self._thread = threading.Thread(target=self._run, name="flatwater-recycler", daemon=True)
        self._thread.start()
        return True

    def stop(self) -> None:
        """End the looking; stopping twice is fine."""
        thread = self._thread
        if thread is None or self._pid != os.getpid():
            return  # a forked child has no such thread
        self._ending.set()
        if thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while not self._ending.wait(limits.RECYCLE_PERIOD_S):
            try:
                if self.look():
                    break
            except Exception:
                LOG.exception("process %s could not be looked at, or told to leave", os.getpid())
                self._ending.wait(limits.RECYCLE_PERIOD_S * 4)
        if self._probe is not None:
            self._probe.close()

    def _seen(self) -> int:
        if self._sample is not None:
            return self._sample()
        if self._probe is None:
            self._probe = Probe()
        return self._probe.read()[1]


def _collect() -> None:
    gc.collect()
    retained.trim()


def _number(value: float, what: str, most: float, *, hint: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise errors.UsageError(f"{what}={value!r}: from 0 to {most:g}.", hint=hint)
