"""A line on the terminal that says how far a run is: items, rate, time left, memory against the budget.

Covers:     what it shows, how often.
Not here:   drawing it (rich), how far the source is (`pipeline.sources`).
Holds:      one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, final

from flatwater import units
from flatwater.budget.budget import Budget
from flatwater.watch.account import promised_and_seen

if TYPE_CHECKING:
    from flatwater.pipeline.reading import Position
    from flatwater.pipeline.sources import Source

_PER_SECOND = 4  # times that it is drawn


@final
class Progress:
    """The line of one run. A context manager. Where standard error is no terminal, nothing is shown.

    Args:
        source: of the flow.
        budget: that the run takes from.
        start: where the run begins in its source.
    """

    def __init__(self, source: Source, budget: Budget, start: Position) -> None:
        from rich import progress
        from rich.console import Console

        self._budget = budget
        self._total, self._unit = source.total
        self._line = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(bar_width=24),
            progress.TaskProgressColumn(),
            progress.TextColumn("{task.fields[items]} items, {task.fields[rate]}/s", markup=False),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[memory]}", markup=False),
            console=Console(stderr=True),
            refresh_per_second=_PER_SECOND,
            transient=False,
        )
        self._line.disable = not self._line.console.is_terminal
        self._first = start.count
        self._task = self._line.add_task(
            source.name, total=self._total or None, items="0", rate="0", memory="", completed=self._done(start)
        )
        self._line.tasks[0].fields["memory"] = self._memory()
        self._due = 0.0

    def update(self, position: Position) -> None:
        """The source is there now; drawn a few times a second."""
        now = self._line.get_time()
        if now < self._due:
            return
        self._due = now + 1 / _PER_SECOND
        self._show(position)

    def finish(self, position: Position) -> None:
        """All is done."""
        self._show(position)
        done = self._total or max(1, position.count)
        self._line.update(self._task, total=done, completed=done)

    def _show(self, position: Position) -> None:
        seconds = self._line.tasks[0].elapsed or 0.0
        rate = (position.count - self._first) / seconds if seconds else 0.0
        fields: dict[str, Any] = {"items": f"{position.count:,}", "rate": f"{rate:,.0f}", "memory": self._memory()}
        self._line.update(self._task, completed=self._done(position), **fields)

    def _done(self, position: Position) -> int:
        if self._unit == "items":
            return position.count
        return position.token if isinstance(position.token, int) else 0

    def _memory(self) -> str:
        seen = promised_and_seen(self._budget)
        return f"{units.format_bytes(seen.rss)} of {units.format_bytes(self._budget.limit)}"

    def __enter__(self) -> Self:
        self._line.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.stop()
