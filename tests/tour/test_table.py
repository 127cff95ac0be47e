"""tour.table: counting words in bounded bytes, with the error bound that it states."""

from __future__ import annotations

import random
import re
import tracemalloc
from collections import Counter

import pytest

from flatwater import errors
from flatwater.tour.table import TABLE_BYTES_MIN, WORD_CHARS_MAX, WordTable
from flatwater.tour.text import PIECE_BYTES

MIB = 1 << 20


def counted(content, *, table_bytes=4 * MIB, piece_bytes=PIECE_BYTES):
    table = WordTable(table_bytes)
    for begin in range(0, len(content), piece_bytes):
        table.add(content[begin : begin + piece_bytes])
    table.end_file()
    return table


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 64, PIECE_BYTES])
def test_words_do_not_depend_on_where_pieces_end(piece_bytes):
    """The counts of any cut are those of a plain count of the whole."""
    text = "def f_1(x):\n  return X+x  # Straße, ÉTÉ été; naïve—no\n" * 20 + "last"
    table = counted(text.encode(), piece_bytes=piece_bytes)
    expected = Counter(re.sub(r"[\x00-\x40\[-`{-\x7f]", " ", text).lower().split())
    assert dict(table.top(100)) == expected
    assert (table.words, table.off_by, len(table)) == (expected.total(), 0, len(expected))


@pytest.mark.parametrize("piece_bytes", [5, 100, PIECE_BYTES])
@pytest.mark.parametrize("letters", [41, 164, 165, 1000, 3 * PIECE_BYTES])
def test_runs_that_are_no_words(letters, piece_bytes):
    """A run of letters beyond the bound is counted apart, once, however it is cut."""
    content = b"one " + b"A" * letters + b" two " + b"b" * WORD_CHARS_MAX
    table = counted(content, piece_bytes=piece_bytes)
    assert (table.words, table.long_runs) == (3, 1)
    assert dict(table.top(9)) == {"one": 1, "two": 1, "b" * WORD_CHARS_MAX: 1}


def test_any_bytes_are_text():
    """Bytes that are no UTF-8 are replaced, and counted as what they are next to."""
    table = counted(bytes(range(256)) * 100 + "end".encode("utf-16"))
    assert table.words > 0


def test_the_end_of_a_file_ends_a_word():
    """The next file's first word is another one."""
    table = WordTable(MIB)
    table.add(b"one tw")
    table.end_file()
    table.add(b"o three")
    table.end_file()
    assert dict(table.top(9)) == {"one": 1, "tw": 1, "o": 1, "three": 1}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_the_error_bound_is_kept(seed):
    """True counts are between the table's and the bound above it, and no word that is missing came more often than that."""
    source = random.Random(seed)
    words = ["".join(source.choices("abcdefghij", k=8)) for _ in range(20_000)]
    drawn = [words[min(int(source.paretovariate(0.5)) - 1, len(words) - 1)] for _ in range(30_000)]
    drawn += ["".join(source.choices("klmnop", k=source.randint(4, 12))) for _ in range(15_000)]
    source.shuffle(drawn)
    truth = Counter(drawn)
    table = counted(" ".join(drawn).encode(), table_bytes=TABLE_BYTES_MIN)
    kept = dict(table.top(len(table)))
    assert table.thinned > 0
    assert table.off_by > 0
    assert all(count <= truth[word] <= count + table.off_by for word, count in kept.items())
    assert all(count <= table.off_by for word, count in truth.items() if word not in kept)
    assert table.words == truth.total()


SHAPES = {
    "short": lambda source: "".join(source.choices("abcdefghij", k=5)),
    "long": lambda source: "".join(source.choices("abcdefghij", k=WORD_CHARS_MAX)),
    "far beyond Latin": lambda source: "".join(
        source.choices(
            "\U00010400\U00010401\U00010402\U00010403\U00010404\U00010405", k=source.randint(8, WORD_CHARS_MAX)
        )
    ),
    "one letter beyond Latin": lambda source: source.choice("αβγδ"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_it_holds_no_more_than_its_bound(shape):
    """However the words are, Python's own count of what it allocates stays inside `bytes_max`."""
    source = random.Random(7)
    pieces = [" ".join(SHAPES[shape](source) for _ in range(1_500)).encode()[:PIECE_BYTES] for _ in range(10)]
    table = WordTable(TABLE_BYTES_MIN)
    tracemalloc.start()
    try:
        for piece in pieces:
            table.add(piece)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= table.bytes_max()


def test_the_worst_piece_stays_inside_the_fixed_part():
    """A piece of one-letter words beyond Latin makes the most objects for its bytes."""
    piece = ("β " * PIECE_BYTES).encode()[: PIECE_BYTES // 3 * 3]
    table = WordTable(TABLE_BYTES_MIN)
    tracemalloc.start()
    try:
        table.add(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert WordTable.fixed_bytes() // 3 <= peak <= WordTable.fixed_bytes()


def test_a_table_too_small_is_refused():
    """The least is named."""
    with pytest.raises(errors.UsageError, match=r"1\.0 MiB"):
        WordTable(1000)
