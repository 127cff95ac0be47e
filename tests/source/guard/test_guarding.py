"""The public verb: block, decorator, budget, misuse."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest

import flatwater as fw
from flatwater.source.guard import PageTooLarge, page_guard
from flatwater.source.guard import page as pages
from flatwater.source.guard.guarding import HOLDER

SERIES = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n"


@pytest.fixture
def connection():
    inner = sqlite3.connect(":memory:", check_same_thread=False)
    yield page_guard.wrap(inner)
    inner.close()


def test_a_handler_is_decorated(connection):
    """Functions and coroutine functions keep their names, results and errors."""

    @page_guard(max_rows=100)
    def handler(many):
        """Answers."""
        return len(connection.execute(f"{SERIES} LIMIT {many}").fetchall())

    @page_guard(max_rows=100)
    async def async_handler(many):
        await asyncio.sleep(0)
        return handler(many)

    assert handler.__doc__ == "Answers."
    assert handler(100) == 100 == asyncio.run(async_handler(100))
    with pytest.raises(PageTooLarge):
        handler(101)
    with pytest.raises(PageTooLarge):
        asyncio.run(async_handler(101))
    assert pages.innermost() is None


def test_generators_are_refused():
    """A generator would leave the guard open in its caller."""

    def rows():
        yield 1

    with pytest.raises(fw.errors.UsageError, match="runs to its end"):
        page_guard()(rows)
    with pytest.raises(fw.errors.UsageError, match="runs to its end"):
        page_guard()("not a function")


def test_one_instance_serves_many_threads(connection):
    """Threads that are inside at once have limits and totals of their own."""
    guard = page_guard(total_rows=500)
    inside = threading.Barrier(8)
    found = []

    def handler():
        with guard as page:
            inside.wait()
            found.append((len(connection.execute(SERIES).fetchall()), page.rows, page.queries))
            inside.wait()

    threads = [threading.Thread(target=handler) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(500, 500, 1)] * 8
    assert guard._open == {}


def test_a_guard_can_be_entered_inside_itself(connection):
    """Recursion: each level is left for itself."""
    guard = page_guard(max_rows=100)
    with guard as outer:
        with guard as inner:
            assert pages.innermost() is inner
        assert pages.innermost() is outer


def test_blocks_left_open_and_crossed():
    """A block that was forgotten inside is left with the one around it; one that is left in another context is closed."""
    with page_guard(max_rows=10):
        page_guard(max_rows=5).__enter__()
    assert pages.innermost() is None
    guard = page_guard()

    async def enters():
        guard.__enter__()

    asyncio.run(enters())
    page_guard.wrap(sqlite3.connect(":memory:")).close()
    guard.__exit__(None)
    assert guard._open == {}


def test_the_outermost_block_holds_its_bytes():
    """It takes max_bytes of the ambient budget; blocks inside take nothing; what does not fit is refused at the start."""
    with fw.Budget("20 MiB") as budget:
        with page_guard(max_bytes="8 MiB"), page_guard(max_bytes="1 MiB"):
            assert budget.held == 8 << 20
        assert budget.held == 0
        guard = page_guard(max_bytes="21 MiB")
        with pytest.raises(fw.errors.BudgetExceeded, match=HOLDER), guard:
            pass
        assert pages.innermost() is None
    assert guard.bytes_max() == 21 << 20


def test_the_page_tells_what_passed(connection):
    """Queries, and rows where there is a total; the total ends the request's reading."""
    with page_guard(max_rows=500, total_rows=1_200) as page:
        for _ in range(2):
            connection.execute(SERIES).fetchall()
        assert (page.queries, page.rows) == (2, 1_000)
        with pytest.raises(PageTooLarge, match="1,200 rows in all"):
            connection.execute(SERIES).fetchall()


def test_a_guard_that_guards_nothing_says_so(monkeypatch):
    """Without an engine or a connection that knows it, a block is a mistake; an error inside it comes first."""
    monkeypatch.setattr(page_guard, "_is_installed", False)
    with pytest.raises(fw.errors.UsageError, match="nothing is guarded"), page_guard():
        pass
    with pytest.raises(ZeroDivisionError), page_guard():
        raise ZeroDivisionError
    assert pages.innermost() is None


@pytest.mark.parametrize("options", [{"max_rows": 0}, {"max_bytes": "none"}, {"total_rows": -1}, {"max_rows": None}])
def test_limits_are_checked_at_once(options):
    """A limit that is none is refused where it is written."""
    with pytest.raises(fw.errors.UsageError):
        page_guard(**options)


def test_what_cannot_be_guarded_is_refused():
    """With the way to go."""
    with pytest.raises(fw.errors.UsageError, match=r"page_guard\.wrap"):
        page_guard.install(sqlite3.connect(":memory:"))
    with pytest.raises(fw.errors.UsageError, match=r"sqlite3\.connect"):
        page_guard.wrap("path.db")


def test_left_more_often_than_entered():
    """Leaving a guard twice is a mistake that is named."""
    guard = page_guard()
    guard.__enter__()
    guard.__exit__(None, None, None)
    with pytest.raises(fw.errors.UsageError, match="more often"):
        guard.__exit__(None, None, None)
