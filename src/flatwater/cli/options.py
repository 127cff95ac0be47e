"""Options that several commands take: kinds of values, the budget, where figures go.

Covers:     sizes in bytes, durations; a budget for a block; `--json`, `--quiet`, and those of a measurement.
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


json_option = click.option(
    "--json", "json_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write the figures; - is stdout."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")

# Of a measurement of a scenario, alone or beside others.
setup_option = click.option(
    "--setup", metavar="NAME", help="A function of n called before each run, outside the measurement."
)
resolution_option = click.option(
    "--resolution", type=BytesType(1, "at least"), default=limits.PROOF_RESOLUTION_BYTES, metavar="SIZE",
    help=f"Bytes per item that must show, where there is no target.  [default: {limits.PROOF_RESOLUTION_BYTES}]",
)  # fmt: skip
run_timeout_option = click.option(
    "--timeout", type=SecondsType(), default=limits.PROOF_POINT_TIMEOUT_S, metavar="TIME",
    help=f"For one run.  [default: {limits.PROOF_POINT_TIMEOUT_S:g}s]",
)  # fmt: skip
