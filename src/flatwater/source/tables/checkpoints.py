"""A table in which jobs leave how far they are: a name, and some bytes, written in the transaction of the rows they speak of.

Covers:     the table `flatwater_checkpoints`: making it, reading, writing and deleting a state.
Not here:   transactions (`tables.creating`), the progress of `update_each` (`tables.updating`).
Holds:      one state.
"""

from __future__ import annotations

from collections.abc import Callable

from flatwater import errors, limits
from flatwater.source.tables import statements
from flatwater.source.tables.adapters.base import Adapter
from flatwater.source.tables.inserting import Target, insert
from flatwater.source.tables.statements import Statement

CHECKPOINTS = "flatwater_checkpoints"
JOB_CHARS_MAX = 200  # MariaDB has no TEXT as a key

_TYPES = {
    "sqlite": ("TEXT NOT NULL PRIMARY KEY", "BLOB NOT NULL"),
    "postgresql": ("TEXT NOT NULL PRIMARY KEY", "BYTEA NOT NULL"),
    "mysql": (
        f"VARCHAR({JOB_CHARS_MAX}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY",
        "LONGBLOB NOT NULL",
    ),
}
_THERE = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    "postgresql": "SELECT 1 WHERE to_regclass(%s) IS NOT NULL",
    "mysql": "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = %s",
}


class Checkpoints:
    """The table, by a connection that is ours alone."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._is_known = False  # that the table is there

    def is_there(self) -> bool:
        """Whether the table is there."""
        if not self._is_known:
            dialect = self._adapter.dialect
            text = _THERE[dialect.name]
            # Django's SQLite takes the marks of the others.
            self._is_known = bool(self._adapter.fetch((text.replace("?", dialect.mark), (CHECKPOINTS,))))
        return self._is_known

    def make(self, run: Callable[[Statement], int], another: Callable[[], Adapter]) -> None:
        """Make the table if there is none, while a transaction is open.

        Args:
            run: runs a statement in it.
            another: opens one more connection: in MariaDB making a table would end the transaction that is open.
        """
        if self.is_there():
            return
        dialect = self._adapter.dialect
        quoted = dialect.identifier
        job, state = _TYPES[dialect.name]
        text = f"CREATE TABLE IF NOT EXISTS {quoted(CHECKPOINTS)} ({quoted('job')} {job}, {quoted('state')} {state})"
        if dialect.name == "mysql":
            other = another()
            try:
                with other.errors():
                    other.execute((text, ()))
            finally:
                other.close()
            return
        run(("SAVEPOINT flatwater_table", ()))
        try:
            with self._adapter.errors():
                run((text, ()))
        except errors.FlatwaterError:
            run(("ROLLBACK TO SAVEPOINT flatwater_table", ()))
            if not self.is_there():  # else somebody was quicker, and PostgreSQL minds
                raise
        run(("RELEASE SAVEPOINT flatwater_table", ()))

    def read(self, job: str) -> bytes | None:
        """The state of a job; None if there is none. Waits for a transaction that is about to change it.

        A client that was killed may have sent its COMMIT, and the server be on its way: what it wrote is seen then.
        """
        check_job(job)
        if not self.is_there():
            return None
        dialect = self._adapter.dialect
        quoted = dialect.identifier
        text = f"SELECT {quoted('state')} FROM {quoted(CHECKPOINTS)} WHERE {quoted('job')} = {dialect.mark}"
        found = self._adapter.fetch((text if dialect.name == "sqlite" else f"{text} FOR UPDATE", (job,)))
        return bytes(found[0][0]) if found else None

    def write(self, run: Callable[[Statement], int], job: str, state: bytes) -> None:
        """Leave a state, in place of the one before."""
        target = Target((CHECKPOINTS,), ("job",), "update")
        with self._adapter.errors():
            run((insert(target, ("job", "state"), 1, self._adapter.dialect), (job, state)))

    def forget(self, run: Callable[[Statement], int], job: str) -> None:
        """Delete the state of a job, if there is one."""
        check_job(job)
        if self.is_there():
            with self._adapter.errors():
                run(statements.delete((CHECKPOINTS,), [("job", job)], self._adapter.dialect))


def check_job(job: object) -> None:
    """Refuse what is no name of a job.

    Raises:
        UsageError: as said.
    """
    if not isinstance(job, str) or not 1 <= len(job) <= JOB_CHARS_MAX or "\0" in job:
        raise errors.UsageError(f"job={job!r:.60} is no name.", hint=f"Give 1 to {JOB_CHARS_MAX} characters.")


def check_note(note: object) -> None:
    """Refuse what is no job with its state.

    Raises:
        UsageError: as said.
    """
    if not isinstance(note, tuple) or len(note) != 2 or not isinstance(note[1], bytes):  # noqa: PLR2004 - a pair
        raise errors.UsageError("the note is no pair of a job and its state.", hint='As in ("nightly", b"...").')
    check_job(note[0])
    if len(note[1]) >= limits.TABLE_STATE_BYTES_MAX:
        raise errors.UsageError(
            f"the state of {note[0]!r} has {len(note[1]):,} B, and less than {limits.TABLE_STATE_BYTES_MAX:,} B is allowed.",
            hint="Keep what is large in a table of its own, and its key in the state.",
        )
