"""Passwords as argon2 hashes, and what keeps others from trying them all.

Covers:     hashing, checking, attempts that fail, the bytes that a hash takes.
Not here:   users (`live.users`), tokens (`serving.tokens`).
Holds:      a count for each address and user that failed lately, at most `SERVE_FAILURES_MAX`; a hash's memory while one is checked.

Failures are counted for a user from an address, and for an address. Nobody can keep a user out from elsewhere: an address that has not
failed is heard, and what an attacker with many addresses may try is bounded by two hashes at a time.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits, units
from flatwater.budget.budget import Budget
from flatwater.live.refusals import TooManyAttempts, Unauthenticated

if TYPE_CHECKING:
    from flatwater.live.catalog import Catalog, UserRecord


def _hasher() -> Any:
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("serve", "argon2-cffi") from error
    memory = limits.SERVE_HASH_BYTES // units.KIB
    return PasswordHasher(time_cost=2, memory_cost=memory, parallelism=1)  # OWASP's second choice for argon2id


def hashed(password: str) -> str:
    """What is kept of a password: takes `SERVE_HASH_BYTES` and some 20 ms.

    Raises:
        MissingExtra: argon2-cffi is not installed.
    """
    found: str = _hasher().hash(password)
    return found


@final
class Passwords:
    """Of the users of one database. Thread-safe.

    Args:
        catalog: users.
        budget: that a hash's memory is taken from.
        clock: seconds that only go on.
    """

    def __init__(self, catalog: Catalog, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._catalog, self._budget, self._clock = catalog, budget, clock
        self._hasher = _hasher()
        self._nobody = ""  # a hash for users that there are not
        self._failures: OrderedDict[tuple[str, ...], tuple[int, float]] = (
            OrderedDict()
        )  # how many, and when the last one was
        self._lock = threading.Lock()

    def check(self, user: str, password: str, address: str) -> UserRecord:
        """The user of this name and password.

        Args:
            user: his name.
            password: that he gave.
            address: where he is.

        Raises:
            Unauthenticated: there is no such user, or it is another password: which one is not said.
            TooManyAttempts: it was tried too often; nothing was computed.
            BudgetExceeded: there are no bytes to compute a hash.
        """
        address = _place(address)
        keys = ((("user", user[: limits.LIVE_NAME_BYTES_MAX], address), limits.SERVE_FAILURES),
                (("address", address), limits.SERVE_ADDRESS_FAILURES))  # fmt: skip
        with self._lock:
            wait = max(self._wait(*key) for key in keys)
            if wait <= 0:  # counted before it is known: who sends many at once gets no more than one by one
                for key, _free in keys:
                    self._count(key)
        if wait > 0:
            raise TooManyAttempts(
                "log-ins failed too often.",
                retry_s=max(1.0, wait),
                hint=f"Try again in {units.format_duration(max(1.0, wait))}.",
            )
        record = self._catalog.user(user) if 0 < len(user) <= limits.LIVE_NAME_BYTES_MAX else None
        try:
            is_right = self._verified(record.password if record is not None else "", password)
        except errors.BudgetExceeded:
            with self._lock:
                for key, _free in keys:
                    self._failures.pop(key, None)
            raise
        if record is None or not is_right:
            raise Unauthenticated("the user or the password is wrong.", hint="A dba may ALTER USER ... PASSWORD '...'.")
        with self._lock:
            for key, _free in keys:
                self._failures.pop(key, None)
        return record

    def _verified(self, kept: str, password: str) -> bool:
        """Whether it is the password of this hash; where there is no hash, it takes as long."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        if len(password) > limits.LIVE_PASSWORD_BYTES_MAX:
            password, kept = "", ""
        with self._budget.reserve(limits.SERVE_HASH_BYTES, "live.log-ins"):
            if not kept and not self._nobody:
                self._nobody = hashed("nobody has this one")
            try:
                return bool(self._hasher.verify(kept or self._nobody, password)) and bool(kept)
            except (Argon2Error, InvalidHashError, UnicodeEncodeError):
                return False

    def _wait(self, key: tuple[str, ...], free: int) -> float:
        """Seconds until somebody may try again, who may fail so often freely."""
        count, last = self._failures.get(key, (0, 0.0))
        if count < free:
            return 0.0
        pause = min(2.0 ** min(count - free, 30), limits.SERVE_FAILURE_S)
        return last + pause - self._clock()

    def _count(self, key: tuple[str, ...]) -> None:
        now = self._clock()
        count, last = self._failures.pop(key, (0, now))
        self._failures[key] = (1 if now - last > limits.SERVE_FAILURE_S else count + 1), now
        while len(self._failures) > limits.SERVE_FAILURES_MAX:
            self._failures.popitem(last=False)


def _place(address: str) -> str:
    """Where an address is: who has one of IPv6 has all of its network, 2 to the 64th.

    >>> _place("2001:db8::1:2:3:4"), _place("::ffff:10.0.0.1"), _place("10.0.0.1")
    ('2001:db8::', '10.0.0.1', '10.0.0.1')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a proxy says something else
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_address(int(found) >> 64 << 64))
