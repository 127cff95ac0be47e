"""Where a text is cut: after a paragraph, else a line, else a space, and never inside a character.

Covers:     borders in text and in encoded bytes; cutting a text that arrives in parts.
Not here:   reading (`plain`, `pdf`, `markup`, `word`).
Holds:      a cutter: the text it was fed and has not cut yet, at most two pieces and one part.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Iterator
from typing import final

PARAGRAPHS, LINES, SPACES = ("\n\n", "\n\r\n"), ("\n",), (" ", "\t")
SEPARATORS = (PARAGRAPHS, LINES, SPACES)  # the better ones first
BYTES_PER_CHARACTER_MAX = 4  # in UTF-8, and in memory


def text_border(text: str, start: int, piece_bytes: int) -> int:
    """The end of the piece that begins at `start`: at most `piece_bytes` as UTF-8, at least half of it where it is cut.

    >>> text_border("one two three", 0, 9)
    8
    >>> text_border("one two three", 8, 9)
    13
    """
    stop = min(start + piece_bytes, len(text))
    part = text[start:stop]
    if not part.isascii():
        encoded = part.encode("utf-8", "surrogatepass")
        if len(encoded) > piece_bytes:
            stop = start + len(encoded[:piece_bytes].decode("utf-8", "ignore"))
            stop = max(stop, start + 1)  # a lone half of a pair is dropped by "ignore"
    if stop == len(text):
        return stop
    least = start + (stop - start) // 2
    for separators in SEPARATORS:
        at = max(_after(text.rfind(separator, least, stop), len(separator)) for separator in separators)
        if at > start:
            return at
    return stop


@functools.cache  # of some hundred codecs at most
def _separators_in(encoding: str) -> tuple[tuple[bytes, ...], ...]:
    return tuple(tuple(word.encode(encoding) for word in words) for words in SEPARATORS)


@final
class ByteBorders:
    """Borders in a buffer of encoded text.

    Args:
        encoding: a codec without state between characters.
    """

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.unit = len("a".encode(encoding))
        self._separators = _separators_in(encoding)

    def border(self, buffer: bytearray, start: int, limit: int, phase: int) -> int:
        """The end of a piece that begins at `start` and may not pass `limit`, where more text follows.

        `phase` is the place of the buffer's first byte in the file: characters of two and four bytes lie evenly there.
        """
        least = start + (limit - start) // 2
        for separators in self._separators:
            at = max(self._last(buffer, word, least, limit, phase) for word in separators)
            if at > start:
                return at
        return self._character(buffer, start, limit)

    def _last(self, buffer: bytearray, word: bytes, least: int, limit: int, phase: int) -> int:
        at = buffer.rfind(word, least, limit)
        while at >= 0 and (at + phase) % self.unit:
            at = buffer.rfind(word, least, at + len(word) - 1)
        return _after(at, len(word))

    def _character(self, buffer: bytearray, start: int, limit: int) -> int:
        """The last border between two characters; in bytes that are no text, the limit."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        decoder.decode(buffer[start:limit])
        stop = limit - len(decoder.getstate()[0])
        return stop if stop > start else limit


@final
class Cutter:
    """Pieces of a text that arrives in parts, with the characters at which they begin and stop. Not thread-safe.

    Where a piece ends depends on the text alone, not on how it was divided into parts.

    Args:
        piece_bytes: the most that a piece has as UTF-8.
        skip: characters at the beginning that are not given out; the first piece begins there.

    Attributes:
        skip: how many of these are still to come.

    >>> cutter = Cutter(9)
    >>> [piece for part in ("one t", "wo thr", "ee") for piece in cutter.feed(part)], list(cutter.end())
    ([(0, 8, 'one two ')], [(8, 13, 'three')])
    """

    def __init__(self, piece_bytes: int, skip: int = 0) -> None:
        self.piece_bytes = piece_bytes
        self.skip = skip
        self._start = skip
        self._rest = ""

    def feed(self, part: str) -> Iterator[tuple[int, int, str]]:
        """The pieces that are certain by now."""
        if self.skip:
            dropped = min(self.skip, len(part))
            self.skip -= dropped
            part = part[dropped:]
        self._rest += part
        yield from self._cut(self.piece_bytes)

    def end(self) -> Iterator[tuple[int, int, str]]:
        """The pieces that are left."""
        yield from self._cut(0)

    def _cut(self, kept: int) -> Iterator[tuple[int, int, str]]:
        text, self._rest = self._rest, ""
        at = 0
        while len(text) - at > kept:
            stop = text_border(text, at, self.piece_bytes)
            yield self._start + at, self._start + stop, text[at:stop]
            at = stop
        self._start += at
        self._rest = text[at:]


def _after(at: int, length: int) -> int:
    """Behind what was found at `at`; -1 where nothing was."""
    return at + length if at >= 0 else -1
