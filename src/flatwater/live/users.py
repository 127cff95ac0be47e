"""Making, changing and dropping users, their passwords, and ending their live queries.

Covers:     CREATE, ALTER and DROP USER, one's own password, KILL LIVE QUERY.
Not here:   what these statements say (`live.statements`, `live.definitions`), hashes (`serving.passwords`), keeping (`live.catalog`).
Holds:      nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from flatwater import errors, limits
from flatwater.live import definitions
from flatwater.live.access import SYSTEM_USER, Actor
from flatwater.live.catalog import Catalog, UserRecord
from flatwater.live.statements import Statement


def define(catalog: Catalog, statement: Statement, values: Sequence[Any], actor: Actor) -> str:
    """Do CREATE, ALTER or DROP USER; the name of a user who was changed, or "".

    Raises:
        AccessDenied: the actor may not.
        UsageError: there is such a user, or none; an option makes no sense.
    """
    name, is_if, given = statement.words
    is_own_password = statement.kind == "alter user" and name == actor.name and list(given) == ["password"]
    if not is_own_password:
        actor.must_be("dba", f"{statement.kind.upper()}")
    if name == SYSTEM_USER:
        raise errors.UsageError("system is always there.")
    before = catalog.user(name)
    if before is not None and not is_own_password:
        actor.must_rule(before.role, name)
    if statement.kind == "drop user":
        if before is None and not is_if:
            raise errors.UsageError(f"there is no user {name!r}.", hint="SHOW USERS names them.")
        catalog.drop_user(name)
        return str(name)
    if (statement.kind == "create user") == (before is not None):
        if is_if:
            return ""
        there = "no user of the name" if before is None else "the user"
        raise errors.UsageError(f"there is {there} {name!r}.", hint="CREATE USER makes one, ALTER USER changes him.")
    record = _changed(given, before, values)
    if not is_own_password:
        actor.must_rule(record.role, name)
    catalog.put_user(name, record)
    return str(name)


def _changed(given: dict[str, Any], before: UserRecord | None, values: Sequence[Any]) -> UserRecord:
    """A user with what was given, and what he had."""
    options = {key: value for key, value in given.items() if key != "password"}
    record = definitions.user_of(options, before)
    stamp = 0 if before is None else before.stamp
    if before is None or "password" in given:
        stamp = max(stamp + 1, int(time.time() * 1_000))
    record = msgspec.structs.replace(record, stamp=stamp, password="" if before is None else before.password)
    if "password" in given:
        password = values[0] if given["password"] is None else given["password"]
        record = msgspec.structs.replace(record, password=_hashed(password))
    return record


def _hashed(password: Any) -> str:
    if not isinstance(password, str):
        raise errors.UsageError("a password is a text.")
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        size = 0
    if not limits.LIVE_PASSWORD_BYTES_MIN <= size <= limits.LIVE_PASSWORD_BYTES_MAX:
        raise errors.UsageError(
            "the password is too short, or too long.",
            hint=f"It has {limits.LIVE_PASSWORD_BYTES_MIN} to {limits.LIVE_PASSWORD_BYTES_MAX} bytes of UTF-8.",
        )
    from flatwater.live.serving.passwords import hashed

    return hashed(password)


def kill(statement: Statement, values: Sequence[Any], actor: Actor, end: Callable[[int, Actor], bool]) -> None:
    """Do KILL LIVE QUERY.

    Raises:
        AccessDenied: it is of somebody who is not below the actor.
        UsageError: there is none of this number.
    """
    said = statement.words[0]
    given = values[0] if said is None else said
    number = int(given) if isinstance(given, int) or str(given).isdecimal() else -1
    if isinstance(given, bool) or not 0 <= number < 1 << 32 or not end(number, actor):
        raise errors.UsageError(f"there is no live query {given!r:.40}.", hint="SELECT * FROM system.live_queries.")
