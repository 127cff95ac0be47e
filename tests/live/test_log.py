"""Records of the log."""

import pytest

from flatwater import errors
from flatwater.live.log import DELETE, INSERT, UPDATE, Change, Log
from flatwater.live.writing import look
from flatwater.store.store import Store

HEAD = b"\x03\x03\x03"


@pytest.mark.parametrize(
    ("old", "new", "operation"),
    [(None, b"{}", INSERT), (b"{}", b"", UPDATE), (b"{}", None, DELETE), (b"", b"{}", UPDATE)],
)
def test_a_change_is_read_as_it_was_written(old, new, operation):
    """Rows before and after come back, and an empty one is not the same as none."""
    log = Log(HEAD)
    change = Change(1 << 50, 9, b"key", old, new, 77)
    assert change.operation == operation
    assert log.change(*log.record(change, 3, 2)) == change


def test_where_it_begins_and_ends(tmp_path):
    """Bytes and numbers are known at both ends, and changes behind a number are read in their order."""
    with Store(tmp_path / "s") as store:
        log = Log(store.partition("log").head())
        space = store.space
        assert look(space, lambda _get, page: (log.begins(page), log.ends(page))) == ((0, 0), (0, 0))
        ends, last = 0, 0
        for number in range(1, 6):
            record = log.record(Change(number, 1, b"k", None, b"x" * number), ends, last)
            space.write([(log.low, [record])], 0)
            ends, last = ends + len(record[1]), number
        assert look(space, lambda _get, page: log.ends(page)) == (ends, 5)
        assert [each.sequence for each in look(space, lambda _get, page: log.behind(page, 2, 4))] == [3, 4]
        assert look(space, lambda _get, page: log.behind(page, 5, 5)) == []
        gone = look(space, lambda _get, page: log.trimmed(page, ends, 2))
        assert [log.sequence(key) for key, _none in gone] == [1, 2]
        space.write([(log.low, gone)], 0)
        begins = look(space, lambda _get, page: log.begins(page))
        assert begins[1] == 2
        assert 0 < begins[0] < ends


def test_a_damaged_record_is_told():
    """What is no record is a CorruptError, not a struct's."""
    log = Log(HEAD)
    with pytest.raises(errors.CorruptError, match="record of the log"):
        log.change(log.key(1), b"short")
