"""Who follows which changes: each subscription is a place in the log, woken when something came for it.

Covers:     matching what was committed, waking, reading on in the log, snapshots in front of it, beginning anew.
Not here:   the index (`live.matching`), the places (`live.subscriptions`), committing (`live.writing`).
Holds:      a few numbers for each subscription; a page of the log while one reads it.

Nothing is queued: who is slow reads later, from the log. Where the log was trimmed meanwhile, he gets `reset` and a new snapshot.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Protocol, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live.access import AccessDenied
from flatwater.live.conditions import Condition, Predicate
from flatwater.live.events import Names
from flatwater.live.log import Change, Log
from flatwater.live.matching import Groups
from flatwater.live.queries import Queries
from flatwater.live.reading import Snapshot
from flatwater.live.rows import Heads, Place, user_of
from flatwater.live.schema import Schema
from flatwater.live.subscriber import Start, Subscription
from flatwater.live.subscriptions import Subscriptions
from flatwater.store.space import Space

logger = logging.getLogger("flatwater.live")


class Pushing(Protocol):
    """Who gives changes to subscriptions as they are committed, in place of these being woken to read the log.

    Attributes:
        levels: those of its `targets` that have read all there was: they are given changes whose number is above their cursor. The others
            read the log.
    """

    levels: set[int]

    @property
    def targets(self) -> Mapping[int, object]:
        """Those that it serves."""

    def position(self, told: int) -> int:
        """The number up to which it has given what was offered; `told` if that is all."""

    def make_room(self) -> None:
        """Wait, a little, until what was offered before has been given. Without the lock."""

    def offer(self, change: Change, schema: Schema, found: list[tuple[int, int]]) -> bool:
        """A change, and the groups that it concerns, each with its operation; False where there is no room: to be read later."""

    def wake(self, number: int) -> None:
        """Something is in the log for one of `targets` that has to be read."""


@final
class Following:
    """All subscriptions of a database. Thread-safe.

    Args:
        space: the inside of the store.
        heads: of rows and stream.
        log: the log.
        schema_of: the table of a number; None if it was dropped.
        told: the number up to which the log was written.
        since_of: the number below which rows of a table expired.
        queries: texts and counters.
        budget: that subscriptions take their bytes from.
    """

    def __init__(
        self, space: Space, heads: Heads, log: Log, schema_of: Callable[[int], Schema | None], told: int,
        since_of: Callable[[Schema], int], queries: Queries, budget: Budget,
    ) -> None:  # fmt: skip
        self._reservation = budget.reserve(0, "live.subscriptions")
        self.queries = queries
        self.space, self.log, self.since_of, self._heads = space, log, since_of, heads
        self.told = told  # everything up to this number was matched
        self.subscriptions = Subscriptions()
        self.groups = Groups()
        self.lock = threading.RLock()
        self.schema_of = schema_of
        self._tables: Counter[int] = Counter()  # subscriptions by table
        self._waiting: dict[int, Callable[[], None]] = {}  # subscriptions of which somebody waits
        self.is_closed = False
        self.dropped: deque[int] = deque()  # subscriptions that nobody holds any more
        self.ending: dict[int, errors.FlatwaterError] = {}  # subscriptions that end with their next reading, and why
        self.pushing: Pushing | None = None

    def tell(self, changes: list[Change]) -> None:
        """Match what was committed, and wake whom it concerns. What fails here is logged: the statement is done."""
        self.settle()
        if self.pushing is not None:
            self.pushing.make_room()
        with self.lock:
            for change in changes:
                if change.table in self._tables:
                    try:
                        self._match(change)
                    except Exception:
                        logger.exception(
                            "change %d could not be matched: all who follow read it themselves", change.sequence
                        )
                        self._note(self.groups.of_table(change.table), change.sequence)
            self.told = changes[-1].sequence

    def _match(self, change: Change) -> None:
        schema = self.schema_of(change.table)
        if schema is None:
            return
        old = None if change.old is None else schema.decode(change.old)
        new = None if change.new is None else schema.decode(change.new)
        found = self.groups.match(change.table, user_of(change.key) if schema.is_personal else "", old, new)
        if found:
            pushing = self.pushing
            is_offered = pushing is not None and pushing.offer(change, schema, found)
            self._note([group for group, _op in found], change.sequence, is_offered=is_offered)

    def _note(self, groups: list[int], sequence: int, *, is_offered: bool = False) -> None:
        given = self.pushing.levels if is_offered and self.pushing is not None else ()
        for number in self.subscriptions.note(groups, sequence, given):
            self._wake(number)

    def levelled(self, number: int) -> None:
        """It has read all there is: from here on it may be given changes. With the lock."""
        if self.pushing is not None and number in self.pushing.targets:
            self.pushing.levels.add(number)

    def unlevel(self, number: int) -> None:
        """It is not given changes any more, and has to read those that it was not given. With the lock."""
        if self.pushing is not None and number in self.pushing.levels:
            self.pushing.levels.discard(number)
            self.subscriptions.behind_from(number, self.pushing.position(self.told))

    def is_level(self, number: int) -> bool:
        """Whether it is given changes, and nothing else came for it. With the lock."""
        return self.pushing is not None and number in self.pushing.levels and not self.subscriptions.pending(number)

    def _wake(self, number: int) -> None:
        wake = self._waiting.pop(number, None)
        if wake is not None:
            wake()
        elif self.pushing is not None and number in self.pushing.targets:
            self.pushing.wake(number)

    def mark(self, number: int) -> None:
        """All up to this number was told, for there is nothing between the last change and it."""
        with self.lock:
            self.told = max(self.told, number)

    def table_dropped(self, table: int) -> None:
        """Wake who follows a table that was dropped: reading on tells them."""
        with self.lock:
            self._note(self.groups.of_table(table), max(self.told, 1))

    def user_changed(self, user: int, may_read: Callable[[Schema], bool]) -> None:
        """A user has another role: what he may no longer read ends.

        Args:
            user: the number by which he is counted.
            may_read: whether he may read a table now.
        """
        with self.lock:
            for number in self.subscriptions.of(user):
                schema = self.schema_of(self.groups.group(self.subscriptions.group(number)).table)
                if schema is not None and not may_read(schema):
                    why = "the user may no longer read the table of the subscription."
                    self._end(number, AccessDenied(why, hint="Ask a dba for a role."))

    def kill(self, number: int) -> bool:
        """End a subscription: who reads it is told; False if there is none."""
        with self.lock:
            if not self.subscriptions.is_there(number):
                return False
            self._end(
                number, errors.UsageError("the subscription was ended by KILL LIVE QUERY.", hint="Subscribe again.")
            )
            return True

    def _end(self, number: int, why: errors.FlatwaterError) -> None:
        self.ending[number] = why
        self.subscriptions.mark(number, max(self.told, 1))
        self._wake(number)

    def settle(self) -> None:
        """End subscriptions that were dropped. Not when they are: that may be in the middle of anything, in this thread, too."""
        while self.dropped:
            try:
                number = self.dropped.popleft()
            except IndexError:  # another thread was faster
                return
            self.leave(number)

    def behind(self) -> int | None:
        """The number behind which somebody still has to read; None if all are level."""
        with self.lock:
            return self.subscriptions.behind()

    def follow(
        self,
        schema: Schema,
        scope: str,
        predicate: Predicate | None,
        user: int,
        names: Names,
        *,
        last_rows: int | None,
        since: int | None,
    ) -> Subscription:
        """A subscription, from now on or from `since` on.

        Args:
            schema: the table.
            scope: whose rows; empty for those of a SHARED table.
            predicate: of the rows; None for all.
            user: a number for whom, by which they are counted.
            names: of the columns of its rows.
            last_rows: of the snapshot, at most; None for all, 0 for none.
            since: go on behind this number, without a snapshot.
        """
        self.settle()
        with self.lock:
            if self.is_closed:
                raise errors.ClosedError("the database was closed.", hint="Open it again.")
            group = self.groups.add(schema.number, scope, predicate)
            number = self.subscriptions.add(group, user, self.told if since is None else min(since, self.told))
            try:
                self._reserve()
            except BaseException:
                self.subscriptions.remove(number)
                self.groups.remove(group)
                raise
            self._tables[schema.number] += 1
            snapshot = Snapshot(self.space, self.log, self.told)
        start: Snapshot | Start | None = snapshot if last_rows != 0 else None
        if since is not None:
            # what is behind our last number is not ours, and what is below the table's first one is of another table; 0 is of none
            is_ours = since <= snapshot.at and (not since or schema.born <= since)
            start = Start.RESUME if is_ours else Start.RESET
        return Subscription(self, number, names, start, last_rows)

    def _reserve(self) -> None:
        """Take what all of them hold from the budget, in steps, or give back."""
        held = self.groups.bytes_held() + self.subscriptions.bytes_held()
        held += len(self.subscriptions) * limits.LIVE_READER_BYTES
        step = limits.LIVE_FOLLOW_BYTES
        if not self._reservation.bytes - 2 * step <= held <= self._reservation.bytes:
            self._reservation.resize(-(-held // step) * step)

    def read(self, number: int) -> tuple[Place, Condition]:
        """The rows that a subscription follows, as its table is now.

        Raises:
            UsageError: it was dropped, or the subscription was killed.
            AccessDenied: the user may no longer read it.
        """
        if number in self.ending:
            raise self.ending[number]
        group = self.groups.group(self.subscriptions.group(number))
        schema = self.schema_of(group.table)
        if schema is None:
            raise errors.UsageError("the table of the subscription was dropped.", hint="Close the subscription.")
        return Place(self._heads, schema, group.scope), Condition(group.predicate)

    def leave(self, number: int) -> None:
        """Follow no longer."""
        with self.lock:
            if self.is_closed:
                return
            group = self.subscriptions.group(number)
            table = self.groups.group(group).table
            self.subscriptions.remove(number)
            self.groups.remove(group)
            self._tables[table] -= 1
            if not self._tables[table]:
                del self._tables[table]
            self._reserve()
            wake = self._waiting.pop(number, None)
            if self.pushing is not None:
                self.pushing.levels.discard(number)
            self.ending.pop(number, None)
        if wake is not None:
            wake()
        self.queries.leave(number)

    def held(self) -> tuple[int, int]:
        """Bytes of conditions, and of places."""
        with self.lock:
            return self.groups.bytes_held(), self.subscriptions.bytes_held()

    def promised(self) -> int:
        """Bytes that were taken from the budget for all of them."""
        return self._reservation.bytes

    def wait(self, number: int, wake: Callable[[], None]) -> bool:
        """Whether something is there for a subscription; if not, `wake` is called once when something comes."""
        with self.lock:
            if self.is_closed or self.subscriptions.pending(number):
                return True
            self._waiting[number] = wake
            return False

    def forget(self, number: int) -> None:
        """Nobody waits any more."""
        with self.lock:
            self._waiting.pop(number, None)

    def close(self) -> None:
        """End all: who waits is woken, and told."""
        with self.lock:
            self.is_closed = True
            waiting, self._waiting = list(self._waiting.values()), {}
            self._reservation.release()
        for wake in waiting:
            wake()
