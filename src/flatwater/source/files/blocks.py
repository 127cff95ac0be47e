r"""Cut a stream into blocks of whole lines, each line of bounded length.

Covers:     lines longer than a window, lines that are too long, ranges that begin and end within lines, a file that is
            followed through rotations, byte order marks.
Not here:   what a line is made into (`files.line_reader`, `files.record_reader`).
Holds:      a window, and the line that is not complete yet; see `Blocks.bytes_max`.

Lines end with "\n", and with nothing else: the bytes 0x0B, 0x0C, 0x1C and 0x85, and letters such as U+2028, are part of a
line, and so is a lone "\r". An "\r" before the "\n" belongs to the end, and so does one that is the file's last byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, final

from flatwater import errors, limits, units
from flatwater.source.files.bad_rows import BadRow, Report
from flatwater.source.files.encodings import (
    MARK_BYTES_MAX,
    MARKS,
    Transcoded,
    checked_encoding,
    marked,
    splits_as_bytes,
)
from flatwater.source.files.opening import Peeked
from flatwater.source.files.place import Place
from flatwater.source.files.stream import Stream

TOO_LONG = ("raise", "skip", "cut")
_LETTER_BYTES_MAX = 4


class Block(NamedTuple):
    """Whole lines, without the end of the last one.

    Attributes:
        data: the lines, joined by their ends.
        start: the byte at which they begin.
        line: the number of the first one, from 1.
    """

    data: bytes
    start: int
    line: int


@final
class Blocks:
    """The lines of a stream, in blocks.

    Args:
        stream: of bytes, open when iteration begins: from `begin`, or from the byte before it (see `with_byte_before`).
        longest: bytes of a line, without its end.
        too_long: "raise", "skip" or "cut" a line that is longer.
        encoding: of the text; None for bytes that are not decoded.
        handling: of bytes that are no text, for encodings that are turned into UTF-8.
        report: where lines that were skipped or cut are told.
        begin: lines that begin before this byte are another range's.
        end: so are those that begin here or later; -1 for none.
        instead: arguments that would pass over a line that is too long, for people.

    Attributes:
        transcoded: the bytes as UTF-8, where lines cannot be found otherwise: then `Block.start` counts bytes of that.
        encoding: that of the blocks, from the first one on.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        longest: int,
        too_long: str,
        encoding: str | None,
        handling: str,
        report: Report,
        begin: int = 0,
        end: int = -1,
        instead: str = "too_long='skip' or 'cut'",
    ) -> None:
        if too_long not in TOO_LONG:
            raise errors.UsageError(f"too_long={too_long!r} is not known.", hint=f"Use one of {', '.join(TOO_LONG)}.")
        self.stream = stream
        self.longest = longest
        self.window = min(limits.FILES_LINE_WINDOW_BYTES, max(longest, 1))
        self.report = report
        self.encoding = None if encoding is None else checked_encoding(encoding)
        self._handling = handling
        self._too_long = too_long
        self._begin, self._end = begin, end
        self._instead = instead
        self.transcoded: Transcoded | None = None
        self._is_over = False  # the range was, before the stream

    @staticmethod
    def checked_longest(longest: str | int) -> int:
        """Bytes of a line.

        Raises:
            UsageError: it is no size, or too large.
        """
        count = errors.bytes_of(longest, what="longest", least=1)
        if count > limits.FILES_LINE_BYTES_MAX:
            raise errors.UsageError(
                f"longest={longest!r}: a line is at most {units.format_bytes(limits.FILES_LINE_BYTES_MAX)}."
            )
        return count

    def bytes_max(self) -> int:
        """The most this can hold at once, in bytes."""
        total = 0
        total += self.window  # what is being read
        total += self.window + self.longest  # the line that is not complete yet
        total += self.window + self.longest  # the block that is handed out
        total += self.stream.held_bytes  # what the stream needs
        total += self.report.bytes_max()  # the lines that were passed over
        return total

    def told(self, start: int) -> int:
        """The byte of a block as people are told it: -1 where it is not one of the file's."""
        return start if self.transcoded is None else -1

    def no_text(self, error: UnicodeDecodeError, start: int) -> str:
        """What to tell of bytes that are no text, in a line that begins at `start`."""
        if self.transcoded is not None:
            return f"no {self.transcoded.encoding} (the first that is none in this file: {self.transcoded.wrong})"
        what = f"{error.reason} (byte 0x{error.object[error.start]:02x} at byte {start + error.start} of the text)"
        return f"no {self.encoding}: {what}"

    def __iter__(self) -> Iterator[Block]:
        """One pass over the opened stream.

        Raises:
            LimitReached: a line is too long, and the policy is to say so.
            BrokenError, CorruptError: the stream broke; with the offset.
        """
        stream = self.stream
        try:
            raw, start = self._text(stream.raw)
            yield from self._blocks(raw, start)
            if not stream.is_closing and not self._is_over:
                stream.check_end()
        except OSError as error:
            raise stream.failed(error) from error

    def _text(self, raw: Any) -> tuple[Any, int]:
        """The bytes behind a byte order mark, as UTF-8 where lines cannot be found otherwise; and where they start."""
        start = self.stream.position
        if self.encoding is None:
            return raw, start
        name = self.stream.place.name
        if start == 0:
            first = _first_bytes(raw)
            self.encoding, start = marked(first, self.encoding)
            raw = Peeked(first[start:], raw)
        else:
            self.encoding = marked(b"", self.encoding)[0]
        if not splits_as_bytes(self.encoding):
            if self._begin or self._end >= 0:
                raise errors.UsageError(
                    f"{name} is {self.encoding}, in which no line can be found from the middle.",
                    hint="Read it as a whole.",
                )
            raw = self.transcoded = Transcoded(raw, self.encoding, self._handling, name, start)
            self.encoding = "utf-8"
        return raw, start

    def _blocks(self, raw: Any, start: int) -> Iterator[Block]:  # noqa: C901 - one state machine, in one place
        stream = self.stream
        end = self._end
        line = 1
        head: list[bytes] = []  # of the line that is not complete yet
        waiting = 0  # bytes in it
        is_skipping = False  # to the next line: the one before was too long, or began before the range
        if self._begin:
            line, is_skipping = 0, True
        while self._begin != end and stream.pass_gate() and (data := raw.read(self.window)):
            if stream.has_restarted():
                if waiting:  # the old file's last line had no end
                    yield Block(b"".join(head), start, line)
                stream.begin_anew()
                head, waiting, is_skipping, start, line = [], 0, False, 0, 1
            if is_skipping:
                found = data.find(b"\n") + 1
                if not found:
                    start += len(data)
                    continue
                start, line, is_skipping = start + found, line + 1, False
                stream.position = start  # a place to go on from; the byte before it was only looked at
                if 0 <= end <= start:
                    break
                data = data[found:]
            cut = data.rfind(b"\n")
            if cut < 0:
                head.append(data)
                waiting += len(data)
                if waiting > self.longest + 1:  # one byte more may be the "\r" of its end
                    yield from self._cut(b"".join(head), start, line)
                    start, head, waiting, is_skipping = start + waiting, [], 0, True
                continue
            block = Block(b"".join((*head, data[:cut])), start, line)
            head = [data[cut + 1 :]] if cut + 1 < len(data) else []
            waiting = len(data) - cut - 1
            start += len(block.data) + 1
            if 0 <= end <= start:
                # A line is the range's if it begins before the end: so the last one holds the byte before it, or ends there.
                last = block.data.find(b"\n", end - 1 - block.start)
                yield from self._checked(block if last < 0 else block._replace(data=block.data[:last]))
                stream.position = start if last < 0 else block.start + last + 1
                break
            yield from self._checked(block)
            line += block.data.count(b"\n") + 1
            stream.position = start
        else:
            if waiting and not stream.place.follow:  # there, whoever writes has not come to its end
                yield from self._checked(Block(b"".join(head), start, line))
                stream.position = start + waiting
            return
        self._is_over = True

    def _checked(self, block: Block) -> Iterator[Block]:
        """The block, without lines that are too long."""
        data = block.data
        longest = self.longest
        # Every line but the first lies within a window, and no window is longer than the longest line.
        first = data.find(b"\n")
        if (len(data) if first < 0 else first) <= longest:
            yield block
            return
        end = len(data) if first < 0 else first
        if end == longest + 1 and data[end - 1 : end] == b"\r":
            yield block
            return
        yield from self._cut(data[:end], block.start, block.line)
        if first >= 0:
            yield Block(data[first + 1 :], block.start + first + 1, block.line + 1)

    def _cut(self, data: bytes, start: int, line: int) -> Iterator[Block]:
        """A line that is too long, as the policy says.

        Raises:
            LimitReached: if it says so.
        """
        name = self.stream.place.name
        start_told = self.told(start)
        if self._too_long == "raise":
            at = f", which begins at byte {start_told}," if start_told >= 0 else ""
            raise errors.LimitReached(
                f"{name}, line {line}{at} is longer than {units.format_bytes(self.longest)}.",
                what="longest", limit=self.longest,
                hint=f"Raise longest=, or pass {self._instead}.",
            )  # fmt: skip
        done = "skipped" if self._too_long == "skip" else "cut"
        reason = f"longer than {units.format_bytes(self.longest)}, {done}"
        self.report.add(BadRow(name, line, start_told, reason))
        if self._too_long == "cut":
            yield Block(_kept(whole_letters(data[: self.longest], self.encoding)), start, line)


