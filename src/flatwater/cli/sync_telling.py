"""What `flatwater sync` tells while it works: a line on the terminal, events as JSON.

Covers:     phase, files, bytes, rate, time left, memory against the budget; a file of events, or standard output.
Not here:   what happens (`sync`), the report at the end (`sync.report`).
Holds:      one line; a buffer of the file.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import IO, Any, Self, final

from flatwater import errors, units
from flatwater.budget.budget import Budget

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
        self._line = None if quiet or not sys.stderr.isatty() else _Line()

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
    """The line on the terminal."""

    def __init__(self) -> None:
        from rich import progress
        from rich.console import Console

        self._budget = Budget.current()
        self._line = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(bar_width=20),
            progress.TextColumn("{task.fields[files]} files, {task.fields[size]}, {task.fields[rate]}", markup=False),
            progress.TimeElapsedColumn(),
            progress.TextColumn("left", markup=False),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[memory]}", markup=False),
            console=Console(stderr=True), transient=True, refresh_per_second=4,
        )  # fmt: skip
        self._task: Any = None

    def event(self, facts: dict[str, Any]) -> None:
        """Show what is of interest of one."""
        if facts["event"] == "phase":
            if self._task is not None:
                self._line.remove_task(self._task)
            total = facts.get("files")
            self._task = self._line.add_task(
                _SAID[facts["phase"]], total=total, files="0", size="0 B", rate="", memory=self._memory()
            )
        elif facts["event"] == "progress" and self._task is not None:
            files = facts["files"]
            seconds = self._line.tasks[-1].elapsed or 0.0
            rate = f"{files / seconds:,.0f} files/s" if seconds else ""
            total = files + facts["left"] if "left" in facts else None
            size = facts.get("bytes", 0)
            done, whole = (size, size + facts["left_bytes"]) if facts.get("left_bytes") else (files, total)
            self._line.update(
                self._task, completed=done, total=whole, files=f"{files:,}", size=units.format_bytes(size), rate=rate,
                memory=self._memory(),
            )  # fmt: skip

    def _memory(self) -> str:
        from flatwater.watch.account import promised_and_seen

        seen = promised_and_seen(self._budget)
        return f"{units.format_bytes(seen.anon if seen.anon >= 0 else seen.rss)} of {units.format_bytes(self._budget.limit)}"

    def start(self) -> None:
        self._line.start()

    def stop(self) -> None:
        self._line.stop()


@contextlib.contextmanager
def budget_of(size: int | None) -> Iterator[None]:
    """A budget for a block, or the one that there is."""
    if size is None:
        yield
    else:
        with Budget(size, name="sync"):
            yield


def _not_written(path: str | None, error: OSError) -> errors.BrokenError:
    return errors.BrokenError(f"{path}: events cannot be written: {(error.strerror or str(error)).lower()}.")
