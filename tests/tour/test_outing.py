"""tour.outing: a call in a fresh process, and how it ended."""

from __future__ import annotations

import os
import signal
import time

import pytest

from flatwater import errors
from flatwater.tour import outing
from flatwater.worker import make_limit


def fine(_errand):
    return 1


def refused(_errand):
    raise MemoryError


def slow(_errand):
    time.sleep(600)


def killed(_errand):
    os.kill(os.getpid(), signal.SIGKILL)


def broken(_errand):
    raise KeyError("a plain bug")


def wrong(_errand):
    raise errors.UsageError("wrong use.")


def sent(function, tmp_path, timeout_s=60.0):
    with make_limit("8 MiB", kind="rlimit_data") as group:
        return outing.send(function, None, group, notes_path=str(tmp_path / "notes"), timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("function", "timeout_s", "kind", "words"),
    [
        (fine, 60.0, "done", ""),
        (refused, 60.0, "refused", "it asked for more than the 8.0 MiB that it promised"),
        (slow, 0.5, "slow", "it did not end within 500 ms"),
        (killed, 60.0, "failed", "killed by SIGKILL"),
        (broken, 60.0, "failed", "KeyError: 'a plain bug'"),
    ],
)
def test_each_end_is_told(tmp_path, function, timeout_s, kind, words):
    """A kill by somebody else is not taken for the limit's."""
    end = sent(function, tmp_path, timeout_s)
    assert end.kind == kind
    assert words in end.words
    assert ("def broken" in end.traceback or "in broken" in end.traceback) == (function is broken)


def test_wrong_use_is_raised(tmp_path):
    """It says itself what to do."""
    with pytest.raises(errors.UsageError, match="wrong use"):
        sent(wrong, tmp_path)


def test_a_group_is_removed_when_its_last_process_has_gone():
    """It is tried for a while, and then left."""

    class Group:
        tries = 0

        def close(self):
            self.tries += 1
            return self.tries == 3

    group = Group()
    outing.close(group)
    assert group.tries == 3
