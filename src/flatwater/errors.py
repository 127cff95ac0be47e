"""Every error Flatwater raises, split by whose fault it is.

Covers:     one base with a hint; misuse, closed objects, refused bytes, count limits, a broken world, missing extras; sizes, counts and times that users pass (`bytes_of`, `count_of`, `seconds_of`).
Not here:   exit codes (`cli.main` maps errors to them).
Holds:      the figures of one refusal.

A programmer's error inside Flatwater is an `assert`; what a user can meet is one of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from flatwater import units


class FlatwaterError(Exception):
    """Base of all errors. `hint` says what to do about it, in one sentence; empty if the message does."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.hint}" if self.hint else message


class UsageError(FlatwaterError, ValueError):
    """You passed something impossible. You do not get it for data: only for what the program's text decides."""


class ClosedError(FlatwaterError):
    """You used an object after closing, releasing or forking it."""


class BudgetExceeded(FlatwaterError):  # noqa: N818 - the design's public name
    """A budget refused bytes, after asking its shedders to give some back.

    You do not get it from the operating system running out of memory: that is `MemoryError`.

    Attributes:
        asked: bytes asked for.
        held: bytes held in the budget that refused, at that moment.
        limit: bytes of that budget.
        holders: `(name, bytes)` of the largest holders, largest first.
    """

    def __init__(
        self,
        message: str,
        *,
        asked: int,
        held: int,
        limit: int,
        holders: Sequence[tuple[str, int]] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.asked = asked
        self.held = held
        self.limit = limit
        self.holders = tuple(holders)

    @classmethod
    def refusal(
        cls,
        holder: str,
        *,
        asked: int,
        held: int,
        limit: int,
        holders: Sequence[tuple[str, int]] = (),
        reason: str = "",
        hint: str = "Raise the budget, or lower what the holders take.",
    ) -> Self:
        """The house's form of a refusal.

        >>> mib = 1 << 20
        >>> print(BudgetExceeded.refusal("flow.pmap", asked=4*mib, held=61*mib, limit=64*mib,
        ...       holders=[("store.cache", 40*mib), ("flow.pmap", 21*mib)]))
        refused 4.0 MiB for 'flow.pmap': 61.0 MiB of 64.0 MiB held (store.cache 40.0 MiB, flow.pmap 21.0 MiB). Raise
        the budget, or lower what the holders take.
        """
        named = ", ".join(f"{name} {units.format_bytes(count)}" for name, count in holders)
        message = (
            f"refused {units.format_bytes(asked)} for {holder!r}: {units.format_bytes(held)} of "
            f"{units.format_bytes(limit)} held" + (f" ({named})" if named else "") + (f"; {reason}" if reason else "")
        )
        return cls(f"{message}.", asked=asked, held=held, limit=limit, holders=holders, hint=hint)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default reduction, and a refusal in a worker must reach its parent.
        figures = (type(self), self.args[0], self.asked, self.held, self.limit, self.holders, self.hint)
        return _rebuild_budget_exceeded, figures


class HoldAndWait(BudgetExceeded, UsageError):  # noqa: N818 - named for what was done
    """You hold bytes of a budget and asked to wait for more of it. Two that do so may wait for each other for ever.

    It is a refusal, and the program's text decides it, so it is both.
    """

    @classmethod
    def refusal(cls, holder: str, **figures: Any) -> Self:
        """As `BudgetExceeded.refusal`, with the reason and the way out."""
        figures["reason"] = f"{holder!r} already holds bytes of this budget, and who holds may not wait"
        figures["hint"] = "Reserve once, all that is needed, before the work starts; or ask without wait_s."
        return super().refusal(holder, **figures)


class LimitReached(FlatwaterError):  # noqa: N818 - the design's public name
    """A count or time limit (not a byte budget) is reached.

    Attributes:
        what: the name of the limit.
        limit: its value.
    """

    def __init__(self, message: str, *, what: str = "", limit: float = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.what = what
        self.limit = limit


class BrokenError(FlatwaterError):
    """The world broke: a disk, a network, a database, a child process. `__cause__` is set where there is one."""


class CorruptError(BrokenError):
    """What was written is not what is read back."""


class ProofFailed(FlatwaterError):  # noqa: N818 - the design's public name
    """A claim about memory does not hold."""


class MissingExtra(FlatwaterError, ImportError):  # noqa: N818 - the design's public name
    """A feature needs an optional dependency.

    >>> print(MissingExtra("tables", "psycopg"))
    this needs psycopg, which is not installed. Run: pip install 'flatwater[tables]'
    """

    def __init__(self, extra: str, needs: str) -> None:
        super().__init__(f"this needs {needs}, which is not installed.", hint=f"Run: pip install 'flatwater[{extra}]'")
        self.extra = extra
        self.needs = needs

    def __reduce__(self) -> tuple[object, ...]:
        return MissingExtra, (self.extra, self.needs)


def bytes_of(value: str | int, *, what: str = "a size", least: int = 0) -> int:
    """`value` as bytes, for anything a user passes.

    Raises:
        UsageError: it is not a size, or is below `least`; names `what` was being set.

    >>> bytes_of("64 KiB", what="batch_bytes")
    65536
    """
    try:
        count = units.parse_bytes(value)
    except ValueError as error:
        raise UsageError(f"{what}: {error}.") from None
    if count < least:
        floor = units.format_bytes(least)
        raise UsageError(f"{what}: {value!r} is too small.", hint=f"The least that makes sense is {floor}.")
    return count


def count_of(value: int, *, what: str, most: int) -> int:
    """`value` as a count from 1 to `most`, for anything a user passes.

    Raises:
        UsageError: it is no such number; names `what` was being set.

    >>> count_of(500, what="rows", most=1_000)
    500
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise UsageError(f"{what}={value!r} is no whole number from 1 to {most}.")
    return value


def seconds_of(value: str | float, *, what: str, most: float) -> float:
    """`value` as seconds, more than none and at most `most`, for any time that a user passes.

    Raises:
        UsageError: it is no duration, or out of these bounds; names `what` was being set.

    >>> seconds_of("2 min", what="timeout", most=86_400)
    120.0
    """
    try:
        seconds = units.parse_duration(value)
    except ValueError as error:
        raise UsageError(f"{what}: {error}.") from None
    if not 0 < seconds <= most:
        raise UsageError(f"{what}={value!r}: more than 0, and at most {most} seconds.")
    return seconds


def check_function(given: object, *, what: str = "", hint: str) -> None:
    """Refuse what a thread cannot call: no function, or a coroutine function, which nobody there would await.

    Raises:
        UsageError: so it is; names `what` was being set.

    >>> check_function(print, hint="Pass a function.")
    """
    import inspect  # takes longer than all else here

    name = f"{what}={given!r}" if what else repr(given)
    if not callable(given):
        raise UsageError(f"{name} cannot be called.", hint=hint)
    call = getattr(type(given), "__call__", None)  # noqa: B004 - an object may be a coroutine function
    if inspect.iscoroutinefunction(given) or inspect.iscoroutinefunction(call):
        raise UsageError(f"{name} is a coroutine function, which nobody here would await.", hint=hint)


def _rebuild_budget_exceeded(
    kind: type[BudgetExceeded],
    message: str,
    asked: int,
    held: int,
    limit: int,
    holders: tuple[tuple[str, int], ...],
    hint: str,
) -> BudgetExceeded:
    return kind(message, asked=asked, held=held, limit=limit, holders=holders, hint=hint)
