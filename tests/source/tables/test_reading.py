"""One pass in statements: batches end by bytes, the place is exact, and no statement stays open."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import errors
from flatwater.source.tables import forms
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.reading import Reading
from flatwater.source.tables.shape import MYSQL, SQLITE, Column, Relation, Shape

SHAPE = Shape((Column("id", "integer", nullable=False), Column("body", "text", nullable=True)), ("id",))
ORDER = Order((OrderColumn("id", False, False, False),))


class Rows:
    """Rows that a reader gives, one by one, and counts."""

    def __init__(self, reader, rows):
        self.reader, self.rows = reader, iter(rows)
        reader.open += 1

    def __iter__(self):
        return self

    def __next__(self):
        self.reader.read += 1
        if self.reader.read == self.reader.fails_at:
            raise errors.BrokenError("cut")
        return next(self.rows)

    def close(self):
        self.reader.open -= 1


class Reader:
    """A database of rows in order, by their first column."""

    dialect = SQLITE

    def __init__(self, rows, *, buffers=False):
        self.all = rows
        self.buffers = buffers
        self.asked = []
        self.open = self.read = 0
        self.fails_at = 0

    def rows(self, query, *, row_bytes):
        assert row_bytes >= 0
        assert self.open == 0
        self.asked.append(query.limit)
        least = max([0, *(each.value + (each.op == ">") for each in query.conditions if each.op in (">", ">="))])
        most = min([10**9, *(each.value for each in query.conditions if each.op == "<=")])
        return Rows(self, itertools.islice((row for row in self.all if least <= row[0] <= most), query.limit))

    def errors(self):
        return contextlib.nullcontext()


def reading(reader, *, batch_bytes=10_000, batch_rows=10, **options):
    form = forms.form_of(tuple, SHAPE, ("id",), reader.dialect)
    return Reading(reader, Relation(("t",)), ORDER, form, batch_bytes=batch_bytes, batch_rows=batch_rows, **options)


def batches(made):
    return list(iter(made.next_batch, []))


def test_batches_have_so_many_rows_and_the_last_the_rest():
    """Rows come in order, so many at a time, each batch in one statement that is over before it is given."""
    reader = Reader([(at, "x") for at in range(25)])
    made = reading(reader)
    got = []
    while batch := made.next_batch():
        assert reader.open == 0
        got.append(len(batch))
        assert made.position == (batch[-1][0],)
    assert got == [10, 10, 5]
    assert made.next_batch() == []
    assert len(reader.asked) <= 4


@given(
    sizes=st.lists(st.sampled_from([0, 10, 500, 3_000, 20_000]), max_size=40), room=st.sampled_from([1, 2_000, 10_000]),
    rows=st.integers(1, 12), buffers=st.booleans(), mysql=st.booleans(),
)  # fmt: skip
@settings(max_examples=80)
def test_no_batch_is_larger_than_its_bytes_unless_it_is_one_row(sizes, room, rows, buffers, mysql):
    """Whatever the widths, no row is lost or given twice, and only a single row is larger than the bytes of a batch."""
    reader = Reader([(at, "ä" * size) for at, size in enumerate(sizes)], buffers=buffers)
    reader.dialect = MYSQL if mysql else SQLITE
    got = batches(reading(reader, batch_bytes=room, batch_rows=rows))
    assert [row for batch in got for row in batch] == reader.all
    for batch in got:
        assert len(batch) <= rows
        assert len(batch) == 1 or sum(row[1].__sizeof__() for row in batch) <= room
    assert reader.open == 0


def test_a_driver_that_buffers_is_asked_for_about_what_fits():
    """Rows that would not fit are not asked for in great numbers, once their width is known."""
    reader = Reader([(at, "x" * 1_000) for at in range(2_000)], buffers=True)
    batches(reading(reader, batch_bytes=20_000, batch_rows=1_000))
    assert max(reader.asked[1:]) <= 40
    assert sum(reader.asked) <= 2 * 2_000


def test_a_statement_that_fails_is_closed():
    """When a page breaks in the middle, its statement is over, and the error comes through."""
    reader = Reader([(at, "x") for at in range(25)])
    reader.fails_at = 15
    made = reading(reader)
    made.next_batch()
    with pytest.raises(errors.BrokenError, match="cut"):
        made.next_batch()
    assert reader.open == 0


@pytest.mark.parametrize(
    ("options", "wanted"),
    [({"start": (5,)}, (5, 24)), ({"after": (5,)}, (6, 24)), ({"finish": (7,)}, (0, 7)), ({"after": (99,)}, None),
     ({"start": (3,), "finish": (4,)}, (3, 4)), ({"after": (9,), "start": (3,)}, (10, 24))],
)  # fmt: skip
def test_where_a_pass_begins_and_ends(options, wanted):
    """start is included, after is not, finish is; after goes before start."""
    got = [row[0] for batch in batches(reading(Reader([(at, "") for at in range(25)]), **options)) for row in batch]
    assert got == ([] if wanted is None else list(range(wanted[0], wanted[1] + 1)))


def test_the_bound_of_a_pass_is_two_batches():
    """What a pass holds is the batch being built and the one being used."""
    assert reading(Reader([]), batch_bytes=1_000).bytes_max() == 2_000
