"""A step of the tour: rows go into a live table, where each user has his own, and subscriptions see them.

Covers:     what the step promises, users who write, subscriptions from the first row on, from the middle on, and of others; the check.
Not here:   making the table that the rows are from (`tour.steps.users`), live tables (`live`).
Holds:      the database and pages of its file, a part of the rows, a number for each row that was seen: see `LiveRows.bytes_max`.
"""

from __future__ import annotations

import contextlib
import importlib
import mmap
import os
import shutil
import time
from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import count, islice, zip_longest
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.meter.probe import usage
from flatwater.source.tables.table import Table
from flatwater.tour.step import Inputs, StepResult, trouble_without
from flatwater.tour.steps import users
from flatwater.units import KIB, MIB

if TYPE_CHECKING:  # what these import is not there without the extra
    from flatwater.live.database import Database
    from flatwater.live.events import Event
    from flatwater.live.subscriber import Subscription

FOLDER = "live"
WRITERS = ("ada", "bob", "cleo")
PART_ROWS = 250  # that one of them adds at a time, under keys that the others' rows have, too
CHANGED_EACH, GONE_EACH = 3, 10  # every third row of a part is changed, every tenth is deleted
READ_LATE = 2  # of those that are not read meanwhile
CHANGE = 1_000_000  # cents that are added to it
_NEEDED = (("tables", "apsw"), ("live", "lmdb"), ("live", "sqlglot"))
_BATCH_BYTES = 256 * KIB
_ROW_BYTES = KIB  # of the file, for each row: itself, its log, what is free in pages
_WAITING_BYTES = 2 * KIB  # of a subscription that waits, with its user, its condition, and its text on disk

_TABLE = """
    CREATE TABLE tour.accounts (
        part BIGINT, number BIGINT, email TEXT NOT NULL, name TEXT, cents BIGINT NOT NULL, PRIMARY KEY (part, number)
    ) WITH (TYPE = 'USER')
"""
_ALL = "SELECT * FROM tour.accounts"
_RICH = "SELECT * FROM tour.accounts WHERE cents >= ?"
_INSERT = "INSERT INTO tour.accounts VALUES (?, ?, ?, ?, ?)"
_UPDATE = "UPDATE tour.accounts SET cents = cents + ? WHERE part = ? AND number % ? = 0"
_DELETE = "DELETE FROM tour.accounts WHERE part = ? AND number % ? = 0"

Row = dict[str, Any]


class SeenWrongError(errors.BrokenError):
    """Somebody saw something else than what was written."""


