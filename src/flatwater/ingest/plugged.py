"""Splitters of other libraries, run over bounded segments, with where each of their pieces stands.

Covers:     LangChain text splitters, chonkie chunkers, semantic-text-splitter, any function of a text; what tells their versions.
Not here:   our own (`ingest.splitting`); those libraries, none of which is imported here.
Holds:      a segment, and the pieces that are made of it; see `Plugged.bytes_max`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, final

from flatwater import errors, limits
from flatwater.ingest.splitting import Chunk, Part, Splitter, Width, identity_of

_PROBE = "".join(f"# Part {n}\n\n{'A sentence of some words, ' * (n % 7 + 1)}and an end. More.\n\n" for n in range(300))
_ENDS = ("\n\n", "\n", ". ", " ")

Piece = tuple[int, int, str]  # begins and ends at these characters of a segment; -1, where a library does not say


class SplitterLike(Protocol):
    """What makes chunks of a document."""

    version: str

    def split(self, parts: Iterable[Part], width: Width = len) -> Iterator[Chunk]:
        """Chunks of one document."""
        ...

    def bytes_max(self) -> int:
        """The most it can hold, in bytes."""
        ...


def splitter_of(value: Any = None) -> SplitterLike:
    """A splitter: our own as it is, another's plugged in, and one of 1,000 characters for None.

    Args:
        value: a `Splitter`; an object with `split_text` (LangChain), `chunk_indices` (semantic-text-splitter) or that is
            called with a text (chonkie, any function) and gives texts, or objects with `text` and maybe `start_index`.

    Raises:
        UsageError: it is none of these.
    """
    if value is None:
        return Splitter()
    if hasattr(value, "split") and hasattr(value, "version") and hasattr(value, "bytes_max"):
        ours: SplitterLike = value
        return ours
    if hasattr(value, "chunk_indices"):
        return Plugged(value, lambda text: [(at, at + len(piece), piece) for at, piece in value.chunk_indices(text)])
    if hasattr(value, "split_text"):
        return Plugged(value, lambda text: map(_piece, value.split_text(text)))
    if callable(value) and not isinstance(value, type):
        return Plugged(value, lambda text: map(_piece, value(text)))
    raise errors.UsageError(
        f"{value!r} is no splitter.",
        hint="Pass a fw.Splitter, one of LangChain, chonkie or semantic-text-splitter, or a function of a text.",
    )


@final
class Plugged:
    """Another's splitter, run over segments of 128 Ki characters; thread-safe if that is.

    A segment ends at a paragraph, line, sentence or word; what the splitter makes last of it is given to it again with the next one.
    A piece that does not stand in the text as it is, because the splitter changed it, has the range from the end of the
    piece before to the next piece that does, or to the end of the segment, and the text that stands there.
    An edit may change all chunks behind it in its segment: borders are the library's.

    Args:
        value: what is plugged in; `version` tells of its class, library, parameters and of what it makes of a sample text.
        pieces_of: what it makes of a text.
    """

    def __init__(self, value: Any, pieces_of: Callable[[str], Iterable[Piece]]) -> None:
        self._pieces_of = pieces_of
        self._segment = limits.INGEST_SEGMENT_CHARACTERS
        # Parameters that a library keeps where nobody can read them show in what it makes.
        made = "\0".join(str(piece) for _start, _stop, piece in self._made_of(_PROBE))
        digest = hashlib.blake2b(made.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self.version = f"plugged 1, {identity_of(value)}, makes {digest}"

    def split(self, parts: Iterable[Part], width: Width = len) -> Iterator[Chunk]:
        """As `Splitter.split`; the text of a chunk is what stands in its range."""
        text, start, stop = "", 0, None
        for begin, part in parts:
            if begin != stop:
                yield from self._chunks(text, start, width)
                text, start = "", begin
            stop = begin + width(part)
            for at in range(0, len(part), self._segment):
                text += part[at : at + self._segment]
                while len(text) >= 2 * self._segment:
                    cut = _cut(text, self._segment)
                    chunks = list(self._chunks(text[:cut], start, width))
                    if len(chunks) > 1:  # the last one may go on
                        *chunks, last = chunks
                        at_last = last[0]
                    else:
                        at_last = start + width(text[:cut])
                    yield from chunks
                    # Where the next segment begins, as characters: what is in front of it is as wide as this.
                    taken = _characters(text[:cut], at_last - start, width)
                    text, start = text[taken:], start + width(text[:taken])
        yield from self._chunks(text, start, width)

    def bytes_max(self) -> int:
        """The most that splitting one text can hold, in bytes, beside what the library takes for a segment."""
        total = 0
        total += 3 * self._segment * 4  # the text that waits, and what is added to it
        total += self._segment * 4  # a segment
        total += 2 * self._segment * 8  # its pieces, and their chunks
        return total

    def _made_of(self, text: str) -> Iterator[Piece]:
        try:
            yield from self._pieces_of(text)
        except (TypeError, AttributeError) as error:
            raise errors.UsageError(
                f"the splitter gives no texts: {error}.", hint="It is called with a text, and gives a list of texts."
            ) from error

    def _chunks(self, text: str, start: int, width: Width) -> Iterator[Chunk]:
        if not text or text.isspace():
            return
        at, begun = 0, start  # the same place, in characters and in units
        for low, high in _ranges(text, self._made_of(text)):
            begin = begun + width(text[at:low]) if low >= at else begun - width(text[low:at])
            piece = text[low:high]
            at, begun = low, begin
            yield begin, begin + width(piece), piece


def _ranges(text: str, pieces: Iterable[Piece]) -> Iterator[tuple[int, int]]:
    """Where the pieces stand in `text`."""
    done = behind = 0  # where the last one that was found begins, and ends
    is_lost = False
    for told, told_end, piece in pieces:
        if not piece.strip():
            continue
        low = told if told >= 0 and text[told:told_end] == piece else text.find(piece, done)
        if low < 0:
            is_lost = True
            continue
        if is_lost and low > behind:
            yield behind, low
        is_lost = False
        high = low + len(piece)
        yield low, high
        done, behind = low + 1, max(high, behind)
    if is_lost and behind < len(text):
        yield behind, len(text)


def _piece(made: Any) -> Piece:
    if isinstance(made, str):
        return -1, -1, made
    return getattr(made, "start_index", -1), getattr(made, "end_index", -1), made.text


def _cut(text: str, length: int) -> int:
    """A good border in the second half of the first `length` characters."""
    for end in _ENDS:
        at = text.rfind(end, length // 2, length)
        if at >= 0:
            return at + len(end)
    return length


def _characters(text: str, wide: int, width: Width) -> int:
    """How many characters of `text` are `wide`."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        if width(text[:middle]) < wide:
            low = middle + 1
        else:
            high = middle
    return low
