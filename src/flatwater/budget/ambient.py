"""The budget that parts find around them, so that nobody has to pass it.

Covers:     entering and leaving, in threads and tasks, in any nesting.
Not here:   the budget of a process that has entered none (`budget.Budget.current`).
Holds:      two words for each `with` that is open.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget


class _Cell(NamedTuple):
    """One open `with`, and the one around it."""

    budget: Budget
    outer: _Cell | None


_top: ContextVar[_Cell | None] = ContextVar("flatwater.budget", default=None)


def current() -> Budget | None:
    """The innermost open one, if any."""
    cell = _top.get()
    return cell.budget if cell else None


def enter(budget: Budget) -> None:
    """Put it innermost."""
    _top.set(_Cell(budget, _top.get()))


def leave(budget: Budget) -> None:
    """Take its innermost entry out, also where generators left their blocks in another order than they entered."""
    _top.set(_without(_top.get(), budget))


def _without(cell: _Cell | None, budget: Budget) -> _Cell | None:
    passed: list[Budget] = []
    found = cell
    while found is not None and found.budget is not budget:
        passed.append(found.budget)
        found = found.outer
    if found is None:
        return cell  # entered in another context: nothing to leave here
    rest = found.outer
    for other in reversed(passed):
        rest = _Cell(other, rest)
    return rest
