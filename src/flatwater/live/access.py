"""Who may do what: roles, their order, limits of a user.

Covers:     roles, acting as another user, reading and writing tables, definitions; limits that a user has.
Not here:   users on disk (`live.catalog`); whose rows a statement sees, which is in the keys (`live.rows`).
Holds:      nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from flatwater import errors, limits
from flatwater.live.schema import SHARED, Schema

ROLES: Final = ("user", "service", "dba", "system")  # each may what those before it may
SYSTEM_USER: Final = "system"


class Limits(msgspec.Struct, frozen=True):
    """What a user may use, at most.

    Attributes:
        subscriptions: open at once.
        rows: that one SELECT gives.
        bytes: of the JSON of these.
        seconds: that one statement takes.
        connections: to a server, open at once.
        messages: that one connection sends, a second.
    """

    subscriptions: int = limits.LIVE_USER_SUBSCRIPTIONS
    rows: int = limits.LIVE_USER_ROWS
    bytes: int = limits.LIVE_USER_BYTES
    seconds: int = limits.LIVE_USER_SECONDS
    connections: int = limits.LIVE_USER_CONNECTIONS
    messages: int = limits.LIVE_USER_MESSAGES


class Actor(NamedTuple):
    """Somebody in whose name a statement is done.

    Attributes:
        name: whose rows he sees in USER and STREAM tables.
        role: what he may.
        limits: of what he uses.
    """

    name: str
    role: str
    limits: Limits

    @property
    def rank(self) -> int:
        """Of his role; more is more."""
        return ROLES.index(self.role)

    def must_be(self, role: str, what: str) -> None:
        """Refuse who is less than `role`.

        Raises:
            AccessDenied: he is.
        """
        if self.rank < ROLES.index(role):
            raise AccessDenied(
                f"{self.name!r} is {self.role!r} and may not {what}.", hint=f"It takes the role {role!r}."
            )

    def must_read(self, schema: Schema) -> None:
        """Refuse who may not read a table.

        Raises:
            AccessDenied: he may not.
        """
        if schema.kind == SHARED and schema.access != "PUBLIC":
            self.must_be("service" if schema.access == "RESTRICTED" else "dba", f"read {schema.full_name}")

    def may_read(self, schema: Schema) -> bool:
        """Whether he may read a table."""
        try:
            self.must_read(schema)
        except AccessDenied:
            return False
        return True

    def must_write(self, schema: Schema) -> None:
        """Refuse who may not change rows of a table.

        Raises:
            AccessDenied: he may not.
        """
        if schema.kind == SHARED:
            self.must_be("dba" if schema.access == "PRIVATE" else "service", f"write to {schema.full_name}")

    def must_change(self, rows: int, size: int) -> None:
        """Refuse a statement that changes more than a user may.

        Args:
            rows: that it changes.
            size: bytes of their JSON.

        Raises:
            LimitReached: it does.
        """
        if self.role == SYSTEM_USER:
            return
        for what, value, most in (("rows", rows, self.limits.rows), ("bytes", size, self.limits.bytes)):
            if value > most:
                raise errors.LimitReached(
                    f"the statement changes more {what} than the user may: {most:,}.", what=what, limit=most,
                    hint=f"Change fewer at a time; a dba may ALTER USER ... {what.upper()} <more>.",
                )  # fmt: skip

    def must_act_as(self, role: str, name: str) -> None:
        """Refuse who may not do a statement as another user: only as one of a lower role.

        Raises:
            AccessDenied: he may not.
        """
        if self.name != name:
            self.must_be("service", f"act as {name!r}")
            self.must_rule(role, name)

    def must_rule(self, role: str, name: str) -> None:
        """Refuse who is not above a user of this role; system is above all.

        Raises:
            AccessDenied: he is not.
        """
        if self.role != SYSTEM_USER and self.rank <= ROLES.index(role):
            raise AccessDenied(
                f"{self.name!r} is {self.role!r} and not above {name!r}, who is {role!r}, or would be.",
                hint="A service is above users, a dba above services, too, and system above everybody.",
            )


class AccessDenied(errors.FlatwaterError):
    """A user's role does not allow what a statement asks for. You do not get it for rows of others: these are not seen."""
