"""The lock of a database."""

import os

import pytest

from flatwater import errors
from flatwater.live.locking import locked


def test_one_at_a_time(tmp_path):
    """A second one is refused until the first one has ended."""
    lock = locked(str(tmp_path))
    with pytest.raises(errors.BrokenError, match="another process"):
        locked(str(tmp_path))
    os.close(lock)
    os.close(locked(str(tmp_path)))


def test_a_directory_that_is_not_there(tmp_path):
    """The error says what the system said."""
    with pytest.raises(errors.BrokenError, match="no such file"):
        locked(str(tmp_path / "nothing"))
