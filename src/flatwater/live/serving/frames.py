"""WebSocket frames: made once for all who get them, and read without keeping anything between two of them.

Covers:     text frames, control frames, closing; reading frames, putting fragments together.
Not here:   the handshake and who is behind a connection (`serving.connection`).
Holds:      a message that has not arrived in whole, at most `SERVE_MESSAGE_BYTES` and what came behind it.

A server's frames are not masked: one and the same bytes go to everybody.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from typing import NamedTuple, final

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from flatwater import limits

_TEXT, _FIN = 0x1, 0x80


def text_frame(*parts: bytes) -> bytes:
    """A text message of these parts, which are UTF-8."""
    size = sum(map(len, parts))
    if size < 126:  # noqa: PLR2004 - RFC 6455, 5.2
        head = bytes((_FIN | _TEXT, size))
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FIN | _TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", _FIN | _TEXT, 127, size)
    return b"".join((head, *parts))


def close_frame(code: int, reason: str = "") -> bytes:
    """A closing frame; the reason is cut to what a control frame holds."""
    while len(reason.encode()) > 120:  # noqa: PLR2004 - 125 bytes with the code, and some are left
        reason = reason[:-1]
    return Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=False)


def ping_frame() -> bytes:
    """A ping."""
    return Frame(Opcode.PING, b"").serialize(mask=False)


def pong_frame(data: bytes) -> bytes:
    """The answer to a ping."""
    return Frame(Opcode.PONG, data).serialize(mask=False)


class Refused(Exception):  # noqa: N818 - it is no error of ours
    """What a client sent breaks the protocol.

    Attributes:
        code: to close with.
        reason: for a person.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Message(NamedTuple):
    """What came: a whole text, or a control frame.

    Attributes:
        opcode: TEXT, PING, PONG or CLOSE.
        data: the payload; that of a closing frame is checked.
    """

    opcode: Opcode
    data: bytes


@final
class Incoming:
    """Frames of one client, from the bytes as they come. When it `is_empty` it may be dropped, and another one made later.

    Args:
        most: bytes of a message; more from when on that is set.
    """

    __slots__ = ("_fragments", "_is_text", "_parsing", "_reader", "most", "size")

    def __init__(self, most: int = limits.SERVE_MESSAGE_BYTES) -> None:
        self.most = most
        self._reader = StreamReader()
        self._parsing: Generator[None, None, Frame] | None = None
        self._fragments: list[bytes] = []
        self._is_text = False  # a text has begun
        self.size = 0  # of its fragments

    def feed(self, data: bytes) -> None:
        """Bytes that came."""
        self._reader.feed_data(data)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._is_text and self._parsing is None and not self._reader.buffer

    @property
    def held(self) -> int:
        """Bytes that it holds."""
        return len(self._reader.buffer) + self.size

    def next(self) -> Message | None:
        """The next message that is there; None until more comes.

        Raises:
            Refused: the client breaks the protocol.
        """
        while self._parsing is not None or self._reader.buffer:
            if self._parsing is None:
                left = self.most - self.size
                self._parsing = Frame.parse(self._reader.read_exact, mask=True, max_size=left)
            try:
                next(self._parsing)
            except StopIteration as done:
                self._parsing = None
                message = self._taken(done.value)
                if message is not None:
                    return message
            except PayloadTooBig as error:
                raise Refused(1009, f"a message has at most {self.most:,} bytes") from error
            except ProtocolError as error:
                raise Refused(1002, str(error)) from error
            else:
                return None
        return None

    def _taken(self, frame: Frame) -> Message | None:
        """The message that a frame ends; None if more of it has to come."""
        data = bytes(frame.data)
        match frame.opcode:
            case Opcode.PING | Opcode.PONG:
                return Message(frame.opcode, data)
            case Opcode.CLOSE:
                _check_close(data)
                return Message(Opcode.CLOSE, data[:2])
            case Opcode.BINARY:
                raise Refused(1003, "messages are JSON texts")
            case Opcode.TEXT if self._is_text:
                raise Refused(1002, "a message began in the middle of another one")
            case Opcode.CONT if not self._is_text:
                raise Refused(1002, "a fragment of no message")
        self._is_text = not frame.fin
        if not frame.fin:
            # an empty fragment costs as much as one of some bytes: a message of these alone is no way around the bound
            self._fragments.append(data)
            self.size += max(len(data), 64)
            if self.size >= self.most:
                raise Refused(1009, f"a message has at most {self.most:,} bytes")
            return None
        if self._fragments:
            data = b"".join((*self._fragments, data))
            self._fragments, self.size = [], 0
        try:
            data.decode()
        except UnicodeDecodeError as error:
            raise Refused(1007, "a text is not UTF-8") from error
        return Message(Opcode.TEXT, data)


def _check_close(data: bytes) -> None:
    try:
        Close.parse(data)
    except UnicodeDecodeError as error:
        raise Refused(1007, "a reason is not UTF-8") from error
    except ProtocolError as error:
        raise Refused(1002, str(error)) from error
