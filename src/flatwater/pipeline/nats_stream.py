"""A stream of NATS JetStream as a source: its messages in their order, from behind the one that was read last.

Covers:     reading by sequence, several requests at a time, waiting for more, ending where there is no more, going on from a
            checkpoint.
Not here:   the turns of a pass (`pipeline.server_stream`); consumers and acknowledgements: how far a reader is, is kept by the flow's checkpoint.
Holds:      one batch, as it came and as items; see `NatsStream.bytes_max`.

A request names a sequence and gets the first message at it or behind it. Requests for `n`, `n + 1`, ... that are under way
together are answered by all messages up to there, and by the next one: some twice, where sequences are missing, and none is
passed over. Nothing is kept for this reader on the server, so nothing is lost when the connection breaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.pipeline import loops, server_stream
from flatwater.pipeline.place import Batch
from flatwater.source.files.place import public_url

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

_TEMPORARY = 500  # numbers of errors from here on are those of a server that is not ready
_CONNECT_S = 0.1  # between two tries
_AT_ONCE_MAX = 64  # requests under way
_NO_MESSAGE = 10_037  # the server's number for: there is none at this sequence or behind it


@final
class NatsStream:
    """The messages of a JetStream stream, as a source of flows. Picklable, but for `stop`. Thread-safe: each run has a connection.

    An item is `{"subject": "orders.new", "sequence": 17, "data": b"...", "headers": {...}}`; headers are None where there are none.

    A checkpoint holds the sequence of the last message: a job goes on behind it. Messages that the server dropped before they
    were read do not come.

    Args:
        url: of the server: `nats://user:password@host:4222`, `tls://` or `ws://`.
        stream: its name.
        subject: of the messages that are wanted, with wildcards; all of them, unless told.
        after: where a run without a checkpoint begins: behind this sequence; "$" for what is published from now on.
        stop_when_empty: end when there is no more, for jobs; else wait for more.
        stop: an event that ends the waiting, and with it the flow.
        options: of the client, such as `{"user_credentials": "path"}`.
        batch_bytes: heap bytes that are read at once, by the mean of the messages before; a larger message comes alone.

    Raises:
        UsageError: the URL or a value makes no sense.
        MissingExtra: the client is not installed.

    While it is read: BrokenError, when the server cannot be reached for several seconds; UsageError, when there is no such
    stream.

    Memory: see `bytes_max`; it is reserved in the budget around the run while it is read.
    """

    def __init__(
        self,
        url: str,
        stream: str,
        *,
        subject: str = ">",
        after: int | str = 0,
        stop_when_empty: bool = False,
        stop: threading.Event | None = None,
        options: Mapping[str, Any] | None = None,
        batch_bytes: str | int = limits.FLOW_BATCH_BYTES,
    ) -> None:
        if not isinstance(url, str) or "://" not in url:
            raise errors.UsageError(f"{url!r:.60} is no address of NATS.", hint="Give one such as nats://host:4222.")
        if not isinstance(stream, str) or not stream:
            raise errors.UsageError(f"{stream!r:.60} is no name of a stream.", hint="Give its name.")
        if after != "$" and (isinstance(after, (bool, str)) or after < 0):
            raise errors.UsageError(f"after={after!r} is no sequence.", hint='Give a number, or "$".')
        _client_module()
        self.url = url
        self.stream = stream
        self.subject = subject
        self.after = after
        self.stop_when_empty = stop_when_empty
        self.stop = stop
        self.options = dict(options or {})
        self.batch_bytes = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)

    def batches(self, after: int | None = None) -> Walk:
        """Its messages, from behind one on: lists of items; an empty one while it waits."""
        return Walk(self, after)

    def bytes_max(self) -> int:
        """The most it holds at once, in bytes, beside the largest message."""
        total = 0
        total += 2 * self.batch_bytes  # the answers: JSON, and what it holds as Base64
        total += self.batch_bytes  # the items that are made of them
        total += limits.DRIVER_BYTES  # the connection's buffers
        return total

    def __repr__(self) -> str:
        return f"<NatsStream {self.stream!r} of {public_url(self.url)}>"


@final
class Walk(server_stream.Walk[NatsStream]):
    """One pass over a stream. For one thread. `token` is the sequence of a message."""

    def _read(self) -> Generator[Batch, None, None]:
        stream = self._stream
        loops.refuse_running("a stream of NATS")
        with Budget.current().reserve(stream.bytes_max(), "flow.nats"), asyncio.Runner() as runner:
            client = runner.run(self._answered(_connected, stream.url, stream.options))
            try:
                source = client.jetstream(timeout=limits.FLOW_SERVER_S / 4)
                if self.token is None:
                    self.token = runner.run(self._begin(source))
                yield from self._lists(lambda count: runner.run(self._asked(source, count)), "sequence", _AT_ONCE_MAX)
            finally:
                with contextlib.suppress(Exception):  # it is gone anyway
                    runner.run(client.close())

    async def _begin(self, source: JetStreamContext) -> int:
        """The sequence behind which it begins."""
        if self._stream.after == "$":
            return int((await self._answered(source.stream_info, self._stream.stream)).state.last_seq)
        return int(self._stream.after)

    async def _asked(self, source: JetStreamContext, count: int) -> Batch:
        """The next messages: of so many sequences, and one behind them. None, after a while, if there are none."""
        first = (self.token or 0) + 1
        found = await asyncio.gather(*(self._message(source, first + at) for at in range(count)))
        items = {item["sequence"]: item for item in found if item is not None}
        if not items and not self._stream.stop_when_empty:
            await asyncio.sleep(limits.FLOW_LOOK_S)
        return [items[sequence] for sequence in sorted(items)]

    async def _message(self, source: JetStreamContext, sequence: int) -> dict[str, Any] | None:
        """The first one at a sequence or behind it."""
        from nats.js.errors import NotFoundError

        stream = self._stream
        try:
            found = await self._answered(source.get_msg, stream.stream, seq=sequence, subject=stream.subject, next=True)
        except NotFoundError:  # there is none yet
            return None
        return {
            "subject": found.subject, "sequence": found.seq, "data": found.data or b"", "headers": found.headers,
        }  # fmt: skip

    async def _answered(self, ask: Any, *arguments: Any, **named: Any) -> Any:
        """What the server answers, once it does.

        Raises:
            BrokenError: it did not for limits.FLOW_SERVER_S, or answered otherwise.
        """
        from nats.errors import Error
        from nats.js.errors import APIError, NotFoundError

        until = monotonic() + limits.FLOW_SERVER_S
        while True:
            try:
                return await ask(*arguments, **named)
            except NotFoundError as error:
                if error.err_code == _NO_MESSAGE:
                    raise
                raise self._no_stream(error) from error
            except (Error, OSError, TimeoutError) as error:
                if monotonic() > until or (isinstance(error, APIError) and (error.code or 0) < _TEMPORARY):
                    raise errors.BrokenError(
                        f"{self._stream!r} could not be read behind {self.token}: {error or type(error).__name__}.",
                        hint="Look at the server, and run it again: with a checkpoint it goes on from there.",
                    ) from error
                await asyncio.sleep(limits.FLOW_LOOK_S)

    def _no_stream(self, error: Exception) -> errors.UsageError:
        return errors.UsageError(f"{self._stream!r} is not there: {error}.", hint="Name a stream that the server has.")


async def _connected(url: str, options: Mapping[str, Any]) -> Client:
    import nats

    async def quiet(_error: Exception) -> None:
        """What breaks while nothing is asked shows when something is."""

    defaults = {
        "error_cb": quiet, "reconnect_time_wait": _CONNECT_S,
        "max_reconnect_attempts": max(1, int(limits.FLOW_SERVER_S / _CONNECT_S)),
    }  # fmt: skip
    return await nats.connect(url, **(defaults | dict(options)))


def _client_module() -> None:
    try:
        import nats  # noqa: F401 - to know early
    except ImportError as error:
        raise errors.MissingExtra("flow", "nats-py") from error
