"""The watcher, fed by hand: no thread, no clock, no operating system, except where said."""

from __future__ import annotations

import json
import logging
import pickle
import threading

import pytest

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.watch import Watcher

MIB = 1 << 20


class FakeGate:
    def __init__(self):
        self.is_open = True
        self.log = []

    def pause(self, reason):
        self.is_open = False
        self.log.append(reason)

    def resume(self):
        self.is_open = True
        self.log.append("open")


async def tell_later(*_):
    pass


class FakeBudget:
    """A budget of 100 MiB whose shedders give what `cache` holds."""

    def __init__(self, world):
        self.world = world
        self.limit = 100 * MIB
        self.held = 40 * MIB
        self.peak = 60 * MIB
        self.gate = FakeGate()
        self.asked = []

    def holders(self):
        return [("store.cache", 30 * MIB), ("flow", 10 * MIB)]

    def shed(self, wanted):
        self.asked.append(wanted)
        freed = min(wanted, self.world.cache)
        self.world.cache -= freed
        self.world.size -= freed
        return freed


class World:
    """A clock and a size that tests move; a collection takes `garbage` away."""

    def __init__(self, **options):
        self.now = 100.0
        self.size = 10 * MIB
        self.cache = 0
        self.garbage = 0
        self.collections = 0
        self.trims = 0
        self.budget = FakeBudget(self)
        self.watcher = Watcher(
            options.pop("budget", self.budget),
            clock=lambda: self.now,
            sample=lambda: (self.size + 5 * MIB, self.size),
            collect=self.collect,
            trim=self.trim,
            **options,
        )
        self.changes = []
        self.watcher.on_level(lambda level, _watcher: self.changes.append(level))

    def collect(self):
        self.collections += 1
        self.size -= self.garbage
        found, self.garbage = self.garbage, 0
        return found

    def trim(self):
        self.trims += 1
        return 0

    def run(self, seconds, mib=None):
        if mib is not None:
            self.size = round(mib * MIB)
        for _ in range(round(seconds * 100)):
            self.watcher.tick()
            self.now += 0.01
        return self.watcher.level

    def steps(self):
        return [event.words.split(":")[0] for event in self.watcher.events if event.what == "step"]


def test_below_the_thresholds_nothing_happens():
    """A process at half its budget is normal, and nothing is collected, shed or logged."""
    world = World()
    assert world.run(5, 50) == "normal"
    assert (world.collections, world.budget.asked, list(world.watcher.events)) == (0, [], [])


def test_a_short_spike_is_no_alarm_and_costs_nothing():
    """0.4 s above high and 20 ms above critical are a spike."""
    world = World()
    world.run(1, 50)
    world.run(0.4, 90)
    world.run(1, 50)
    world.run(0.02, 99)
    world.run(1, 50)
    assert world.changes == []
    assert world.collections == 0


def test_garbage_is_collected_before_any_action():
    """Memory that a collection gives back is no alarm, however long it stood there; the event says so."""
    world = World()
    world.size, world.garbage = 97 * MIB, 60 * MIB
    assert world.run(2) == "normal"
    assert world.collections == 1
    assert world.budget.asked == []
    assert [event.what for event in world.watcher.events] == ["spike"]
    assert "a spike, not critical: 97.0 MiB before a collection, 37.0 MiB after" in world.watcher.events[0].words


def test_shedders_run_within_fifty_milliseconds_of_critical():
    """From the first sample above critical to the shedders are three samples: 20 ms on the clock."""
    world = World()
    world.run(1, 50)
    world.cache, world.size = 50 * MIB, 97 * MIB
    crossed = world.now
    while not world.budget.asked:
        world.run(0.01)
    assert world.now - 0.01 - crossed <= 0.05
    assert world.budget.asked == [22 * MIB + 1] or world.budget.asked == [22 * MIB]


def test_shedding_that_helps_ends_the_ladder():
    """When shedders bring memory below the leaving threshold, nothing harsher is done."""
    world = World()
    world.cache, world.size = 50 * MIB, 90 * MIB
    assert world.run(3) == "normal"
    assert world.changes == ["high", "normal"]
    assert world.steps() == ["shed"]
    assert world.budget.gate.log == []


