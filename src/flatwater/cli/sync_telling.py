"""What `flatwater sync` tells while it works: a line on the terminal, events as JSON.

Covers:     phase, files, bytes, rate, time left, memory against the budget; a file of events, or standard output.
Not here:   what happens (`sync`), the report at the end (`sync.report`).
Holds:      one line; a buffer of the file.
"""

from __future__ import annotations

import json
import sys
from typing import IO, Any, Self, final

from flatwater import errors, units
from flatwater.budget.budget import Budget

_BAR_WIDTH, _BAR_FROM = 20, 100  # columns of the bar, and of a terminal that has one
_SAID = {"scan": "listing", "check": "looking at the destination", "copy": "copying", "delete": "deleting"}


@final
class Telling:
    """What one command tells. A context manager.

    Args:
        json_path: where events go, a JSON object a line; "-" is standard output, None is nowhere.
        quiet: whether there is no line.

    Raises:
        BrokenError: the file cannot be written.
    """

    def __init__(self, json_path: str | None, *, quiet: bool) -> None:
        self._json_path = json_path
        self._file: IO[str] | None = None
        is_mixed = json_path == "-" and sys.stdout.isatty()  # events and the line would stand in each other
        self._line = None if quiet or is_mixed or not sys.stderr.isatty() else _Line()

    @property
    def is_wanted(self) -> bool:
        """Whether anybody hears events."""
        return self._file is not None or self._line is not None

    def event(self, facts: dict[str, Any]) -> None:
        """One of them."""
        if self._line is not None:
            self._line.event(facts)
        if self._file is not None:
            try:
                self._file.write(json.dumps(facts) + "\n")
                if facts["event"] in {"phase", "progress", "report"}:
                    self._file.flush()
            except BrokenPipeError:
                raise
            except OSError as error:
                raise _not_written(self._json_path, error) from error

    def __enter__(self) -> Self:
        if self._json_path == "-":
            self._file = sys.stdout
        elif self._json_path is not None:
            try:
                self._file = open(self._json_path, "w", encoding="utf-8")
            except OSError as error:
                raise _not_written(self._json_path, error) from error
        if self._line is not None:
            self._line.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.stop()
        file, self._file = self._file, None
        if file is not None and file is not sys.stdout:
            file.close()


@final
class _Line:
    """The line on the terminal: as much of what is known as it has room for, without a bar on a narrow one."""

    def __init__(self) -> None:
        from rich import progress
        from rich.console import Console

        class Told(progress.ProgressColumn):
            def render(self, task: progress.Task) -> Any:
                from rich.text import Text

                room = console.width - len(task.description) - 1 - (_BAR_WIDTH + 1 if has_bar else 0)
                seconds = task.elapsed or 0.0
                left = "" if task.time_remaining is None else f"{_clock(task.time_remaining)} left"
                rate = f"{task.fields['files'] / seconds:,.0f} files/s" if seconds else ""
                told = _fitting(
                    [
                        (0, f"{task.fields['files']:,} files"), (3, units.format_bytes(task.fields["size"])), (2, rate),
                        (5, _clock(seconds)), (1, left), (4, task.fields["memory"]),
                    ],
                    room,
                )  # fmt: skip
                return Text(told, no_wrap=True, overflow="crop")

        console = Console(stderr=True)
        has_bar = console.width >= _BAR_FROM
        self._budget = Budget.current()
        columns: list[progress.ProgressColumn] = [progress.TextColumn("{task.description}", markup=False), Told()]
        if has_bar:
            columns.insert(1, progress.BarColumn(bar_width=_BAR_WIDTH))
        self._line = progress.Progress(
            *columns, console=console, transient=True, refresh_per_second=4, redirect_stdout=False
        )
        self._task: Any = None
        self._is_of_bytes = False
        self._total: int | None = None

    def event(self, facts: dict[str, Any]) -> None:
        """Show what is of interest of one."""
        if facts["event"] == "phase":
            if self._task is not None:
                self._line.remove_task(self._task)
            self._is_of_bytes = bool(facts.get("bytes"))
            self._total = facts["bytes"] if self._is_of_bytes else facts.get("files")
            self._task = self._line.add_task(
                _SAID[facts["phase"]], total=self._total, files=0, size=0, memory=self._memory()
            )
        elif facts["event"] == "progress" and self._task is not None:
            left = facts.get("left_bytes" if self._is_of_bytes else "left", 0)
            self._line.update(  # the total stays as it was: rich begins to measure anew with another one
                self._task, completed=facts["files"] if self._total is None else self._total - left,
                files=facts["files"], size=facts.get("bytes", 0), memory=self._memory(),
            )  # fmt: skip

    def _memory(self) -> str:
        from flatwater.watch.account import promised_and_seen

        seen = promised_and_seen(self._budget)
        return f"{units.format_bytes(seen.anon if seen.anon >= 0 else seen.rss)} of {units.format_bytes(self._budget.limit)}"

    def start(self) -> None:
        self._line.start()

    def stop(self) -> None:
        self._line.stop()


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def _fitting(parts: list[tuple[int, str]], room: int) -> str:
    """As many texts as there is room for, in their order; those with the highest numbers are left out first."""
    parts = [part for part in parts if part[1]]
    while len(parts) > 1 and len(", ".join(text for _rank, text in parts)) > room:
        parts.remove(max(parts))
    return ", ".join(text for _rank, text in parts)


def _not_written(path: str | None, error: OSError) -> errors.BrokenError:
    return errors.BrokenError(f"{path}: events cannot be written: {(error.strerror or str(error)).lower()}.")
