"""proof.leaks.separate: a hunt that cannot hurt the process that asks for it."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.proof.leaks.separate import hunt_in_worker

CODE = """
import os, time
def never():
    time.sleep(3600)
def ends():
    os._exit(5)
def large(kept=[]):
    kept.append(bytearray(1 << 28))
"""


@pytest.mark.parametrize(
    ("action", "error", "words"),
    [
        ("never", errors.LimitReached, "did not end in 1.0 s"),
        ("ends", errors.BrokenError, "exit code 5"),
        pytest.param("large", errors.LimitReached, "took more than 512 MiB", marks=pytest.mark.slow),
        ("nothing", errors.UsageError, "no function 'nothing'"),
    ],
)
def test_what_can_go_wrong(tmp_path, action, error, words):
    """An action that never ends, ends the process, or takes all memory is a clear error."""
    path = tmp_path / "hard.py"
    path.write_text(CODE)
    with pytest.raises(error, match=words):
        hunt_in_worker(f"{path}::{action}", timeout_s=1.0 if action == "never" else 60.0, limit_bytes=512 << 20)