def test_steps_escalate_with_a_look_in_between():
    """At high: shed, collect and trim, close the gate, in this order, and no more."""
    world = World()
    assert world.run(5, 90) == "high"
    assert world.steps() == ["shed", "collect and trim", "close the gate"]
    assert not world.budget.gate.is_open
    assert "memory is high: 90.0 MiB of 100 MiB" in world.budget.gate.log[0]
    assert all("did not help" in event.words for event in world.watcher.events if event.what == "effect")


def test_growth_that_outruns_one_helping_is_shed_again():
    """At 200 MiB a second the cache is asked again and again while it gives, and memory stays below the limit."""
    world = World()
    world.size = 94 * MIB
    highest = 0
    for _ in range(1000):
        world.size += 2 * MIB
        world.cache += 2 * MIB
        world.run(0.01)
        highest = max(highest, world.size)
    assert highest < 105 * MIB
    assert sum(world.budget.asked) >= 1900 * MIB
    assert "drain" not in world.steps()


def test_slow_growth_is_met_by_shedding_alone():
    """A cache that grows by 20 MiB a second is shed when it must be; nothing harsher is done, and the level is left."""
    world = World()
    for _ in range(3000):
        world.size += MIB // 5
        world.cache += MIB // 5
        world.run(0.01)
    assert set(world.steps()) == {"shed"}
    assert world.budget.gate.log == []
    assert world.changes[:2] == ["high", "normal"]


def test_shedders_that_give_nothing_are_not_asked_all_the_time():
    """At critical with nothing left to give, shedders are asked once a climb: a second at least lies between."""
    world = World()
    assert world.run(30, 97) == "critical"
    assert len(world.budget.asked) <= 4


def test_critical_goes_to_the_end_once(tmp_path):
    """At critical evidence is written and the drain hook called, once each, however long it lasts."""
    drained = []
    world = World(drain=lambda: drained.append(1), evidence_dir=tmp_path)
    assert world.run(40, 97) == "critical"
    assert world.steps()[:5] == ["shed", "collect and trim", "close the gate", "evidence", "drain"]
    assert drained == [1]
    [file] = tmp_path.iterdir()
    found = json.loads(file.read_text())
    assert found["level"] == "critical"
    assert found["holders"][0] == {"name": "store.cache", "bytes": 30 * MIB}
    assert found["timeline"]["anon"][-1] == 97 * MIB
    assert file.stat().st_size <= limits.WATCH_EVIDENCE_BYTES_MAX
    assert str(file) in " ".join(event.words for event in world.watcher.events)


def test_the_gate_opens_again():
    """Leaving the level opens the gate that the watcher closed."""
    world = World()
    world.run(5, 90)
    world.run(1, 50)
    assert world.budget.gate.is_open
    assert world.budget.gate.log[-1] == "open"
    assert world.changes == ["high", "normal"]


def test_a_gate_somebody_else_closed_stays_closed():
    """A gate that was closed before is not the watcher's to open."""
    world = World()
    world.budget.gate.is_open = False
    world.run(5, 90)
    world.run(1, 50)
    assert not world.budget.gate.is_open


def test_flapping_at_the_edge_does_not_thrash():
    """Ten seconds of swinging across the thresholds shed at most once a second."""
    world = World()
    for _ in range(10):
        world.run(0.6, 90)
        world.run(0.4, 50)
    assert len(world.budget.asked) <= 10
    assert set(world.steps()) <= {"shed", "collect and trim"}


def test_spikes_in_a_row_do_not_collect_all_the_time():
    """Where collections take 10 ms and find garbage each time, they take at most a twentieth of the time."""
    world = World()

    def slow_collect():
        world.collections += 1
        world.now += 0.01
        world.size = 50 * MIB
        return 1

    world.watcher._collect = slow_collect
    for _ in range(600):
        world.size = 90 * MIB
        world.run(0.01)
    assert world.collections * 0.01 <= 0.05 * 6.5


