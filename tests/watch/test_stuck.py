"""watch.stuck: the wish for a second process."""

from __future__ import annotations

import signal
import sys

import pytest

from flatwater import errors
from flatwater.watch.levels import Thresholds
from flatwater.watch.stuck import Stuck, checked_s

MIB = 1 << 20


@pytest.mark.parametrize("number", [4711, -1, True, "TERM", 15.5, None, [15]])
def test_what_is_no_signal_is_refused(number):
    """Only a signal's number, or 0."""
    with pytest.raises(errors.UsageError, match="is no signal"):
        Stuck(separate=True, signal_number=number, after_s=1.0)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "5s", None, 3601, 0.0009])
def test_times_that_cannot_be_meant_are_refused(seconds):
    """From a millisecond to an hour."""
    with pytest.raises(errors.UsageError, match="stuck_after_s="):
        Stuck(separate=False, signal_number=0, after_s=seconds)


def test_times_that_can_be_meant():
    """Both ends are allowed, and whole numbers."""
    assert [checked_s(value, what="x") for value in (0.001, 1, 3600)] == [0.001, 1, 3600]


def test_no_wish_no_process():
    """Without the wish nothing is started and nothing is said."""
    wish = Stuck(separate=False, signal_number=0, after_s=1.0)
    found = wish.start(Thresholds(), limit_bytes=MIB, period_s=0.01, use_rss=False, directory="")
    assert found == (None, "")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_gets_the_watchers_thresholds(tmp_path):
    """Limit, critical bytes and samples are the watcher's own; the directory is made."""
    wish = Stuck(separate=True, signal_number=signal.SIGTERM, after_s=2.0)
    at = Thresholds(critical=0.9, critical_samples=7)
    process, doubt = wish.start(at, limit_bytes=100 * MIB, period_s=0.02, use_rss=True, directory=str(tmp_path / "new"))
    try:
        assert doubt == ""
        assert (tmp_path / "new").is_dir()
        told = process._settings
        assert (told["limit_bytes"], told["critical_bytes"], told["critical_samples"]) == (100 * MIB, 90 * MIB, 7)
        assert (told["signal"], told["signal_after_s"], told["use_rss"], told["period_s"]) == (15, 2.0, True, 0.02)
    finally:
        process.stop()


def test_no_second_process_is_said(monkeypatch):
    """Where none can be had the reason comes back, for the watcher to say."""
    monkeypatch.setattr("flatwater.watch.separate.IS_LINUX", False)
    wish = Stuck(separate=True, signal_number=0, after_s=2.0)
    process, doubt = wish.start(Thresholds(), limit_bytes=MIB, period_s=0.02, use_rss=True, directory="")
    assert process is None
    assert "no separate watching process" in doubt
