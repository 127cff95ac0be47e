"""Trying again, and not for ever."""

from __future__ import annotations

import pytest

from flatwater import limits
from flatwater.sync.failures import ChangedFailure, Failure, GoneFailure, TemporaryFailure
from flatwater.sync.retrying import Retrying, Stopped


def counted(failure, times):
    calls = []

    def function():
        calls.append(1)
        if len(calls) <= times:
            raise failure
        return len(calls)

    return function, calls


@pytest.mark.parametrize("failure", [TemporaryFailure("x"), ChangedFailure("x")])
@pytest.mark.parametrize("times", [0, 1, 3])
def test_what_may_work_is_tried_so_often(failure, times):
    """The first try is one of them."""
    function, _calls = counted(failure, times)
    assert Retrying(4, 0.0001).call(function) == times + 1


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_the_last_failure_is_raised(tries):
    """After exactly so many tries."""
    function, calls = counted(TemporaryFailure("x"), 99)
    with pytest.raises(TemporaryFailure):
        Retrying(tries, 0.0001).call(function)
    assert len(calls) == tries


@pytest.mark.parametrize("failure", [Failure("x"), GoneFailure("x"), KeyboardInterrupt()])
def test_what_would_fail_again_is_not_tried_again(failure):
    """Once is enough."""
    function, calls = counted(failure, 99)
    with pytest.raises(type(failure)):
        Retrying(5, 0.0001).call(function)
    assert len(calls) == 1


def test_pauses_grow_up_to_a_bound(monkeypatch):
    """Each is about twice the one before."""
    monkeypatch.setattr(limits, "SYNC_RETRY_S_MAX", 4)
    retrying, pauses = Retrying(7, 0.5), []
    monkeypatch.setattr(retrying, "_sleep", pauses.append)
    with pytest.raises(TemporaryFailure):
        retrying.call(counted(TemporaryFailure("x"), 99)[0])
    assert len(pauses) == 6
    for number, pause in enumerate(pauses):
        assert min(4, 0.5 * 2**number) <= pause <= min(4, 0.5 * 2**number) + 0.5


def test_nothing_is_begun_when_the_run_ends():
    """Neither a first try nor another one, and a pause ends at once."""
    retrying = Retrying(5, 1000)
    function, calls = counted(TemporaryFailure("x"), 99)

    def stopping():
        retrying.stop.set()
        function()

    for each in (stopping, function):
        with pytest.raises(Stopped):
            retrying.call(each)
    assert len(calls) == 1
