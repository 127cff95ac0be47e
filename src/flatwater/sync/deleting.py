"""Delete at the destination what the source has no more, and no more than was allowed.

Covers:     the guard, requests side by side, files that cannot be deleted, files that may be somebody else's.
Not here:   what is to be deleted (`sync.scanning`), deleting itself (the remotes).
Holds:      a page of paths.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any, final

from flatwater import errors, limits
from flatwater.sync import record as records
from flatwater.sync.copying import settled
from flatwater.sync.entry import UNKNOWN, Entry
from flatwater.sync.failures import Failure
from flatwater.sync.record import Record
from flatwater.sync.remote import Remote
from flatwater.sync.retrying import Retrying
from flatwater.sync.state import Change, State, Work
from flatwater.sync.status import Status
from flatwater.sync.transfer import is_md5


class DeleteGuard(errors.LimitReached):
    """More files would be deleted at the destination than one run may: none was.

    Attributes:
        exit_code: of commands.
        report: of the run, which did everything else.
    """

    exit_code = 1
    report: Any = None


@final
class Guard:
    """How many files one run may delete.

    Args:
        allowed: a number of files, or a share of those at the destination such as "25%"; None: that of
            `limits.SYNC_DELETE_SHARE`, and `limits.SYNC_DELETE_FREE` files whatever share they are.

    Raises:
        UsageError: it is neither.
    """

    def __init__(self, allowed: int | str | None) -> None:
        self._count = -1
        self._free = limits.SYNC_DELETE_FREE if allowed is None else 0
        self._said = text = f"{limits.SYNC_DELETE_SHARE:.0%}" if allowed is None else str(allowed).strip()
        self._share = Fraction(-1)  # exact: 29 % of 100 files are 29
        with contextlib.suppress(ValueError, ZeroDivisionError):
            if text.endswith("%"):
                self._share = Fraction(text[:-1]) / 100
            else:
                self._count, self._share = int(text), Fraction(0)
        if isinstance(allowed, bool) or text.startswith("-") or not 0 <= self._share <= 1:
            raise errors.UsageError(
                f"max_delete={allowed!r} is no number of files.",
                hint="Pass one such as 1000, or a share such as '25%'.",
            )

    def allowed(self, copies: int) -> int:
        """Files that may be deleted, of so many that are at the destination."""
        if self._count >= 0:
            return self._count
        return max(int(copies * self._share), self._free)

    def error(self, wanted: int, copies: int, destination: str, report: Any) -> DeleteGuard:
        """The refusal of what is too much."""
        error = DeleteGuard(
            self.refusal(wanted, copies, destination), what="max_delete", limit=self.allowed(copies),
            hint=f"If they are to go, run it again with max_delete={wanted} (--max-delete {wanted}); if not, look at the source.",
        )  # fmt: skip
        error.report = report
        return error

    def refusal(self, wanted: int, copies: int, destination: str) -> str:
        """What is said where so many are too many; "" if they are not."""
        allowed = self.allowed(copies)
        if wanted <= allowed:
            return ""
        of = f"max_delete={self._said}"
        if self._count < 0:
            of += f" of {copies:,} {'file' if copies == 1 else 'files'}"
            of += f", and at least {allowed:,}," if allowed > copies * self._share and allowed == self._free else ""
        return (
            f"{wanted:,} {'file is' if wanted == 1 else 'files are'} gone from the source, and would be deleted at {destination}; "
            f"{of} allows {allowed:,}. None was deleted."
        )


Report = Callable[[bytes, Failure | None], None]
KEPT = Failure("it is somebody else's")


def delete(
    state: State,
    destination: Remote,
    *,
    workers: int,
    retrying: Retrying,
    takes: Callable[[bytes], bool] | None,
    discards: bool,
    is_ours: Callable[[Record, Entry], bool],
    report: Report,
) -> None:
    """Delete all that is to be deleted, and forget it.

    Args:
        state: has the work, and gets what came of it.
        destination: where.
        workers: requests at a time.
        retrying: of each request.
        takes: files that are left out stay.
        discards: whether a killed run may have left unfinished files.
        is_ours: whether what stands there may be the version of a record that is marked; if not, it stays.
        report: told of each file, in the calling thread.

    Raises:
        Failure: the destination cannot be reached; what was deleted is written down.
    """
    from concurrent.futures import ThreadPoolExecutor

    def deleted(marked: dict[bytes, list[Record]], paths: list[bytes]) -> list[Failure | None]:
        kept = {path for path in paths if path in marked and not found_ours(path, marked[path])}
        wanted = [path for path in paths if path not in kept]
        outcomes = iter(retrying.call(lambda: destination.delete(wanted)) if wanted else [])
        if discards:
            for path in paths:
                destination.discard(path)
        return [KEPT if path in kept else next(outcomes) for path in paths]

    def found_ours(path: bytes, versions: list[Record]) -> bool:
        entry = retrying.call(lambda: destination.find(path))
        return entry is not None and any(is_ours(each, entry) for each in versions)

    with ThreadPoolExecutor(workers, thread_name_prefix="sync-delete") as pool:
        try:
            for page in state.todo(Work.DELETE):
                paths = [path for path, _size in page if takes is None or takes(path)]
                size = destination.delete_files
                parts = [paths[start : start + size] for start in range(0, len(paths), size)]
                marked = _marked(state, paths)
                outcomes = [outcome for part in pool.map(partial(deleted, marked), parts) for outcome in part]
                settled(destination, retrying)
                _write(state, paths, outcomes)
                for path, failure in zip(paths, outcomes, strict=True):
                    if failure is not KEPT:
                        report(path, failure)
        except BaseException:
            retrying.stop.set()  # what is under way is not tried again
            raise


def _marked(state: State, paths: list[bytes]) -> dict[bytes, list[Record]]:
    """Those of which it is not known whether a sync put them there, each with the versions that it may have put there."""
    found = zip(paths, state.records(paths), strict=True)
    return {
        path: [record, *state.versions_of(path)]
        for path, value in found
        if value is not None and (record := records.unpacked(value)).is_marked
    }


def recognizing(source: Remote, destination: Remote) -> Callable[[Record, Entry], bool]:
    """Whether a file of the destination may be a version of the source: by its size, and by time and MD5 where both have one."""
    step_ns = max(source.mtime_step_ns, destination.mtime_step_ns)
    has_times = source.keeps_mtime and destination.keeps_mtime
    has_md5 = source.tells_md5 and destination.tells_md5

    def is_ours(record: Record, entry: Entry) -> bool:
        if record.size != entry.size:
            return False
        if has_md5 and is_md5(record.etag) and is_md5(entry.etag):
            return record.etag == entry.etag
        times = record.mtime_ns, records.kept_time(entry.mtime_ns)
        return not has_times or UNKNOWN in times or times[0] // step_ns == times[1] // step_ns

    return is_ours


def _write(state: State, paths: list[bytes], outcomes: list[Failure | None]) -> None:
    gone = [path for path, failure in zip(paths, outcomes, strict=True) if failure is None or failure is KEPT]
    changes = [
        Change(path, records.unpacked(value), None)
        for path, value in zip(gone, state.records(gone), strict=True)
        if value is not None
    ]
    state.commit_each(changes)


def count_to_delete(state: State, takes: Callable[[bytes], bool] | None) -> int:
    """How many files are to be deleted."""
    if takes is None:
        return state.count(Status.DELETED_ON_SOURCE)
    return sum(sum(1 for path, _size in page if takes(path)) for page in state.todo(Work.DELETE))
