"""A record and its bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flatwater.sync.entry import UNKNOWN, Entry
from flatwater.sync.record import COMPARED, FORM, NO_SIZE, Record, found, unpacked
from flatwater.sync.status import Status

ETAGS = st.binary(max_size=255)
TIMES = st.integers(-(2**63), 2**63 - 1)


@given(
    st.builds(
        Record, st.sampled_from(list(Status)), st.booleans(), st.integers(0, 2**32 - 1), st.integers(0, NO_SIZE), TIMES, ETAGS,
        TIMES, ETAGS, st.sampled_from([b"", bytes(range(16))]),
    ),
    st.booleans(),
)  # fmt: skip
def test_there_and_back(record, is_marked):
    """Every record comes back as it was, and begins with what a scan compares."""
    record = record._replace(is_marked=record.has_copy and is_marked)
    value = record.packed()
    assert unpacked(value) == record
    assert COMPARED.unpack_from(value) == FORM.unpack_from(value)[:6]


def test_an_etag_that_is_too_long():
    """It counts as none, rather than as another one."""
    record = Record(Status.SYNCED, True, 1, 5, 6, b"e" * 256, 7, b"c" * 1000, b"m" * 16)
    assert unpacked(record.packed()) == record._replace(etag=b"", copy_etag=b"")


def test_what_is_known_of_a_file_that_was_found():
    """Its version, and not that there is a copy."""
    assert found(Entry(b"p", 3, 4, b"e"), 9) == Record(Status.NEW, False, 9, 3, 4, b"e", UNKNOWN, b"", b"")


def test_forgetting():
    """The version goes; that there is a copy stays known."""
    assert Record(Status.SYNCED, True, 1, 2, 3, b"e", 4, b"c", b"m").forgotten(Status.TEMP_DELETED, 7) == Record(
        Status.TEMP_DELETED, True, 7
    )
