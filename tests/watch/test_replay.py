"""Recorded memory of real programs, replayed to the watcher with a fake clock.

`benchmarks/watch/record_traces.py` recorded them. The budget is such that a sawtooth or spike peaks at 92 % of it (above
the high threshold, below critical) and a plateau rests at 80 %. A replay's collection finds nothing, which is harder than
life: in a real program the second look would also take garbage away.
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
import runpy
from pathlib import Path

import pytest

from flatwater.watch import Watcher

TRACES = Path(__file__).parent / "traces"
RECORDER = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "watch" / "record_traces.py"))
HOUR_SAMPLES = 360_000
PEAK_SHARE = {"sawtooth": 0.92, "spike": 0.92, "plateau": 0.80, "leak": 1.25}
NAMES = {kind: sorted(path.name.split(".")[0] for path in TRACES.glob(f"{kind}_*.gz")) for kind in PEAK_SHARE}
CALM = [name for kind in ("sawtooth", "spike", "plateau") for name in NAMES[kind]]


def stored(name):
    """What the file holds."""
    return json.loads(gzip.decompress((TRACES / f"{name}.json.gz").read_bytes()))


def load(name):
    """`(kind, sizes in bytes)` of a trace."""
    trace = stored(name)
    return trace["kind"], [pages * trace["page_bytes"] for pages in itertools.accumulate(trace["differences"])]


def tiled(sizes, kind, count, seed):
    """`count` samples: the recording, and then its settled part again and again, a little taller, slower or faster."""
    jitter = random.Random(seed)
    yield from sizes[:count]
    left = count - len(sizes)
    # A plateau that fell back to an empty process in each round would be a sawtooth.
    settled = sizes[len(sizes) // 2 :] if kind == "plateau" else sizes[len(sizes) // 8 :]
    while left > 0:
        scale, speed = jitter.uniform(0.97, 1.0), jitter.uniform(0.9, 1.1)
        start = 0 if kind == "plateau" else jitter.randrange(len(settled) // 4)
        position = float(start)
        while left > 0 and position < len(settled):
            yield round(settled[int(position)] * scale)
            position += speed
            left -= 1


class Replay:
    """A watcher that sees `sizes`; it counts what it would have done."""

    def __init__(self, sizes, limit):
        self.sizes = iter(sizes)
        self.size = 0
        self.index = -1
        self.shed_at = None
        self.changes = []
        self.is_open = True
        self.limit = limit
        self.held = 0
        self.gate = self
        self.advance()
        self.watcher = Watcher(
            self, clock=lambda: self.index / 100, sample=lambda: (self.size, self.size), collect=lambda: 0, trim=lambda: 0
        )  # fmt: skip
        self.watcher.on_level(lambda level, _watcher: self.changes.append((self.index, level)))

    def advance(self):
        self.size = next(self.sizes, None)
        self.index += 1
        return self.size is not None

    def holders(self):
        return []

    def pause(self, _reason):
        self.is_open = False

    def resume(self):
        self.is_open = True

    def shed(self, _wanted):
        self.shed_at = self.index if self.shed_at is None else self.shed_at
        return 0

    def run(self):
        doomed = 0
        while self.size is not None:
            self.watcher.tick()
            if self.index % 6000 == 5999:  # each minute
                doomed += self.watcher.forecast.finite
            self.advance()
        return doomed


def replay(name, count, seed=1):
    kind, sizes = load(name)
    limit = round(max(sizes) / PEAK_SHARE[kind])
    run = Replay(tiled(sizes, kind, count, seed), limit)
    run.doomed = run.run()
    return run


def assert_calm(run):
    assert run.changes == []
    assert run.shed_at is None
    assert run.is_open
    assert [event.words for event in run.watcher.events] == []
    assert run.doomed == 0


def test_there_are_traces_of_each_kind():
    """A replay of nothing would prove nothing."""
    assert {kind: len(names) for kind, names in NAMES.items()} == {"sawtooth": 3, "spike": 2, "plateau": 2, "leak": 3}


@pytest.mark.parametrize("name", sorted(RECORDER["PROGRAMS"]))
def test_traces_are_what_they_are_called(name):
    """A stored recording is of a program that is still there, 8 s long, and of its shape by the recorder's own check."""
    shape, _program = RECORDER["PROGRAMS"][name]
    pages = list(itertools.accumulate(stored(name)["differences"]))
    assert 790 <= len(pages) <= 810
    RECORDER["check"](shape, pages)
    others = {"sawtooth", "spike", "plateau", "leak", "leak with teeth"} - {shape}
    for other in others - ({"sawtooth"} if shape == "spike" else set()):  # a spike is a sawtooth that is seldom up
        with pytest.raises(SystemExit, match=f"not a {other}"):
            RECORDER["check"](other, pages)


def test_the_recorder_refuses_a_wrong_curve():
    """What an allocator makes of teeth and spikes by keeping memory is refused: a plateau is neither."""
    kept = [min(20 * index, 10_000) for index in range(800)]
    for shape in ("sawtooth", "spike", "leak", "leak with teeth"):
        with pytest.raises(SystemExit, match=f"not a {shape}: swing"):
            RECORDER["check"](shape, kept)


@pytest.mark.parametrize("name", CALM)
def test_two_minutes_without_a_false_alarm(name):
    """Sawtooth, spikes and plateau, repeated for two minutes, change no level, shed nothing, and forecast no doom."""
    assert_calm(replay(name, HOUR_SAMPLES // 30))


@pytest.mark.slow
@pytest.mark.timeout(600)  # it takes 10 s of a processor, and may have to share one with many
@pytest.mark.parametrize("name", CALM)
def test_an_hour_without_a_false_alarm(name):
    """The same for an hour."""
    assert_calm(replay(name, HOUR_SAMPLES, seed=2))


@pytest.mark.parametrize("name", NAMES["leak"])
def test_leaks_alarm_in_time(name):
    """The control: a leak is high after 50 samples in a row at 85 %, at critical after 3 at 95 %, before the limit."""
    kind, sizes = load(name)
    limit = round(max(sizes) / PEAK_SHARE[kind])
    run = Replay(sizes, limit)
    run.run()
    shares = [size / limit for size in sizes]
    high_due = _row(shares, 0.85, 50)
    critical_due = _row(shares, 0.95, 3)
    assert run.changes[0][0] == min(high_due, critical_due) < _row(shares, 1.0, 1)
    assert run.changes[-1][1] == "critical"
    assert next(index for index, level in run.changes if level == "critical") == critical_due
    assert run.shed_at == run.changes[0][0]
    assert not run.is_open


def _row(shares, least, count):
    """The index at which `count` samples in a row were at or above `least`."""
    row = 0
    for index, share in enumerate(shares):
        row = row + 1 if share >= least else 0
        if row == count:
            return index
    return len(shares)


@pytest.mark.parametrize("name", NAMES["leak"])
def test_leaks_are_forecast_before_they_alarm(name):
    """Two seconds of samples before the limit, the forecast's bound, made half as wide again, holds the true moment."""
    kind, sizes = load(name)
    limit = round(max(sizes) / PEAK_SHARE[kind])
    spent = next(index for index, size in enumerate(sizes) if size >= limit)
    run = Replay(sizes[: spent - 200], limit)
    run.run()
    said = run.watcher.forecast
    assert said.finite
    assert said.seconds_low / 1.5 <= 2.0 <= said.seconds_high * 1.5
