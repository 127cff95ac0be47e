"""Frames as RFC 6455 has them: made once, read in any pieces, refused with the right code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from flatwater import limits
from flatwater.live.serving.frames import Incoming, Refused, close_frame, ping_frame, pong_frame, text_frame


def parsed(data):
    """A server's frame, as another library reads it."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert not reader.buffer
    return done.value.value


def masked(opcode, data=b"", *, fin=True):
    return Frame(opcode, data, fin=fin).serialize(mask=True)


def read(data, step=None):
    """What comes of these bytes, in pieces of a size."""
    incoming, found = Incoming(), []
    for at in range(0, len(data), step or max(1, len(data))):
        incoming.feed(data[at : at + (step or len(data))])
        while (message := incoming.next()) is not None:
            found.append(message)
    return incoming, found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_text_frames(size):
    """A text of any size is one frame, whatever parts it is made of."""
    payload = b"x" * size
    found = parsed(text_frame(payload[: size // 2], payload[size // 2 :]))
    assert (found.opcode, bytes(found.data), found.fin) == (Opcode.TEXT, payload, True)


def test_control_frames():
    """Closing frames hold their code and as much of the reason as fits, in whole characters."""
    found = parsed(close_frame(1013, "ü" * 300))
    assert found.opcode is Opcode.CLOSE
    assert bytes(found.data[:2]) == (1013).to_bytes(2, "big")
    assert len(found.data) <= 125
    assert set(bytes(found.data[2:]).decode()) == {"ü"}
    assert parsed(ping_frame()).opcode is Opcode.PING
    assert bytes(parsed(pong_frame(b"12")).data) == b"12"


@pytest.mark.parametrize("step", [1, 2, 3, 7, None])
def test_messages_in_pieces(step):
    """Messages come whole, in whatever pieces their bytes arrive, with control frames between their fragments."""
    data = (
        masked(Opcode.TEXT, b"one")
        + masked(Opcode.TEXT, "grü".encode()[:3], fin=False)
        + masked(Opcode.PING, b"p")
        + masked(Opcode.CONT, "grü".encode()[3:], fin=False)
        + masked(Opcode.CONT, b"n")
        + masked(Opcode.CLOSE, (1000).to_bytes(2, "big"))
    )
    incoming, found = read(data, step)
    assert [(message.opcode, message.data) for message in found] == [
        (Opcode.TEXT, b"one"), (Opcode.PING, b"p"), (Opcode.TEXT, "grün".encode()), (Opcode.CLOSE, b"\x03\xe8"),
    ]  # fmt: skip
    assert incoming.is_empty


def test_what_is_under_way_is_counted():
    """Bytes of a message that has not arrived in whole are told; when it has, there are none."""
    whole = masked(Opcode.TEXT, b"x" * 10_000)
    incoming = Incoming()
    incoming.feed(whole[:5_000])
    assert incoming.next() is None
    assert not incoming.is_empty
    assert 4_900 < incoming.held <= 5_000
    incoming.feed(whole[5_000:])
    assert len(incoming.next().data) == 10_000
    assert incoming.is_empty
    assert incoming.held == 0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (masked(Opcode.BINARY, b"x"), 1003),
        (masked(Opcode.CONT, b"x"), 1002),
        (masked(Opcode.TEXT, b"x", fin=False) + masked(Opcode.TEXT, b"y"), 1002),
        (masked(Opcode.TEXT, b"\xff"), 1007),
        (masked(Opcode.TEXT, b"\xed\xa0\x80"), 1007),
        (Frame(Opcode.TEXT, b"x").serialize(mask=False), 1002),
        (masked(Opcode.CLOSE, b"\x03"), 1002),
        (masked(Opcode.CLOSE, (1005).to_bytes(2, "big")), 1002),
        (masked(Opcode.CLOSE, (999).to_bytes(2, "big")), 1002),
        (masked(Opcode.CLOSE, (1000).to_bytes(2, "big") + b"\xff"), 1007),
        (bytes([0xC1, 0x81, 0, 0, 0, 0, 1]), 1002),
        (bytes([0x83, 0x80, 0, 0, 0, 0]), 1002),
        (bytes([0x8B, 0x80, 0, 0, 0, 0]), 1002),
        (bytes([0x09, 0x80, 0, 0, 0, 0]), 1002),
        (bytes([0x89, 0xFE, 0, 126, 0, 0, 0, 0]) + bytes(126), 1002),
        (bytes([0x81, 0xFF]) + (1 << 62).to_bytes(8, "big"), 1009),
        (masked(Opcode.TEXT, b"x" * (limits.SERVE_MESSAGE_BYTES + 1)), 1009),
    ],
    ids=range(17),  # masks are random: no names for processes to differ about
)
def test_broken_frames(data, code):
    """What breaks the protocol is refused with the code that RFC 6455 has for it."""
    with pytest.raises(Refused) as refused:
        read(data)
    assert refused.value.code == code
    assert refused.value.reason


@pytest.mark.parametrize("part", [b"", b"x", b"x" * 10_000])
def test_endless_fragments(part):
    """A message of endless fragments, also of empty ones, is refused before it takes more than it may."""
    incoming = Incoming()
    incoming.feed(masked(Opcode.TEXT, part, fin=False))
    assert incoming.next() is None
    code = 0
    for _ in range(limits.SERVE_MESSAGE_BYTES):
        incoming.feed(masked(Opcode.CONT, part, fin=False))
        code = code_of(incoming)
        if code:
            break
        assert incoming.held <= limits.SERVE_MESSAGE_BYTES
    assert code == 1009


def code_of(incoming):
    """With which the next message is refused; 0 if there is none, None for a message."""
    try:
        return 0 if incoming.next() is None else None
    except Refused as refused:
        return refused.code


@given(st.binary(max_size=300))
def test_any_bytes(data):
    """Whatever comes is a message, is refused, or waits for more."""
    incoming, codes = Incoming(), []
    for at in range(0, len(data), 7):
        incoming.feed(data[at : at + 7])
        while (code := code_of(incoming)) is None:
            pass
        codes.append(code)
        if code:
            break
    assert set(codes) <= {0, 1002, 1003, 1007, 1009}
    assert incoming.held <= len(data) + 64 * len(data)
