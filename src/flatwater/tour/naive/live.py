"""The naive twin of `live`: rows in a list, and a copy of each change for each subscriber, in a queue of his.

Covers:     rows of several users, changes, subscriptions that are read at once, late, or never.
Not here:   the same with a log, in which a subscription is a place (`tour.steps.live_rows`).
Holds:      all rows, and all changes that somebody has not read, once for each of them.
"""

from __future__ import annotations

import copy
import os
import sqlite3
from collections import defaultdict, deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flatwater.tour.twin import Task

WRITERS = ("ada", "bob", "cleo")
PART_ROWS, CHANGED_EACH, GONE_EACH, CHANGE = 250, 3, 10, 1_000_000


class Subscription:
    """What one user follows, and what he has not read yet."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.waiting: deque[dict[str, Any]] = deque({"op": "snapshot", "row": copy.deepcopy(row)} for row in rows)

    def give(self, event: dict[str, Any]) -> None:
        """Keep a change for him, a copy, so that nobody can change it under his hands."""
        self.waiting.append(copy.deepcopy(event))

    def read(self) -> int:
        """Take all that came; how much it was."""
        count = 0
        while self.waiting:
            self.waiting.popleft()
            count += 1
        return count


class Table:
    """Rows of several users, and who follows them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.subscriptions: dict[str, list[Subscription]] = defaultdict(list)

    def subscribe(self, user: str) -> Subscription:
        """From the rows that he has on."""
        made = Subscription(self.rows[user])
        self.subscriptions[user].append(made)
        return made

    def change(self, user: str, event: dict[str, Any]) -> None:
        """Tell all who follow this user's rows."""
        for subscription in self.subscriptions[user]:
            subscription.give(event)


def run(task: Task) -> int:
    """Write as many rows as the step did, before as many subscriptions; how many events the writers' own have read."""
    table = Table()
    own = {user: table.subscribe(user) for user in WRITERS}
    late = [table.subscribe(WRITERS[0]) for _ in range(task.count("late_readers"))]
    for number in range(task.count("waiting")):
        table.subscribe(f"reader {number}")
    events = 0
    with closing(sqlite3.connect(os.path.join(task.made, "table.db"))) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM users WHERE id <= ?", (task.count("rows"),))
        for number, rows in enumerate(iter(lambda: found.fetchmany(PART_ROWS), [])):
            user = WRITERS[number % len(WRITERS)]
            write(table, user, [dict(row) for row in rows])
            events += own[user].read()
    for subscription in late[:2]:
        subscription.read()
    return events


def write(table: Table, user: str, rows: list[dict[str, Any]]) -> None:
    """Add rows, change some, delete some."""
    for row in rows:
        table.rows[user].append(row)
        table.change(user, {"op": "insert", "row": row})
    for number, row in enumerate(rows, 1):
        if number % CHANGED_EACH == 0:
            old = copy.deepcopy(row)
            row["cents"] += CHANGE
            table.change(user, {"op": "update", "row": row, "old": old})
    for number, row in enumerate(rows, 1):
        if number % GONE_EACH == 0:
            table.rows[user].remove(row)
            table.change(user, {"op": "delete", "row": row})
