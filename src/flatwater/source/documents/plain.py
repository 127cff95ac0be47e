"""Pieces of a text file of any size, with the bytes of the file that each of them is.

Covers:     encodings, byte-order marks, holes and runs of zeros, files without a newline, files that change meanwhile.
Not here:   which file (`listing`), whether it is a text (`kinds`), HTML (`markup`).
Holds:      a window of the file and one piece: see `bytes_max`.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator
from typing import final

from flatwater import errors, limits
from flatwater.source.documents import kinds
from flatwater.source.documents.borders import BYTES_PER_CHARACTER_MAX, ByteBorders

_HOLE = bytes(limits.DOCUMENT_HOLE_BYTES)
_BLOCK = bytes(4 << 10)
_UTF8_PER_BYTE_MAX = 3  # of a byte: a sign of a code page, or U+FFFD for one that is none
_STATEFUL = frozenset(
    ("utf_7", "hz", "iso2022_jp", "iso2022_kr", "idna", "punycode", "unicode_escape", "raw_unicode_escape")
)

Guess = Callable[[str], object]


def bytes_max(piece_bytes: int) -> int:
    """The most that reading a text file holds, in bytes."""
    total = 0
    total += _window_bytes(piece_bytes)  # a part of the file
    total += _window_bytes(piece_bytes)  # zeros to compare it with, or its end while it is moved to the beginning
    total += limits.DOCUMENT_HEAD_BYTES * BYTES_PER_CHARACTER_MAX  # its beginning, decoded to guess the encoding
    total += piece_bytes * BYTES_PER_CHARACTER_MAX  # the piece that the caller looks at
    total += piece_bytes * BYTES_PER_CHARACTER_MAX  # the next one
    total += piece_bytes * _UTF8_PER_BYTE_MAX  # the same as UTF-8, to see whether it is too much
    return total


def checked_encoding(encoding: str) -> str:
    """Its name, if texts can be cut in it.

    Raises:
        UsageError: no such encoding, or one in which a character's meaning depends on those before it.
    """
    try:
        found = codecs.lookup(encoding)
        is_text = isinstance("a".encode(encoding), bytes)
    except (LookupError, TypeError, ValueError):
        found, is_text = None, False
    name = found.name.replace("-", "_") if found else ""
    if not found or not is_text or name in _STATEFUL or name.startswith("iso2022"):
        raise errors.UsageError(
            f"encoding={encoding!r} is none that a text can be cut in.", hint="Pass one such as 'utf-8' or 'latin-1'."
        )
    if name in {"utf_16", "utf_32"}:
        return f"{found.name}-le"  # a mark says otherwise where there is one
    return "utf-8" if name == "utf_8_sig" else found.name


def encoding_of(file: io.RawIOBase, wanted: str, guess: Guess | None) -> tuple[str, int]:
    """How the text is encoded, `wanted` unless its mark says otherwise, and the bytes of the mark. `guess` is told of guesses."""
    head = file.read(limits.DOCUMENT_HEAD_BYTES) or b""
    detected, mark_bytes, guessed = kinds.encoding_of(head)
    if wanted and not (mark_bytes and wanted[:6] == detected[:6]):
        detected, guessed = wanted, ""
        mark_bytes = mark_bytes if kinds.encoding_by_mark(head)[0] == wanted else 0
    if guessed and guess:
        guess(guessed)
    return detected, mark_bytes


def pieces(
    file: io.RawIOBase, piece_bytes: int, offset: int, encoding: str, guess: Guess, *, is_lossless: bool = False
) -> Iterator[tuple[int, int, str]]:
    """`(start, stop, text)` of each piece from `offset` on: `file[start:stop]` is the text, encoded.

    Runs of `limits.DOCUMENT_HOLE_BYTES` zeros and more are in no piece; all else is in one. What cannot be decoded is
    replaced by U+FFFD, or kept as lone surrogates; `guess` is told of the first.
    """
    yield from _Window(file, piece_bytes, offset, encoding, guess, is_lossless=is_lossless).pieces()


@final
class _Window:
    """The part of the file that is being cut: `buffer[low:high]`, the first byte of the buffer at `base` in the file."""

    def __init__(
        self, file: io.RawIOBase, piece_bytes: int, offset: int, encoding: str, guess: Guess, *, is_lossless: bool
    ) -> None:
        self._file = file
        self._piece_bytes = piece_bytes
        self._guess: Guess | None = guess
        self._is_lossless = is_lossless
        self._borders = ByteBorders(encoding)
        self._buffer = bytearray(_window_bytes(piece_bytes))
        self._base = offset
        self._low = self._high = 0
        self._ended = False
        self._in_hole = False  # what came before was one: zeros that follow belong to it, however few

    def pieces(self) -> Iterator[tuple[int, int, str]]:
        self._file.seek(self._base)
        while not self._ended:
            self._fill()
            yield from self._cut()

    def _fill(self) -> None:
        """Move what is left to the beginning, and read behind it until the buffer is full or the file ends."""
        left = self._high - self._low
        self._buffer[:left] = self._buffer[self._low : self._high]
        self._base += self._low
        self._low, self._high = 0, left
        while self._high < len(self._buffer) and not self._ended:
            with memoryview(self._buffer) as view:
                count = self._file.readinto(view[self._high :]) or 0
            self._high += count
            self._ended = not count
            if (
                self._high == len(self._buffer)
                and not any(self._buffer[:: len(_HOLE)])
                and self._buffer == bytes(len(self._buffer))
            ):
                self._skip_hole()

    def _skip_hole(self) -> None:
        """Nothing but zeros: go on behind them, at once where the file system knows that nothing was written there."""
        self._base += self._high
        self._high = 0
        data = _data_from(self._file, self._base)
        self._base = max(self._base, data - data % self._borders.unit)
        self._file.seek(self._base)
        self._in_hole = True

    def _cut(self) -> Iterator[tuple[int, int, str]]:
        """Pieces until too little is left to know where the next one ends."""
        if self._in_hole:
            self._low = self._behind(self._low)
            self._in_hole = self._low == self._high
        hole = self._hole()
        while self._low < self._high:
            if self._low == hole:
                self._low = self._behind(hole)
                self._in_hole = self._low == self._high
                hole = self._hole()
                continue
            stop = self._high if hole < 0 else hole
            if stop - self._low > self._piece_bytes:
                is_certain = (
                    stop - self._low > self._piece_bytes + limits.DOCUMENT_HOLE_BYTES or hole >= 0 or self._ended
                )
                stop = (
                    self._borders.border(self._buffer, self._low, self._low + self._piece_bytes, self._base)
                    if is_certain
                    else 0
                )
            elif hole < 0 and not self._ended:
                stop = 0
            if not stop:
                return
            stop, text = self._fitting(stop)
            yield self._base + self._low, self._base + stop, text
            self._low = stop

    def _fitting(self, stop: int) -> tuple[int, str]:
        """The end of the piece and its text: bytes of other encodings, and those that are replaced, are more as UTF-8."""
        text = self._text(stop)
        if text.isascii() or (self._borders.encoding == "utf-8" and "\ufffd" not in text):
            return stop, text
        while (taken := len(text.encode("utf-8", "surrogatepass"))) > self._piece_bytes:
            limit = self._low + max((stop - self._low) * self._piece_bytes // taken, BYTES_PER_CHARACTER_MAX)
            stop = self._borders.border(self._buffer, self._low, limit, self._base)
            text = self._text(stop)
        return stop, text

    def _hole(self) -> int:
        """Where the next run of zeros begins, -1 where there is none; where characters do."""
        at = self._buffer.find(_HOLE, self._low, self._high)
        return at + -(at + self._base) % self._borders.unit if at >= 0 else -1

    def _behind(self, hole: int) -> int:
        """Where the text goes on behind a run of zeros."""
        end = self._high
        for at in range(hole, self._high, len(_BLOCK)):  # block by block: looking at each byte takes ten times as long
            block = self._buffer[at : min(at + len(_BLOCK), self._high)]
            if block != _BLOCK[: len(block)]:
                end = at + len(block) - len(block.lstrip(b"\0"))
                break
        return end - (end + self._base) % self._borders.unit

    def _text(self, stop: int) -> str:
        part = self._buffer[self._low : stop]
        try:
            return part.decode(self._borders.encoding)
        except UnicodeDecodeError as error:
            if self._guess:
                at = self._base + self._low + error.start
                self._guess(f"byte {at:,} is not {self._borders.encoding.upper()}; such bytes are replaced by U+FFFD")
                self._guess = None
            if self._is_lossless:
                with contextlib.suppress(UnicodeDecodeError):  # bytes below 128 cannot be kept so
                    return part.decode(self._borders.encoding, "surrogateescape")
            return part.decode(self._borders.encoding, "replace")


def _window_bytes(piece_bytes: int) -> int:
    return max(limits.DOCUMENT_WINDOW_BYTES_MIN, 4 * piece_bytes)


def _data_from(file: io.RawIOBase, at: int) -> int:
    """The next place at which the file system keeps data; `at` where it cannot tell."""
    try:
        return os.lseek(file.fileno(), at, os.SEEK_DATA)
    except (AttributeError, OSError) as error:  # a system without it, or nothing but a hole up to the end
        is_end = isinstance(error, OSError) and error.errno == errno.ENXIO
        return os.fstat(file.fileno()).st_size if is_end else at
