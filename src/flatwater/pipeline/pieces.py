"""A piece of a plain local file, by its place: what is sent to another process instead of its bytes.

Covers:     the pieces of a file in batches, from a place on; reading one, wherever that is.
Not here:   files that have to be decoded, or come over a network (`source.files`).
Holds:      a file that is open in the process that reads, one at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple, final

from flatwater import errors, units

PIECES_AT_ONCE = 64  # of a batch: a checkpoint can stand behind each


class Piece(NamedTuple):
    """Some bytes of a file.

    Attributes:
        path: of the file, absolute.
        offset: of the first byte.
        length: bytes.
        file: number of the file on its disk, by which another file of that name is known.
    """

    path: str
    offset: int
    length: int
    file: int

    def __repr__(self) -> str:
        return f"Piece({self.path!r}, offset={self.offset}, length={self.length})"


@final
class Pieces:
    """The pieces of one file: a source of a flow, whose token is the byte behind a batch.

    Args:
        name: of the source, for people.
        path: of a plain local file.
        offset: of the first byte.
        length: bytes, all together.
        size: bytes of a piece.
    """

    def __init__(self, name: str, path: str, offset: int, length: int, size: int) -> None:
        self.name = name
        self._path = os.path.abspath(path)
        self._offset = offset
        self._stop = offset + length
        self._size = size

    def batches(self, after: int | None = None) -> PieceBatches:
        """Them in lists, from a byte on.

        Raises:
            BrokenError: the file is gone.
        """
        start = self._offset if after is None else after
        try:
            file = os.stat(self._path).st_ino if start < self._stop else 0
        except OSError as error:
            raise _unreadable(
                Piece(self._path, start, 0, 0), error.strerror or str(error), "Look at the path."
            ) from error
        return PieceBatches(self._path, start, self._stop, self._size, file)


@final
class PieceBatches:
    """Of one pass.

    Attributes:
        token: the byte behind what was given.
    """

    def __init__(self, path: str, start: int, stop: int, size: int, file: int) -> None:
        self.token = start
        self._path = path
        self._stop = stop
        self._size = size
        self._file = file

    def __iter__(self) -> Iterator[list[Any]]:
        while self.token < self._stop:
            stop = min(self._stop, self.token + PIECES_AT_ONCE * self._size)
            starts = range(self.token, stop, self._size)
            box = [[Piece(self._path, start, min(self._size, stop - start), self._file) for start in starts]]
            self.token = stop
            yield box.pop()


@final
class PieceReader:
    """Reads pieces; a file stays open until one of another file is asked for."""

    def __init__(self) -> None:
        self._path = ""
        self._number = -1
        self._descriptor = -1

    def read(self, piece: Piece) -> bytes:
        """Its bytes.

        Raises:
            BrokenError: the file is not there, is another one, or became shorter.
        """
        try:
            if (self._path, self._number) != (piece.path, piece.file):
                self._open(piece)
            data = os.pread(self._descriptor, piece.length, piece.offset)
            while len(data) < piece.length and (more := self._more(piece, len(data))):
                data += more
        except OSError as error:
            raise _unreadable(piece, error.strerror or str(error), "Look at the path.") from error
        if len(data) < piece.length:
            size = units.format_bytes(os.fstat(self._descriptor).st_size)
            raise _unreadable(
                piece, f"it has become shorter meanwhile, and has {size} now", "Run it on a file that stays."
            )
        return data

    def close(self) -> None:
        """Close the file that is open."""
        descriptor, self._descriptor, self._path = self._descriptor, -1, ""
        if descriptor >= 0:
            os.close(descriptor)

    def _more(self, piece: Piece, count: int) -> bytes:
        return os.pread(self._descriptor, piece.length - count, piece.offset + count)  # one read gives 2 GiB at most

    def _open(self, piece: Piece) -> None:
        self.close()
        self._descriptor = os.open(piece.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        self._number = os.fstat(self._descriptor).st_ino
        if self._number != piece.file:
            raise _unreadable(piece, "it is another file by now", "Run it on a file that stays.")
        self._path = piece.path


def _unreadable(piece: Piece, why: str, hint: str) -> errors.BrokenError:
    return errors.BrokenError(
        f"{piece.path} could not be read at byte {piece.offset} ({units.format_bytes(piece.offset)}): {why}.", hint=hint
    )
