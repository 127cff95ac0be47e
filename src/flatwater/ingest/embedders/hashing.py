"""Vectors without a model: each word adds to one component, which a hash of it tells.

Covers:     words of any script, their hashes, weights, the vector of a text.
Not here:   similar words with other letters: only a model knows these (`minilm`, `http`).
Holds:      two tables of powers and, per call, one block of text with the arrays of its words; see `Hashing.bytes_max`.

Feature hashing (Weinberger et al., 2009, "Feature Hashing for Large Scale Multitask Learning"): a word's hash gives a
component and a sign, so that words which share a component cancel out on average. A word weighs as many as it has
letters, up to 8: short words are the frequent ones, and there is no table of frequencies that could say so better. A
component c becomes sign(c) * sqrt(|c| / sum of all |c|): a word that is there nine times counts three times as much as
one that is there once, and the length is 1. Searching 4,246 Python functions by the first sentence of their docstring
(mean reciprocal rank): 0.266 with equal weights, 0.321 with these; 0.363 at a width of 768.

The hash of a word is a polynomial of its characters modulo 2**64. Differences of running sums give all words of a block
at once. All sums are whole numbers below 2**24 and the rest is one division and one root, which IEEE 754 defines to the
bit: the same text gives the same vector in every process and on every machine, whatever stands beside it in a batch.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, final

from flatwater import errors, limits

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from flatwater.ingest.embedders.base import Vectors

    Integers = npt.NDArray[np.uint64]
    Positions = npt.NDArray[np.int64]

VERSION = 1  # of the algorithm: raise it whenever a vector changes
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse
_MIX = 0xD6E8FEB86659FD93  # of the finisher of Pelle Evensen's rrxmrrxmsx family: spreads high bits over low ones
_LETTERS_MAX = 8  # that a word can weigh
_ASCII = 128
_SCRIPTS_END = 0x20000  # behind it are ideographs
_SEPARATOR, _LETTER, _WORD = 0, 1, 2  # what a character is; a _WORD is one by itself
_UNSPACED = (  # scripts that put no spaces between words
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # ideographs
    (0xF900, 0xFAFF),  # more of them
)


@final
class Hashing:
    """Words hashed into the components of a vector. Thread-safe; needs numpy, no download and no model.

    Texts that share words are near. Letters are compared in lower case, other forms of a character (ligatures, full
    width, composed or not) are the same. Of scripts that put no spaces between words, each character is one. A text
    without words gets the first unit vector. Characters that only one of two Python versions knows may differ there.

    Memory: `bytes_max`, about 5 MiB with the default width.

    Args:
        width: components of a vector.

    Raises:
        UsageError: a width that makes no sense.
        MissingExtra: numpy is not installed.

    >>> import numpy as np
    >>> hashing = Hashing()
    >>> vectors = hashing.embed(["a sync of many files", "files in sync", "live queries"])
    >>> [round(float(score), 1) for score in vectors @ hashing.embed_query("sync files")]
    [0.8, 0.9, 0.0]
    """

    def __init__(self, *, width: int = limits.INGEST_WIDTH) -> None:
        try:
            import numpy as np
        except ImportError:
            raise errors.MissingExtra("ingest", "numpy") from None
        self.width = errors.count_of(width, what="width", most=limits.INGEST_WIDTH_MAX)
        self.name = f"hashing:{width}@{VERSION}"
        self.workers = 1  # it keeps one processor busy
        self.batch_texts = limits.INGEST_HASHING_TEXTS
        self.batch_bytes = limits.INGEST_HASHING_BYTES
        self._powers, self._inverses = _powers(_BASE), _powers(pow(_BASE, -1, 1 << 64))
        self._weights = np.minimum(np.arange(limits.INGEST_HASHING_BLOCK + 1), _LETTERS_MAX).astype(np.float64)

    def embed(self, texts: list[str]) -> Vectors:
        """The vectors of these texts, `(len(texts), width)`, each of length 1."""
        import numpy as np

        found = np.zeros((len(texts), self.width), np.float32)
        plain = [row for row, text in enumerate(texts) if text.isascii() and len(text) < limits.INGEST_HASHING_BLOCK]
        pieces = [texts[row] for row in plain]
        for first, stop in _blocks(pieces):
            found[plain[first:stop]] += self._counted(pieces[first:stop], is_ascii=True)
        if len(plain) < len(texts):
            others = sorted({*range(len(texts))}.difference(plain))
            for rows, pieces in _cut((row, texts[row]) for row in others):
                for row, sums in zip(rows, self._counted(pieces, is_ascii=False), strict=True):  # a row may come twice
                    found[row] += sums
        for first in range(0, len(texts), limits.INGEST_HASHING_ROWS):
            _finish(found[first : first + limits.INGEST_HASHING_ROWS])
        return found

    def embed_query(self, text: str) -> Vectors:
        """The vector of what is searched for: as that of a text."""
        vector: Vectors = self.embed([text])[0]
        return vector

    def bytes_max(self) -> int:
        """The most that it holds, in bytes."""
        block = limits.INGEST_HASHING_BLOCK
        total = 0
        total += 3 * 8 * (block + 1)  # the tables of powers, inverses and weights
        total += _SCRIPTS_END + 1  # the table of characters
        total += 4 * 4 * block * limits.INGEST_HASHING_FORMS  # a piece in its forms: cut, normal, lower, joined
        total += (4 + 8 + 8) * block  # characters as numbers, times powers, summed
        total += 8 * block  # where words begin and end, while that is looked for
        total += 8 * 8 * block  # of each word: begin, end, hash, what it is made from, component, weight
        total += 2 * 8 * limits.INGEST_HASHING_ROWS * self.width  # the components of a block of texts
        total += 4 * self.batch_texts * self.width  # the vectors
        return total

    def close(self) -> None:
        """Nothing is open."""

    def _counted(self, texts: list[str], *, is_ascii: bool) -> npt.NDArray[np.float64]:
        """The sums of signed weights, `(len(texts), width)`, of texts that fit into one block."""
        import numpy as np

        codes, begins, ends = (_ascii_words if is_ascii else _words)("\n".join(texts))
        sums = np.empty(len(codes) + 1, np.uint64)
        sums[0] = 0
        np.cumsum(np.multiply(codes, self._powers[: len(codes)], dtype=np.uint64), out=sums[1:])
        hashes = (sums[ends] - sums[begins]) * self._inverses[begins]
        hashes ^= hashes >> np.uint64(32)
        hashes *= np.uint64(_MIX)
        hashes ^= hashes >> np.uint64(32)
        weights = self._weights[ends - begins]
        np.negative(weights, out=weights, where=(hashes & np.uint64(1)).astype(bool))
        hashes >>= np.uint64(32)
        hashes *= np.uint64(self.width)
        hashes >>= np.uint64(32)
        borders = np.cumsum([0, *(len(text) + 1 for text in texts)])
        places = np.repeat(np.arange(len(texts)) * self.width, np.diff(np.searchsorted(begins, borders)))
        places += hashes.astype(np.int64)
        added: npt.NDArray[np.float64] = np.bincount(places, weights, len(texts) * self.width)  # type: ignore[assignment]  # weights are f64
        return added.reshape(len(texts), self.width)


def _blocks(pieces: list[str]) -> Iterator[tuple[int, int]]:
    """Ranges of pieces that fit into a block."""
    ends = list(itertools.accumulate(len(piece) + 1 for piece in pieces))
    first = before = 0
    while first < len(pieces):
        stop = bisect.bisect_right(
            ends, before + limits.INGEST_HASHING_BLOCK, first, min(len(ends), first + limits.INGEST_HASHING_ROWS)
        )
        yield first, stop
        first, before = stop, ends[stop - 1]


def _cut(texts: Iterable[tuple[int, str]]) -> Iterator[tuple[list[int], list[str]]]:
    """The pieces of texts, as many as fit into a block, and the row of each."""
    rows: list[int] = []
    pieces: list[str] = []
    size = 0
    for row, text in texts:
        for piece in _pieces(text):
            if rows and (size + len(piece) >= limits.INGEST_HASHING_BLOCK or len(rows) == limits.INGEST_HASHING_ROWS):
                yield rows, pieces
                rows, pieces, size = [], [], 0
            rows.append(row)
            pieces.append(piece)
            size += len(piece) + 1
    if rows:
        yield rows, pieces


def _pieces(text: str) -> Iterator[str]:
    """A text in its normal form and lower case, cut where it is longer than a block, in a word, too."""
    most = limits.INGEST_HASHING_BLOCK - 1
    for start in range(0, len(text), most):
        piece = unicodedata.normalize("NFKC", text[start : start + most]).lower()  # up to 18 times as long
        for part in range(0, len(piece), most):
            yield piece[part : part + most]


def _ascii_words(text: str) -> tuple[npt.NDArray[np.uint8], Positions, Positions]:
    """The characters as numbers, and where the words begin and end."""
    import numpy as np

    encoded = text.lower().encode("ascii")
    letters = np.zeros(len(encoded) + 2, np.bool_)
    letters[1:-1] = np.frombuffer(encoded.translate(_ascii_kinds()), np.bool_)
    borders = np.flatnonzero(letters[1:] != letters[:-1])
    return np.frombuffer(encoded, np.uint8), borders[::2], borders[1::2]


def _words(text: str) -> tuple[npt.NDArray[np.uint32], Positions, Positions]:
    """The same for any text."""
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32, copy=False)
    kinds = np.zeros(len(codes) + 2, np.uint8)
    kinds[1:-1] = _kinds()[np.minimum(codes, _SCRIPTS_END)]
    is_word, is_letter = kinds[1:-1] == _WORD, kinds[1:-1] == _LETTER
    begins = np.flatnonzero(is_word | (is_letter & (kinds[:-2] != _LETTER)))
    ends = np.flatnonzero(is_word | (is_letter & (kinds[2:] != _LETTER)))
    return codes, begins, ends + 1


def _finish(sums: Vectors) -> None:
    """Roots, and the length 1."""
    import numpy as np

    sizes = np.abs(sums)
    totals = sizes.sum(axis=1, keepdims=True)
    empty = totals[:, 0] == 0
    totals[empty] = 1
    sizes /= totals
    np.sqrt(sizes, out=sizes)
    np.copysign(sizes, sums, out=sums)
    sums[empty, 0] = 1  # no word, or words that cancel out


def _powers(base: int) -> Integers:
    import numpy as np

    powers = np.full(limits.INGEST_HASHING_BLOCK + 1, base, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


def _kind(code: int) -> int:
    if not ("a" + chr(code)).isidentifier():  # Unicode's XID_Continue: letters, digits, marks, the underscore
        return _SEPARATOR
    return _WORD if any(first <= code <= last for first, last in _UNSPACED) else _LETTER


@functools.cache
def _ascii_kinds() -> bytes:
    return bytes(_kind(code) for code in range(_ASCII)) + bytes(_ASCII)


@functools.cache
def _kinds() -> npt.NDArray[np.uint8]:
    """Of each character: 128 KiB, made in some 30 ms with the first text that needs it."""
    import numpy as np

    return np.array([*(_kind(code) for code in range(_SCRIPTS_END)), _WORD], np.uint8)
