from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.source import lines
from flatwater.source.files.blocks import Blocks, whole_letters


def blocks_of(path, **options):
    """The blocks of a file, through the reader that opens it."""
    reader = lines(path, encoding=None, **options)
    reader._text.begin()
    try:
        return list(reader._text._blocks)
    finally:
        reader.close()


def test_places_of_blocks(write):
    """Each block knows the byte and the number of its first line."""
    data = b"".join(b"line %d\n" % number for number in range(20_000))
    found = blocks_of(write(data))
    assert len(found) > 3
    for block in found:
        assert data[block.start :].startswith(block.data[:100])
        assert data[: block.start].count(b"\n") == block.line - 1
    assert b"\n".join(block.data for block in found) + b"\n" == data


@pytest.mark.parametrize("window", [1, 2, 7])
@pytest.mark.parametrize("seed", range(8))
def test_any_window_and_any_range(write, monkeypatch, window, seed):
    """Whatever is read at a time, and however the file is split, each line comes once."""
    monkeypatch.setattr(limits, "FILES_LINE_WINDOW_BYTES", window)
    chance = random.Random(seed)
    data = bytes(chance.choice(b"ab\r\n\n") for _ in range(chance.randrange(40)))
    expected = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    if not expected[-1] and not data.endswith(b"\r"):
        expected.pop()
    path = write(data)
    assert list(lines(path, encoding=None)) == expected
    if data:
        parts = lines(path, encoding=None).ranges(chance.randrange(1, 12))
        assert [line for part in parts for line in part] == expected


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(1, 20), st.booleans(), st.integers(1, 9))
def test_lines_that_are_too_long(tmp_path_factory, lengths, longest, ends, window):
    """Exactly those longer than the bound are skipped or cut, whatever is around them, and all are told."""
    path = tmp_path_factory.mktemp("long") / "data"
    texts = [str(place % 10) * length for place, length in enumerate(lengths)]
    path.write_text("\n".join(texts) + ("\n" if ends and texts else ""))
    if texts and not texts[-1] and not ends:
        texts.pop()
    before = limits.FILES_LINE_WINDOW_BYTES
    limits.FILES_LINE_WINDOW_BYTES = window
    try:
        skipping, cutting = lines(path, longest, too_long="skip"), lines(path, longest, too_long="cut")
        assert list(skipping) == [text for text in texts if len(text) <= longest]
        assert list(cutting) == [text[:longest] for text in texts]
    finally:
        limits.FILES_LINE_WINDOW_BYTES = before
    told = [place for place, text in enumerate(texts, 1) if len(text) > longest]
    assert [row.line for row in skipping.report] == [row.line for row in cutting.report] == told


def test_the_bound_is_without_the_end(write):
    """A line of exactly the bound passes, with either end."""
    assert list(lines(write(b"x" * 10 + b"\r\n" + b"y" * 10), 10)) == ["x" * 10, "y" * 10]


def test_nonsense_is_refused(write):
    """No bound, and no policy, are refused by name."""
    with pytest.raises(errors.UsageError, match="too_long"):
        lines(write(b""), too_long="ignore")
    for longest in (0, "8 EiB", "long"):
        with pytest.raises(errors.UsageError, match="longest"):
            Blocks.checked_longest(longest)


@pytest.mark.parametrize("text", ["aé", "a🌊", "plain", "日本"])
def test_letters_stay_whole(text):
    """A cut within a letter takes the letter away, and no more."""
    data = text.encode()
    for length in range(len(data) + 1):
        kept = whole_letters(data[:length], "utf-8")
        assert text.startswith(kept.decode())
        assert length - len(kept) < 4


def test_a_cut_takes_no_byte(write):
    """A lone return at the place of the cut is part of the line, not of an end."""
    path = write(b"a\rbc\nok\r\n")
    assert list(lines(path, 2, encoding=None, too_long="cut")) == [b"a\r", b"ok"]
