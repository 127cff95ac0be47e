"""The data connection of an upload by FTP."""

from __future__ import annotations

import socket

import pytest

from flatwater.sync.remotes import ftp_data


@pytest.fixture
def ends():
    """Two of one connection; who sends waits a tenth of a second."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _address = listener.accept()
    near.settimeout(0.1)
    with near, far:
        yield near, far


@pytest.mark.parametrize(("moves", "waits_s"), [(100, 100), (3, 63)])
def test_what_was_sent_is_waited_for_as_long_as_some_of_it_arrives(ends, monkeypatch, moves, waits_s):
    """However much the kernel took at once: the time limit begins when nothing moves."""
    ends[0].settimeout(60.0)
    clock = [0.0]
    monkeypatch.setattr(ftp_data.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(ftp_data.time, "sleep", lambda _seconds: clock.__setitem__(0, clock[0] + 1.0))
    monkeypatch.setattr(ftp_data, "_unsent", lambda _data: max(100 - int(clock[0]), 100 - moves))
    ftp_data.arrived(ends[0])
    assert clock[0] == waits_s


def test_an_upload_that_stands_still_is_not_waited_for(ends):
    """Longer than the time limit: neither while it is sent, nor behind its last byte."""
    near, far = ends
    with pytest.raises(TimeoutError):
        ftp_data.sent(near, bytes(100_000_000))
    ftp_data.arrived(near)
    assert ftp_data._unsent(near)
    while ftp_data._unsent(near):
        far.recv(1_000_000)
