"""Options that several commands take: kinds of values, and the budget.

Covers:     sizes in bytes, durations; a budget for a block.
Not here:   the commands.
Holds:      nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from flatwater import limits, units


class BytesType(click.ParamType[int]):
    """A size such as 256MiB; `least` and what is said below it belong together."""

    name = "size"

    def __init__(self, least: int = limits.LIMIT_BYTES_MIN, why: str = "no program fits into less than") -> None:
        self.least = least
        self.why = why

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes, at least the least."""
        try:
            count = units.parse_bytes(value)  # type: ignore[arg-type]  # it refuses what is no size
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        if count < self.least:
            self.fail(f"{value!r}: {self.why} {units.format_bytes(self.least)}.", param, ctx)
        return count


class SecondsType(click.ParamType[float]):
    """A duration such as 250ms or 10s."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        try:
            return units.parse_duration(value)  # type: ignore[arg-type]  # it refuses what is no duration
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


@contextlib.contextmanager
def budget_of(size: int | None, name: str) -> Iterator[None]:
    """A budget for a block, or the one that there is."""
    from flatwater.budget.budget import Budget

    if size is None:
        yield
    else:
        with Budget(size, name=name):
            yield
