"""proof.leaks.separate: a hunt that cannot hurt the process that asks for it."""

from __future__ import annotations

import pytest

from flatwater import errors, worker
from flatwater.proof.leaks.rounds import ActionFailed
from flatwater.proof.leaks.separate import hunt_in_worker

CODE = """
import os, time
def never():
    time.sleep(3600)
def ends():
    os._exit(5)
def large(kept=[]):
    kept.append(bytearray(1 << 28))
def refuses():
    raise MemoryError("no")
class OwnError(BaseException):
    pass
def own():
    raise OwnError("so there")
"""


@pytest.mark.parametrize(
    ("action", "error", "words"),
    [
        ("never", errors.LimitReached, "did not end in 1.0 s"),
        ("ends", errors.BrokenError, "exit code 5"),
        pytest.param("large", errors.LimitReached, "MemoryError; its process may take 512 MiB", marks=pytest.mark.slow),
        ("refuses", errors.LimitReached, "ended in a MemoryError"),
        ("own", ActionFailed, "OwnError: so there"),
        ("nothing", errors.UsageError, "no function 'nothing'"),
    ],
)
def test_what_can_go_wrong(tmp_path, action, error, words):
    """An action that never ends, ends the process, or takes all memory is a clear error."""
    path = tmp_path / "hard.py"
    path.write_text(CODE)
    with pytest.raises(error, match=words):
        hunt_in_worker(f"{path}::{action}", timeout_s=1.0 if action == "never" else 60.0, limit_bytes=512 << 20)


@pytest.mark.parametrize("error", [OSError("no pages"), ZeroDivisionError()])
def test_a_hunt_that_fails(monkeypatch, error):
    """What the instrument itself raises is told as such, and is no verdict."""

    def broken(*_of_the_call, **_options):
        raise error

    monkeypatch.setattr(worker, "run", broken)
    with pytest.raises(errors.BrokenError, match=f"the hunt in jobs:load failed: {type(error).__name__}"):
        hunt_in_worker("jobs:load")
