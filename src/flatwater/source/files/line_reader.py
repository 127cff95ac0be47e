"""Iterate over the lines of a text of any size, each of bounded length.

Covers:     text and bytes, encodings and byte order marks, bytes that are no text, lines that are too long, ranges.
Not here:   finding lines (`files.blocks`), rows (`files.record_reader`).
Holds:      a window of lines; see `Lines.bytes_max`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, final, overload

from flatwater import errors, limits
from flatwater.source.files.bad_rows import BadRow, Report
from flatwater.source.files.blocks import Block, Blocks, with_byte_before
from flatwater.source.files.one_pass import Body, OnePass
from flatwater.source.files.place import Mark, Place, known_options
from flatwater.source.files.stream import Stream

if TYPE_CHECKING:
    import threading

Line = TypeVar("Line", str, bytes)

_LIST_BYTES_PER_BYTE = 24  # of a window: lines of two letters take 64 B each in heap and list
_WIDEST_LETTER_BYTES = 4  # one letter beyond U+FFFF makes a text take this much for each of its letters


@final
class Lines(OnePass[Line]):
    """The lines of a text: an iterator and a context manager, good for one pass. Made by `lines`.

    Attributes:
        report: lines that were passed over or cut: all counted, the first ones kept.
    """

    __slots__ = ("_arguments", "_place", "_text", "report")

    def __init__(self, place: Place, arguments: dict[str, Any]) -> None:
        self._place = place
        self._arguments = arguments
        self.report = Report(arguments["report_max"])
        self._text = _Text(place, report=self.report, **{k: v for k, v in arguments.items() if k != "report_max"})
        super().__init__(self._text)

    @property
    def position(self) -> int:
        """Where the lines begin that come after those that were read so far: a byte to go on from, once at the end."""
        return self._text.stream.position

    def since(self, position: Mark) -> Self:
        """Another reader of the same, from a `position` or `mark` on."""
        return type(self)(self._place.since(position), self._arguments)

    def is_within_line(self, position: int) -> bool:
        """Whether a line that ended at a position, because the file did, goes on there now; False where it cannot be told."""
        encoding = self._arguments["encoding"]
        if position <= 0 or not self.bytes_known or (encoding is not None and "a".encode(encoding) != b"a"):
            return False
        with open(self._place.target, "rb") as file:
            file.seek(position - 1)
            before, behind = file.read(1), file.read(2)
        return before != b"\n" and behind not in {b"", b"\r", b"\r\n"} and behind[:1] != b"\n"

    def ranges(self, count: int) -> list[Self]:
        """About `count` readers that together give the same lines, for parallel workers; they can be pickled.

        A line belongs to the range in which it begins; line numbers count from the range's start.

        Raises:
            UsageError: it is no plain local file, or in an encoding in which no line can be found from the middle.
            BrokenError: it cannot be opened.
        """
        return [type(self)(place, self._arguments) for place in self._place.ranges(count)]

    @property
    def extent(self) -> tuple[int, int]:
        """First byte and length of one of `ranges`; of another reader, a length of 0 says no more."""
        return self._place.offset, self._place.length or 0

    def part(self, offset: int, length: int) -> Self:
        """What begins in these bytes of one of `ranges`."""
        return type(self)(self._place.part(offset=offset, length=length), self._arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        self._refuse_started()
        return type(self), (self._place, self._arguments)


@overload
def lines(
    source: Any,
    longest: str | int = ...,
    *,
    encoding: str = ...,
    errors: str = ...,
    too_long: str = ...,
    report_max: int = ...,
    offset: str | int = ...,
    length: str | int | None = ...,
    compression: str = ...,
    expansion_max: float = ...,
    window_max: str | int | None = ...,
    follow: bool = ...,
    stop: threading.Event | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> Lines[str]: ...
@overload
def lines(
    source: Any,
    longest: str | int = ...,
    *,
    encoding: None,
    errors: str = ...,
    too_long: str = ...,
    report_max: int = ...,
    offset: str | int = ...,
    length: str | int | None = ...,
    compression: str = ...,
    expansion_max: float = ...,
    window_max: str | int | None = ...,
    follow: bool = ...,
    stop: threading.Event | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> Lines[bytes]: ...
def lines(
    source: Any,
    longest: str | int = limits.FILES_LINE_BYTES,
    *,
    encoding: str | None = "utf-8",
    errors: str = "strict",  # the name that `open` and `bytes.decode` have for it
    too_long: str = "raise",
    report_max: int = limits.FILES_BAD_ROWS_KEPT,
    **options: Any,
) -> Lines[Any]:
    r"""The lines of a text, without their ends, each of bounded length.

    A line ends with "\n" or "\r\n" and with nothing else: a lone "\r", a form feed, U+0085 and U+2028 are part of it.
    The last line needs no end. A byte order mark is taken off, and tells UTF-16 and UTF-32 where a Unicode encoding was
    asked for.

    Args:
        source: what `FileChunks` takes. `offset` and `length` name a range: a line
            belongs to it if it begins in it. With `follow`, a line is given once it has its end.
        longest: bytes of a line.
        encoding: of the text; None gives bytes as they are, a byte order mark too.
        errors: bytes that are no text: "strict" raises, "skip" passes over the line and tells in `report`; or a handler
            of Python's such as "replace", "surrogateescape", "backslashreplace".
        too_long: a line longer than `longest`: "raise", "skip" it, or "cut" it; the last two are told in `report`.
        report_max: lines kept in `report`; about 1.6 KiB each at most. All are counted.
        **options: the other arguments of `FileChunks`, from `offset` on.

    Raises:
        UsageError: arguments that make no sense.
        LimitReached: a line is longer than `longest`; with its number and byte.
        CorruptError: bytes that are no text; with the line and the byte.
        BrokenError, BudgetExceeded, MissingExtra: as of `FileChunks`.

    Memory: see `Lines.bytes_max`; it is reserved in the budget around the call while the file is open. Not thread-safe,
    but `close` may be called from any thread.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write("one\r\ntwo\u2028still two\n\nlast".encode())
    ...     file.flush()
    ...     list(lines(file.name))
    ['one', 'two\u2028still two', '', 'last']
    """
    arguments = {
        "longest": Blocks.checked_longest(longest),
        "encoding": encoding,
        "handling": checked_handling(errors),
        "too_long": too_long,
        "report_max": report_max,
    }
    return Lines(Place(source, **known_options(options)), arguments)


def checked_handling(handling: str) -> str:
    """What to do with bytes that are no text.

    Raises:
        UsageError: Python does not know it.
    """
    if handling != "skip":
        try:
            codecs.lookup_error(handling)
        except (LookupError, TypeError):
            raise errors.UsageError(
                f"errors={handling!r} is not known.", hint="Use 'strict', 'skip', 'replace' or 'surrogateescape'."
            ) from None
    return handling


class _Text(Body):
    """One pass over lines."""

    __slots__ = ("_blocks", "_handling")

    def __init__(
        self, place: Place, *, longest: int, encoding: str | None, handling: str, too_long: str, report: Report
    ) -> None:
        opened, begin, end = with_byte_before(place)
        super().__init__(Stream(opened, "source.lines"))
        self._handling = handling
        self._blocks = Blocks(
            self.stream, longest=longest, too_long=too_long, encoding=encoding,
            handling="strict" if handling == "skip" else handling, report=report, begin=begin, end=end,
        )  # fmt: skip

    def bytes_max(self) -> int:
        blocks = self._blocks
        total = 0
        total += blocks.bytes_max()  # windows of bytes, and what the stream needs
        if blocks.encoding is not None:
            total += _WIDEST_LETTER_BYTES * (blocks.window + blocks.longest)  # a window as text
        total += _LIST_BYTES_PER_BYTE * blocks.window  # its lines, one by one
        total += _WIDEST_LETTER_BYTES * blocks.longest  # the longest of them
        return total

    def lists(self) -> Iterator[list[Any]]:
        blocks = self._blocks
        for block in blocks:
            if blocks.encoding is None:
                yield split(block.data)
            else:
                yield from self._decoded(block, blocks.encoding)

    def _decoded(self, block: Block, encoding: str) -> Iterator[list[str]]:
        try:
            text = block.data.decode(encoding, self._handling if self._handling != "skip" else "strict")
        except UnicodeDecodeError:
            yield from self._one_by_one(block, encoding)
            return
        del block
        yield split_text(text)

    def _one_by_one(self, block: Block, encoding: str) -> Iterator[list[str]]:
        """The lines of a block in which some bytes are no text.

        Raises:
            CorruptError: if they are not to be passed over.
        """
        name = self.stream.place.name
        blocks = self._blocks
        start = block.start
        good: list[str] = []
        for number, data in enumerate(block.data.split(b"\n"), block.line):
            try:
                good.append(data.removesuffix(b"\r").decode(encoding))
            except UnicodeDecodeError as error:
                what = blocks.no_text(error, start)
                if self._handling != "skip":
                    yield good
                    raise errors.CorruptError(
                        f"{name}, line {number}: {what}.",
                        hint="Pass the right encoding=, or errors='replace' or 'skip'.",
                    ) from None
                blocks.report.add(BadRow(name, number, blocks.told(start), what))
            start += len(data) + 1
        yield good


def split(data: bytes) -> list[bytes]:
    """The lines of a block."""
    if b"\r\n" in data:
        data = data.replace(b"\r\n", b"\n")
    return data.removesuffix(b"\r").split(b"\n")


def split_text(text: str) -> list[str]:
    r"""The lines of a block.

    >>> split_text("a\r\nb\rc\n\nd\r")
    ['a', 'b\rc', '', 'd']
    """
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    return text.removesuffix("\r").split("\n")
