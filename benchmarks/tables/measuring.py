"""What contestants of tables share: memory above their own start, and the check that all rows were read.

The peak of a process is set back before the work, so that what imports needed for a moment does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.case import Run
from benchmarks.tables import people

FIGURES = {"delta_mb": "MB above its start"}


def resident_mb(what: str, process: str = "self") -> float:
    """VmRSS or VmHWM of a process."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith(what))


class Above:
    """How far memory rises above what it is now."""

    def __init__(self) -> None:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        self.before_mb = resident_mb("VmRSS")

    def figures(self) -> dict[str, float]:
        """The peak since then."""
        return {"delta_mb": resident_mb("VmHWM") - self.before_mb}


def check(wanted: dict[str, int], count: int, years: int, characters: int) -> None:
    """Every row was read, every date parsed."""
    got = {"rows": count, "years": years, "characters": characters}
    assert got == wanted, f"{got} is not {wanted}"


def objects(size: int, start: Callable[[], Iterable[Any]]) -> Run:
    """Rows with attributes: every year and every address is touched."""
    wanted = people.expected(size)

    def run() -> dict[str, float]:
        above = Above()
        count = years = characters = 0
        for row in start():
            count += 1
            years += row.created_at.year
            characters += len(row.email)
        check(wanted, count, years, characters)
        return above.figures()

    return run
