"""Rows made ready: their number is in every message, and they are weighed as they wait."""

from __future__ import annotations

import pickle

import pytest

from flatwater import errors
from flatwater.source.tables.given import Fillable, Given, Prepared
from flatwater.source.tables.readying import Created, NotCreated, Readying, check_rows
from flatwater.source.tables.storing import storing


def readying(dialect="sqlite", told=str, created=None):
    columns = (Fillable("id", is_needed=True), Fillable("body", is_needed=False))
    return Readying(
        Given("items", columns, (), lambda names: Prepared(names, storing(dialect, [""] * len(names)))), told, created
    )


def test_rows_are_weighed():
    """A row weighs its values and what its tuples take; a value that is changed counts as it is then."""
    rows = readying()
    light = rows.ready((1, "x"))
    heavy = rows.ready((1, "x" * 100_000))
    listed = rows.ready((1, ["x" * 100_000]))
    assert light.bytes < 500
    assert 100_000 <= heavy.bytes <= 101_000
    assert 100_000 <= listed.bytes <= 101_000
    assert listed.values[1].startswith('["x')


def test_messages_have_the_number():
    """What is wrong with a row is told with its number, what it is, and what was done before."""
    rows = readying("mysql", lambda: "Done so far.", Created(written=2))
    rows.ready((1, "x"))
    with pytest.raises(errors.UsageError, match=r"row 2: items: the row lacks id.* Done so far\."):
        rows.ready({"body": "x"})
    with pytest.raises(
        NotCreated, match=r"row 3 \{'id': 1, 'body': <object.* cannot be written: object is no value.* Done so far\."
    ) as refused:
        rows.ready((1, object()))
    assert (refused.value.row_number, refused.value.created) == (3, Created(written=2))


def test_a_row_that_breaks_when_it_is_read():
    """A row whose attributes raise is named by its type."""

    class Broken:
        id: int

    with pytest.raises(NotCreated, match="row 1 of type Broken cannot be written"):
        readying().ready(Broken())


def test_an_error_reaches_another_process():
    """A row that was refused in a worker is told in its parent."""
    error = NotCreated("row 5 is refused.", row_number=5, created=Created(written=4), hint="Look.")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.row_number, again.created) == (str(error), 5, Created(written=4))


def test_what_is_no_rows():
    """One row instead of several, text, and what cannot be gone through are refused."""
    for rows in ({"id": 1}, "text", b"bytes", 5, None):
        with pytest.raises(errors.UsageError, match="is no rows"):
            check_rows(rows)
    check_rows([])
    check_rows(iter([]))
