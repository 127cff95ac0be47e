"""A source, a destination, and what is known of every file between them: plan, apply, audit.

Covers:     the public class: arguments, each of the three verbs from its beginning to its end.
Not here:   the phases (`sync.applying`), the state (`sync.state`), the remotes.
Holds:      nothing between two calls; a call what its job holds, see `sync.job`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, final

from flatwater import limits
from flatwater.pipeline.signals import ended_by_sigterm
from flatwater.sync import job, places
from flatwater.sync.applying import Applying
from flatwater.sync.auditing import Difference
from flatwater.sync.deleting import Guard
from flatwater.sync.job import Event, Job
from flatwater.sync.options import Options
from flatwater.sync.remote import Remote
from flatwater.sync.report import Audit, Plan, Report
from flatwater.sync.scanning import Told
from flatwater.sync.status import Status

Place = str | os.PathLike[str] | Remote


@final
class Sync:
    """Keep a destination as its source is, however many files there are. Thread-safe; one call at a time works with a state.

    A remote is a path, a URL (`s3://bucket/prefix`, `gs://`, `az://`, `ftp://user:password@host/path`, `ftps://`, `sftp://`) or
    a remote that was made before. What is known of each file is kept in a state on disk, so that an unchanged file costs
    neither a request to the destination nor a write, and a run that was killed goes on where it was. Only files that a sync
    put there are ever deleted at the destination.

    Args:
        source: from where.
        destination: to where; made when the first file is written.
        state: directory of the state; None is one in the user's own folder for such things, named after the pair.
        options: anything of `flatwater.sync.Options`, by name: workers, compare, verify, include, exclude, max_delete, ...

    Raises:
        UsageError: an argument is wrong, or one remote is in the other.
        MissingExtra: a library for a kind of remote is not installed.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = pathlib.Path(folder)
    ...     (root / "a").mkdir()
    ...     _ = (root / "a" / "one.txt").write_text("hello")
    ...     sync = Sync(root / "a", root / "b", state=root / "state")
    ...     first, second = sync.apply(), sync.apply()
    ...     print(first.copied, second.copied, (root / "b" / "one.txt").read_text())
    1 0 hello
    """

    def __init__(
        self, source: Place, destination: Place, state: str | os.PathLike[str] | None = None, **options: Any
    ) -> None:
        self.options = Options(**_known(options))
        self._guard = Guard(self.options.max_delete)
        self.source = places.remote_of(source, self.options.source_options)
        self.destination = places.remote_of(destination, self.options.destination_options)
        if state is None:
            self.state = places.state_path(self.source, self.destination)
        else:
            self.state = places.path_of(state, "a state is the path of a directory")
        places.refuse_pair(self.source, self.destination, self.state)

    def plan(self, each: Callable[[Told], None] | None = None, *, event: Event | None = None) -> Plan:
        """Find out what `apply` would do; nothing is written, neither at the destination nor in the state.

        Args:
            each: called for every file that would be copied or deleted, in the order of their paths within each part of the
                listing; none is deleted if `unread` says in the end that folders could not be listed.
            event: called with progress, as a dict.

        Returns:
            Counts, and the first changes.

        Raises:
            Failure: the source cannot be listed to its end.
            BudgetExceeded: it does not fit into the ambient budget.
        """
        plan = Plan(source=self.source.url, destination=self.destination.url, state=self.state)

        def tell(told: Told) -> None:
            if told.action == "delete" and not self.options.delete:
                return
            told = self._refused(told)
            setattr(plan, told.action, getattr(plan, told.action) + 1)
            if told.action not in {"delete", "refused"}:
                plan.copy_bytes += told.size
            if len(plan.changes) < limits.SYNC_CHANGES_KEPT:
                plan.changes.append(told)
            if each is not None:
                each(told)

        with ended_by_sigterm(), self._job(read_only=True, event=event) as at_work:
            plan.compared = at_work.comparison.said
            with at_work.phases.phase("scan") as phase:
                at_work.tell("phase", phase="scan", resumed=False)
                scan, listing = at_work.scan(phase, resume=False, tell=tell)
            copies = plan.delete + at_work.state.count(Status.SYNCED) + scan.synced_more - plan.refused
            plan.files, plan.bytes = scan.files, scan.bytes
            plan.unread, plan.unread_folders = listing.unread_count, listing.unread
            plan.phases = at_work.phases.done
        if not scan.is_complete:
            plan.delete = 0
            plan.changes = [told for told in plan.changes if told.action != "delete"]
        plan.guard = self._guard.refusal(plan.delete, copies, self.destination.url)
        return plan

    def _refused(self, told: Told) -> Told:
        if told.action == "delete" or not (reason := self.destination.refusal(told.path)):
            return told
        return told._replace(action="refused", reason=reason)

    def apply(self, *, event: Event | None = None) -> Report:
        """Copy what is new or changed, delete what is gone; a run that was killed before is gone on with.

        A file that cannot be copied does not end the run: it is in the report, and tried again with the next one.

        Args:
            event: called with what happens, as a dict: `{"event": "copied", "path": ..., "bytes": ...}` and others.

        Returns:
            What was done; `.is_complete` says whether the destination has all of the source now.

        Raises:
            DeleteGuard: more files would be deleted than `max_delete` allows: none was, all else was done. `.report` has it.
            Failure: a remote cannot be listed or used at all; what was done is written down, and the next run goes on.
            BrokenError: another process works with the state.
            BudgetExceeded: it does not fit into the ambient budget.
        """
        with ended_by_sigterm(), self._job(read_only=False, event=event) as at_work:
            return Applying(at_work, self._guard).run()

    def audit(
        self,
        each: Callable[[Difference], None] | None = None,
        *,
        repair: bool = False,
        event: Event | None = None,
    ) -> Audit:
        """Compare the destination with what was copied there: what somebody else deleted, altered or added.

        Args:
            each: called for every difference.
            repair: what is missing or altered is copied again with the next `apply`; without it no record of a file changes
                (LMDB's table of readers does).
            event: called with progress, as a dict.

        Returns:
            Counts, and the first differences.

        Raises:
            Failure: the destination cannot be listed to its end.
            BudgetExceeded: it does not fit into the ambient budget.
        """
        audit = Audit(source=self.source.url, destination=self.destination.url, state=self.state, repairs=repair)

        def tell(found: Difference) -> None:
            if len(audit.differences) < limits.SYNC_CHANGES_KEPT:
                audit.differences.append(found)
            if each is not None:
                each(found)

        with ended_by_sigterm(), self._job(read_only=not repair, audits=True, event=event) as at_work:
            audit.compared = at_work.comparison.said
            with at_work.phases.phase("check") as phase:
                at_work.tell("phase", phase="check")
                looked, listing = at_work.look(phase, tell, repairs=repair)
            for name in ("files", "fine", "missing", "altered", "unknown", "pending"):
                setattr(audit, name, getattr(looked, name))
            audit.unread, audit.unread_folders = listing.unread_count, listing.unread
            audit.phases = at_work.phases.done
        return audit

    def bytes_max(self) -> int:
        """The most a call holds, in bytes.

        In a budget without room for it, `bytes`, `list_workers` and `workers` are lowered unless they were asked for. A call
        that copies nothing (`plan`, an audit) holds less.
        """
        given = self.source, self.destination, self.options
        audit = job.bytes_max(*given, job.Sizes.of(self.destination, self.options, copies=False), audits=True)
        return max(job.bytes_max(*given, job.Sizes.of(self.destination, self.options)), audit)

    def _job(self, *, read_only: bool, event: Event | None, audits: bool = False) -> Job:
        return Job(
            self.source, self.destination, self.state, self.options, read_only=read_only, audits=audits, event=event
        )

    def __repr__(self) -> str:
        return f"<Sync {self.source.url} -> {self.destination.url}, state {self.state}>"


def _known(options: dict[str, Any]) -> dict[str, Any]:
    import dataclasses

    from flatwater import errors

    names = [each.name for each in dataclasses.fields(Options)]
    for name in options:
        if name not in names:
            raise errors.UsageError(f"{name}= is no option of a sync.", hint=f"There are {', '.join(names)}.")
    return options