def with_byte_before(place: Place) -> tuple[Place, int, int]:
    """The place to open for lines that begin within a range; and its begin and end.

    A line begins where the byte before is a line's end, so that byte is read as well; and the last line may go on behind
    the range.
    """
    end = -1 if place.length is None else place.offset + place.length
    if not place.offset and place.length is None:
        return place, 0, -1
    return place.part(offset=max(0, place.offset - 1), length=None), place.offset, end


def whole_letters(data: bytes, encoding: str | None) -> bytes:
    """`data` without the beginning of a letter at its end, which was cut.

    >>> whole_letters("aé".encode()[:2], "utf-8")
    b'a'
    """
    if encoding is None:
        return data
    for missing in range(_LETTER_BYTES_MAX):
        kept = data[: len(data) - missing]
        try:
            kept[-2 * _LETTER_BYTES_MAX :].decode(encoding)
        except UnicodeDecodeError as error:
            if error.end < len(kept[-2 * _LETTER_BYTES_MAX :]):  # not at the end: the first letter was cut by looking
                return kept
            continue
        return kept
    return data


def _kept(data: bytes) -> bytes:
    r"""A line that was cut, so that a "\r" of its own is not taken for a part of an end."""
    return data + b"\r" if data.endswith(b"\r") else data


def _first_bytes(raw: Any) -> bytes:
    """So many bytes that a byte order mark can be told, without waiting for more than that takes."""
    first = b""
    buffer = bytearray(MARK_BYTES_MAX)
    while len(first) < MARK_BYTES_MAX and any(mark.startswith(first) for mark, _ in MARKS):
        with memoryview(buffer) as view:
            count = raw.readinto(view[: MARK_BYTES_MAX - len(first)])
            first += bytes(view[:count])
        if not count:
            break
    return first
