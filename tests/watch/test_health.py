"""watch.health: the figures of an endpoint, and the words."""

from __future__ import annotations

import json
import math

import pytest

from flatwater.watch import Watcher
from flatwater.watch.health import EVENTS_SHOWN, explain, health_of

MIB = 1 << 20


def watcher_at(*sizes_mib, **options):
    """A watcher of 100 MiB that saw these sizes, ten samples each."""
    sizes = iter([round(mib * MIB) for mib in sizes_mib for _ in range(10)])
    ticks = iter(range(10**6))
    watcher = Watcher(
        "100 MiB", clock=lambda: next(ticks) / 100, sample=lambda: (next(sizes, round(sizes_mib[-1] * MIB)),) * 2,
        collect=lambda: 0, trim=lambda: 0, **options,
    )  # fmt: skip
    for _ in range(10 * len(sizes_mib)):
        watcher.tick()
    return watcher


@pytest.mark.parametrize(("mib", "status"), [(10, "ok"), (99, "critical")])
def test_status_follows_the_level(mib, status):
    """ok, degraded and critical are normal, high and critical."""
    found = health_of(watcher_at(mib, mib))
    assert found["status"] == status
    assert found["pressure"] == mib / 100
    assert found["alarms"] == (mib > 95)


def test_a_watcher_without_a_budget_has_no_promises():
    """Of a plain size, promised and gate are None, and the whole is JSON without infinity."""
    found = json.loads(json.dumps(health_of(watcher_at(10, 10)), allow_nan=False))
    assert found["memory"]["promised_bytes"] is None
    assert found["gate_open"] is None
    assert found["memory"]["seen_bytes"] == 10 * MIB
    assert found["forecast"]["seconds"] is None


def test_the_baseline_is_external_again():
    """What was taken off as baseline is not taken off what the process holds outside of Python."""
    watcher = watcher_at(50, 50, baseline="20 MiB")
    found = health_of(watcher)
    assert found["memory"]["seen_bytes"] == 30 * MIB
    assert found["memory"]["rss_bytes"] == 50 * MIB


def test_words_are_few():
    """However many events there are, the newest ten are shown, below the level and the forecast."""
    watcher = watcher_at(10)
    for n in range(99):
        watcher.journal.note(float(n), "level", f"note {n}")
    lines = explain(watcher).splitlines()
    assert lines[0] == "memory is normal: 10.0 MiB of 100 MiB (10%, anon)"
    assert len(lines) == 2 + EVENTS_SHOWN
    assert lines[-1].endswith("note 98")
    assert not math.isinf(float(lines[-1].split()[0]))


def test_before_the_first_sample():
    """A watcher that has seen nothing yet says 0 bytes and undecided, and raises nothing."""
    watcher = Watcher("1 GiB")
    assert health_of(watcher)["memory"]["seen_bytes"] == 0
    assert explain(watcher).startswith("memory is normal: 0 B of 1.0 GiB")
