"""Carry a sync out: scan, copy, delete, in an order that nothing is lost by, whatever ends it in between.

Covers:     the phases and their order, going on behind a killed run, what is reported.
Not here:   the phases themselves (`sync.scanning`, `sync.auditing`, `sync.copying`, `sync.deleting`).
Holds:      what a job holds.

The order: what a killed run left is finished first, as far as it copies; then everything is listed; then what is gone is
known, if the listing was complete; then files are copied; then others are deleted, if no more than allowed; then those are
copied that something stood in the way of. Nothing is deleted before everything is copied that can be.
"""

from __future__ import annotations

import time
from typing import final

from flatwater import limits
from flatwater.sync.auditing import Difference, adopting
from flatwater.sync.copying import Copying, Outcome, held_by
from flatwater.sync.deleting import Guard, count_to_delete, delete, recognizing
from flatwater.sync.failures import Failure
from flatwater.sync.job import Job
from flatwater.sync.pacing import FREE, Limited
from flatwater.sync.phases import Phase, alerts
from flatwater.sync.record import unpacked
from flatwater.sync.remote import text_of
from flatwater.sync.report import Report
from flatwater.sync.scanning import finalize
from flatwater.sync.state import Work
from flatwater.sync.status import Status
from flatwater.sync.transfer import Transfer, content_md5


