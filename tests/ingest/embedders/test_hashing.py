from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.ingest.embedders.hashing import Hashing

TEXTS = [
    "Searching while ingesting is consistent.",
    "naïve café, straße — ПРИВЕТ мир",
    "日本語のテキスト and 한국어",
    "snake_case x2 42",
    "",
]
# Of the four bytes of each component: a change is a change of `VERSION`.
DIGEST = "e2f76a2c64b5e3b0a4a23d2b33ac8704891119cf40357fe208d0bfae28587cfa"
PROGRAM = """
import hashlib, sys
from flatwater.ingest.embedders.hashing import Hashing
print(hashlib.sha256(Hashing().embed(%r).astype("<f4").tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def hashing():
    return Hashing()


def test_vectors_are_pinned(hashing):
    """The vectors of these texts are the same to the bit as when this was written."""
    assert hashlib.sha256(hashing.embed(TEXTS).astype("<f4").tobytes()).hexdigest() == DIGEST


def test_another_process_gives_the_same():
    """A process with another seed of Python's own hashes gives the same vectors."""
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM % (TEXTS,)],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == DIGEST


@given(st.lists(st.text(max_size=60), max_size=12))
def test_company_does_not_matter(texts):
    """A text's vector is the same alone and beside any others, and its length is 1."""
    hashing = Hashing(width=64)
    together = hashing.embed(texts)
    assert together.shape == (len(texts), 64)
    assert together.dtype == np.float32
    for row, text in zip(together, texts, strict=True):
        assert np.array_equal(row, hashing.embed_query(text))
        assert abs(float(np.linalg.norm(row)) - 1) < 1e-5


def test_shared_words_are_near(hashing):
    """A text is nearer to one that shares its words than to one that does not."""
    a, b, c = hashing.embed(
        ["a budget of memory for batches", "the budget holds batches in memory", "live queries over tables"]
    )
    assert a @ b > 0.5
    assert abs(a @ c) < 0.2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Memory BUDGET", "memory, budget!"),
        ("cafe\u0301 ﬁle", "café file"),
        ("\uff26\uff35\uff2c\uff2c width", "full width"),
        ("a—b “c”", "a b c"),
        ("日本 語", "日本語"),
        ("plain words", "plain words —"),
    ],
)
def test_forms_of_the_same_words(hashing, one, other):
    """Case, punctuation, and forms of a character change nothing; nor does which of the two ways a text takes."""
    assert np.array_equal(hashing.embed_query(one), hashing.embed_query(other))


@pytest.mark.parametrize("text", ["", "   \n", "— !?", "\0", "🙂"])
def test_a_text_without_words(hashing, text):
    """It gets the first unit vector."""
    vector = hashing.embed_query(text)
    assert vector[0] == 1
    assert not vector[1:].any()


def test_words_that_cancel_out():
    """At a width of 1, texts whose words cancel out have a vector, too."""
    found = Hashing(width=1).embed([f"{a} {b}" for a in "abcdefgh" for b in "abcdefgh"])
    assert set(np.abs(found[:, 0]).tolist()) == {1.0}


@pytest.mark.parametrize("letter", ["word ", "é", "\ufdfa", "x", "語", "\ud800 "])
def test_a_text_longer_than_a_block(hashing, letter):
    """A text of several blocks has one vector, whatever it is made of, and those beside it are not touched."""
    long = letter * (3 * limits.INGEST_HASHING_BLOCK // len(letter))
    found = hashing.embed(["one", long, "two é"])
    assert np.array_equal(found[0], hashing.embed_query("one"))
    assert np.array_equal(found[2], hashing.embed_query("two é"))
    assert abs(float(np.linalg.norm(found[1])) - 1) < 1e-5


def test_repetition_counts_less_and_less(hashing):
    """A word that is there nine times counts three times as much as another of its length."""
    found = hashing.embed_query("house " * 9 + "river")
    parts = np.sort(np.abs(found))[-2:]
    assert parts[1] / parts[0] == pytest.approx(3, rel=1e-5)


def test_many_texts_and_none(hashing):
    """More texts than a block has rows are embedded, and so are none."""
    texts = [f"text {number}" for number in range(500)]
    found = hashing.embed(texts)
    assert np.array_equal(found[321], hashing.embed_query(texts[321]))
    assert hashing.embed([]).shape == (0, 384)


@pytest.mark.parametrize("width", [0, -1, limits.INGEST_WIDTH_MAX + 1, True, 3.5])
def test_widths_that_make_no_sense(width):
    """They are refused by name."""
    with pytest.raises(errors.UsageError, match="width"):
        Hashing(width=width)


def test_what_it_says_of_itself(hashing):
    """Its name holds width and version, and its bound is some megabytes."""
    assert hashing.name == "hashing:384@1"
    assert 1 << 20 < hashing.bytes_max() < 24 << 20
    hashing.close()
