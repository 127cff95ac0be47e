"""ingest.manifest_errors: what SQLite says, in our words."""

from __future__ import annotations

import apsw
import pytest

from flatwater import errors
from flatwater.ingest.manifest_errors import Errors


@pytest.mark.parametrize(
    ("raised", "error", "message"),
    [
        (apsw.CorruptError("malformed"), errors.CorruptError, "backup"), (apsw.NotADBError("no"), errors.CorruptError, "backup"),
        (apsw.BusyError("locked"), errors.BrokenError, "the other process"), (apsw.FullError("full"), errors.BrokenError, "its room"),
        (apsw.CantOpenError("no"), errors.BrokenError, "read-only"),
    ],
)  # fmt: skip
def test_each_error_has_a_kind_and_a_hint(raised, error, message):
    """With the file that it is about."""
    with pytest.raises(error, match=message) as caught, Errors(apsw, "/corpus/manifest.sqlite", reads=False):
        raise raised
    assert "/corpus/manifest.sqlite" in str(caught.value)


def test_values_that_cannot_be_are_damage_where_nothing_but_reading_is_done():
    """Elsewhere they are somebody else's, and pass as they are."""
    with pytest.raises(errors.CorruptError), Errors(apsw, "m", reads=True):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")
    with pytest.raises(errors.UsageError), Errors(apsw, "m", reads=True):
        raise errors.UsageError("a ValueError, too")
    with pytest.raises(ValueError, match="of the user"), Errors(apsw, "m", reads=False):
        raise ValueError("of the user")