def test_failing_hooks_do_not_end_the_watching(caplog):
    """A shedder, callback or drain hook that raises is logged, and the ladder goes on."""
    world = World(drain=lambda: (_ for _ in ()).throw(SystemExit(1)))
    world.budget.shed = None
    world.watcher._ladder.steps[0] = world.watcher._ladder.steps[0].__class__("shed", lambda _scene: 1 / 0)

    @world.watcher.on_level
    def broken(_level, _watcher):
        raise OSError("no pager")

    with caplog.at_level(logging.ERROR, "flatwater.watch"):
        assert world.run(10, 97) == "critical"
    trouble = " ".join(event.words for event in world.watcher.events if event.what == "trouble")
    assert "step 'shed' failed: ZeroDivisionError" in trouble
    assert "broken failed: OSError: no pager" in trouble
    assert "step 'drain' raised SystemExit" in trouble
    assert world.steps()[-1] == "drain"


def test_effects_are_logged_in_bytes(caplog):
    """The log names the level, each step, and its effect as the operating system saw it."""
    world = World()
    world.cache, world.size = 30 * MIB, 90 * MIB
    with caplog.at_level(logging.INFO, "flatwater.watch"):
        world.run(3)
    text = caplog.text
    assert "memory is high, was normal: 90.0 MiB of 100 MiB (90%)" in text
    assert "shedders gave 15.0 MiB; the operating system saw 15.0 MiB less" in text
    assert "memory is normal, was high" in text


def test_events_are_bounded():
    """Hundreds of events leave the newest 256."""
    world = World()
    for _ in range(110):
        world.run(0.6, 90)
        world.run(0.2, 10)
    assert len(world.watcher.events) == limits.WATCH_EVENTS_MAX


def test_health_is_json_with_the_documented_keys():
    """Status, heap, resident and external size, limit and forecast, without infinity."""
    world = World()
    world.run(1, 50)
    health = json.loads(json.dumps(world.watcher.health(), allow_nan=False))
    assert health["status"] == "ok"
    assert set(health["memory"]) == {
        "heap_bytes", "rss_bytes", "external_bytes", "seen_bytes", "promised_bytes", "limit_bytes", "metric",
    }  # fmt: skip
    assert health["memory"]["promised_bytes"] == 40 * MIB
    assert health["forecast"]["seconds"] is None
    world.run(1, 90)
    assert world.watcher.health()["status"] == "degraded"
    world.run(1, 99)
    assert world.watcher.health()["status"] == "critical"


def test_the_forecast_is_of_the_present_growth():
    """Ten MiB a second leave as many seconds as there are tens of MiB; minutes of quiet before do not hide them."""
    world = World()
    world.run(400, 10)
    for _ in range(300):
        world.size += MIB // 10
        world.run(0.01)
    left = (100 * MIB - world.size) / (10 * MIB)
    assert world.watcher.forecast.seconds == pytest.approx(left, rel=0.1)
    assert "spent in" in world.watcher.explain()


def test_the_baseline_is_not_the_budgets():
    """Bytes named as baseline are taken off what is seen."""
    world = World(baseline="60 MiB")
    assert world.run(2, 97) == "normal"
    assert world.watcher.seen == 37 * MIB
    assert world.watcher.forecast.words == "no growth: the budget of 100 MiB lasts (now 37.0 MiB)"
    assert world.run(2, 152) == "high"


def test_the_resident_size_may_be_the_metric():
    """With metric='rss' file pages count."""
    assert World(metric="rss").run(2, 81) == "high"
    assert World(metric="anon").run(2, 81) == "normal"


