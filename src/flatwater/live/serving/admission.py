"""What connections, live queries and messages under way may take: counted, and taken from the budget before it is used.

Covers:     connections by user, bytes of connections, feeds, full outboxes and messages that arrive; refusing.
Not here:   statements, which take their bytes themselves (`serving.app`).
Holds:      a count for each user who is connected.
"""

from __future__ import annotations

from collections import Counter
from typing import final

from flatwater import errors, limits
from flatwater.budget.budget import Budget


class Refusal(errors.LimitReached):
    """The server takes no more of something now; later it may."""

    code, status = "limit_reached", 429


@final
class Admission:
    """Of one server. For its loop alone.

    Args:
        budget: that all is taken from.
        is_tls: whether connections have TLS, which takes more.
        files_max: descriptors that the process may have open; some of them are kept for the database.

    Raises:
        BudgetExceeded: there is no room for the handshakes of TLS.
    """

    def __init__(self, budget: Budget, *, is_tls: bool, files_max: int | None = None) -> None:
        files = files_of_process() if files_max is None else files_max
        self._sockets_max = max(files - limits.SERVE_FILES_SPARE, files // 2)
        self._budget = budget
        self._reservation = budget.reserve(0, "live.connections")
        tls = limits.SERVE_TLS_BYTES if is_tls else 0
        self._each, self._each_http = limits.SERVE_CONNECTION_BYTES + tls, limits.SERVE_HTTP_BYTES + tls
        self._handshakes = tls * limits.SERVE_HANDSHAKES_MAX
        self._users: Counter[str] = Counter()
        self.connections = self.feeds = self.paused = self.receiving = self.https = self.shaking = self.heads = 0
        try:
            self._take()
        except BaseException:
            self._reservation.release()
            raise

    @property
    def is_open(self) -> bool:
        """Whether the budget's gate is: under pressure nothing new is taken."""
        return self._budget.gate.is_open

    def bytes_held(self) -> int:
        """Bytes that all that was admitted may take."""
        total = 0
        total += self.connections * self._each  # idle
        total += self.https * self._each_http  # of HTTP
        total += self._handshakes + self.shaking * limits.SERVE_HTTP_BYTES  # that have no TLS yet
        total += self.feeds * limits.SERVE_FEED_BYTES  # live queries
        total += self.paused * 2 * limits.SERVE_OUTBOX_BYTES  # what clients have not taken
        total += self.receiving  # messages that arrive
        total += self.heads  # of requests that arrive
        return total

    def promised(self) -> int:
        """Bytes that were taken from the budget for it."""
        return self._reservation.bytes

    def _take(self) -> None:
        step = limits.SERVE_CONNECTIONS_STEP
        held = self.bytes_held()
        if not self._reservation.bytes - 2 * step <= held <= self._reservation.bytes:
            self._reservation.resize(-(-held // step) * step)

    def come(self, *, has_tls: bool = True) -> bool:
        """One more connection of HTTP; False if there is no place for it.

        Args:
            has_tls: where TLS is spoken at all, its handshake is done.
        """
        what = "https" if has_tls else "shaking"
        sockets = self.https + self.shaking * (not has_tls) + self.connections
        if getattr(self, what) >= limits.SERVE_HTTP_MAX or sockets >= self._sockets_max:
            return False
        try:
            self._change(what, 1)
        except errors.FlatwaterError:
            return False
        return True

    def go(self, *, has_tls: bool = True) -> None:
        """One less."""
        self._change("https" if has_tls else "shaking", -1)

    def head(self, size: int) -> bool:
        """So many more bytes of requests' heads that arrive, or fewer; False if there is no place for them."""
        if size > 0 and self.heads + size > limits.SERVE_HEADS_BYTES:
            return False
        try:
            self._change("heads", size)
        except errors.FlatwaterError:
            return False
        return True

    def connect(self) -> None:
        """One more connection.

        Raises:
            BudgetExceeded: there are no bytes for it.
            Refusal: there are too many, or the gate is closed.
        """
        if not self.is_open:
            raise Refusal("the server is short of memory and takes nothing new.", hint="Try again in a while.")
        if self.connections >= min(limits.SERVE_CONNECTIONS_MAX, self._sockets_max):
            raise Refusal(f"the server has {self.connections:,} connections.", hint="Try again in a while.")
        self.connections += 1
        try:
            self._take()
        except BaseException:
            self.connections -= 1
            raise

    def disconnect(self) -> None:
        """One less."""
        self.connections -= 1
        self._take()

    def enter(self, user: str, most: int) -> None:
        """A connection is a user's.

        Raises:
            Refusal: he has too many.
        """
        if self._users[user] >= most:
            raise Refusal(
                f"{user!r} has {most} connections.", what="connections", limit=most,
                hint="Close some; a dba may ALTER USER ... CONNECTIONS <more>.",
            )  # fmt: skip
        self._users[user] += 1

    def leave(self, user: str) -> None:
        """It is his no longer."""
        self._users[user] -= 1
        if not self._users[user]:
            del self._users[user]

    def follow(self, count: int) -> None:
        """So many more live queries, or fewer.

        Raises:
            BudgetExceeded: there are no bytes for them.
            Refusal: the gate is closed.
        """
        if count > 0 and not self.is_open:
            raise Refusal("the server is short of memory and takes nothing new.", hint="Try again in a while.")
        self._change("feeds", count)

    def pause(self, count: int) -> None:
        """So many more clients that do not take what they are sent, or fewer.

        Raises:
            BudgetExceeded: there are no bytes for it.
        """
        self._change("paused", count)

    def receive(self, size: int) -> None:
        """So many more bytes of messages that arrive, or fewer.

        Raises:
            Refusal: too many arrive at once.
            BudgetExceeded: there are no bytes for them.
        """
        if size > 0 and self.receiving + size > limits.SERVE_RECEIVING_BYTES:
            raise Refusal("too many large messages arrive at once.", hint="Try again in a while.")
        self._change("receiving", size)

    def _change(self, what: str, count: int) -> None:
        setattr(self, what, getattr(self, what) + count)
        try:
            self._take()
        except BaseException:
            setattr(self, what, getattr(self, what) - count)
            raise

    def close(self) -> None:
        """Give everything back."""
        self._reservation.release()


def files_of_process() -> int:
    """How many descriptors this process may have open."""
    try:
        import resource
    except ImportError:  # there is none for Windows
        return limits.SERVE_FILES_MAX
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limits.SERVE_FILES_MAX if soft == resource.RLIM_INFINITY else min(soft, limits.SERVE_FILES_MAX)
