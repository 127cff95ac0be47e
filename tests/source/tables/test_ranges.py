"""Parts of a table: together they are the table, whatever its key and however it changes meanwhile."""

from __future__ import annotations

import pickle
import sqlite3
import threading

import pytest

from flatwater import errors
from flatwater.source.tables.ranges import CountEstimate
from flatwater.source.tables.table import Table


def table_of(keys, kind="INTEGER PRIMARY KEY", source=None):
    connection = source or sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE t (k {kind}, v)")
    connection.executemany("INSERT INTO t VALUES (?, 0)", [(key,) for key in keys])
    connection.commit()
    return Table(connection, "t")


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ([], "INTEGER PRIMARY KEY"),
        ([5], "INTEGER PRIMARY KEY"),
        ([-(2**63), 0, 2**63 - 1], "INTEGER PRIMARY KEY"),
        ([1, 2, 3, 10**12], "INTEGER PRIMARY KEY"),
        (range(-50, 50), "INTEGER PRIMARY KEY"),
        ([at / 7 for at in range(40)], "REAL NOT NULL PRIMARY KEY"),
        ([f"k{at}" for at in range(40)], "TEXT NOT NULL PRIMARY KEY"),
        ([bytes([at]) for at in range(40)], "BLOB NOT NULL PRIMARY KEY"),
        ([1, "1", b"1", 2.5], "NOT NULL PRIMARY KEY"),
    ],
)
@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("order_by", [None, "-k"])
def test_parts_are_all_rows_once(keys, kind, count, order_by):
    """Sparse, negative, extreme, mixed and few keys: no part overlaps another, and nothing is left out."""
    table = table_of(keys, kind)
    wanted = list(table.pluck("k", order_by=order_by))
    parts = table.ranges(count, order_by=order_by)
    assert [key for part in parts for key in part.pluck("k")] == wanted
    assert len(parts) <= count


def test_rows_that_come_later_are_in_the_outer_parts():
    """The first part has no beginning and the last no end, so rows outside of what there was are in one of them."""
    table = table_of(range(10, 20))
    parts = table.ranges(3)
    table._adapter._connection.executemany("INSERT INTO t VALUES (?, 0)", [(1,), (100,)])
    assert [key for part in parts for key in part.pluck("k", consistency="live")] == [1, *range(10, 20), 100]


def test_a_part_goes_on_with_a_token_of_its_own():
    """after= of a part's own pass goes on inside of the part."""
    parts = table_of(range(100)).ranges(4)
    rows = parts[1].find_each(batch_rows=5)
    got = [next(rows)["k"] for _ in range(7)]
    again = [row["k"] for row in parts[1].find_each(after=rows.token)]
    assert got + again == list(parts[1].pluck("k")) == list(range(25, 50))


def test_a_part_has_its_ends_already():
    """start, finish and another order are refused for a part."""
    (part,) = table_of(range(3)).ranges(1)
    for option in ("start", "finish", "order_by"):
        with pytest.raises(errors.UsageError, match=f"has its {option} already"):
            part.find_each(**{option: "k"})


def test_workers_share_a_table_of_a_path(tmp_path):
    """Threads read the parts of one table of a path side by side, and parts can be sent to processes."""
    path = str(tmp_path / "t.db")
    table_of(range(1_000), source=sqlite3.connect(path))
    parts = pickle.loads(pickle.dumps(Table(path, "t").ranges(6)))
    shared = Table(path, "t").ranges(6)
    got = []
    threads = [threading.Thread(target=lambda part=part: got.extend(part.pluck("k", batch_rows=10))) for part in shared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got) == list(range(1_000))
    assert sum(len(list(part.batches(batch_rows=50))) for part in parts) >= 20


@pytest.mark.parametrize("count", [0, -1, 10_001, True, 2.0, "2", None])
def test_a_count_that_is_none_is_refused(count):
    """Only whole numbers of parts within the limit."""
    with pytest.raises(errors.UsageError, match="count="):
        table_of([1]).ranges(count)


def test_an_estimate_is_a_number_that_says_how_it_is_known():
    """It counts like a number, and keeps its origin when it is sent to others."""
    count = pickle.loads(pickle.dumps(CountEstimate(7, "counting")))
    assert (count, count + 1, count.how, repr(count)) == (7, 8, "counting", "about 7 rows, by counting")
    assert table_of(range(5, 9)).count_estimate() == 4
