"""What a phase took."""

from __future__ import annotations

import pytest

from flatwater.sync.phases import Phase, Phases, alerts, table
from flatwater.sync.record import Record
from flatwater.sync.state import Change, Pair, State
from flatwater.sync.status import Status


def test_measured_also_when_it_fails(tmp_path):
    """Time, memory, and by how much the state grew."""
    with State(str(tmp_path / "state"), Pair("a", "b"), durability="off") as state:
        phases = Phases(state)

        def fill():
            with phases.phase("scan") as phase:
                phase.files = 5
                for start in range(0, 5000, 500):
                    state.commit(Change(b"%06d" % n, None, Record(Status.NEW)) for n in range(start, start + 500))
                raise ValueError

        with pytest.raises(ValueError):
            fill()
        (phase,) = phases.done
        assert (phase.name, phase.files) == ("scan", 5)
        assert phase.seconds > 0
        assert phase.peak_rss > 1 << 20
        assert phase.state_growth > 100_000
        assert phase.files_per_s == 5 / phase.seconds


def test_the_table():
    """A line for each, in columns."""
    lines = table([Phase("scan", 1000, 0, 2.0), Phase("copy", 10, 5000, 0.0, state_growth=-4096)]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "500" in lines[1]
    assert lines[2].endswith("-4.0 KiB")


def test_alerts():
    """One for each threshold that was crossed, and none for a scan of under a second."""
    phases = [
        Phase("scan", 1000, seconds=2.0, peak_rss=100, state_bytes=130),
        Phase("copy", 1, seconds=5, state_bytes=150),
    ]
    found = alerts(phases, 100, rss=99, files_per_s=501, growth=0.4)
    assert [each.split(":")[0] for each in found] == ["memory", "rate", "growth"]
    assert alerts(phases, 100, rss=100, files_per_s=500, growth=0.5) == []
    assert alerts([Phase("scan", 1, seconds=0.9)], 0, rss=None, files_per_s=1e9, growth=0.0) == []
    assert alerts([], 0, rss=1, files_per_s=1, growth=0.0) == []
