"""A page that documents steps read: a part of the table of users as one HTML file, as a program exports it.

Covers:     making it once, before the baseline is taken; where it is.
Not here:   the table (`tour.steps.users`), reading pages (`tour.steps.read_documents`).
Holds:      a line, and SQLite's cache.

How many documents a machine has, and how large they are, nobody knows; this one is there on each, and is larger as a tree in memory
than what a step promises.
"""

from __future__ import annotations

import contextlib
import os

from flatwater import limits
from flatwater.tour.step import Inputs
from flatwater.tour.steps import users

FILE = "users.html"


def make(inputs: Inputs) -> str:
    """The path of the page; empty where the tour has no place for it, or no table."""
    if not inputs.made:
        return ""
    import apsw

    path = os.path.join(inputs.made, FILE)
    if os.path.exists(path):
        return path
    made = users.make(inputs)
    if made.trouble:
        return ""
    try:
        with (
            contextlib.closing(apsw.Connection(made.path, flags=apsw.SQLITE_OPEN_READONLY)) as connection,
            open(path, "w", encoding="utf-8") as file,
        ):
            file.write("<!doctype html><html><head><title>Users</title></head><body><h1>Users</h1><table>\n")
            wanted = "SELECT id, email, name, cents FROM users WHERE id <= ?"
            file.writelines(
                f"<tr><td>{number}</td><td>{email}</td><td>{name}</td><td>{int(str(cents)) / 100:.2f}</td></tr>\n"
                for number, email, name, cents in connection.execute(wanted, (limits.TOUR_PAGE_ROWS,))
            )
            file.write("</table></body></html>\n")
    except (OSError, apsw.Error):
        with contextlib.suppress(OSError):
            os.unlink(path)  # a part of it is none
        return ""
    return path
