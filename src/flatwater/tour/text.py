"""A text file in pieces of bounded size, whatever its lines are like.

Covers:     plain files and gzip; lines of any length; files that are no text, change, vanish or are broken.
Not here:   finding files (`tour.inputs`), words (`tour.table`).
Holds:      one piece of a file, and the decompressor's window: see `bytes_max`.
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from flatwater import limits
from flatwater.units import KIB

PIECE_BYTES = limits.TOUR_PIECE_BYTES  # read at a time; half of it is no slower to count, and twice is no faster
_GZIP_BYTES = 384 * KIB  # the window and its state (48 KiB), and two buffers of 128 KiB from Python 3.12 on
_OPEN_FLAGS = (
    os.O_RDONLY
    # What was a file when the directory named it may be a pipe by now: do not wait for a writer, and follow no link.
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class NotTextError(Exception):
    """Why a file is passed over, in words that can be counted."""


def bytes_max() -> int:
    """The most that reading holds, in bytes."""
    total = 0
    total += PIECE_BYTES  # what was read
    total += _GZIP_BYTES  # the decompressor
    return total


def pieces(path: str) -> Iterator[bytes]:
    """The content of a file, at most `PIECE_BYTES` at a time.

    A plain file is read as far as it went when it was opened: one that grows as fast as it is read has an end, too.

    Raises:
        NotTextError: it is no text, cannot be read, or is broken; what came before that has been given out.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except (OSError, ValueError):
        raise NotTextError("unreadable") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise NotTextError("special files")
    with os.fdopen(descriptor, "rb", buffering=0) as plain:
        try:
            if path.endswith(".gz"):
                with gzip.GzipFile(fileobj=plain, mode="rb") as unpacked:
                    yield from _text_pieces(unpacked, None)
            else:
                yield from _text_pieces(plain, status.st_size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise NotTextError("broken archives") from None
        except OSError:
            raise NotTextError("unreadable") from None


def _text_pieces(file: BinaryIO | gzip.GzipFile, size: int | None) -> Iterator[bytes]:
    given = 0
    while size is None or given < size:
        piece = file.read(PIECE_BYTES if size is None else min(PIECE_BYTES, size - given))
        if not piece:
            return
        if not given and b"\0" in piece:  # as grep tells text from the rest
            raise NotTextError("not text")
        given += len(piece)
        yield piece
