"""Iterators that know where they are: whatever ends them, going on with the token loses no row and gives none twice."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading

import pytest

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.source.tables.table import Table

COUNT = 50


@pytest.fixture
def path(tmp_path):
    name = str(tmp_path / "t.db")
    connection = sqlite3.connect(name)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, grp INT NOT NULL, body TEXT)")
    connection.execute("CREATE INDEX g ON t (grp, id)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [(at, at // 20, "x") for at in range(COUNT)])
    connection.commit()
    connection.close()
    return name


class Cut(Exception):  # noqa: N818 - a test's own
    """What breaks a pass."""


def break_at(table, monkeypatch, number):
    """Let the so-many-th statement from now on fail."""
    adapter, left = table._adapter, [number]
    rows = adapter.rows

    def failing(query, **options):
        left[0] -= 1
        if left[0] == 0:
            raise Cut
        return rows(query, **options)

    monkeypatch.setattr(adapter, "rows", failing)


def ids_until_broken(rows, *, broken=Cut):
    got = []
    with pytest.raises(broken):  # noqa: PT012 - the loop is what breaks
        for row in rows:
            got.append(row["id"])  # noqa: PERF401 - what came before the break is kept
    return got


@pytest.mark.parametrize("order_by", ["id", "grp, id", "-grp, -id", "grp"])
@pytest.mark.parametrize("number", range(1, 7))
def test_a_page_that_breaks_in_the_middle_of_a_batch_loses_no_row(path, monkeypatch, order_by, number):
    """Rows of a batch that was never given are not behind the token, in whichever of its statements it broke."""
    monkeypatch.setattr("flatwater.source.tables.adapters.sqlite_path.SqliteApsw.buffers", True)  # more statements
    monkeypatch.setattr("flatwater.limits.TABLE_FIRST_ROWS", 3)
    table = Table(path, "t")
    table.find_each(order_by=order_by)
    break_at(table, monkeypatch, number)
    rows = table.find_each(order_by=order_by, batch_rows=15)
    got = ids_until_broken(rows)
    again = list(Table(path, "t").pluck("id", order_by=order_by, after=rows.token))
    assert sorted(got + again) == list(range(COUNT))


def test_a_broken_pass_does_not_look_finished(path, monkeypatch):
    """Who goes on with a pass that broke is told so, instead of being given nothing more."""
    table = Table(path, "t")
    break_at(table, monkeypatch, 4)
    with Budget("64 MiB") as budget:
        rows = table.find_each(batch_rows=10)
        ids_until_broken(rows)
        assert budget.held == 0
        with pytest.raises(errors.ClosedError, match="broke"):
            next(iter(rows))


@pytest.mark.parametrize("after", [True, False])
def test_a_pass_that_never_began_has_the_token_it_was_given(path, monkeypatch, after):
    """Where the first statement fails, or none was asked for, the token is where the pass would have begun."""
    table = Table(path, "t")
    token = table.page(limit=7).token if after else None
    rows = table.find_each(after=token)
    wanted = list(range(7 if after else 0, COUNT))
    assert list(table.pluck("id", after=rows.token)) == wanted
    break_at(table, monkeypatch, 1)
    ids_until_broken(rows)
    assert list(Table(path, "t").pluck("id", after=rows.token)) == wanted


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, ValueError])
def test_an_error_in_the_loop_leaves_the_place_behind_the_row_at_hand(path, kind):
    """When the loop's body raises, the token stands behind the row that it was working on."""
    table = Table(path, "t")
    rows = table.find_each(batch_rows=10)
    got = []
    with pytest.raises(kind):  # noqa: PT012 - the loop is what breaks
        for row in rows:
            got.append(row["id"])
            if row["id"] == 23:
                raise kind
    assert got + list(table.pluck("id", after=rows.token)) == list(range(COUNT))
    assert got + [row["id"] for row in rows] == list(range(COUNT))  # and the pass itself goes on as well


def test_breaking_out_and_going_on(path):
    """A loop that is left and entered again goes on with the next row, by for and by next."""
    rows = Table(path, "t").find_each(batch_rows=10)
    got = [next(rows)["id"]]
    for row in rows:
        got.append(row["id"])
        if len(got) % 7 == 0:
            break
    got += [next(rows)["id"], *(row["id"] for row in rows)]
    assert got == list(range(COUNT))
    assert list(rows) == []


