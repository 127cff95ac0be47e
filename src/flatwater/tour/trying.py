"""Each step once more, alone under a limit of just what it promised; and its naive twin under the same limit.

Covers:     which steps are tried, their folders, what came of them.
Not here:   what happens inside (`tour.guide`, `tour.twin`), the tour before it (`tour.walking`).
Holds:      a handle on one process at a time, and the curves.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flatwater import errors, limits
from flatwater.tour import notes
from flatwater.tour.guide import Errand, guide
from flatwater.tour.inputs import Root
from flatwater.tour.outing import close, send
from flatwater.tour.promise import Limit
from flatwater.tour.report import Row, TourReport
from flatwater.tour.step import Inputs, load
from flatwater.tour.trial import Run, Trial
from flatwater.tour.twin import Task, TwinErrand, twin
from flatwater.worker.limit import LimitGroup, make_limit

START_S = 30.0  # for a process to start and to import, before its time begins
STEP_MARGIN_S = 60.0  # beyond a step's time, before it is taken for stuck


@dataclass(frozen=True, slots=True)
class Trying:
    """What all trials of a tour have in common.

    Attributes:
        roots: where real files are found.
        seconds: that a step is given.
        made: where the table and the page are.
        folder: a place for what they write, which is emptied after each.
        limit_kind: that was asked for.
        tell: is called with the name of each step, and of each twin.
    """

    roots: tuple[Root, ...]
    seconds: float
    made: str
    folder: str
    limit_kind: str
    tell: Callable[[str], None]

    def trials(self, steps: dict[str, str], rows: list[Row]) -> Iterator[Trial]:
        """One for each row that was not left out.

        Args:
            steps: "module:Class" of each, by name.
            rows: what they did in the tour.
        """
        for row in rows:
            if "left_out" in row.details:
                continue
            self.tell(f"{row.step}, alone")
            limit = max(row.promised, limits.LIMIT_BYTES_MIN)
            alone, told = self._alone(steps[row.step], limit, row.step)
            twin_module = str(getattr(load([steps[row.step]])[0], "naive", ""))
            naive = None
            if twin_module:
                self.tell(f"{row.step}, naive")
                naive = self._naive(twin_module, limit, told or row)
            yield Trial(row.step, limit, alone, naive, twin_module)

    def _alone(self, step: str, limit_bytes: int, name: str) -> tuple[Run, Row | None]:
        folder, notes_path = self._place()
        group = make_limit(limit_bytes, kind=self.limit_kind, name="tour")
        try:
            errand = Errand(
                (step,),
                Inputs(self.roots, self.seconds, folder, self.made),
                self._limit(group, limit_bytes),
                notes_path,
            )
            try:
                end = send(guide, errand, group, notes_path=notes_path, timeout_s=self.seconds + STEP_MARGIN_S)
            except errors.FlatwaterError as error:
                return Run("failed", 0.0, -1, words=str(error)), None
        finally:
            close(group)
        report = TourReport(limit_bytes, limit_bytes, group.kind)
        notes.read(notes_path, report)
        row = next(iter(report.rows), None)
        curve = end.curves.of(name)
        done = Run(
            end.kind, row.wall_s if row else max(curve.t_s, default=0.0), row.seen if row else curve.peak,
            row.items if row else 0, report.limit, report.baseline, end.words, curve,
        )  # fmt: skip
        self._clear()
        return done, row

    def _naive(self, module: str, limit_bytes: int, row: Row) -> Run:
        folder, notes_path = self._place()
        group = make_limit(limit_bytes, kind=self.limit_kind, name="tour")
        try:
            task = Task(self.roots, self.made, folder, row.items, row.bytes, row.details)
            errand = TwinErrand(module, row.step, task, self._limit(group, limit_bytes), notes_path)
            begun_s = time.monotonic()
            try:
                end = send(twin, errand, group, notes_path=notes_path, timeout_s=limits.TOUR_NAIVE_S + START_S)
            except errors.FlatwaterError as error:
                return Run("failed", 0.0, -1, words=str(error))
        finally:
            close(group)
        told: dict[str, object] = {}
        for fact in notes.facts(notes_path):
            told |= fact
        curve = end.curves.of(row.step)
        began_s, seen, items = told.get("began_s", begun_s), told.get("seen", 0), told.get("items", 0)
        assert isinstance(began_s, float)
        assert isinstance(seen, int)
        assert isinstance(items, int)
        limit, baseline = told.get("limit"), told.get("baseline")
        self._clear()
        return Run(
            end.kind, end.ended_s - began_s, max(seen, curve.peak), items, limit if isinstance(limit, dict) else {},
            baseline if isinstance(baseline, dict) else {}, end.words, curve,
        )  # fmt: skip

    def _limit(self, group: LimitGroup, limit_bytes: int) -> Limit:
        return Limit(group.kind, limit_bytes, group.procs_file(), self.limit_kind == "auto")

    def _place(self) -> tuple[str, str]:
        self._clear()
        folder = os.path.join(self.folder, "alone")
        os.makedirs(folder)
        return folder, os.path.join(self.folder, "notes-alone")

    def _clear(self) -> None:
        shutil.rmtree(os.path.join(self.folder, "alone"), ignore_errors=True)
        try:
            os.unlink(os.path.join(self.folder, "notes-alone"))
        except FileNotFoundError:
            return
