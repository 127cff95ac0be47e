"""Texts in chunks whose borders stay where they are when the text is edited elsewhere.

Covers:     chunks of characters or tokens, with overlap; texts in parts, of any length; where each chunk stands.
Not here:   which borders are good (`ingest.borders`), splitters of other libraries (`ingest.plugged`).
Holds:      a segment and what is known of its borders; see `Splitter.bytes_max`.

A chunk ends at a border that is better than all others within a reach (0.3 of its size), unless the chunks on its two sides
fit into one and it is worse than the borders next to it. Where two such borders are further apart than a chunk may be long, the best border in the last part of a chunk divides them. What is in front of a chunk
decides nothing but where it begins, so an edit changes few chunks, most often one or two.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, final

from flatwater import errors, limits
from flatwater.ingest.borders import SIGHT, Borders

if TYPE_CHECKING:
    from flatwater.ingest.borders import Array

Part = tuple[int, str]
Chunk = tuple[int, int, str]
Columns = tuple[list[int], list[int], list[str]]  # chunks: where each starts, where it stops, the text between
Width = Callable[[str], int]

_REACH = 0.3  # of a chunk: with 0.42 more edits change more than three chunks
_ROUNDS = 3  # of leaving out borders that are not needed: a tenth fewer chunks; further ones find next to nothing
_LOW = 0.6  # of a chunk: a stretch that is too long is divided from there on
_MIDDLE = 0.35  # of a chunk of too many tokens: it is divided between that and the same from its end
_BORDER = re.compile(r"\n+|[.!?] +|[。！？]")  # noqa: RUF001 - the marks of Chinese and Japanese
_BLANK = re.compile(r"\s+")
_MARGIN = 6  # reaches around a border, and `SIGHT`, that decide whether it is the best of them
_CHARACTER_BYTES = 80  # of a segment, for each: text, numbers, borders and their ranks


@final
class Splitter:
    """Divides texts into chunks of at most `size`. Picklable if `count` is, immutable and thread-safe.

    Chunks end at headings, paragraphs, sentences and lines, at words where a text has none of those within reach, and at
    characters where it has no words. Without overlap they are what stands in the text from the first to the last
    character, apart from chunks of blanks only, which are left out; blanks at the ends of others stay.

    Args:
        size: characters, or tokens, of a chunk at most. A single character that counts more than that is a chunk by itself.
        overlap: how much of the text in front of a chunk is repeated in it, at most; part of `size`.
        unit: "characters" or "tokens".
        count: how many tokens a text has, or a `tokenizers.Tokenizer`, whose limits and paddings are not heeded. Required for
            tokens.

    Attributes:
        version: splitters of the same version make the same chunks of the same text.

    Raises:
        UsageError: there are no such chunks.

    >>> splitter = Splitter(30)
    >>> list(splitter.split([(0, "One sentence here. And one more there. A third.")]))
    [(0, 19, 'One sentence here. '), (19, 47, 'And one more there. A third.')]
    """

    def __init__(
        self,
        size: int = limits.INGEST_CHUNK_SIZE,
        overlap: int = 0,
        *,
        unit: str = "characters",
        count: Callable[[str], int] | Any | None = None,
    ) -> None:
        if unit not in {"characters", "tokens"}:
            raise errors.UsageError(f"unit={unit!r} is none.", hint="It is 'characters' or 'tokens'.")
        if (count is None) == (unit == "tokens"):
            raise errors.UsageError(
                f"unit={unit!r} and count={count!r} do not go together.",
                hint="Tokens need count=, a function that counts those of a text, or a tokenizers.Tokenizer.",
            )
        if type(size) is not int or not 1 <= size <= limits.INGEST_CHUNK_SIZE_MAX:
            raise errors.UsageError(
                f"size={size!r} is no size of a chunk.",
                hint=f"It is from 1 to {limits.INGEST_CHUNK_SIZE_MAX:,} {unit}.",
            )
        if type(overlap) is not int or not 0 <= overlap <= size // 2:
            raise errors.UsageError(
                f"overlap={overlap!r} is no overlap.", hint=f"It is from 0 to {size // 2}, half of size."
            )
        self.size = size
        self.overlap = overlap
        self.unit = unit
        self._count = counter_of(count) if count is not None else None
        scale = limits.INGEST_CHARACTERS_PER_TOKEN if count is not None else 1
        self._plan = _Plan.of((size - overlap) * scale, overlap * scale)
        told = f", counted by {identity_of(count)}" if count is not None else ""
        self.version = f"borders 2, {size} {unit}, overlap {overlap}{told}"

    def split(self, parts: Iterable[Part], width: Width = len) -> Iterator[Chunk]:
        """The chunks of one document, in order: where each starts and stops, and the text between.

        Args:
            parts: where each begins, and its text. A part that does not begin where the one before ended begins a chunk.
            width: how many units of `start` a text has: characters unless told otherwise.

        How the text is divided into parts changes nothing. A part that is longer than a segment is taken piece by piece.
        """
        for columns in self.columns(parts, width):
            yield from zip(*columns, strict=True)

    def columns(self, parts: Iterable[Part], width: Width = len) -> Iterator[Columns]:
        """The same, as many at a time as come from a segment."""
        held: list[str] = []
        length = 0
        text = _Text(self._plan, width, 0, self._finished)
        stop: int | None = None
        for start, part in parts:
            if start != stop:
                if stop is not None:
                    yield text.more("".join(held), is_last=True)
                    held, length = [], 0
                text = _Text(self._plan, width, start, self._finished)
            stop = start
            for at in range(0, len(part), self._plan.segment):
                piece = part[at : at + self._plan.segment] if len(part) > self._plan.segment else part
                stop += width(piece)
                held.append(piece)
                length += len(piece)
                if length >= self._plan.segment:
                    yield text.more("".join(held), is_last=False)
                    held, length = [], 0
        yield text.more("".join(held), is_last=True)

    def together(self, texts: Sequence[tuple[int, str, Width]]) -> Iterator[Columns]:
        """The chunks of each of several whole texts, as `columns` has them: borders of all of them are looked for at once.

        Args:
            texts: where each begins, the text, and how wide it is.
        """
        plan = self._plan
        cuts = iter(_cuts_of([text for _start, text, _width in texts if len(text) > plan.fresh], plan))
        for start, text, width in texts:
            stops = next(cuts) if len(text) > plan.fresh else [len(text)] if text else []
            yield _Text(plan, width, start, self._finished).chunks(text, 0, stops)

    def bytes_max(self) -> int:
        """The most that splitting one text can hold, in bytes, beside the part that it was given."""
        plan = self._plan
        total = 0
        total += 2 * plan.segment * 4  # pieces that wait for a segment, and one that comes with them
        total += (
            2 * plan.segment + plan.kept + plan.ahead
        ) * _CHARACTER_BYTES  # the text that they become, its borders
        total += 2 * plan.segment * 4  # texts that are split together
        total += (plan.fresh + plan.repeated) * 8  # a chunk, and its part that is counted
        return total

    @property
    def _finished(self) -> Callable[[str, str], list[tuple[str, str]]] | None:
        return self._with_fronts if self._count is not None or self.overlap else None

    def _with_fronts(self, before: str, piece: str) -> list[tuple[str, str]]:
        """What `piece` is divided into, as its tokens ask for; in front of each, what it repeats of the text before."""
        count, fresh = self._count, self.size - self.overlap
        made: list[tuple[str, str]] = []
        for part in [piece] if count is None else _divided(piece, lambda text: count(text) <= fresh):
            front = _front(before[-self._plan.repeated :]) if self.overlap else ""
            while front and count is not None and count(front + part) > self.size:
                front = _front(front[(len(front) + 1) // 2 :])
            made.append((front, part))
            before += part if self.overlap else ""
        return made


class _Plan(NamedTuple):
    """Figures of a splitter, in characters."""

    fresh: int  # of a chunk at most, without what it repeats
    repeated: int  # of the text in front, at most
    reach: int  # within which a border has to be the best
    margin: int  # around a border, that decides whether it is
    ahead: int  # behind where a chunk begins, that decides where it ends
    kept: int  # of the text in front of the next chunk
    segment: int  # in which borders are ranked at a time

    @classmethod
    def of(cls, fresh: int, repeated: int) -> _Plan:
        reach = max(int(fresh * _REACH), 1)
        margin = _MARGIN * reach + SIGHT + _ROUNDS * fresh
        ahead, kept = fresh + margin, max(margin, repeated)
        segment = max(limits.INGEST_SEGMENT_CHARACTERS, 2 * (ahead + kept))
        return cls(fresh, repeated, reach, margin, ahead, kept, segment)


class _Text:
    """One text without holes, of which segments come one after another."""

    def __init__(
        self,
        plan: _Plan,
        width: Width,
        start: int,
        finished: Callable[[str, str], list[tuple[str, str]]] | None,
    ) -> None:
        self._plan = plan
        self._width = width
        self._is_narrow = (
            width("a") == 1
        )  # as it is in all encodings but UTF-16 and UTF-32: then that of ASCII is its length
        self._finished = finished
        self._start = start  # of the next chunk
        self._text = ""  # what is kept in front of the next chunk, and the text behind
        self._at = 0  # of the next chunk, in it
        self._is_first = True  # nothing was left off in front of it

    def more(self, segment: str, *, is_last: bool) -> Columns:
        """The chunks that are decided now that `segment` has come."""
        text = self._text = self._text + segment if self._text else segment
        cuts = self._cuts(is_last=is_last)
        at = self._at
        chunks = self.chunks(text, at, cuts)
        at = cuts[-1] if cuts else at
        kept = max(at - self._plan.kept, 0)
        self._text = text[kept:]
        self._is_first = self._is_first and not kept
        self._at = at - kept
        return chunks

    def chunks(self, text: str, at: int, cuts: list[int]) -> Columns:
        """The chunks of `text` that end at these cuts, the first of which begins at `at`."""
        if self._finished is not None:
            return self._with_fronts(text, at, cuts)
        pieces = [text[low:high] for low, high in pairwise([at, *cuts])]
        width = self._width
        if self._is_narrow and text.isascii():
            stops = [self._start - at + cut for cut in cuts]
        elif self._is_narrow:
            wide = [len(piece) if piece.isascii() else width(piece) for piece in pieces]
            stops = list(accumulate(wide, initial=self._start))[1:]
        else:
            stops = list(accumulate(map(width, pieces), initial=self._start))[1:]
        starts = [self._start, *stops]
        self._start = starts.pop()
        if any(map(str.isspace, pieces)):
            kept = [number for number, piece in enumerate(pieces) if not piece.isspace()]
            return [starts[n] for n in kept], [stops[n] for n in kept], [pieces[n] for n in kept]
        return starts, stops, pieces

    def _with_fronts(self, text: str, at: int, cuts: list[int]) -> Columns:
        assert self._finished is not None
        width, start = self._width, self._start
        starts: list[int] = []
        stops: list[int] = []
        texts: list[str] = []
        for cut in cuts:
            for front, part in self._finished(text[max(at - self._plan.repeated, 0) : at], text[at:cut]):
                stop = start + width(part)
                if not part.isspace():
                    starts.append(start - width(front) if front else start)
                    stops.append(stop)
                    texts.append(front + part)
                start = stop
            at = cut
        self._start = start
        return starts, stops, texts

    def _cuts(self, *, is_last: bool) -> list[int]:
        """Where chunks end, as far as the text that came decides it."""
        import numpy as np

        plan, at = self._plan, self._at
        fresh, length = plan.fresh, len(self._text)
        if is_last and self._is_first and at == 0 and length <= fresh:
            return [length] if length else []
        ends = [0] * self._is_first + [length] * is_last
        borders = Borders(self._text, plan.reach, fresh, ends)
        best = borders.best(plan.reach, fresh, _ROUNDS)
        best = best[best > at]
        if not is_last:
            best = best[best <= length - plan.margin]
            best = np.concatenate((best, [length]))  # a stretch whose end is not known yet; it is longer than a chunk
        cuts: list[int] = _closer(borders, at, best, fresh).tolist()
        if is_last:
            return cuts
        return cuts[: bisect_right([at, *cuts[:-1]], length - plan.ahead)]


def _closer(borders: Borders, at: int, best: Array, fresh: int) -> Array:
    """Cuts at these borders, and between those that are too far apart, the first of which lies behind `at`."""
    import numpy as np

    begin = np.concatenate(([at], best[:-1]))
    found = [best]
    is_long = best - begin > fresh
    begin, end = begin[is_long], best[is_long]
    while len(begin):
        cut = borders.last_best(begin + max(int(fresh * _LOW), 1), begin + fresh, begin + fresh)
        np.copyto(cut, begin + fresh, where=cut <= begin)  # a chunk full of characters that belong together
        found.append(cut)
        is_long = end - cut > fresh
        begin, end = cut[is_long], end[is_long]
    return np.sort(np.concatenate(found)) if len(found) > 1 else best


def _cuts_of(texts: list[str], plan: _Plan) -> Iterator[list[int]]:
    """Where the chunks of each of these texts end, all of which are longer than one; as many at once as a segment takes."""
    between = max(plan.reach + 1, SIGHT)
    first = size = 0
    for number, text in enumerate(texts):
        if number > first and size + len(text) > plan.segment:
            yield from _cuts_of_some(texts[first:number], between, plan)
            first, size = number, 0
        size += len(text) + between
    if first < len(texts):
        yield from _cuts_of_some(texts[first:], between, plan)


def _cuts_of_some(texts: list[str], between: int, plan: _Plan) -> Iterator[list[int]]:
    lengths = list(map(len, texts))
    begins = [low + number * between for number, low in enumerate(accumulate(lengths[:-1], initial=0))]
    ends = list(map(int.__add__, begins, lengths))
    together = ("\0" * between).join(texts)
    borders = Borders(together, plan.reach, plan.fresh, [at for pair in zip(begins, ends, strict=True) for at in pair])
    best = borders.best(plan.reach, plan.fresh, _ROUNDS)
    cuts = _closer(borders, 0, best[1:], plan.fresh)
    lows, highs = cuts.searchsorted(begins, "right").tolist(), cuts.searchsorted(ends, "right").tolist()
    for begin, low, high in zip(begins, lows, highs, strict=True):
        yield (cuts[low:high] - begin).tolist()


def _divided(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Pieces of `text` that fit, each divided at the best border in its middle until it does."""
    import numpy as np

    waiting = [text]
    while waiting:
        piece = waiting.pop()
        length = len(piece)
        if length <= 1 or fits(piece):
            yield piece
            continue
        borders = Borders(piece, max(length // 8, 1), max(length // 4, 1), [0, length])
        low, high = max(int(length * _MIDDLE), 1), max(int(length * (1 - _MIDDLE)), 1)
        cut = int(borders.last_best(np.array([low]), np.array([high]), np.array([length - 1]))[0]) or length // 2
        waiting += [piece[cut:], piece[:cut]]


def _front(before: str) -> str:
    """The end of `before`, from the first border in it on."""
    border = _BORDER.search(before) or _BLANK.search(before)
    if border is None:
        return before
    return before[border.end() :]


def counter_of(value: Any) -> Callable[[str], int]:
    """Counts tokens as `value` does, a function or a `tokenizers.Tokenizer`.

    Raises:
        UsageError: it is neither.
    """
    if hasattr(value, "encode") and hasattr(value, "to_str") and hasattr(value, "no_truncation"):
        return _TokenizerCount(value.to_str(), type(value))
    if callable(value):
        made: Callable[[str], int] = value
        return made
    raise errors.UsageError(
        f"count={value!r} counts no tokens.", hint="Pass a function of a text, or a tokenizers.Tokenizer."
    )


class _TokenizerCount:
    """The tokens that a tokenizer makes, with those it adds, however many a model takes."""

    def __init__(self, saved: str, kind: Any) -> None:
        self._saved, self._kind = saved, kind
        self._tokenizer = kind.from_str(saved)  # a copy: what is switched off here stays on in the user's
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def __call__(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)

    def __reduce__(self) -> tuple[Any, ...]:
        return _TokenizerCount, (self._saved, self._kind)


def identity_of(value: Any, depth: int = 4) -> str:
    """What tells `value` from others of other parameters: its own `version`, or its class, library and parameters.

    A function is known by its name alone: give it a `version` that changes with it.
    """
    if value is None or isinstance(value, str | bytes | int | float | bool):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(identity_of(each, depth - 1) for each in value)}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(identity_of(each, depth - 1) for each in value))}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {identity_of(each, depth - 1)}' for key, each in value.items())}}}"
    kind = value if hasattr(value, "__qualname__") else type(value)
    name = f"{getattr(kind, '__module__', '')}.{kind.__qualname__}"
    library = sys.modules.get(name.partition(".")[0])
    release = str(getattr(library, "__version__", ""))
    if isinstance(getattr(value, "version", None), str):
        told = value.version
    elif hasattr(value, "to_str"):
        told = value.to_str()
    elif isinstance(value, functools.partial):
        told = identity_of((value.func, value.args, value.keywords), depth - 1)
    elif kind is value or depth <= 0:
        told = identity_of(value.__self__, depth - 1) if inspect.ismethod(value) else ""
    else:
        told = identity_of(getattr(value, "__dict__", {}), depth - 1)
    digest = hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest() if told else ""
    return " ".join(filter(None, (name, release, digest)))