def test_a_plain_size_is_watched_without_shedders_and_gate():
    """A size instead of a budget has levels, collection, evidence and drain."""
    world = World(budget="100 MiB")
    assert world.run(3, 90) == "high"
    assert world.steps() == ["collect and trim"]
    assert world.watcher.health()["gate_open"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"budget": 0}, "budget"),
        ({"budget": -5}, "budget"),
        ({"budget": "12 XB"}, "budget"),
        ({"budget": True}, "budget"),
        ({"budget": 1.5}, "budget"),
        ({"budget": 1 << 80}, "budget"),
        ({"period_s": 0}, "period_s"),
        ({"period_s": float("nan")}, "period_s"),
        ({"period_s": True}, "period_s"),
        ({"period_s": "10ms"}, "period_s"),
        ({"high": 0.99, "critical": 0.9}, "thresholds"),
        ({"high_samples": 0}, "high_samples"),
        ({"metric": "pss"}, "metric"),
        ({"baseline": -1}, "baseline"),
        ({"stuck_signal": 4711}, "stuck_signal"),
        ({"stuck_signal": "TERM"}, "stuck_signal"),
        ({"stuck_after_s": -1}, "stuck_after_s"),
        ({"budget": None}, "budget"),
        ({"budget": object()}, "budget"),
        ({"drain": 5}, "drain=5 cannot be called"),
        ({"drain": tell_later}, "coroutine function"),
        ({"evidence_dir": 5}, "evidence_dir=5 is no path"),
    ],
)
def test_what_cannot_work_is_refused(options, said):
    """Impossible options name themselves in a UsageError."""
    with pytest.raises(errors.UsageError, match=said):
        Watcher(options.pop("budget", "1 MiB"), **options)


@pytest.mark.parametrize(("callback", "said"), [(None, "cannot be called"), (tell_later, "nobody here would await")])
def test_a_callback_can_be_called(callback, said):
    """What cannot is refused when it is registered, not when the level changes."""
    with pytest.raises(errors.UsageError, match=said):
        Watcher("100 MiB").on_level(callback)


def test_callbacks_are_bounded():
    """One callback more than the limit is refused by name."""
    watcher = Watcher("1 GiB")
    for _ in range(limits.WATCH_CALLBACKS_MAX):
        watcher.on_level(lambda _level, _watcher: None)
    with pytest.raises(errors.LimitReached, match="64 callbacks"):
        watcher.on_level(print)


def test_a_watcher_is_not_pickled():
    """Pickling is refused with what to do instead."""
    with pytest.raises(errors.UsageError, match="cannot be pickled"):
        pickle.dumps(Watcher("1 GiB"))


def test_the_thread_samples_this_process_and_ends():
    """As a context manager it sees this process's own size from a thread, which is gone afterwards."""
    sampled = threading.Event()
    with Watcher("64 GiB", period_s=0.001) as watcher:
        watcher._beat = lambda _now: None
        real = watcher._sight.read
        watcher._sight.read = lambda: (sampled.set(), real())[1]
        assert sampled.wait(30)
    assert watcher.seen > MIB
    assert watcher.rss >= watcher.seen
    assert not any(thread.name == "flatwater-watcher" for thread in threading.enumerate())
    watcher.stop()
    with pytest.raises(errors.ClosedError, match="started already"):
        watcher.start()


def test_it_says_whether_it_watches():
    """From its start to its end."""
    watcher = Watcher("64 GiB")
    told = [watcher.is_watching]
    with watcher:
        told.append(watcher.is_watching)
    assert [*told, watcher.is_watching] == [False, True, False]


def test_stopping_can_be_waited_for_or_not():
    """A finalizer waits for nothing; its thread ends all the same."""
    watcher = Watcher("1 GiB").start()
    thread = watcher._thread
    watcher.stop(wait=False)
    assert not watcher.is_watching
    thread.join(30)
    assert not thread.is_alive()
    watcher.stop()


def test_a_budget_that_is_full_at_the_start_is_told_with_what_follows(caplog):
    """A service would answer 503 for ever."""
    with Watcher(Budget("100 MiB"), sample=lambda: (90 << 20, 90 << 20)):
        pass
    assert (
        "holds 90.0 MiB of 100 MiB at its start, so that its gate, once it is closed, stays closed: raise the budget"
        in caplog.text
    )


def test_stopping_opens_the_gate():
    """A gate that the watcher closed does not stay closed after the watching has ended."""
    world = World()
    closed = threading.Event()
    world.size = 90 * MIB
    world.budget.gate.pause = lambda _reason: (setattr(world.budget.gate, "is_open", False), closed.set())
    ticking = iter(range(10**9))
    world.watcher._clock = lambda: next(ticking) / 100
    world.watcher._begin_s = 0.0
    with world.watcher:
        assert closed.wait(30)
    assert world.budget.gate.is_open


def test_the_bound_is_a_sum():
    """What a watcher holds at most is known beforehand."""
    assert Watcher("1 GiB").bytes_max() < 20 * MIB
