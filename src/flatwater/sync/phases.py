"""What each phase of a run took: time, memory, files a second, growth of the state.

Covers:     measuring them, the table at the end, thresholds from which on one is told of.
Not here:   what a phase does.
Holds:      a line for each phase.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, final

from flatwater import units
from flatwater.meter.measuring import measure
from flatwater.sync.state import State


@final
@dataclass(slots=True)
class Phase:
    """One of them.

    Attributes:
        name: scan, check, copy, delete.
        files: that it looked at, copied, deleted.
        bytes: of these, where it is of interest.
        seconds: by the clock.
        cpu_s: processor seconds of the process.
        peak_rss: the most resident memory of the process meanwhile.
        peak_anon: the most of it that is anonymous; the rest is pages of the state's file, which the kernel takes back.
        state_bytes: of the state on disk at its end.
        state_growth: of these, since its beginning.
    """

    name: str
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_rss: int = 0
    peak_anon: int = 0
    state_bytes: int = 0
    state_growth: int = 0

    @property
    def files_per_s(self) -> float:
        """By the clock."""
        return self.files / self.seconds if self.seconds > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "files_per_s": round(self.files_per_s, 1)}


@final
class Phases:
    """Those of one run, in their order.

    Args:
        state: whose size is looked at.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.done: list[Phase] = []

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Measure a block; the phase is listed also if it raises."""
        phase = Phase(name)
        before = self._state.file_bytes
        measured = measure(f"sync {name}", gc=False)
        measured.__enter__()
        try:
            yield phase
        finally:
            measured.__exit__(None, None, None)
            reading = measured.reading
            phase.seconds, phase.cpu_s = reading.wall_s, reading.cpu_s
            phase.peak_rss, phase.peak_anon = reading.peak_rss, reading.peak_anon
            phase.state_bytes = self._state.file_bytes
            phase.state_growth = phase.state_bytes - before
            self.done.append(phase)


def table(phases: list[Phase]) -> str:
    """A line for each phase, for people."""
    rows = [("phase", "files", "files/s", "bytes", "time", "CPU", "peak RSS", "anonymous", "state", "growth")]
    rows += [
        (
            each.name, f"{each.files:,}", f"{each.files_per_s:,.0f}", units.format_bytes(each.bytes) if each.bytes else "-",
            f"{each.seconds:.1f} s", f"{each.cpu_s:.1f} s", units.format_bytes(each.peak_rss), units.format_bytes(each.peak_anon),
            units.format_bytes(each.state_bytes), _signed(each.state_growth),
        )
        for each in phases
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def alerts(
    phases: list[Phase], state_before: int, *, rss: int | None, files_per_s: float | None, growth: float | None
) -> list[str]:
    """What went over a threshold, a sentence each.

    Args:
        phases: of a run.
        state_before: bytes of the state when the run began.
        rss: resident bytes, at most.
        files_per_s: of a scan, at least; short ones, of under a second, are not asked.
        growth: of the state, as a share of what it had, at most.
    """
    found = []
    peak = max((each.peak_rss for each in phases), default=0)
    if rss is not None and peak > rss:
        found.append(f"memory: {units.format_bytes(peak)} resident, above {units.format_bytes(rss)}.")
    if files_per_s is not None:
        found += [
            f"rate: {each.files_per_s:,.0f} files/s in the scan, below {files_per_s:,.0f}."
            for each in phases
            if each.name == "scan" and each.seconds >= 1 and each.files_per_s < files_per_s
        ]
    if growth is not None and phases and state_before:
        share = (phases[-1].state_bytes - state_before) / state_before
        if share > growth:
            found.append(f"growth: the state grew by {share:.0%}, above {growth:.0%}.")
    return found


def _signed(count: int) -> str:
    return f"{'-' if count < 0 else '+'}{units.format_bytes(abs(count))}" if count else "0 B"
