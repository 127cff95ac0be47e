"""Rows of a batch, by how wide rows are."""

import pyarrow as pa
import pytest

from flatwater import errors, limits
from flatwater.live.fence import TableReference, checked
from flatwater.live.statements import understood
from flatwater.live.widths import TooWide, Widths

MIB = 1 << 20
TABLE = TableReference("", "t")


def widths(text, values=()):
    return Widths(checked(understood(text).tree), values, 64 * MIB)


def batch(width, rows=10):
    return pa.RecordBatch.from_pydict({"a": ["x" * width] * rows})


def test_narrow_rows():
    """They have as many in a batch as there may be."""
    found = widths("SELECT a FROM t ORDER BY a")
    found.note(TABLE, batch(300), 320)
    assert found.rows == limits.LIVE_BATCH_ROWS


def test_wide_rows_begin_anew():
    """Before anything was handed out: with fewer rows, once for each time that they are wider."""
    found = widths("SELECT a FROM t ORDER BY a")
    with pytest.raises(TooWide):
        found.note(TABLE, batch(100_000), 100_000)
    assert found.rows == limits.LIVE_BATCH_BYTES // pa.RecordBatch.from_pydict({"a": ["x" * 100_000]}).nbytes
    found.note(TABLE, batch(100_000), 100_000)
    with pytest.raises(TooWide):
        found.note(TABLE, batch(5_000_000, 1), 5_000_000)
    assert found.rows == 1
    found.note(TABLE, batch(9_000_000, 1), 9_000_000)


def test_wide_rows_in_its_midst():
    """What was handed out cannot be taken back: it goes on as long as a batch fits into half of the pool."""
    found = widths("SELECT a FROM t")
    found.has_begun = True
    found.note(TABLE, batch(50_000), 50_000)
    with pytest.raises(errors.LimitReached, match="at once"):
        found.note(TABLE, batch(1_000_000), 1_000_000)


def test_all_tables_of_a_join_together():
    """A row of a join has the bytes of each of them, and one that is named twice counts twice."""
    found = widths("SELECT x.a FROM t AS x, t AS y, u WHERE x.a = y.a")
    with pytest.raises(TooWide):
        found.note(TABLE, batch(10_000), 10_000)
    assert found.rows == limits.LIVE_BATCH_BYTES // (2 * (batch(10_000).nbytes // 10) + 256)


def test_values_that_grow_are_refused():
    """At once where it is known from the text; else when a row is seen that is large enough."""
    with pytest.raises(errors.LimitReached, match="at once"):
        widths("SELECT replace(replace(a, 'x', ?), 'x', ?) FROM t", ["x" * 1_000] * 2)
    found = widths("SELECT replace(a, 'x', ?) FROM t", ["x" * 1_000])
    assert found.rows < limits.LIVE_BATCH_ROWS
    found.note(TABLE, batch(100), 10_000)
    with pytest.raises(errors.LimitReached, match="left"):
        found.note(TABLE, batch(100), 1_000_000)
