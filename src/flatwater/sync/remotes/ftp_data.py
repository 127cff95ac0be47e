"""The data connection of an upload by FTP: sending, waiting until it is there, closing.

Covers:     lines so slow that the kernel holds what was sent for minutes, the end of a connection by TLS.
Not here:   opening one, and answers (`sync.remotes.ftp_link`), files (`sync.remotes.ftp_files`).
Holds:      nothing; the kernel has its buffers.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import ssl
import termios
import time

from flatwater import limits

_PAUSE_S = 0.25  # between two looks, at most


def sent(data: socket.socket, some: bytes | bytearray | memoryview) -> None:
    """Send all of it. The time limit is for each part: that of `sendall` is for the whole, however slow a line is."""
    left = memoryview(some).cast("B")
    while left:
        left = left[data.send(left[: limits.SYNC_FTP_PART_BYTES]) :]


def arrived(data: socket.socket) -> None:
    """Return when the other end has all that was sent, or takes nothing of it for the time limit.

    The kernel takes megabytes at once, which a slow line needs minutes for. An answer is waited for from then on.
    """
    left, since_s, pause_s = _unsent(data), time.monotonic(), 0.001
    while left and time.monotonic() - since_s < (data.gettimeout() or 0.0):
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _PAUSE_S)
        before, left = left, _unsent(data)
        if left < before:
            since_s = time.monotonic()


def _unsent(data: socket.socket) -> int:
    """Bytes of a connection that the other end has not confirmed; 0 where the system does not tell."""
    count = array.array("i", [0])
    with contextlib.suppress(OSError):
        fcntl.ioctl(data, termios.TIOCOUTQ, count)
    return count[0]


def ended(data: socket.socket) -> None:
    """Close a data connection behind the last byte that was sent.

    TLS says that it was the last one, and hears the same: what the server sent and nobody read would make the kernel reset the
    connection, with bytes in it that are still on their way. A server that closes without a word is seen in its answer.
    """
    try:
        if isinstance(data, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                data.unwrap()
    finally:
        data.close()
