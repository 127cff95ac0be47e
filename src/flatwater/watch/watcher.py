"""The guard of a running program: it sees memory against the budget, and acts before the limit does.

Covers:     sampling, levels with a second look, climbing the ladder, callbacks, events, health, the forecast of now.
Not here:   what each step does (`watch.ladder`), reading the system (`watch.sight`), a stuck interpreter (`watch.separate`).
Holds:      three bounded histories and a bounded list of events; see `Watcher.bytes_max`.
"""

from __future__ import annotations

import collections
import gc
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, SupportsInt, final

from flatwater import errors, limits, units
from flatwater.meter import retained
from flatwater.watch import evidence, health, ladder
from flatwater.watch.event import LOG, Event, Journal, name_of
from flatwater.watch.forecasting import Forecast, Metric, forecast
from flatwater.watch.history import History
from flatwater.watch.levels import RANK, Level, Levels, Thresholds
from flatwater.watch.quiet import ROUNDS, ROUNDS_WITH_BEATS, can_look_out, look_out, pause
from flatwater.watch.stuck import Stuck, checked_s
from flatwater.watch.watched import Watched, holder_pairs, is_watched

if TYPE_CHECKING:
    from flatwater.watch.separate import Separate
    from flatwater.watch.sight import Sight

EVENTS_IN_EVIDENCE = 32
LevelCallback = Callable[[Level, "Watcher"], object]


