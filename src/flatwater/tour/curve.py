"""How resident bytes went while a step ran, seen from outside, so that it is known also of a process that was killed.

Covers:     a thread that samples a worker and all below it, and reads from its notes which step it is in.
Not here:   the exact high-water mark (`tour.guide` reads it inside), sampling a tree (`meter.tree`), drawing (`cli.reports`).
Holds:      a thread, what a `Tree` holds, and `limits.TOUR_CURVE_POINTS` points for each step.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, final

from flatwater import errors, limits, units
from flatwater.meter.timeline import Timeline
from flatwater.meter.tree import Tree

_PERIOD_S = 0.01
_STACK_BYTES = 512 * units.KIB
_READ_BYTES = units.MIB  # of notes at a time


@dataclass(frozen=True, slots=True)
class Curve:
    """Resident bytes above the baseline, its processes with it.

    Attributes:
        t_s: seconds since the step began, of each point.
        bytes: the highest in the time before that.
    """

    t_s: tuple[float, ...] = ()
    bytes: tuple[int, ...] = ()

    @property
    def peak(self) -> int:
        """The highest of all, 0 if there are none."""
        return max(self.bytes, default=0)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"t_s": list(self.t_s), "bytes": list(self.bytes)}


@dataclass(slots=True)
class _Step:
    name: str
    base: int
    begun_s: float
    line: Timeline = field(default_factory=lambda: Timeline(points_max=limits.TOUR_CURVE_POINTS))


@final
class Curves:
    """Samples a process in a `with`. For one use.

    Args:
        pid: tells the process; 0 while there is none.
        notes_path: where it writes down what it does, a line of JSON for each thing.
        tell: is called with the name of each step as it begins, in the thread that samples; it must not fail.
    """

    def __init__(self, pid: Callable[[], int], notes_path: str, tell: Callable[[str], None] | None = None) -> None:
        self._pid = pid
        self._notes_path = notes_path
        self._tell = tell
        self._end = threading.Event()
        self._read = 0  # of the notes
        self._base = 0
        self._steps: list[_Step] = []
        self._running: _Step | None = None
        before = threading.stack_size(_STACK_BYTES)
        try:
            self._thread = threading.Thread(target=self._watch, daemon=True, name="flatwater-tour-curves")
            self._thread.start()
        finally:
            threading.stack_size(before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def of(self, step: str) -> Curve:
        """What was seen of a step; no points if it was over before anybody looked."""
        for one in self._steps:
            if one.name == step:
                points = one.line.points()
                return Curve(
                    tuple(round(point.t_s, 3) for point in points),
                    tuple(max(0, point.rss_max - one.base) for point in points),
                )
        return Curve()

    def _watch(self) -> None:
        tree: Tree | None = None
        try:
            while not self._end.wait(_PERIOD_S):
                self._look_at_notes()
                if tree is None and (pid := self._pid()):
                    tree = Tree(pid, include_root=True, wait_for_program=True)
                running = self._running
                if tree is None or running is None:
                    continue
                now = time.monotonic()
                try:
                    rss, anon = tree.sample()
                except (OSError, errors.FlatwaterError):  # it cannot be sampled here, or has ended
                    continue
                if rss and tree.root_pid in tree.members:  # what outlives it for a moment is not its curve
                    running.line.add(now - running.begun_s, rss, anon)
        finally:
            if tree is not None:
                tree.close()

    def _look_at_notes(self) -> None:
        try:
            with open(self._notes_path, "rb") as file:
                file.seek(self._read)
                text = file.read(_READ_BYTES)
        except OSError:  # it has not begun
            return
        whole = text.rpartition(b"\n")[0]
        if not whole:
            return
        self._read += len(whole) + 1
        for line in whole.splitlines():
            try:
                self._note(json.loads(line))
            except ValueError:
                continue

    def _note(self, facts: dict[str, Any]) -> None:
        if baseline := facts.get("baseline"):
            self._base = int(baseline["rss_bytes"])
        if name := facts.get("running"):
            is_step = self._base > 0  # before there is a baseline, steps are prepared
            self._running = _Step(name, self._base, time.monotonic()) if is_step else None
            if self._running is not None:
                self._steps.append(self._running)
            if self._tell is not None:
                self._tell(name)
        elif "row" in facts or "running" in facts:
            self._running = None
