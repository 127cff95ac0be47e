"""The budget that the fixture `budget` lends to a test.

Covers:     its size, making it ambient, whether all of it was given back.
Not here:   budgets (`budget`), what the process really takes (the marks).
Holds:      one budget while a test runs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flatwater import errors, units
from flatwater.budget.budget import Budget


def lent(request: pytest.FixtureRequest) -> Iterator[Budget]:
    """One budget; afterwards the test fails if something of it is still held.

    Not after a test that failed: its traceback keeps what it had reserved.
    """
    size = size_for(request)
    failed_before = request.session.testsfailed
    try:
        lending = Budget(size, name=f"test {request.node.name}")
    except errors.UsageError as error:
        pytest.fail(f"mem_budget: {error}", pytrace=False)
    with lending:
        yield lending
    if lending.held and request.session.testsfailed == failed_before:
        pytest.fail(
            f"{units.format_bytes(lending.held)} of the fixture budget were not given back:\n{lending.explain()}",
            pytrace=False,
        )


def size_for(request: pytest.FixtureRequest) -> str | int:
    """Of the closest mark `mem_budget`, else of the ini option."""
    mark = request.node.get_closest_marker("mem_budget")
    if mark is None:
        return str(request.config.getini("mem_budget"))
    if len(mark.args) != 1 or mark.kwargs:
        pytest.fail('mem_budget takes one size: @pytest.mark.mem_budget("64 MiB").', pytrace=False)
    size: str | int = mark.args[0]
    return size
