"""What the marks of a test ask for, checked.

Covers:     `mem_max`, `mem_constant`, `mem_no_leaks` and their arguments; which tests they cannot go with.
Not here:   measuring (`testing.points`), deciding (`testing.verdict`), the mark `mem_budget` (`testing.plugin`).
Holds:      a few numbers a marked test.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from flatwater import errors, limits
from flatwater.testing.plugin import NAMES

if TYPE_CHECKING:
    from flatwater.proof.points import Metric
    from flatwater.proof.proving import Claim

MAX, CONSTANT, NO_LEAKS = NAMES


@dataclass(frozen=True, slots=True)
class Asked:
    """What one test is asked to keep to.

    Attributes:
        limit_bytes: of the peak above the start of the call; 0 for none.
        claim: about growth with n; None for none.
        metric: of that claim.
        rounds: in which nothing may grow; 0 for none.
        warmup: rounds before these.
        timeout_s: of one process, with collection and set-up.
    """

    limit_bytes: int = 0
    claim: Claim | None = None
    metric: Metric = "rss"
    rounds: int = 0
    warmup: int = 0
    timeout_s: float = limits.PROOF_POINT_TIMEOUT_S


def asked_of(marks: Mapping[str, pytest.Mark]) -> Asked:
    """What these marks ask for.

    Raises:
        UsageError: their arguments make no sense.
    """
    asked = Asked()
    longest_s = 0.0
    for name, mark in marks.items():
        asked = _FUNCTIONS[name](asked, *_bound(name, mark))
        longest_s = max(longest_s, asked.timeout_s)
    return replace(asked, timeout_s=longest_s)


def trouble_with(item: pytest.Item, marks: Mapping[str, pytest.Mark]) -> str:
    """Why the marks cannot go with this test; empty if they can."""
    if not isinstance(item, pytest.Function):
        return f"{_listed(marks)} marks test functions, and this is a {type(item).__name__}."
    unittest = sys.modules.get("unittest")
    if unittest is not None and item.cls is not None and issubclass(item.cls, unittest.TestCase):
        return (
            f"{_listed(marks)} cannot measure a method of a unittest.TestCase: its set-up and its call are one step. "
            "Write a function, or a class without that base."
        )
    if CONSTANT in marks and "n" in getattr(getattr(item, "callspec", None), "params", {}):
        return "mem_constant gives the test its n, and so does parametrize: give the other one another name."
    if CONSTANT in marks and "n" not in item.fixturenames:
        return "mem_constant: the test takes no n, the number of items. Write: def test_rows(n): ..."
    return ""


def trouble_with_arguments(marks: Mapping[str, pytest.Mark]) -> str:
    """What makes no sense in the arguments of the marks; empty if all does."""
    try:
        asked_of(marks)
    except errors.UsageError as error:
        return str(error)
    return ""


def _listed(marks: Mapping[str, pytest.Mark]) -> str:
    return " and ".join(marks)


def _bound(name: str, mark: pytest.Mark) -> tuple[Any, ...]:
    """The arguments of a mark in the order of its function's, with defaults."""
    function = _FUNCTIONS[name]
    signature = inspect.signature(function)
    own = signature.replace(parameters=list(itertools.islice(signature.parameters.values(), 1, None)))
    try:
        bound = own.bind(*mark.args, **mark.kwargs)
    except TypeError as error:
        takes = ", ".join(own.parameters)
        raise errors.UsageError(f"{name}: {error}.", hint=f"It takes: {takes}.") from None
    bound.apply_defaults()
    return tuple(bound.arguments.values())


def _mem_max(asked: Asked, limit: Any, timeout: Any = limits.PROOF_POINT_TIMEOUT_S) -> Asked:
    limit_bytes = errors.bytes_of(limit, what="mem_max", least=1)
    return replace(asked, limit_bytes=limit_bytes, timeout_s=_seconds(MAX, timeout))


def _mem_constant(
    asked: Asked,
    sizes: Any = "25k..400k",
    target: Any = None,
    budget: Any = None,
    resolution: Any = limits.PROOF_RESOLUTION_BYTES,
    metric: Any = "rss",
    repeat: Any = 1,
    timeout: Any = limits.PROOF_POINT_TIMEOUT_S,
) -> Asked:
    from flatwater.proof.proving import claim_of

    if metric not in {"rss", "anon"}:
        raise errors.UsageError(f"mem_constant: metric={metric!r} is not known.", hint="Use 'rss' or 'anon'.")
    if (target is None) != (budget is None):
        raise errors.UsageError("mem_constant: target and budget go together: at so many items, within so many bytes.")
    try:
        claim = claim_of(sizes=sizes, target=target, budget=budget, resolution=resolution, repeat=repeat)
    except errors.UsageError as error:
        raise errors.UsageError(f"mem_constant: {error.args[0]}", hint=error.hint) from None
    return replace(asked, claim=claim, metric=metric, timeout_s=_seconds(CONSTANT, timeout))


def _mem_no_leaks(
    asked: Asked,
    rounds: Any = limits.LEAK_ROUNDS,
    warmup: Any = limits.LEAK_WARMUP,
    timeout: Any = limits.PROOF_POINT_TIMEOUT_S,
) -> Asked:
    for what, count, least in (("rounds", rounds, 3), ("warmup", warmup, 0)):
        if isinstance(count, bool) or not isinstance(count, int) or not least <= count <= limits.LEAK_ROUNDS_MAX:
            raise errors.UsageError(
                f"mem_no_leaks: {what}={count!r}: a number from {least} to {limits.LEAK_ROUNDS_MAX:,}."
            )
    return replace(asked, rounds=rounds, warmup=warmup, timeout_s=_seconds(NO_LEAKS, timeout))


_FUNCTIONS: dict[str, Callable[..., Asked]] = {MAX: _mem_max, CONSTANT: _mem_constant, NO_LEAKS: _mem_no_leaks}


def _seconds(name: str, timeout: str | float) -> float:
    return errors.seconds_of(timeout, what=f"{name}: timeout", most=limits.WAIT_S_MAX)
