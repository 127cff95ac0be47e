"""One reader at a time."""

import pytest

from flatwater import errors
from flatwater.live.readers import OneReader


def test_turns():
    """A second one is refused while the first one reads, and no longer."""
    reader = OneReader()
    reader._is_read = False
    reader._take_turn()
    with pytest.raises(errors.UsageError, match="another thread"):
        reader._take_turn()
    reader._is_read = False
    reader._take_turn()
