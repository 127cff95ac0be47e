import pickle

import pytest

from flatwater import errors
from flatwater.worker import failures

EACH = [
    failures.WorkerDied("the worker died.", exit_code=-9, stderr_tail="oops"),
    failures.WorkerOverLimit("too much.", limit=100, kind="cgroup v2", hint="Raise it."),
    failures.WorkerTimeout("too long.", limit=3.0),
    failures.CallNotPicklable("no."),
    failures.ResultNotPicklable("no."),
    failures.CallFailed("no."),
]


@pytest.mark.parametrize("error", EACH, ids=lambda error: type(error).__name__)
def test_each_is_one_of_the_house(error):
    """One base for all, and a message that reads by itself."""
    assert isinstance(error, errors.FlatwaterError)
    assert str(error)
    assert "no." in str(error) or len(str(error)) > 8


def test_each_fits_where_people_catch():
    """A time-out is a TimeoutError, a limit LimitReached, a death BrokenError with its figures."""
    assert isinstance(EACH[2], TimeoutError)
    assert isinstance(EACH[1], errors.LimitReached)
    assert (EACH[1].limit, EACH[1].kind) == (100, "cgroup v2")
    assert isinstance(EACH[0], errors.BrokenError)
    assert str(EACH[0]) == "the worker died.\noops"
    assert str(EACH[2]) == "too long."
    assert "Raise it." in str(EACH[1])


def test_the_remote_traceback_prints_as_a_block():
    """It begins on its own line where Python shows the cause."""
    assert str(failures.RemoteTraceback("Traceback ...")) == "\nTraceback ..."
    assert pickle.loads(pickle.dumps(failures.RemoteTraceback("x"))).args == ("x",)


@pytest.mark.parametrize("error", EACH, ids=lambda error: type(error).__name__)
def test_each_survives_a_pickle(error):
    """A worker within a worker, or within another library's pool, sends it with its figures."""
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