@final
class Watcher:
    """Watches the calling process (and its children and control group) against a budget.

    As a context manager it samples from a daemon thread. Steps of the ladder and callbacks run in that thread: one that
    blocks stops the watching, which is what `separate=True` is for.

    The level is *high* after `high_samples` in a row (half a second) at `high` of the limit, so that a spike is no alarm,
    and *critical* after three samples in a row at `critical`, because there is no room left for patience: shedders then
    run within 50 ms. Before any level is entered, garbage is collected and memory is looked at again.

    Args:
        budget: a `Budget`, or a size: then there is a limit, but nothing to shed and no gate.
        period_s: between samples. 10 ms cost less than 1 % of a CPU.
        high: share of the limit where high begins.
        critical: share of the limit where critical begins.
        gap: a level is left this share of the limit below where it is entered.
        high_samples: in a row for high; half a second's worth if left out.
        critical_samples: in a row for critical.
        metric: "anon" (what cannot be taken back without freeing it) or "rss".
        baseline: bytes of the process that the budget does not mean, such as the interpreter and its modules.
        children: whether child processes count.
        drain: called once at critical when nothing else helped; it should finish what is at hand and end the process.
        evidence_dir: where evidence is written; the system's temporary directory by default.
        separate: start a small second process that watches while this one is stuck in a C call.
        stuck_signal: what the second process sends, once, to a process critical and stuck for `stuck_after_s`; 0: nothing.
        stuck_after_s: see there.
        clock: monotonic seconds.
        sample: `() -> (rss, anon)` in bytes instead of the operating system, for replays.
        collect: `() -> objects found` instead of the garbage collector, for replays.
        trim: `() -> bytes` instead of `meter.trim`.

    Raises:
        UsageError: a budget, period, threshold or baseline that cannot work.

    Thread-safety: `level`, `events`, `health`, `forecast`, `is_watching`, `explain` and `stop` may be used from any thread.

    >>> memory = iter([50 << 20] * 5 + [97 << 20] * 3)
    >>> watcher = Watcher("100 MiB", sample=lambda: (next(memory, 97 << 20),) * 2, collect=lambda: 0, trim=lambda: 0,
    ...                   clock=iter(range(99)).__next__)
    >>> for _ in range(8):
    ...     watcher.tick()
    >>> watcher.level
    'critical'
    """

    def __init__(
        self,
        budget: Watched | str | int,
        *,
        period_s: float = limits.SAMPLE_PERIOD_S,
        high: float = limits.WATCH_HIGH_SHARE,
        critical: float = limits.WATCH_CRITICAL_SHARE,
        gap: float = limits.WATCH_LEAVE_GAP,
        high_samples: int | None = None,
        critical_samples: int = limits.WATCH_CRITICAL_SAMPLES,
        metric: Metric = "anon",
        baseline: str | int = 0,
        children: bool = True,
        drain: Callable[[], object] | None = None,
        evidence_dir: str | os.PathLike[str] = "",
        separate: bool = False,
        stuck_signal: int = 0,
        stuck_after_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        sample: Callable[[], tuple[int, int]] | None = None,
        collect: Callable[[], int] | None = None,
        trim: Callable[[], SupportsInt] | None = None,
    ) -> None:
        self.budget = budget if is_watched(budget) else None
        size = self.budget.limit if self.budget is not None else budget
        self.limit = errors.bytes_of(size, what="budget", least=limits.BUDGET_BYTES_MIN)  # type: ignore[arg-type]
        if metric not in {"anon", "rss"}:
            raise errors.UsageError(f"metric={metric!r}: it is 'anon' or 'rss'.")
        self.period_s = checked_s(period_s, what="period_s")
        self.metric = metric
        self.baseline = errors.bytes_of(baseline, what="baseline")
        self.children = children
        thresholds = Thresholds.at_period(
            period_s, high=high, critical=critical, gap=gap, high_samples=high_samples, critical_samples=critical_samples
        )  # fmt: skip
        self.levels = Levels(thresholds)
        self.journal = Journal(lambda: self.seen)
        self.seen = 0  # bytes at the last sample, baseline taken off
        self.rss = 0
        self.pressure = 0.0
        self.alarms = 0  # times that high or critical was entered
        self._clock = clock
        self._begin_s = clock()
        self._sample = sample
        self._collect = collect
        self._sight: Sight | None = None
        self._separate: Separate | None = None
        self._stuck = Stuck(separate, stuck_signal, stuck_after_s)
        self._history = History()
        self._callbacks: list[LevelCallback] = []
        self._closed_gate = False
        self._evidence = evidence.EvidenceFiles(evidence_dir)
        self._ladder = ladder.Ladder(self._steps(drain, trim))
        self._last: ladder.Taken | None = None
        self._recheck_due_s = -math.inf
        self._slow_due_s = -math.inf
        self._stopped = False
        self._thread: threading.Thread | None = None

    def bytes_max(self) -> int:
        """The most this watcher holds at once, in bytes, the separate process aside."""
        total = self._history.bytes_max()  # what was seen
        total += self.journal.bytes_max()  # what was done
        total += limits.WATCH_CALLBACKS_MAX * 8  # whom to tell
        total += 2 * limits.WATCH_EVIDENCE_BYTES_MAX  # one file's facts, and its text, while it is written
        total += 8 * limits.WATCH_EVIDENCE_BLOCKS_MAX  # the list of objects while they are counted
        return total

    def _steps(self, drain: Callable[[], object] | None, trim: Callable[[], SupportsInt] | None) -> list[ladder.Step]:
        steps = []
        if self.budget is not None:
            steps.append(ladder.shed_step(self.budget.shed))
        steps.append(ladder.collect_step(trim or retained.trim, self._collect or gc.collect))
        if self.budget is not None:
            steps.append(ladder.gate_step(self.budget.gate, self._note_gate_closed))
        steps.append(ladder.evidence_step(self._write_evidence))
        if drain is not None:
            steps.append(ladder.drain_step(drain))
        return steps

    @property
    def events(self) -> collections.deque[Event]:
        """What it saw and did until now, oldest first: a copy of the newest `limits.WATCH_EVENTS_MAX`."""
        return self.journal.events.copy()  # in one step of the interpreter: the watcher's thread goes on adding

    @property
    def level(self) -> Level:
        """normal, high or critical."""
        return self.levels.level

    @property
    def is_watching(self) -> bool:
        """Whether it samples by itself: it was started, in this process, and not stopped."""
        thread = self._thread
        return thread is not None and not self._stopped and thread.is_alive()

    @property
    def forecast(self) -> Forecast:
        """When the limit is reached at the present growth. Computed when asked, about 5 ms."""
        points = self._history.points(baseline=self.baseline)
        now_s = self._clock() - self._begin_s
        now_known_s = now_s if points and now_s >= points[-1].t_s else None
        return forecast(points, self.limit, now_s=now_known_s, metric=self.metric)

    def on_level(self, callback: LevelCallback) -> LevelCallback:
        """Call `callback(level, watcher)` in the watcher's thread whenever the level changes; also a decorator.

        Raises:
            UsageError: it cannot be called, or would have to be awaited.
            LimitReached: there are `limits.WATCH_CALLBACKS_MAX` already.
        """
        errors.check_function(callback, hint="Pass callback(level, watcher).")
        if len(self._callbacks) >= limits.WATCH_CALLBACKS_MAX:
            raise errors.LimitReached(
                f"{len(self._callbacks)} callbacks are registered already.", what="WATCH_CALLBACKS_MAX",
                limit=limits.WATCH_CALLBACKS_MAX, hint="Register one that calls the others.",
            )  # fmt: skip
        self._callbacks.append(callback)
        return callback

    def tick(self) -> None:
        """Take one sample and do what follows from it. The thread calls it; replays may."""
        now_s = self._clock() - self._begin_s
        self._look(now_s)
        wanted = self.levels.see(self.pressure)
        if wanted is not None:
            if RANK[wanted] < RANK[self.level]:
                self._change(wanted, now_s)
            else:
                self._recheck(wanted, now_s)
        if self.level != "normal":
            self._climb(now_s)
        if self._separate is not None:
            self._beat(now_s)

    def _look(self, now_s: float, *, anew: bool = False) -> None:
        """Read the sizes of this moment."""
        if self._sample is not None:
            rss, anon = self._sample()
        else:
            sight = self._sight or self._open_sight()
            rss, anon = sight.read_now() if anew else sight.read()
        self._history.add(now_s, rss, anon)
        self.rss = rss
        self.seen = max(0, (rss if self.metric == "rss" else anon) - self.baseline)
        self.pressure = self.seen / self.limit
        if self._sight is not None and self._sight.group_limit > 0:
            # The group's limit kills, whatever the budget says: the tighter of the two is the pressure.
            self.pressure = max(self.pressure, self._sight.group_used / self._sight.group_limit)

    def _recheck(self, wanted: Level, now_s: float) -> None:
        """Collect, look again, and only then believe it."""
        if wanted == "high" and now_s < self._recheck_due_s:
            return  # spikes come one after the other: looking again must not cost more than its share of time
        begin = self._clock()
        if self._collect is not None:
            self._collect()
        else:
            # All generations cost about 40 ns a block: a large heap gets the young ones only, to be on time.
            gc.collect(2 if sys.getallocatedblocks() <= limits.WATCH_RECHECK_BLOCKS_MAX else 1)
        before = self.seen
        self._look(now_s, anew=True)
        if self.levels.confirms(wanted, self.pressure):
            self.alarms += 1
            self._change(wanted, now_s)
            return
        self.levels.refute()
        took_s = self._clock() - begin
        self._recheck_due_s = now_s + took_s / limits.WATCH_RECHECK_TIME_SHARE
        self.journal.note(
            now_s, "spike", f"a spike, not {wanted}: {_size(before)} before a collection, {_size(self.seen)} after"
        )

    def _change(self, level: Level, now_s: float) -> None:
        previous = self.level
        self.levels.enter(level)
        at = f"{_size(self.seen)} of {_size(self.limit)} ({self.pressure:.0%})"
        words = f"memory is {level}, was {previous}: {at}"
        if level == "normal":
            self._settle(now_s)
            self._ladder.reset()
            self._open_gate("memory is normal again")
        else:
            if level == "high":  # a forecast takes 5 ms, which critical does not have
                words = f"{words}; {self.forecast.words}"
            if RANK[level] > RANK[previous]:
                self._ladder.hurry(level)
        self.journal.note(now_s, "level", words, logging.INFO if level == "normal" else logging.WARNING)
        for callback in tuple(self._callbacks):
            with self.journal.guard(now_s, f"on_level callback {name_of(callback)}"):
                callback(level, self)

    def _climb(self, now_s: float) -> None:
        """Take the next step of the ladder if it is due, after saying what the last one did."""
        at = self.levels.thresholds
        if self.pressure < at.leaves("high"):
            return  # it helped: the level is left as soon as that has lasted
        step = self._ladder.due(now_s, self.level, self.seen)
        if step is None:
            return
        self._settle(now_s)
        # Down to where everything is normal, and a gap further: a program that goes on growing must stay below for as
        # long as it takes to leave the level, or the ladder would be climbed although shedding helps.
        over = max(1, math.ceil((self.pressure - at.rests) * self.limit))
        scene = ladder.Scene(
            self.level, self.seen, over, f"memory is {self.level}: {_size(self.seen)} of {_size(self.limit)}"
        )
        begin, before = self._clock(), self.seen
        outcome = ladder.Outcome("it failed", idle=True)
        with self.journal.guard(now_s, f"step {step.name!r}"):
            outcome = step.take(scene)
        took_s = self._clock() - begin
        self._look(now_s + took_s, anew=True)
        self._last = ladder.Taken(step.name, now_s, before, self.seen, outcome)
        self._ladder.took(step, now_s + took_s, outcome, before=before, after=self.seen)
        duration = units.format_duration(max(0.0, took_s))
        self.journal.note(now_s + took_s, "step", f"{self._last.words} ({duration})", logging.WARNING)

    def _settle(self, now_s: float) -> None:
        """After the pause: what the last step did, and that it did not help if it did not."""
        taken, self._last = self._last, None
        if taken is not None and not taken.outcome.idle:
            taken.settled = self.seen
            pause = units.format_duration(max(0.0, now_s - taken.at_s))
            words = f"{pause} after {taken.words}"
            self.journal.note(now_s, "effect", words, logging.INFO if taken.helped else logging.WARNING)

    def _note_gate_closed(self) -> None:
        self._closed_gate = True

    def _open_gate(self, why: str) -> None:
        if self._closed_gate and self.budget is not None:
            self._closed_gate = False
            self.budget.gate.resume()
            LOG.info("the gate is open again: %s", why)

    def _write_evidence(self, scene: ladder.Scene) -> str:
        path = self._evidence.write({"reason": scene.reason, **self.health(), **self._facts()}, self._history.points())
        LOG.warning("evidence is in %s", path)
        return path

    def _facts(self) -> dict[str, object]:
        held = holder_pairs(self.budget) if self.budget is not None else []
        return {
            "pid": os.getpid(),
            "unix_time_s": round(time.time(), 3),
            "holders": evidence.holders(held),
            "events": [event.to_dict() for event in self.journal.newest(EVENTS_IN_EVIDENCE)],
        }

    def _beat(self, now_s: float) -> None:
        assert self._separate is not None
        other = (self._sight.children_rss if self.metric == "rss" else self._sight.children_anon) if self._sight else 0
        self._separate.beat(other - self.baseline)
        if now_s >= self._slow_due_s:
            self._slow_due_s = now_s + limits.WATCH_SLOW_READ_PERIOD_S
            for event in self._separate.events():
                words = f"while this process was stuck: {event}"
                self.journal.note(now_s, "separate", words, logging.WARNING)

    def health(self) -> dict[str, object]:
        """What a health endpoint shows; JSON-ready. `external_bytes` is None where it is not known."""
        return health.health_of(self)

    def explain(self) -> str:
        """The health and the newest events, for people."""
        return health.explain(self)

    def start(self) -> Self:
        """Sample from a daemon thread until `stop`.

        Raises:
            ClosedError: it was started before.
        """
        if self._thread is not None:
            raise errors.ClosedError("this watcher was started already.", hint="Make a new one.")
        self._pid = os.getpid()
        self._separate, doubt = self._stuck.start(
            self.levels.thresholds,
            limit_bytes=self.limit,
            period_s=self.period_s,
            use_rss=self.metric == "rss",
            directory=self._evidence.directory,
        )
        if doubt:
            self.journal.note(0.0, "trouble", doubt, logging.WARNING)
        if self._sample is None:
            self._open_sight()
        self._look(self._clock() - self._begin_s)
        if self.pressure >= self.levels.thresholds.leaves("high"):
            LOG.warning("%s", health.full_at_start(self))
        self._thread = threading.Thread(target=self._run, name="flatwater-watcher", daemon=True)
        self._thread.start()
        return self

    def _open_sight(self) -> Sight:
        from flatwater.watch.sight import Sight

        self._sight = Sight(children=self.children, clock=self._clock)
        self._sight.ignored_pid = self._separate.pid if self._separate else 0
        return self._sight

    def _run(self) -> None:
        while not self._stopped:
            try:
                self.tick()
                if self._sight is not None and self.levels.is_calm and can_look_out(self.period_s):
                    self._look_out(self._sight)
                    continue
            except Exception as error:  # noqa: BLE001 - a read that fails once must not end the watching; it is logged
                self.journal.failed(self._clock() - self._begin_s, "a sample", error)
            # Between the samples that may make it critical there is less time to lose.
            pause(self.period_s / 4 if self.levels.is_rising else self.period_s, lambda: self._stopped)
        self._tidy()

    def _look_out(self, sight: Sight) -> None:
        """Only look, until the next tick is due or a size comes near a threshold."""
        by_rss, rounds = self.metric == "rss", ROUNDS_WITH_BEATS if self._separate else ROUNDS
        children = sight.children_rss if by_rss else sight.children_anon
        alarm_bytes = self.levels.thresholds.high * self.limit + self.baseline - children
        rss, anon = look_out(
            sight.read_raw, self.period_s, alarm_bytes, by_rss=by_rss, rounds=rounds, is_stopped=lambda: self._stopped
        )
        if (rss if by_rss else anon) >= alarm_bytes:
            sight.postpone()
        if rss:
            self._history.add(self._clock() - self._begin_s, rss + sight.children_rss, anon + sight.children_anon)

    def stop(self, *, wait: bool = True) -> None:
        """End the sampling, open the gate if the watcher closed it; stopping twice is fine.

        Args:
            wait: until that is done. Without, it is done soon, and nothing here takes a lock: for finalizers, which run anywhere.
        """
        thread = self._thread
        if thread is None or os.getpid() != self._pid:
            return  # a forked child has no such thread, and its parent goes on watching
        self._stopped = True
        if wait and thread is not threading.current_thread():  # else `_run` tidies up when it gets back there
            thread.join()

    def _tidy(self) -> None:
        """The end of the thread: give everything back."""
        if self._separate is not None:
            self._separate.stop()
        if self._sight is not None:
            self._sight.close()
        self._open_gate("watching has ended")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __reduce__(self) -> tuple[object, ...]:
        raise errors.UsageError("a watcher cannot be pickled.", hint="Each process makes its own.")


def _size(count: float) -> str:
    return units.format_bytes(count)
