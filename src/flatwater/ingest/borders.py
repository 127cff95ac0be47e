"""Where a text may be cut, and which of these borders are better than all that are near.

Covers:     borders of headings, paragraphs, sentences, lines, words and characters; their ranks; the best within a reach.
Not here:   chunks (`ingest.splitting`).
Holds:      the characters of a segment as numbers and, for each border, its place and its rank.

A rank is the kind of a border, then a hash of the few characters around it, never its position: an edit changes the ranks of
the borders that it touches and no other. A border that is the best within `reach` on both sides is one wherever else the
text changes; at most one of those lies in any stretch as long as the reach. (Bjorner, Blass, Gurevich: "Content-dependent
chunking for differential compression, the local maximum approach", 2010.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

CHARACTER, WORD, LINE, SENTENCE, PARAGRAPH, HEADING, END = range(7)

_BEHIND, _AHEAD = 24, 8  # characters around a border that its hash is of
_TITLE = 256  # characters of an underlined heading, at most
SIGHT = _TITLE + _BEHIND + _AHEAD  # what a border depends on, on each side
_KIND_SHIFT = 60  # a rank: the kind, 36 bits of a hash, and 24 of the place, of which the first wins
PLACE = (1 << 24) - 1
_HASH = ((1 << _KIND_SHIFT) - 1) ^ PLACE
_MIX = -0x61C8864680B583EB  # the golden ratio of 64 bits, as Fibonacci hashing has it
_LATIN = 0xFF  # characters up to it are their own byte
_DENSE = 64  # borders within reach from which on more neighbours are compared one by one
_JOINER = 0x200D  # makes one emoji of several
_JOINED = (
    (0x300, 0x36F),
    (0x200C, 0x200D),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0x1F3FB, 0x1F3FF),
)  # to the one before
_SURROGATES, _SURROGATES_END, _LOW_SURROGATES = 0xD800, 0xE000, 0xDC00


@final
class Borders:
    """The borders of one segment, in ascending order.

    Args:
        text: of a segment, below 16 Mi characters.
        reach: characters within which there has to be a border: where there is none of a line or sentence, those of words
            count, and where there is none either, those of characters.
        is_first: the text begins here.
        is_last: the text ends here.

    Attributes:
        places: a cut in front of these characters.
        ranks: how good each is. Among equal ones the first is the best.
    """

    def __init__(self, text: str, reach: int, *, is_first: bool, is_last: bool) -> None:
        import numpy as np

        assert len(text) <= PLACE
        self._np = np
        self._size = size = len(text)
        self._codes, folded = _codes_of(text)
        self._bytes = np.zeros(size + _BEHIND + _AHEAD, np.uint8)
        self._bytes[_BEHIND : _BEHIND + size] = folded
        places, kinds = self._lines_and_sentences()
        ranks = self._ranks(places, kinds)
        for marks_of, kind in ((self._words, WORD), (self._characters, CHARACTER)):
            bounds = np.concatenate(([0], places, [size]))
            wide = (bounds[1:] - bounds[:-1] > 2 * reach).nonzero()[0]
            if len(wide):
                weaker = self._weaker(bounds[wide].tolist(), bounds[wide + 1].tolist(), marks_of())
                places = np.concatenate((places, weaker))
                order = places.argsort(kind="stable")
                places, ranks = places[order], np.concatenate((ranks, self._ranks(weaker, kind)))[order]
        first, last = [0] if is_first else [], [size] if is_last else []
        if first or last:
            places = np.concatenate((first, places, last), dtype=np.int64, casting="unsafe")
            end = END << _KIND_SHIFT
            ranks = np.concatenate(
                ([end | PLACE] if first else [], ranks, [end | (PLACE - size)] if last else []),
                dtype=np.int64, casting="unsafe",
            )  # fmt: skip
        self.places: Array = places
        self.ranks: Array = ranks

    # --- the best -----------------------------------------------------------------------------------------------------

    def best(self, reach: int) -> Array:
        """Places of borders that are better than all others within `reach` characters."""
        np = self._np
        places, ranks = self.places, self.ranks
        count = len(places)
        if not count:
            return places
        near = places[1:] - places[:-1] <= reach
        is_better = ranks[1:] > ranks[:-1]
        is_best = np.ones(count, bool)
        is_best[:-1] &= ~(near & is_better)
        is_best[1:] &= ~(near & ~is_better)
        at = is_best.nonzero()[0]
        # A few neighbours one by one, since that leaves few; then all others of these at once.
        for step in range(2, 9 if count * 2 * reach >= _DENSE * self._size else 3):
            behind, ahead = np.maximum(at - step, 0), np.minimum(at + step, count - 1)
            place, rank = places[at], ranks[at]
            is_worse = (ranks[ahead] > rank) & (places[ahead] - place <= reach)
            is_worse |= (ranks[behind] > rank) & (place - places[behind] <= reach)
            at = at[~is_worse]
        place = places[at]
        best = self._best_between(place - reach, place + reach, np.concatenate((ranks, [-1])))
        found: Array = place[best == ranks[at]]
        return found

    def last_best(self, low: Array, high: Array, top: Array) -> Array:
        """The place of the best border in each of [low, high], of equal ones the last; else the last one up to `top`."""
        np = self._np
        flipped = np.concatenate((self.ranks ^ PLACE, [-1]))  # the place counts the other way round
        places = self._best_between(low, high, flipped) & PLACE
        is_none = (places < low) | (places > high)
        if is_none.any():
            places[is_none] = self.places[np.maximum(self.places.searchsorted(top[is_none], "right") - 1, 0)]
        return places

    def _best_between(self, low: Array, high: Array, ranks: Array) -> Array:
        """The best of `ranks`, which has one more at its end, in each of [low, high]; that behind it if there is none."""
        np = self._np
        bounds = np.empty(2 * len(low), np.int64)
        bounds[::2] = self.places.searchsorted(low)
        bounds[1::2] = self.places.searchsorted(high, "right")
        best: Array = np.maximum.reduceat(ranks, bounds)[::2]
        return best

    # --- kinds --------------------------------------------------------------------------------------------------------

    def _lines_and_sentences(self) -> tuple[Array, Array]:
        np = self._np
        around = self._bytes
        text = around[_BEHIND - 3 : _BEHIND + self._size + 1]  # three more in front, one behind
        breaks = text == ord("\n")
        blanks = text == ord(" ")
        stops = _is_stop(text)
        marks = breaks[3:-1] > breaks[4:]
        marks |= (blanks[3:-1] > blanks[4:]) & (stops[2:-2] | (stops[1:-3] & blanks[2:-2]))
        if self._codes.itemsize > 1:
            marks |= _is_one_of(self._codes, "。！？")  # noqa: RUF001 - the marks of Chinese and Japanese
        if self._size:
            marks[-1] = False
        at = marks.nonzero()[0] + (_BEHIND + 1)
        ahead, behind = around[at], around[at - 2]
        is_line = around[at - 1] == ord("\n")
        is_small = (ahead >= ord("a")) & (ahead <= ord("z"))  # "e.g. this" is no end of a sentence
        taken = is_line | ~is_small
        if not taken.all():
            at, ahead, behind, is_line, is_small = (each[taken] for each in (at, ahead, behind, is_line, is_small))
        kinds = np.full(len(at), SENTENCE, np.int64)
        kinds[is_line & (~_is_stop(behind) | is_small)] = LINE
        is_paragraph = is_line & ((behind == ord("\n")) | ((behind == ord("\r")) & (around[at - 3] == ord("\n"))))
        kinds[is_paragraph] = PARAGRAPH
        is_rule = is_line & (ahead == around[at + 1]) & (ahead == around[at + 2]) & _is_one_of(ahead, "=-~^*")
        is_heading = is_rule | (ahead == ord("#"))
        is_heading[:-1] |= is_rule[1:] & (at[1:] - at[:-1] < _TITLE)
        kinds[is_heading & is_paragraph] = HEADING
        return at - _BEHIND, kinds

    def _weaker(self, lows: list[int], highs: list[int], marks: Array) -> Array:
        """Where `marks` has borders inside of these gaps."""
        inside = self._np.zeros(self._size, bool)
        for low, high in zip(lows, highs, strict=True):
            inside[low + 1 : high] = True
        inside &= marks
        places: Array = inside.nonzero()[0]
        return places

    def _words(self) -> Array:
        text = self._bytes[_BEHIND - 1 : _BEHIND + self._size]
        blanks = _is_one_of(text, " \t\n")
        marks: Array = (blanks | _is_one_of(text, ",;)]}>|"))[:-1] & ~blanks[1:]
        return marks

    def _characters(self) -> Array:
        """Which characters do not belong to the one in front of them."""
        np = self._np
        ahead = self._codes
        behind = np.concatenate((np.zeros(1, ahead.dtype), ahead[:-1]))
        joined = (behind == ord("\r")) & (ahead == ord("\n"))
        if ahead.itemsize > 1:
            is_pair = (ahead >= _LOW_SURROGATES) & (ahead < _SURROGATES_END)
            joined |= is_pair & (behind >= _SURROGATES) & (behind < _LOW_SURROGATES)
            joined |= behind == _JOINER
            for first, last in _JOINED:
                if first < 1 << (8 * ahead.itemsize):
                    joined |= (ahead >= first) & (ahead <= last)
        alone: Array = ~joined
        return alone

    def _ranks(self, places: Array, kinds: Array | int) -> Array:
        np = self._np
        around = np.ndarray((len(self._bytes) - 7,), np.int64, self._bytes, 0, (1,))  # eight from each one on
        mixed: Array = around[places] * _MIX
        for step in range(8, _BEHIND + _AHEAD, 8):
            mixed ^= mixed >> 29
            mixed += around[places + step]
            mixed *= _MIX
        mixed ^= mixed >> 32
        mixed *= _MIX
        mixed >>= 64 - _KIND_SHIFT
        mixed &= _HASH
        mixed |= PLACE - places
        mixed |= np.left_shift(kinds, _KIND_SHIFT, dtype=np.int64)
        return mixed


def _codes_of(text: str) -> tuple[Array, Array]:
    """A number for each character, and the same folded into a byte, beyond ASCII where it is, whatever the others are."""
    import numpy as np

    try:
        codes: Array = np.frombuffer(text.encode("latin-1"), np.uint8)
    except UnicodeEncodeError:
        codes = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    else:
        return codes, codes
    if len(codes) == len(text):
        folded: Array = (codes ^ (codes >> 8)).astype(np.uint8) | ((codes > _LATIN).view(np.uint8) << 7)
        return codes, folded
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return codes, (codes ^ (codes >> 8) ^ (codes >> 16)).astype(np.uint8) | ((codes > _LATIN).view(np.uint8) << 7)


def _is_stop(codes: Array) -> Array:
    return _is_one_of(codes, ".!?")


def _is_one_of(codes: Array, characters: str) -> Array:
    is_one: Array = codes == ord(characters[0])
    for character in characters[1:]:
        is_one |= codes == ord(character)
    return is_one
