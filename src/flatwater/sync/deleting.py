"""Delete at the destination what the source has no more, and no more than was allowed.

Covers:     the guard, requests side by side, files that cannot be deleted.
Not here:   what is to be deleted (`sync.scanning`), deleting itself (the remotes).
Holds:      a page of paths.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any, final

from flatwater import errors, limits
from flatwater.sync import record as records
from flatwater.sync.copying import settled
from flatwater.sync.failures import Failure
from flatwater.sync.remote import Remote
from flatwater.sync.retrying import Retrying
from flatwater.sync.state import Change, State, Work
from flatwater.sync.status import Status


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


def delete(
    state: State,
    destination: Remote,
    *,
    workers: int,
    retrying: Retrying,
    takes: Callable[[bytes], bool] | None,
    discards: bool,
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
        report: told of each file, in the calling thread.

    Raises:
        Failure: the destination cannot be reached; what was deleted is written down.
    """
    from concurrent.futures import ThreadPoolExecutor

    def deleted(paths: list[bytes]) -> list[Failure | None]:
        outcomes = retrying.call(lambda: destination.delete(paths))
        if discards:
            for path in paths:
                destination.discard(path)
        return outcomes

    with ThreadPoolExecutor(workers, thread_name_prefix="sync-delete") as pool:
        for page in state.todo(Work.DELETE):
            paths = [path for path, _size in page if takes is None or takes(path)]
            size = destination.delete_files
            parts = [paths[start : start + size] for start in range(0, len(paths), size)]
            outcomes = [outcome for part in pool.map(deleted, parts) for outcome in part]
            settled(destination, retrying)
            _write(state, paths, outcomes)
            for path, failure in zip(paths, outcomes, strict=True):
                report(path, failure)


def _write(state: State, paths: list[bytes], outcomes: list[Failure | None]) -> None:
    gone = [path for path, failure in zip(paths, outcomes, strict=True) if failure is None]
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