def test_two_passes_of_one_table_do_not_know_each_other(path):
    """Interleaved passes each give all rows."""
    table = Table(path, "t")
    pairs = zip(table.find_each(batch_rows=7), table.find_each(batch_rows=11, order_by="-id"), strict=True)
    both = [(one["id"], other["id"]) for one, other in pairs]
    assert both == [(at, COUNT - 1 - at) for at in range(COUNT)]


def test_a_batch_that_cannot_be_wrapped_is_not_behind_the_token(path):
    """Where a record batch cannot be made, the token stands in front of its rows."""
    pytest.importorskip("pyarrow")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE t SET grp = 'no number' WHERE id = 25")
    connection.commit()
    connection.close()
    batches = Table(path, "t").batches(as_="arrow", batch_rows=10)
    got = []
    with pytest.raises(errors.BrokenError, match="column grp"):  # noqa: PT012 - the loop is what breaks
        for batch in batches:
            got += batch.to_pydict()["id"]
    assert got == list(range(20))
    assert next(Table(path, "t").pluck("id", after=batches.token)) == 20


@pytest.mark.parametrize("source", ["path", "sqlite3"])
def test_a_cancelled_task_loses_no_row(path, source):
    """A task that is cancelled while a page is read leaves a pass that goes on, and a token that does."""
    table = Table(path if source == "path" else sqlite3.connect(path, check_same_thread=False), "t")
    reached, may_go = threading.Event(), threading.Event()
    rows_of = table._adapter.rows
    calls = []

    def slow(query, **options):
        calls.append(1)
        if len(calls) == 4:
            reached.set()
            may_go.wait(10)
        return rows_of(query, **options)

    async def main():
        table.find_each()
        table._adapter.rows = slow
        rows = table.find_each(batch_rows=10)
        got = []

        async def loop():
            async for row in rows:
                got.append(row["id"])  # noqa: PERF401 - what came before the break is kept

        task = asyncio.create_task(loop())
        if source == "path":
            await asyncio.to_thread(reached.wait, 10)
            task.cancel()
            asyncio.get_running_loop().call_later(0, may_go.set)
        else:
            may_go.set()
            await asyncio.sleep(0)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):  # noqa: PT012 - the loop is what breaks
            await task
            raise asyncio.CancelledError
        token = rows.token
        rest = [row["id"] async for row in rows]
        return got, rest, token

    got, rest, token = asyncio.run(main())
    assert got + rest == list(range(COUNT))
    assert got + list(Table(path, "t").pluck("id", after=token)) == list(range(COUNT))


def test_what_is_dropped_gives_its_bytes_back(path):
    """A pass, its generator or an asynchronous pass that nobody holds any more gives its bytes back."""
    table = Table(path, "t")

    async def half():
        async for _ in table.find_each(batch_rows=5):
            break

    with Budget("64 MiB") as budget:
        for _ in table.find_each(batch_rows=5):
            break
        asyncio.run(half())
        lost = iter(table.find_each(batch_rows=5))
        next(lost)
        del lost
        gc.collect()
        assert budget.held == 0


def test_a_closed_pass_gives_no_more_rows_of_the_table(path):
    """close() may be called twice; what it had read may still be given, then it ends."""
    rows = Table(path, "t").find_each(batch_rows=10)
    next(rows)
    rows.close()
    rows.close()
    assert len(list(rows)) < 10
    unused = Table(path, "t").find_each()
    unused.close()
    assert list(unused) == []


def test_a_closed_gate_holds_a_pass(path, monkeypatch):
    """While the budget's gate is closed no page is read, and waiting ends with what to do."""
    with Budget("64 MiB") as budget:
        monkeypatch.setattr(type(budget.gate), "wait", lambda _gate, *_: False)
        rows = Table(path, "t").find_each(batch_rows=10)
        for _ in range(10):
            next(rows)
        budget.gate.pause("a test")
        with pytest.raises(errors.LimitReached, match="gate"):
            next(rows)
        budget.gate.resume()
        assert len(list(rows)) == 40
