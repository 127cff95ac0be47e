"""Pages for requests: a sequence, a token, and whether there is more."""

from __future__ import annotations

import sqlite3

import pytest

from flatwater import errors
from flatwater.source.tables.pages import Page
from flatwater.source.tables.table import Table


@pytest.fixture
def connection():
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, grp INT NOT NULL, body TEXT)")
    made.execute("CREATE INDEX g ON t (grp, id)")
    made.executemany("INSERT INTO t VALUES (?, ?, ?)", [(at, at // 7, "x" * 100) for at in range(5_000)])
    made.commit()
    yield made
    made.close()


def test_a_page_is_a_sequence():
    """It has a length, can be indexed, cut, searched and gone through, and says whether there is more."""
    page = Page([1, 2, 3], "token")
    assert (len(page), page[0], page[-1], page[1:], 2 in page, list(page)) == (3, 1, 3, [2, 3], True, [1, 2, 3])
    assert page.has_more
    assert repr(page) == "<Page of 3 rows, and more>"
    assert not Page([], None).has_more
    assert not Page([], None)


@pytest.mark.parametrize("limit", [1, 2, 4_999, 5_000, 5_001])
def test_has_more_is_exact(connection, limit):
    """A page that ends exactly with the table has no token; one row fewer, and it has."""
    page = Table(connection, "t").page(limit=limit)
    assert len(page) == min(limit, 5_000)
    assert page.has_more == (limit < 5_000)


def test_a_page_ends_by_bytes_too(connection):
    """Rows that do not fit stand on the next page; a row that is larger than a page stands alone."""
    connection.execute("UPDATE t SET body = ? WHERE id = 2", ("y" * 1_000_000,))
    table = Table(connection, "t")
    sizes, token = [], None
    for _ in range(5):
        page = table.page(token, 10, page_bytes=50_000)
        sizes.append(len(page))
        token = page.token
    assert sizes == [2, 1, 10, 10, 10]


def steps_of(connection, call):
    """How many of SQLite's own instructions a call takes."""
    count = 0

    def step():
        nonlocal count
        count += 1

    connection.set_progress_handler(step, 1)
    try:
        call()
    finally:
        connection.set_progress_handler(None, 1)
    return count


@pytest.mark.parametrize("order_by", [None, "-id", "grp, id", "-grp, -id"])
def test_the_last_page_costs_what_the_first_does(connection, order_by):
    """Counted in SQLite's instructions, a page at the end takes no more than one at the beginning."""
    table = Table(connection, "t")
    first = table.page(limit=20, order_by=order_by)
    second = table.page(first.token, 20, order_by=order_by)
    early = steps_of(connection, lambda: table.page(second.token, 20, order_by=order_by))
    ids = sorted(row["id"] for row in second)
    rows = table.find_each(order_by=order_by, columns=["id", "grp"], consistency="live")
    for _ in range(4_960):
        next(rows)
    late = steps_of(connection, lambda: table.page(rows.token, 20, order_by=order_by))
    assert len(ids) == 20
    assert early > 50
    assert late <= early * 1.2


def test_a_page_s_rows_that_were_deleted_leave_no_hole(connection):
    """The token stands behind a row that may be gone by the next request."""
    table = Table(connection, "t")
    page = table.page(limit=10)
    connection.execute("DELETE FROM t WHERE id BETWEEN 5 AND 12")
    connection.commit()
    assert [row["id"] for row in table.page(page.token, 3)] == [13, 14, 15]


def test_finish_holds_on_each_page(connection):
    """A page with finish ends there, and says that there is no more."""
    table = Table(connection, "t")
    first = table.page(limit=3, start=1, finish=5)
    second = table.page(first.token, 3, finish=5)
    assert ([row["id"] for row in first], [row["id"] for row in second]) == ([1, 2, 3], [4, 5])
    assert second.token is None


@pytest.mark.parametrize("limit", [0, -1, 1.5, "5", None, True])
def test_a_limit_that_is_none_is_refused(connection, limit):
    """Only whole numbers are limits."""
    with pytest.raises(errors.UsageError, match="limit="):
        Table(connection, "t").page(limit=limit)
