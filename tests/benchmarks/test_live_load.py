"""The load client of the cases of a served database: what it counts is what came."""

from __future__ import annotations

import random
import socket

import pytest
from benchmarks.live.load import Client, Clients, masked, message

ROW = message(7, 3, 12, "x" * 190)
LARGE = b"y" * 70_000
PING = b"\x89\x00"


def frame(data: bytes) -> bytes:
    """As a server sends it."""
    if len(data) < 126:
        return bytes((0x81, len(data))) + data
    if len(data) < 1 << 16:
        return b"\x81\x7e" + len(data).to_bytes(2, "big") + data
    return b"\x81\x7f" + len(data).to_bytes(8, "big") + data


@pytest.fixture
def pair():
    """A client, and the server's end of its socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Client(ours, 0), theirs


@pytest.mark.parametrize("seed", range(20))
def test_messages_are_counted_however_they_are_cut(seed, pair):
    """Rows of any size are counted once each, wherever the bytes were cut; words of the protocol and pings are not."""
    client, theirs = pair
    clients, chance = Clients(), random.Random(seed)
    sent = [chance.choice((frame(ROW), frame(LARGE), frame(b'{"op":"ready"}'), PING)) for _ in range(40)]
    data = b"".join(sent)
    while data:
        size = chance.choice((1, 2, 3, 5, 100, 4_000, 60_000))
        theirs.sendall(data[:size])
        data = data[size:]
        clients._take(client)
    assert clients._count == sum(len(each) > 100 for each in sent)
    assert (client.skip, client.rest) == (0, b"")
    pongs = theirs.recv(1 << 16) if PING in sent else b""
    assert pongs == b"\x8a\x80\0\0\0\0" * sent.count(PING)


def test_rows_read_with_care_are_shown_in_whole(pair):
    """Whoever reads with care sees each payload once it is complete."""
    client, _theirs = pair
    clients, seen = Clients(), []
    data = frame(ROW) + frame(LARGE) + frame(b"{}")
    for at in range(0, len(data), 999):
        clients._with_care(client, data[at : at + 999], lambda _client, payload: seen.append(payload))
    assert seen == [ROW, LARGE, b"{}"]


def test_a_closed_connection_is_an_error(pair):
    """A server that closes is told, not waited for."""
    client, theirs = pair
    theirs.close()
    with pytest.raises(OSError, match="closed"):
        Clients()._take(client)


@pytest.mark.parametrize("size", [0, 125, 126, 5_000])
def test_frames_of_a_client_are_masked_with_zeros(size):
    """A mask of zeros leaves the text as it is."""
    made = masked("a" * size)
    assert made[1] & 0x80
    assert made.endswith(b"\0\0\0\0" + b"a" * size)
