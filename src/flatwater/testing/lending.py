"""The budget that the fixture `budget` lends to a test.

Covers:     its size, making it ambient, whether all of it was given back.
Not here:   budgets (`budget`), what the process really takes (the marks).
Holds:      one budget while a test runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import pytest

from flatwater import errors, units
from flatwater.budget.budget import Budget
from flatwater.testing.plugin import closest_first

RAISED = pytest.StashKey[bool]()
WATCH_PLUGIN = "flatwater-budget"


def lent(request: pytest.FixtureRequest) -> Iterator[Budget]:
    """One budget; afterwards the test fails if something of it is still held.

    Not after a test that failed, skipped or gave up: its traceback keeps what it had reserved.
    """
    size = size_for(request)
    request.node.stash[RAISED] = False
    if not request.config.pluginmanager.hasplugin(WATCH_PLUGIN):
        request.config.pluginmanager.register(Watch(), WATCH_PLUGIN)
    try:
        lending = Budget(size, name=f"test {request.node.name}")
    except errors.UsageError as error:
        pytest.fail(f"mem_budget: {error}", pytrace=False)
    with lending:
        yield lending
    now = lending.explain()
    if now.held and not request.node.stash[RAISED]:
        pytest.fail(f"{units.format_bytes(now.held)} of the fixture budget were not given back:\n{now}", pytrace=False)


@final
class Watch:
    """The plugin that notes whether a test raised; registered by the first test that takes the fixture."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Its set-up, its call or one of its subtests."""
        if call.when != "teardown" and call.excinfo is not None and RAISED in item.stash:
            item.stash[RAISED] = True


def size_for(request: pytest.FixtureRequest) -> str | int:
    """Of the closest mark `mem_budget`, else of the ini option."""
    mark = next((mark for mark in closest_first(request.node) if mark.name == "mem_budget"), None)
    if mark is None:
        return str(request.config.getini("mem_budget"))
    if len(mark.args) != 1 or mark.kwargs:
        pytest.fail('mem_budget takes one size: @pytest.mark.mem_budget("64 MiB").', pytrace=False)
    size: str | int = mark.args[0]
    return size
