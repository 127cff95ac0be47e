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

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

CHARACTER, WORD, SENTENCE, LINE, PARAGRAPH, HEADING, END = range(7)

_BEHIND, _AHEAD = 24, 8  # characters around a border that its hash is of
SIGHT = _BEHIND + _AHEAD  # what a border depends on, on each side
_KIND_SHIFT = 60  # a rank: the kind, 34 bits of a hash, and 26 of the place, of which the first wins
PLACE = (1 << 26) - 1
_STAYS = (1 << 63) - 1  # above all ranks
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
        text: of a segment, below 64 Mi characters.
        reach: characters within which one border is weighed against others.
        gap: characters between two borders, or more, that call for weaker ones between them: of lines between paragraphs, of
            sentences between lines, of words, at last of characters; none of these within `reach` of the stronger ones.
        ends: where texts begin and end in it, ascending. A segment of one text has 0 if the text begins with it, and its length
            if it ends with it; of several texts it has where each begins and ends, with characters between them that are none
            of theirs: more than `reach`, and `SIGHT`.

    Attributes:
        places: a cut in front of these characters.
        ranks: how good each is. Among equal ones the first is the best.
    """

    def __init__(self, text: str, reach: int, gap: int, ends: Sequence[int]) -> None:
        import numpy as np

        assert len(text) <= PLACE
        self._np = np
        self._size = size = len(text)
        self._codes, self._bytes = _codes_of(text)
        self._breaks = self._bytes == ord("\n")
        places = self._paragraphs(has_returns="\r" in text)
        ranks = self._ranks(places, self._kinds(places))
        low, high = -gap, size + gap  # what is not there may be wide
        if ends:
            hard = np.array(ends, np.int64)
            low, high = low if ends[0] else 0, size if ends[-1] == size else high
            places, ranks = _merged(hard, END << _KIND_SHIFT | (PLACE - hard), places, ranks)
        for marks_of, kind in (
            (self._lines, LINE),
            (self._sentences, SENTENCE),
            (self._words, WORD),
            (self._characters, CHARACTER),
        ):
            bounds = np.empty(len(places) + 2, np.int64)
            bounds[0], bounds[1:-1], bounds[-1] = low, places, high
            wide = (bounds[1:] - bounds[:-1] > gap).nonzero()[0]
            if not len(wide):
                break
            weaker = self._inside((bounds[wide] + reach).tolist(), (bounds[wide + 1] - reach).tolist(), marks_of)
            if len(weaker):
                places, ranks = _merged(places, ranks, weaker, self._ranks(weaker, kind))
        self.places: Array = places
        self.ranks: Array = ranks
        self._flipped: Array | None = None

    # --- the best -----------------------------------------------------------------------------------------------------

    def best(self, reach: int, size: int, rounds: int) -> Array:
        """Places of borders that are better than all others within `reach` characters, without those that are not needed.

        In each round, those that are worse than the ones next to them, and leave no more than `size` characters between
        these, are left out: so what stands more than `rounds` times `size` away decides nothing.
        """
        np = self._np
        places, ranks = self.places, self.ranks
        count = len(places)
        if not count:
            return places
        near = places[1:] - places[:-1] <= reach
        is_better = ranks[1:] > ranks[:-1]
        is_best = np.ones(count, bool)
        is_best[1:] = is_better >= near
        is_best[:-1] &= ~(near & is_better)
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
        is_best = best == ranks[at]
        return _thinned(place[is_best], best[is_best], size, rounds)

    def last_best(self, low: Array, high: Array, top: Array) -> Array:
        """The place of the best border in each of [low, high], of equal ones the last; else the last one up to `top`."""
        np = self._np
        if self._flipped is None:
            self._flipped = np.concatenate((self.ranks ^ PLACE, [-1]))  # the place counts the other way round
        places = self._best_between(low, high, self._flipped) & PLACE
        is_none = (places < low) | (places > high)
        if is_none.any():
            places[is_none] = self.places[np.maximum(self.places.searchsorted(top[is_none], "right") - 1, 0)]
        return places

    def _best_between(self, low: Array, high: Array, ranks: Array) -> Array:
        """The best of `ranks`, which has one more at its end, in each of [low, high]; that behind it if there is none."""
        bounds = self._np.empty(2 * len(low), self._np.int64)
        bounds[::2] = low
        bounds[1::2] = high
        bounds[1::2] += 1
        best: Array = self._np.maximum.reduceat(ranks, self.places.searchsorted(bounds))[::2]
        return best

    # --- kinds --------------------------------------------------------------------------------------------------------

    def _paragraphs(self, *, has_returns: bool) -> Array:
        """What comes behind an empty line."""
        breaks, size = self._breaks, self._size
        behind = breaks[_BEHIND - 1 : _BEHIND - 1 + size]
        marks = (behind & breaks[_BEHIND - 2 : _BEHIND - 2 + size]) > breaks[_BEHIND : _BEHIND + size]
        if has_returns:
            returns = self._bytes == ord("\r")
            empty = behind & returns[_BEHIND - 2 : _BEHIND - 2 + size] & breaks[_BEHIND - 3 : _BEHIND - 3 + size]
            marks |= empty > returns[_BEHIND : _BEHIND + size]
        places: Array = marks.nonzero()[0]
        return places

    def _kinds(self, places: Array) -> Array:
        """Of paragraphs: which are headings, marked or underlined."""
        around, at = self._bytes, places + _BEHIND
        kinds = self._np.full(len(at), PARAGRAPH, self._np.int64)
        kinds[around[at] == ord("#")] = HEADING
        return kinds

    def _inside(self, lows: list[int], highs: list[int], marks_of: Callable[[int, int], Array]) -> Array:
        """The borders of one kind in these stretches."""
        np, found = self._np, []
        if sum(highs) - sum(lows) > self._size // 4:  # all at once, then
            inside = np.zeros(self._size, bool)
            for low, high in zip(lows, highs, strict=True):
                inside[max(low, 0) : max(high, 0)] = True
            inside &= marks_of(0, self._size)
            places: Array = inside.nonzero()[0]
            return places
        for low, high in zip(lows, highs, strict=True):
            first, last = max(low, 0), min(high, self._size)
            if first < last:
                found.append(marks_of(first, last).nonzero()[0] + first)
        together: Array = np.concatenate(found) if found else np.empty(0, np.int64)
        return together

    def _lines(self, low: int, high: int) -> Array:
        breaks = self._breaks
        marks: Array = breaks[_BEHIND - 1 + low : _BEHIND - 1 + high] > breaks[_BEHIND + low : _BEHIND + high]
        return marks

    def _sentences(self, low: int, high: int) -> Array:
        text = self._bytes[_BEHIND - 3 + low : _BEHIND + high]  # three more in front
        blanks, stops = text == ord(" "), _is_stop(text)
        marks: Array = (blanks[2:-1] > blanks[3:]) & (stops[1:-2] | (stops[:-3] & blanks[1:-2]))
        ahead = text[3:]
        marks &= (ahead < ord("a")) | (ahead > ord("z"))  # "e.g. this" is no end of a sentence
        if self._codes.itemsize > 1:
            wide = self._codes[max(low - 1, 0) : high - 1]
            marks[len(marks) - len(wide) :] |= _is_one_of(wide, "。！？")  # noqa: RUF001 - the marks of Chinese and Japanese
        return marks

    def _words(self, low: int, high: int) -> Array:
        text = self._bytes[_BEHIND - 1 + low : _BEHIND + high]
        blanks = _is_one_of(text, " \t\n")
        marks: Array = (blanks | _is_one_of(text, ",;)]}>|"))[:-1] & ~blanks[1:]
        return marks

    def _characters(self, low: int, high: int) -> Array:
        """Which characters do not belong to the one in front of them."""
        np = self._np
        ahead = self._codes[low:high]
        behind = np.concatenate((self._codes[low - 1 : low] if low else np.zeros(1, ahead.dtype), ahead[:-1]))
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
        wide = _BEHIND + _AHEAD  # bytes from each place on, taken as one value, then eight of them as a number
        around = np.ndarray((len(self._bytes) - wide + 1,), f"V{wide}", self._bytes, 0, (1,))[places].view(np.int64)
        around = around.reshape(-1, wide // 8)
        mixed: Array = around[:, 0] * _MIX
        for column in range(1, (_BEHIND + _AHEAD) // 8):
            mixed ^= mixed >> 29
            mixed += around[:, column]
            mixed *= _MIX
        mixed ^= mixed >> 32
        mixed *= _MIX
        mixed >>= 64 - _KIND_SHIFT
        mixed &= _HASH
        mixed |= PLACE - places
        mixed |= np.left_shift(kinds, _KIND_SHIFT, dtype=np.int64)
        return mixed


def _thinned(places: Array, ranks: Array, size: int, rounds: int) -> Array:
    import numpy as np

    ranks[ranks >= END << _KIND_SHIFT] = _STAYS
    for _ in range(rounds):
        is_worst = (ranks[1:-1] < ranks[:-2]) & (ranks[1:-1] < ranks[2:])
        is_needed = places[2:] - places[:-2] > size
        ranks[1:-1][is_needed] = _STAYS  # which it does, whatever becomes of those next to it
        stays = np.ones(len(places), bool)
        stays[1:-1] = is_needed | ~is_worst
        places, ranks = places[stays], ranks[stays]
    return places


def _merged(places: Array, ranks: Array, more: Array, their_ranks: Array) -> tuple[Array, Array]:
    """Two lots of borders as one, in the order of their places."""
    import numpy as np

    together = np.concatenate((places, more))
    order = together.argsort(kind="stable")
    return together[order], np.concatenate((ranks, their_ranks))[order]


def _codes_of(text: str) -> tuple[Array, Array]:
    """A number for each character, and the same folded into a byte, beyond ASCII where it is, whatever the others are.

    The bytes have zeros in front and behind: as many as a border's hash looks at there.
    """
    import numpy as np

    try:
        encoded = text.encode("latin-1")
    except UnicodeEncodeError:
        codes: Array = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    else:
        padded: Array = np.frombuffer(b"".join((bytes(_BEHIND), encoded, bytes(_AHEAD))), np.uint8)
        return padded[_BEHIND : _BEHIND + len(encoded)], padded
    if len(codes) != len(text):
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    padded = np.zeros(len(codes) + _BEHIND + _AHEAD, np.uint8)
    folded = padded[_BEHIND : _BEHIND + len(codes)]
    mixed = codes >> 8
    if codes.itemsize > 2:  # noqa: PLR2004
        mixed ^= codes >> 16
    mixed ^= codes
    folded[:] = mixed
    folded |= (codes > _LATIN).view(np.uint8) * np.uint8(1 << 7)
    return codes, padded


def _is_stop(codes: Array) -> Array:
    return _is_one_of(codes, ".!?")


def _is_one_of(codes: Array, characters: str) -> Array:
    is_one: Array = codes == ord(characters[0])
    for character in characters[1:]:
        is_one |= codes == ord(character)
    return is_one