@final
class Applying:
    """One run.

    Args:
        job: its remotes and its state, open.
        guard: how much it may delete.
    """

    def __init__(self, job: Job, guard: Guard) -> None:
        self._job = job
        self._guard = guard
        job.state.run.is_unclean = job.state.run.is_unclean or bool(job.state.run.phase)
        options = job.options
        self._transfer = Transfer(
            job.source, job.destination, verify=options.verify, needs_md5=job.comparison.name == "checksum",
            bandwidth=Limited(int(options.bandwidth)) if options.bandwidth else FREE, stop=job.retrying.stop,
        )  # fmt: skip
        self._phase: Phase | None = None
        self.report = Report(
            source=job.source.url, destination=job.destination.url, state=job.state.path, compared=job.comparison.said
        )

    def run(self) -> Report:
        """Do it all.

        Raises:
            Failure: a remote could not be listed, or not be used at all; the next run goes on.
            DeleteGuard: too many would be deleted; everything else was done.
        """
        job, report = self._job, self.report
        try:
            is_listed = self._finish_what_was_left() and not job.options.rescan
            if not is_listed:
                self._scan(resume=False)
            if job.state.run.is_complete:
                finalize(job.state, job.takes)
            if job.options.check_destination:
                self._look()
            report.failed, report.failures = 0, []  # what failed while a killed run was finished is tried again
            blocked = self._copy(is_last=False)
            refusal = self._delete()
            if blocked:
                self._copy(is_last=True)
            job.state.run.phase = ""
            if job.state.count(Status.SYNCED) == job.state.count(*Status):
                job.state.run.is_unclean = False
                job.state.forget_versions()
            job.state.commit()
            report.left = self._left()
        finally:
            self._sum_up()
        if refusal:
            raise self._guard.error(*refusal, job.destination.url, report)
        return report

    def _left(self) -> int:
        """Files that are still to be copied for the first time in their version: of those that are taken."""
        state, takes = self._job.state, self._job.takes
        if takes is None or not state.count(Status.NEW):
            return state.count(Status.NEW)
        left = 0
        for page in state.todo(Work.COPY):
            values = state.records([path for path, _size in page if takes(path)])
            left += sum(value is not None and unpacked(value).status is Status.NEW for value in values)
        return left

    def _finish_what_was_left(self) -> bool:
        """Go on with the run before, if it was killed; whether its listing is over now and all of it copied."""
        job = self._job
        run = job.state.run
        age_s = time.time() - run.scan_begun_s
        is_same = (run.compared, run.patterns) == (job.comparison.name, job.patterns.said)
        if not run.phase or not is_same or not 0 <= age_s <= limits.SYNC_RESUME_S:
            return False
        begun = time.strftime("%H:%M:%S", time.localtime(run.scan_begun_s))
        if run.phase == "scan":
            done = sum(each.is_done for each in job.state.ranges())
            self.report.resumed = (
                f"went on with the listing that began at {begun} and was not ended, {done} parts of it done"
            )
            job.tell("resumed", phase="scan", begun=begun)
            self._scan(resume=True)
        else:
            self.report.resumed = (
                f"went on with the run that began at {begun} and was not ended, in its phase {run.phase}"
            )
            job.tell("resumed", phase=run.phase, begun=begun)
        if not job.options.check_destination:  # it may say that some are there already
            self._copy(is_last=False)
        return True

    def _scan(self, *, resume: bool) -> None:
        job, report = self._job, self.report
        with job.phases.phase("scan") as phase:
            job.tell("phase", phase="scan", resumed=resume)
            scan, listing = job.scan(phase, resume=resume)
        report.files = scan.files
        report.new += scan.new
        report.changed += scan.changed
        report.missing += scan.missing
        report.unread, report.unread_folders = listing.unread_count, listing.unread
        job.state.run.phase = "copy"
        job.state.commit()

    def _look(self) -> None:
        job, report = self._job, self.report
        adopts = adopting(
            job.source, job.destination, job.comparison.name, lambda entry: content_md5(job.source, entry.path)
        )

        def tell(found: Difference) -> None:
            if job.is_heard:
                job.tell(found.kind, path=text_of(found.path), bytes=found.size)

        with job.phases.phase("check") as phase:
            job.tell("phase", phase="check")
            looked, listing = job.look(phase, tell, repairs=True, adopts=adopts)
        report.repaired = looked.missing + looked.altered
        report.adopted = looked.adopted
        report.unread += listing.unread_count
        report.unread_folders += listing.unread[: limits.SYNC_FAILURES_KEPT - len(report.unread_folders)]

    def _copy(self, *, is_last: bool) -> int:
        """Copy what is to be copied; how many files something stood in the way of."""
        job = self._job
        state = job.state
        if not state.count(Status.NEW, Status.ERROR):
            return 0
        with job.phases.phase("copy") as phase:
            job.tell("phase", phase="copy", files=state.count(Status.NEW, Status.ERROR), bytes=state.run.copy_bytes)
            self._phase = phase
            copying = Copying(
                state, self._transfer, job.destination, workers=job.workers, retrying=job.retrying, window=job.window,
                held_bytes=held_by(job.destination), takes=job.takes, is_last=is_last, report=self._copied,
            )  # fmt: skip
            copying.run()
        return copying.blocked

    def _copied(self, outcome: Outcome) -> None:
        job, report, phase = self._job, self.report, self._phase
        assert phase is not None
        path = outcome.task.path
        if outcome.kind == "copied":
            report.copied += 1
            report.copied_bytes += outcome.bytes
            phase.files += 1
            phase.bytes += outcome.bytes
        elif outcome.kind == "failed":
            report.failed += 1
            if len(report.failures) < limits.SYNC_FAILURES_KEPT:
                report.failures.append((path, outcome.reason))
        elif outcome.kind == "gone":
            report.gone += 1
        if job.is_heard:
            if outcome.kind in {"copied", "failed", "gone"}:
                job.tell(outcome.kind, path=text_of(path), bytes=outcome.bytes, reason=outcome.reason)
            left = job.state.count(Status.NEW, Status.ERROR)
            job.tell_progress(
                "copy", files=phase.files, bytes=phase.bytes, left=left, left_bytes=job.state.run.copy_bytes
            )

    def _delete(self) -> tuple[int, int] | None:
        """Delete what is gone; where that is too much, how much it is, of how much, and nothing was deleted."""
        job, report = self._job, self.report
        if not job.options.delete or not job.state.run.is_complete or report.unread:
            return None
        wanted = count_to_delete(job.state, job.takes)
        if not wanted:
            return None
        copies = wanted + job.state.count(Status.SYNCED)
        if self._guard.refusal(wanted, copies, job.destination.url):
            return wanted, copies
        job.state.run.phase = "delete"
        job.state.commit()

        def told(path: bytes, failure: Failure | None) -> None:
            if failure is None:
                report.deleted += 1
                phase.files += 1
            else:
                report.not_deleted += 1
                if len(report.failures) < limits.SYNC_FAILURES_KEPT:
                    report.failures.append((path, str(failure)))
            if job.is_heard:
                job.tell("deleted" if failure is None else "not deleted", path=text_of(path), reason=str(failure or ""))
                job.tell_progress("delete", files=phase.files, left=wanted - phase.files)

        with job.phases.phase("delete") as phase:
            job.tell("phase", phase="delete", files=wanted)
            delete(
                job.state, job.destination, workers=job.workers, retrying=job.retrying, takes=job.takes,
                discards=job.state.run.is_unclean, is_ours=recognizing(job.source, job.destination), report=told,
            )  # fmt: skip
        return None

    def _sum_up(self) -> None:
        job, report = self._job, self.report
        report.phases = job.phases.done
        report.counts = {status.name: job.state.count(status) for status in Status}
        report.promised = job.budget.held
        options = job.options
        report.alerts = alerts(
            job.phases.done, job.state_before, rss=options.alert_rss if isinstance(options.alert_rss, int) else None,
            files_per_s=options.alert_files_per_s,
            growth=options.alert_growth if isinstance(options.alert_growth, float) else None,
        )  # fmt: skip
