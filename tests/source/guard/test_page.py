"""Which limits hold: nesting, threads, tasks, and what was left open."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

import flatwater as fw
from flatwater.source.guard import page as pages
from flatwater.source.guard.page import Limits, Page


@pytest.fixture(autouse=True)
def apart():
    """Each test in a context of its own."""
    token = pages._top.set(None)
    yield
    pages._top.reset(token)


def test_the_tighter_of_nested_limits_holds():
    """Each of the two limits for itself, whichever block is inside."""
    outer = Page(100, 5_000, 0, None)
    assert Page(1_000, 1_000, 0, outer).limits[:2] == (100, 1_000)
    inner = Page(10, 10_000, 7, outer)
    assert inner.limits == Limits(10, 5_000, (inner, outer))


def test_leaving_in_any_order():
    """Leaving the outer block leaves what was forgotten inside; leaving again, or elsewhere, changes nothing."""
    outer = Page(100, 100, 0, None)
    inner = Page(10, 10, 0, outer)
    pages.enter(outer)
    pages.enter(inner)
    pages.leave(outer)
    assert pages.innermost() is None
    pages.enter(outer)
    pages.leave(inner)
    assert pages.innermost() is outer


def test_threads_and_tasks():
    """A thread starts without a guard; a task, and a thread that is given the context, inherit it."""
    page = Page(1, 1, 0, None)
    pages.enter(page)
    found = []
    context = contextvars.copy_context()
    for target in (pages.innermost, lambda: context.run(pages.innermost)):
        thread = threading.Thread(target=lambda target=target: found.append(target()))
        thread.start()
        thread.join()

    async def look():
        return pages.innermost()

    found.append(asyncio.run(look()))
    assert found == [None, page, page]


def test_standing_limits_hold_outside_of_blocks():
    """An open block takes their place."""
    standing = Limits(5, 5)
    assert pages.limits_now(None) is None
    assert pages.limits_now(standing) is standing
    page = Page(100, 100, 0, None)
    pages.enter(page)
    assert pages.limits_now(standing) == page.limits


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "10", None, float("inf")])
def test_a_limit_is_a_number(count):
    """There is no unlimited."""
    with pytest.raises(fw.errors.UsageError, match="max_rows"):
        pages.checked(count, "1 MiB")


@pytest.mark.parametrize("size", ["", "lots", 0, -5, None, 1.5])
def test_a_size_is_a_size(size):
    """Nor for bytes."""
    with pytest.raises(fw.errors.UsageError, match="max_bytes"):
        pages.checked(10, size)