@final
class LiveRows:
    """Writes rows of several users into a live table, and follows them. For one use, in one thread.

    Attributes:
        trouble: why it cannot run; empty if it can.
    """

    name = "live"
    naive = "flatwater.tour.naive.live"

    def __init__(self) -> None:
        self.trouble = trouble_without(_NEEDED)
        self._path = ""
        self._rows = 0

    @property
    def bytes_least(self) -> int:
        """With few rows."""
        return self._working_bytes() + MIB

    def bytes_max(self, room: int) -> int:
        """As much as the database's file may have, up to a bound: its pages are resident as long as nobody needs the memory."""
        total = 0
        total += self._working_bytes()  # beside the file
        total += min(room - total, limits.TOUR_LIVE_BYTES)  # pages of the file: rows, and the log of their changes
        return total

    def prepare(self, inputs: Inputs) -> None:
        """Make the table, and do all of it once with a few rows: what the first use imports belongs to the baseline."""
        if self.trouble:
            return
        made = users.make(inputs)
        self.trouble = made.trouble
        if made.trouble:
            return
        self._path, self._rows = made.path, made.rows
        try:
            with self._database(inputs, ".small") as db:
                accounts = Accounts(db, waiting=1)
                accounts.follow_late()
                with contextlib.closing(self._parts(3 * PART_ROWS)) as parts:
                    for who, part in zip(WRITERS, parts, strict=False):
                        accounts.write(who, part)
                accounts.settle()
            shutil.rmtree(os.path.join(inputs.folder, FOLDER + ".small"), ignore_errors=True)
        except SeenWrongError:
            raise  # it is not the place that is wrong
        except (OSError, errors.BrokenError) as error:
            self.trouble = f"{inputs.folder!r} cannot have a database: {error}; TMPDIR names another place"

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:
        """Write until the time or the room is over, then look at what the subscriptions saw.

        Raises:
            SeenWrongError: one saw something else than what was written.
        """
        wanted = min(self._rows, (budget.free - self._working_bytes()) // _ROW_BYTES)
        begun_s = time.monotonic()
        written = 0
        with self._database(inputs) as db:
            accounts = Accounts(db, waiting=limits.TOUR_LIVE_WAITING, late_readers=limits.TOUR_LIVE_LATE)
            with contextlib.closing(self._parts(wanted)) as parts:
                for number, part in enumerate(parts):
                    spent_s = time.monotonic() - begun_s
                    if 2 * (written + len(part)) >= wanted or spent_s >= inputs.seconds / 4:
                        accounts.follow_late()
                    accounts.write(WRITERS[number % len(WRITERS)], part)
                    written += len(part)
                    if time.monotonic() - begun_s >= inputs.seconds / 2:
                        break
            accounts.follow_late()
            left = accounts.settle()
        size = _bytes_of(os.path.join(inputs.folder, FOLDER))
        late, each = accounts.late, accounts.waiting_bytes
        assert late is not None
        notes = [
            f"{written:,} rows written by {len(WRITERS)} users under the same keys, some changed, some deleted; {left:,} are left",
            f"each user's subscription saw his own changes, once each, in order: its {accounts.events:,} events add up to these rows",
            f"one with a condition, begun in the middle: a snapshot of {late.first:,} rows, and at the end {late.changes:,} changes",
            f"{accounts.waiting:,} subscriptions of other users"
            + f", for {each:,} B each as the system saw it," * (each > 0)
            + " got nothing",
            f"{accounts.late_readers:,} more of a writer read nothing until the end; {READ_LATE} of them were read then, and saw all",
        ]
        if written < self._rows:
            notes.append(f"of {self._rows:,} rows: more have no room in the promise, or in half of the step's time")
        details = {
            "rows": written, "left": left, "statements": accounts.statements, "late_first": late.first, "late_changes": late.changes,
            "waiting": accounts.waiting, "late_readers": accounts.late_readers, "waiting_bytes": each, "file_bytes": size,
        }  # fmt: skip
        return StepResult(
            accounts.events, size, "events", complete=written == wanted, notes=tuple(notes), details=details
        )

    def _parts(self, rows: int) -> Generator[list[Row]]:
        """The first so many rows of the table, in parts; one part for each user has the same keys."""
        with contextlib.closing(Table(self._path, "users").find_each(batch_bytes=_BATCH_BYTES)) as found:
            wanted = islice(found, rows)
            for part in count():
                made = [
                    {"part": part // len(WRITERS), "number": number, **{name: row[name] for name in ("email", "name", "cents")}}
                    for number, row in enumerate(islice(wanted, PART_ROWS), 1)
                ]  # fmt: skip
                if not made:
                    return
                yield made

    @staticmethod
    def _database(inputs: Inputs, suffix: str = "") -> Database:
        database: Database = importlib.import_module("flatwater.live.database").Database(
            os.path.join(inputs.folder, FOLDER + suffix)
        )
        assert database.bytes_max() <= database_bytes(), "a database takes more than was promised for it"
        return database

    @staticmethod
    def _working_bytes() -> int:
        total = 0
        total += database_bytes()
        total += 2 * limits.STORE_BATCH_BYTES  # a walk over the tables that it knows, when it is opened
        total += 2 * limits.LIVE_PAGE_BYTES + limits.LIVE_LOG_PAGE_BYTES  # a walk over rows
        total += 2 * limits.LIVE_LOG_PAGE_BYTES  # two subscriptions that are read
        total += limits.LIVE_FORMS_BYTES  # conditions
        total += (limits.TOUR_LIVE_WAITING + limits.TOUR_LIVE_LATE) * _WAITING_BYTES  # subscriptions that wait
        total += 2 * _BATCH_BYTES  # batches of the table
        total += 2 * limits.SQLITE_CACHE_BYTES + limits.DRIVER_BYTES  # the table, as `Table.bytes_max` counts
        total += MIB  # a part of the rows and its events, a number for each row that was seen
        return total


@final
class Accounts:
    """The live table, and all who follow it. For one thread.

    Attributes:
        events: that the writers' subscriptions saw.
        statements: that changed rows.
        late: what the subscription saw that began in the middle; None before it did.
        late_readers: subscriptions of a writer that are not read until the end.
        waiting: subscriptions of users who have no rows.
        waiting_bytes: that one of them takes, as the system sees it; 0 if that is not known.
    """

    def __init__(self, db: Database, *, waiting: int, late_readers: int = 0) -> None:
        self._db = db
        self.events = self.statements = 0
        self.late: Seen | None = None
        db.sql("CREATE NAMESPACE tour")
        db.sql(_TABLE)
        self._seen = {who: Seen(who, db.subscribe(_ALL, user=who)) for who in WRITERS}
        self.late_readers = late_readers
        self._late_readers = [Seen(WRITERS[0], db.subscribe(_ALL, user=WRITERS[0])) for _ in range(late_readers)]
        self.waiting = waiting
        before = usage().anon
        self._waiting = [db.subscribe(_ALL, user=f"reader {number}") for number in range(waiting)]
        self._look()
        self.waiting_bytes = max(0, usage().anon - before) // waiting if before >= 0 else 0

    def follow_late(self) -> None:
        """The first user gets one more subscription, if he has not, and reads the snapshot at once."""
        if self.late is None:
            self.late = Seen(WRITERS[0], self._db.subscribe(_RICH, [CHANGE], user=WRITERS[0]))
            self.late.follow()

    def write(self, who: str, rows: Sequence[Row]) -> None:
        """Add rows, all but the last by `load`, and change and delete some; his subscription has to have seen just that.

        Raises:
            SeenWrongError: it saw something else.
        """
        sql, part = self._db.sql, rows[0]["part"]
        self._db.load("tour.accounts", rows[:-1], user=who)
        sql(_INSERT, list(rows[-1].values()), user=who)
        sql(_UPDATE, [CHANGE, part, CHANGED_EACH], user=who)
        sql(_DELETE, [part, GONE_EACH], user=who)
        self.statements += 4
        saw = ((event.op, event.row, event.old) for event in self._seen[who].read())
        for told, right in zip_longest(saw, _changes(rows)):
            if told != right:
                raise SeenWrongError(
                    f"the subscription of {who!r} saw {told!r:.300}, where {right!r:.300} was to come."
                )
            self.events += 1

    def settle(self) -> int:
        """How many rows are left, which are those that the events add up to.

        Raises:
            SeenWrongError: they are not, or somebody saw what is not his.
        """
        assert self.late is not None
        self.late.follow()
        left = 0
        for who, seen in self._seen.items():
            if event := next(seen.read(), None):
                raise SeenWrongError(f"the subscription of {who!r} saw {event!r}, which he did not do.")
            left += seen.check(self._db.sql(f"{_ALL} ORDER BY part, number", user=who))
        rich = self._db.sql(f"{_ALL} ORDER BY part, number", user=WRITERS[0])
        self.late.check(row for row in rich if row["cents"] >= CHANGE)
        for seen in self._late_readers[:READ_LATE]:
            seen.follow()
            seen.check(self._db.sql(f"{_ALL} ORDER BY part, number", user=WRITERS[0]))
        self._look()
        for number in range(self.waiting):
            if row := next(self._db.sql(_ALL, user=f"reader {number}"), None):
                raise SeenWrongError(f"'reader {number}' was given {row!r}, which is not his.")
        return left

    def _look(self) -> None:
        """Those who wait see nothing, at the beginning (a snapshot is made when it is read) and at the end."""
        for number, waiting in enumerate(self._waiting):
            if event := waiting.poll():
                raise SeenWrongError(f"'reader {number}' saw {event!r}, which is not his.")


@final
class Seen:
    """What the events of one subscription add up to: a number for each row, 0 where there is none.

    Attributes:
        first: rows of the snapshot that came.
        changes: that came.
    """

    def __init__(self, who: str, subscription: Subscription) -> None:
        self._who = who
        self._subscription = subscription
        self._prints = array("q")
        self._seq = 0
        self.first = self.changes = 0

    def read(self) -> Iterator[Event]:
        """What came since.

        Raises:
            SeenWrongError: it cannot follow what came before: a change that came twice, or too early, or not at all.
        """
        while (event := self._subscription.poll()) is not None:
            row = event.row
            is_next = event.seq > self._seq or event.op == "snapshot"
            if (
                row is None
                or not is_next
                or self._known(row) != (_print(event.old or row) if event.op in {"update", "delete"} else 0)
            ):
                raise SeenWrongError(f"a subscription of {self._who!r} cannot have {event!r} behind {self._seq}.")
            self._prints[_place(row)] = 0 if event.op == "delete" else _print(row)
            self._seq = event.seq
            self.first += event.op == "snapshot"
            self.changes += event.op != "snapshot"
            yield event

    def follow(self) -> None:
        """Read all that came since.

        Raises:
            SeenWrongError: as of `read`.
        """
        for _event in self.read():
            pass

    def check(self, rows: Iterable[Row]) -> int:
        """How many rows there are.

        Raises:
            SeenWrongError: they are not those that the events add up to.
        """
        found = 0
        for row in rows:
            found += 1
            if self._known(row) != _print(row):
                raise SeenWrongError(f"a subscription of {self._who!r} does not know {row!r:.300}.")
        if found != (known := len(self._prints) - self._prints.count(0)):
            raise SeenWrongError(f"a subscription of {self._who!r} knows {known:,} rows, and there are {found:,}.")
        return found

    def _known(self, row: Row) -> int:
        place = _place(row)
        while len(self._prints) <= place:
            self._prints.append(0)
        return self._prints[place]


def _place(row: Row) -> int:
    place: int = row["part"] * PART_ROWS + row["number"] - 1
    return place


def _print(row: Row) -> int:
    return hash(tuple(row.values())) or 1


def _changes(rows: Sequence[Row]) -> Iterator[tuple[str, Row, Row | None]]:
    """What becomes of the rows of a part, in its order: operation, row, and the row before an update."""
    now = {row["number"]: row for row in rows}
    yield from (("insert", row, None) for row in rows)
    for row in rows:
        if row["number"] % CHANGED_EACH == 0:
            now[row["number"]] = {**row, "cents": row["cents"] + CHANGE}
            yield "update", now[row["number"]], row
    yield from (("delete", row, row) for number, row in now.items() if number % GONE_EACH == 0)


def database_bytes() -> int:
    """What a database promises, as `Database.bytes_max` counts."""
    store = limits.STORE_LMDB_BYTES + 2 * limits.STORE_COMMIT_ROWS * mmap.PAGESIZE + limits.STORE_COMMIT_BYTES
    total = 0
    total += 2 * store  # rows and the log; texts of live queries
    total += 4 * limits.LIVE_GROUP_BYTES + limits.LIVE_GROUP_JOBS * KIB  # what is committed together, and its log
    total += limits.LIVE_LOG_PAGE_BYTES  # of the log, to be trimmed
    total += limits.LIVE_SCHEMAS_BYTES + 2 * limits.LIVE_STATEMENTS_BYTES + limits.LIVE_ACTORS_BYTES  # what was used
    return total


def _bytes_of(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(path, name)) for path, _below, names in os.walk(folder) for name in names)
