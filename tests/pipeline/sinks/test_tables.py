"""Tables as sinks: short transactions, rows that are refused, each row once with a checkpoint."""

from __future__ import annotations

import sqlite3

import pytest

import flatwater as fw
from flatwater import errors, limits

WANTED = [(n, f"row {n}") for n in range(3000)]


def row(n):
    return {"n": n, "text": f"row {n}"}


def test_rows_are_written(items):
    """As dicts, in several transactions; what is there already is told, or passed over, or replaced."""
    url, run = items
    flow = fw.Flow(range(3000)).map(row)
    assert flow.to(fw.Table(url, "items")).run().items == 3000
    assert run("SELECT n, text FROM items ORDER BY n") == WANTED
    with pytest.raises(errors.BrokenError) as caught:
        flow.to(fw.Table(url, "items")).run()
    assert "2 to(items), item 1 " in caught.value.__notes__[0]
    before = caught.value.__context__
    while before is not None:
        assert type(before) is not type(caught.value)  # it was looked for by halves, and is told once
        before = before.__context__
    flow.to(fw.Table(url, "items"), on_conflict="skip").run()
    fw.Flow(range(3000)).map(lambda n: {"n": n, "text": "new"}).to(fw.Table(url, "items"), on_conflict="update").run()
    assert set(run("SELECT text FROM items")) == {("new",)}


@pytest.mark.parametrize("with_job", [False, True])
def test_rows_that_are_refused(items, with_job, tmp_path, monkeypatch):
    """They are found among the others, which are written."""
    url, run = items
    monkeypatch.setattr(limits, "FLOW_TRANSACTION_ROWS", 700)
    bad = {0, 500, 501, 777, 2999}

    def some(n):
        return {"n": n, "text": None if n in bad else f"row {n}"} if n != 777 else {"m": n}

    options = {"checkpoint": tmp_path / "job.state"} if with_job else {}
    report = (
        fw.Flow(range(3000)).map(some).to(fw.Table(url, "items")).run(dead_letters=tmp_path / "dead.jsonl", **options)
    )
    assert (report.items, report.skipped) == (2995, 5)
    assert [failure.number for failure in report.failures] == sorted(n + 1 for n in bad)
    assert run("SELECT n, text FROM items ORDER BY n") == [pair for pair in WANTED if pair[0] not in bad]


def test_each_row_once_whatever_fails(items, tmp_path, monkeypatch):
    """A job that fails again and again goes on behind the last commit; the database says which one that was."""
    url, run = items
    monkeypatch.setattr(limits, "FLOW_TRANSACTION_ROWS", 400)
    failing = {300, 1234, 1235, 2999}

    def fails(n):
        if n in failing:
            failing.remove(n)
            raise OSError(n)
        return row(n)

    flow = fw.Flow(range(3000), batch_rows=100).map(fails).to(fw.Table(url, "items"))
    resumed = []
    for _turn in range(4):
        with pytest.raises(OSError):
            flow.run(checkpoint=tmp_path / "job.state")
    report = flow.run(checkpoint=tmp_path / "job.state")
    resumed.append(report.resumed_at)
    assert run("SELECT n, text FROM items ORDER BY n") == WANTED
    assert report.resumed_at >= 2000
    assert flow.run(checkpoint=tmp_path / "job.state").items == 0


def test_a_table_of_somebodys_connection(tmp_path):
    """It is written without a checkpoint; with one, it is said what to give."""
    connection = sqlite3.connect(tmp_path / "own.db")
    connection.execute("CREATE TABLE items (n INTEGER PRIMARY KEY, text TEXT)")
    connection.commit()
    flow = fw.Flow(range(100)).map(row).to(fw.Table(connection, "items"))
    flow.run()
    assert connection.execute("SELECT count(*) FROM items").fetchone() == (100,)
    with pytest.raises(errors.UsageError):
        flow.run(checkpoint=tmp_path / "job.state")
    report = fw.Flow(range(90, 110)).map(row).to(fw.Table(connection, "items")).run(on_error="skip")
    assert (report.items, report.skipped) == (10, 10)


def test_what_is_no_sink(tmp_path):
    """A conflict that nobody knows, and a select."""
    sqlite3.connect(tmp_path / "own.db").execute("CREATE TABLE items (n INTEGER PRIMARY KEY)")
    with pytest.raises(errors.UsageError):
        fw.Flow([]).to(fw.Table(tmp_path / "own.db", "items"), on_conflict="perhaps")
    with pytest.raises(errors.UsageError):
        fw.Flow([]).to(fw.Table(tmp_path / "own.db", "SELECT n FROM items", key="n"))


def test_its_bytes_are_in_the_sum(tmp_path):
    """The writer takes them from the budget itself, and a flow that does not fit is refused before it reads."""
    sqlite3.connect(tmp_path / "own.db").execute("CREATE TABLE items (n INTEGER PRIMARY KEY)")
    flow = fw.Flow(range(10)).map(lambda n: {"n": n}).to(fw.Table(tmp_path / "own.db", "items"))
    assert "2 to(items) itself" in flow.explain()
    with fw.Budget("2 MiB"), pytest.raises(errors.BudgetExceeded):
        flow.run()
    with fw.Budget("64 MiB") as budget:
        report = flow.run()
        assert budget.held == 0
        assert budget.peak <= report.promised_bytes


def test_from_a_table_into_a_table(tmp_path):
    """Of the same database, with a checkpoint: rows that are read are not in the way of rows that are written."""
    path = str(tmp_path / "own.db")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE one (n INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE two (n INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO one VALUES (?)", [(n,) for n in range(5000)])
    flow = fw.Flow(fw.Table(path, "one")).to(fw.Table(path, "two"))
    assert flow.run(checkpoint=tmp_path / "job.state", checkpoint_s=0.001).items == 5000
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO one VALUES (?)", [(n,) for n in range(5000, 5050)])
    report = flow.run(checkpoint=tmp_path / "job.state")
    assert (report.items, report.resumed_at) == (50, 5000)
    assert connection.execute("SELECT count(*) FROM two").fetchone() == (5050,)
