"""A stream of a Redis server as a source: its entries in their order, from behind the one that was read last.

Covers:     XREAD in batches that fit, waiting for more, ending where there is no more, going on from a checkpoint.
Not here:   the turns of a pass (`pipeline.server_stream`); consumer groups: how far a reader is, is kept by the flow's checkpoint; connecting again, which is the client's.
Holds:      one batch, as it came and as items; see `RedisStream.bytes_max`.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.pipeline import server_stream
from flatwater.pipeline.place import Batch
from flatwater.source.files.place import public_url

if TYPE_CHECKING:
    import redis

_SCHEMES = ("redis://", "rediss://", "unix://")
_TRIES = 6  # of a command, when the connection breaks
_DELAY_S, _DELAY_MAX_S = 0.05, 1.0  # between them


@final
class RedisStream:
    """The entries of a Redis stream, as a source of flows. Picklable, but for `stop`. Thread-safe: each run has a connection.

    An item is `{"id": "1700000000000-0", "fields": {"name": "value"}}`.

    A checkpoint holds the ID of the last entry: a job goes on behind it. Entries that the server dropped before they were
    read, because the stream is trimmed, do not come.

    Args:
        url: of the server: `redis://user:password@host:6379/0`, `rediss://` or `unix://`. What stands behind a question mark
            are options of the client, such as `?socket_timeout=30`.
        key: of the stream; it need not be there yet.
        after: where a run without a checkpoint begins: behind the entry of this ID; "0" for the first one there is, "$" for
            what is added from now on.
        stop_when_empty: end when there is no more, for jobs; else wait for more.
        stop: an event that ends the waiting, and with it the flow.
        encoding: of fields and values; None gives bytes as they are.
        batch_bytes: heap bytes that are read at once, by the mean of the entries before; one entry that is larger comes alone.

    Raises:
        UsageError: the URL is none, or a value makes no sense.
        MissingExtra: the client is not installed.

    While it is read: BrokenError, when the server cannot be reached for several seconds; UsageError, when the key is no
    stream; CorruptError, when a value is no text.

    Memory: see `bytes_max`; it is reserved in the budget around the run while it is read.
    """

    def __init__(
        self,
        url: str,
        key: str | bytes,
        *,
        after: str = "0",
        stop_when_empty: bool = False,
        stop: threading.Event | None = None,
        encoding: str | None = "utf-8",
        batch_bytes: str | int = limits.FLOW_BATCH_BYTES,
    ) -> None:
        if not isinstance(url, str) or not url.startswith(_SCHEMES):
            shown = public_url(url) if isinstance(url, str) else type(url).__name__
            raise errors.UsageError(f"{shown} is no address of Redis.", hint=f"It begins with {', '.join(_SCHEMES)}.")
        if not isinstance(key, (str, bytes)) or not key:
            raise errors.UsageError(f"{key!r:.60} is no key of a stream.", hint="Give its name.")
        _client_module()
        self.url = url
        self.key = key
        self.after = after
        self.stop_when_empty = stop_when_empty
        self.stop = stop
        self.encoding = encoding
        self.batch_bytes = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)

    def batches(self, after: str | None = None) -> Walk:
        """Its entries, from behind one on: lists of items; an empty one while it waits."""
        return Walk(self, after)

    def bytes_max(self) -> int:
        """The most it holds at once, in bytes, beside the largest entry."""
        total = 0
        total += self.batch_bytes  # the reply
        total += self.batch_bytes  # the items that are made of it
        total += limits.DRIVER_BYTES  # the connection's buffers
        return total

    def __repr__(self) -> str:
        return f"<RedisStream {self.key!r} of {public_url(self.url)}>"


@final
class Walk(server_stream.Walk[RedisStream]):
    """One pass over a stream. For one thread. `token` is the ID of an entry."""

    def _read(self) -> Generator[Batch, None, None]:
        stream = self._stream
        with Budget.current().reserve(stream.bytes_max(), "flow.redis"):
            client = _client(stream.url)
            try:
                if self.token is None:
                    self.token = self._newest(client) if stream.after == "$" else stream.after
                yield from self._lists(partial(self._next, client), "id", limits.FLOW_BATCH_ROWS)
            finally:
                client.close()

    def _next(self, client: redis.Redis, count: int) -> Batch:
        """The next entries; none, after a while, if there are none."""
        wait_ms = None if self._stream.stop_when_empty else max(1, int(1000 * limits.FLOW_LOOK_S))
        found = self._asked(client, "XREAD", count, wait_ms)
        return [self._item(*entry) for entry in found[0][1]] if found else []

    def _newest(self, client: redis.Redis) -> str:
        """The ID of the last entry that there is now."""
        found = self._asked(client, "XREVRANGE", 1, None)
        return found[0][0].decode() if found else "0"

    def _asked(self, client: redis.Redis, command: str, count: int, wait_ms: int | None) -> Any:
        """What the server answers.

        Raises:
            UsageError: the key is no stream, or the ID none.
            BrokenError: there is no answer, or another one.
        """
        from redis.exceptions import RedisError

        key = self._stream.key
        try:
            if command == "XREVRANGE":
                return client.xrevrange(key, count=count)
            return client.xread({key: self.token or "0"}, count=count, block=wait_ms)
        except RedisError as error:
            if str(error).startswith(("WRONGTYPE", "Invalid stream ID")):
                raise errors.UsageError(
                    f"{self._stream!r} from {self.token!r} on: {error}.",
                    hint="Name a stream, and an ID of its entries.",
                ) from error
            raise errors.BrokenError(
                f"{self._stream!r} could not be read behind {self.token}: {error}.",
                hint="Look at the server, and run it again: with a checkpoint it goes on from there.",
            ) from error

    def _item(self, entry: bytes, fields: dict[bytes, bytes]) -> dict[str, Any]:
        """What is handed on.

        Raises:
            CorruptError: a value is no text.
        """
        name, encoding = entry.decode(), self._stream.encoding
        if encoding is None:
            return {"id": name, "fields": fields}
        try:
            return {"id": name, "fields": {key.decode(encoding): text.decode(encoding) for key, text in fields.items()}}
        except UnicodeDecodeError as error:
            raise errors.CorruptError(
                f"entry {name} of {self._stream!r} is no {encoding}: {error.reason}.",
                hint="Take encoding=None, and decode what is text.",
            ) from error


def _client(url: str) -> redis.Redis:
    """A connection that tries again for some seconds when it breaks, and does not wait for ever."""
    _client_module()
    from redis import Redis
    from redis.backoff import ExponentialBackoff
    from redis.retry import Retry

    again = Retry(ExponentialBackoff(cap=_DELAY_MAX_S, base=_DELAY_S), _TRIES)
    return Redis.from_url(
        url, protocol=2, decode_responses=False, retry=again,
        socket_timeout=limits.FLOW_SERVER_S, socket_connect_timeout=limits.FLOW_SERVER_S,
    )  # fmt: skip


def _client_module() -> None:
    try:
        import redis  # noqa: F401 - to know early
    except ImportError as error:
        raise errors.MissingExtra("flow", "redis") from error
