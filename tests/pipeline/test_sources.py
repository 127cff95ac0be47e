"""What a flow can begin with, and what it says of the rest."""

from __future__ import annotations

import sqlite3

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.sources import Source


@pytest.mark.parametrize(
    ("origin", "arguments", "name"),
    [(range(3), (), "range"), ([0, 1, 2], (), "list"), (iter(range(3)), (), "range_iterator"), (range, (3,), "range"),
     (lambda count: (n for n in range(count)), (3,), "<lambda>"), ({0: "a", 1: "b", 2: "c"}, (), "dict")],
)  # fmt: skip
def test_anything_that_can_be_iterated_over(origin, arguments, name):
    """Iterables, iterators, functions that make one."""
    assert list(Flow(origin, *arguments)) == [0, 1, 2]
    assert Source(origin, arguments).name == name


def test_what_a_function_must_return():
    """Something to iterate over: else it is named, when it runs."""
    with pytest.raises(errors.UsageError, match="returned NoneType"):
        list(Flow(lambda: None))
    with pytest.raises(errors.UsageError, match="arguments"):
        Flow([1], 2)


def test_a_store_is_read_in_batches_of_the_flow(tmp_path):
    """Its pairs are items, whatever is written meanwhile; its walk's bytes are in the sum."""
    pytest.importorskip("lmdb")
    with fw.Store(tmp_path / "s", sync="off") as store:
        store.write([((n,), bytes(100)) for n in range(5000)])
        flow = Flow(store, batch_bytes="64 KiB")
        for key, value in flow:
            store.put(key, value + b"!")
        assert {len(value) for _key, value in flow} == {101}
        assert "Store itself" in flow.explain()
        with fw.Budget("200 KiB"), pytest.raises(errors.BudgetExceeded, match="batch_bytes"):
            flow.run()


def test_a_table_is_read_in_its_own_batches(tmp_path):
    """Rows are items; the connection is closed when the consumer leaves."""
    pytest.importorskip("apsw")
    with sqlite3.connect(tmp_path / "t.db") as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(n, n % 10) for n in range(5000)])
    flow = Flow(fw.Table(str(tmp_path / "t.db"), "t")).filter(lambda row: row["n"] == 3)
    assert flow.run().items == 500
    turns = iter(flow)
    assert next(turns) == {"id": 3, "n": 3}
    turns.close()


def test_files_are_sources(tmp_path):
    """Lines and pieces as they come."""
    (tmp_path / "f.txt").write_text("".join(f"line {n}\n" for n in range(3000)))
    assert Flow(fw.lines(tmp_path / "f.txt")).map(len).run().items == 3000
    assert sum(map(len, Flow(fw.FileChunks(tmp_path / "f.txt", 100)))) == (tmp_path / "f.txt").stat().st_size


def test_a_function_that_returns_a_text():
    """Its letters are as little wanted as those of a text that is given."""
    with pytest.raises(errors.UsageError, match="would give its letters"):
        Flow(lambda: "abc").run()


@pytest.mark.parametrize("wrong", [None, "ab", (1, 2), 5])
def test_batches_that_are_no_lists(wrong):
    """It is said what they are."""

    class Origin:
        def batches(self):
            return [[1], wrong]

    with pytest.raises(errors.UsageError, match="which is no list"):
        list(Flow(Origin()))
