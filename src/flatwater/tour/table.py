"""Count words in a table of bounded bytes: the frequent ones for certain, all of them if they fit.

Covers:     cutting pieces of text into words, counting, thinning a full table, the error bound, the most frequent words.
Not here:   reading files (`tour.text`).
Holds:      a table of at most `table_bytes`, and the words of one piece: see `WordTable.bytes_max`.

The algorithm is Misra and Gries, "Finding repeated elements" (1982), thinned by a median at a time as in Anderson and
others, "A high-performance algorithm for identifying frequent items in data streams" (2017): when the table is full, the
median count is taken off every word, and those that have nothing left go. What was taken off so far is the error bound: a
word's true count is at least what the table says, and at most that much more. A word that is not in it came no more often.

A word is a run of letters, in lower case. Every character beyond ASCII that is no white space counts as a letter; digits
and underscores do not. Runs of more than `WORD_CHARS_MAX` are no words of any language, and are counted apart.
"""

from __future__ import annotations

import heapq
import sys
from array import array
from collections import Counter
from itertools import islice
from typing import final

from flatwater import errors, limits
from flatwater.tour.text import PIECE_BYTES
from flatwater.units import MIB

TABLE_BYTES_MIN = MIB
WORD_CHARS_MAX = limits.TOUR_WORD_CHARS_MAX
_RUN_BYTES_MAX = 4 * (WORD_CHARS_MAX + 1)  # as many bytes are more characters than a word may have
# Longest where each word is one letter of two bytes beyond Latin, and a space: 80 bytes and a reference for three.
_WORDS_BYTES_PER_BYTE = 32
_COUNT_BYTES = 32  # an int beyond 256
_ASCII = "".join(chr(byte).lower() if chr(byte).isalpha() else " " for byte in range(128))
_LETTERS = _ASCII.encode() + bytes(range(128, 256))


@final
class WordTable:
    r"""Counts of words. Not thread-safe.

    Args:
        table_bytes: for the words and their counts, at least `TABLE_BYTES_MIN`.

    Raises:
        UsageError: the table is too small to be of use.

    >>> table = WordTable(1 << 20)
    >>> table.add(b"Nothing is lost; noth")
    >>> table.add(b"ing\n")
    >>> table.end_file()
    >>> table.top(2), table.words, table.off_by
    ([('nothing', 2), ('is', 1)], 4, 0)

    Attributes:
        words: how many were counted.
        long_runs: how many runs of letters were too long to be words.
        off_by: by how much a count may be too low; 0 if all words fitted.
        thinned: how often the table was full.
    """

    def __init__(self, table_bytes: int) -> None:
        self.table_bytes = errors.bytes_of(table_bytes, what="table_bytes", least=TABLE_BYTES_MIN)
        self._usable_bytes = table_bytes - table_bytes // 16
        self.words = self.long_runs = self.off_by = self.thinned = 0
        self._counts: Counter[str] = Counter()
        self._words_bytes = 0  # of the words in the table and their counts
        self._rest = b""  # the letters at the end of the last piece: a word may go on in the next

    def __len__(self) -> int:
        """How many words are in the table: all that were met, as long as `off_by` is 0."""
        return len(self._counts)

    @staticmethod
    def fixed_bytes() -> int:
        """What it holds beside the table, in bytes."""
        total = 0
        total += 2 * PIECE_BYTES  # a piece behind the rest of the one before, and the same in plain letters
        total += 8 * PIECE_BYTES  # decoded, at up to four bytes a character; the same in lower case
        total += _WORDS_BYTES_PER_BYTE * PIECE_BYTES  # its words; the new ones become keys
        return total

    def bytes_max(self) -> int:
        """The most it can hold at once, in bytes."""
        total = 0
        total += self._usable_bytes  # words, counts, the dict, and its growth or a thinning
        total += self.table_bytes // 16  # what Python's allocator rounds up
        total += self.fixed_bytes()  # one piece at work
        return total

    def add(self, piece: bytes) -> None:
        """Count the words of the next piece of a file."""
        letters = (self._rest + piece).translate(_LETTERS)
        end = letters.rfind(b" ") + 1
        # A run that is too long stays so if only its beginning is kept.
        self._rest = letters[end : end + _RUN_BYTES_MAX]
        self._count(letters[:end])

    def end_file(self) -> None:
        """The file is over: what it ended with is a word."""
        rest, self._rest = self._rest, b""
        self._count(rest)

    def top(self, number: int) -> list[tuple[str, int]]:
        """The most frequent words and their counts, each at most `off_by` too low."""
        return heapq.nsmallest(number, self._counts.items(), key=lambda pair: (-pair[1], pair[0]))

    def _count(self, letters: bytes) -> None:
        text = letters.decode("utf-8", "replace")
        if not text.isascii():
            text = text.lower()
        found = text.split()
        counts = self._counts
        before = len(counts)
        counts.update(found)
        self.words += len(found)
        new = len(counts) - before
        if new:
            for word in list(islice(reversed(counts), new)):  # a dict keeps the order in which keys came
                if len(word) <= WORD_CHARS_MAX:
                    self._words_bytes += _entry_bytes(word)
                else:
                    runs = counts.pop(word)
                    self.long_runs += runs
                    self.words -= runs
            if self._full():
                self._thin()

    def _full(self) -> bool:
        table = sys.getsizeof(self._counts)
        grows = 2 * table  # a dict doubles its table beside the old one
        thins = 12 * len(self._counts) + self._words_bytes // 2  # the sorted counts; what stays, written down
        return self._words_bytes + table + max(grows, thins) > self._usable_bytes

    def _thin(self) -> None:
        """Take the median off all counts, or more where the words that would stay still take over half of the bytes."""
        counts = self._counts
        ordered = sorted(counts.values())
        at = len(ordered) // 2
        while at < len(ordered) - 1:
            cut = ordered[at]
            kept_bytes = sum(_entry_bytes(word) for word, count in counts.items() if count > cut)
            if kept_bytes <= self._words_bytes // 2:
                break
            at = (at + len(ordered)) // 2
        cut = ordered[at]
        del ordered
        self.off_by += cut
        self.thinned += 1
        # What stays is written down and read back. Python's allocator could not use the memory around words that stay where
        # they are for words of another length, and the table would take more with every thinning.
        written, lengths, left = bytearray(), array("H"), array("Q")
        for word, count in counts.items():
            if count > cut:
                encoded = word.encode()
                written += encoded
                lengths.append(len(encoded))
                left.append(count - cut)
        counts.clear()
        self._words_bytes = 0
        begin = 0
        for length, count in zip(lengths, left, strict=True):
            word = written[begin : begin + length].decode()
            begin += length
            counts[word] = count
            self._words_bytes += _entry_bytes(word)


def _entry_bytes(word: str) -> int:
    """What a word and its count take, as the allocator rounds them."""
    return ((sys.getsizeof(word) + 15) & ~15) + _COUNT_BYTES
