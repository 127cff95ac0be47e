import pickle
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.ingest.splitting import Splitter, identity_of

pytest.importorskip("numpy")

WORDS = ["the", "a", "budget", "of", "text", "border", "chunk", "is", "found", "in", "every", "without", "changed"]


def utf8(text):
    return len(text.encode("utf-8", "surrogatepass"))


def prose(seed, sentences=600):
    rng = random.Random(seed)
    ends = (". ", ".\n", ".\n\n")
    return "".join(
        " ".join(rng.choices(WORDS, k=rng.randrange(4, 25))).capitalize() + rng.choice(ends) for _ in range(sentences)
    )


def chunks(splitter, text, width=len):
    return list(splitter.split([(0, text)], width))


def words(text):
    return len(text.split())


@given(st.text(alphabet=st.sampled_from("ab .\n\r,é中。😀e\u0301"), max_size=600), st.integers(1, 60), st.data())
@settings(deadline=None, max_examples=80)
def test_chunks_are_the_text(text, size, data):
    """Each chunk is what stands in its range, none is too long, only blanks are missing, and how parts are divided changes nothing."""
    splitter = Splitter(size)
    raw = text.encode("utf-8", "surrogatepass")
    made = chunks(splitter, text, utf8)
    assert all(raw[start:stop].decode("utf-8", "surrogatepass") == piece for start, stop, piece in made)
    assert all(0 < len(piece) <= size for *_range, piece in made)
    assert "".join("".join(piece for *_range, piece in made).split()) == "".join(text.split())
    parts, at = [], 0
    while at < len(text):
        length = data.draw(st.integers(1, 200))
        parts.append((utf8(text[:at]), text[at : at + length]))
        at += length
    assert list(splitter.split(parts, utf8)) == made


@given(
    st.lists(st.text(alphabet=st.sampled_from("ab .\n\r,é中。😀\0e\u0301"), max_size=300), max_size=8),
    st.integers(1, 60),
    st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_texts_that_are_split_together_are_split_as_each_alone(texts, size, overlaps):
    """Neither a neighbour nor what stands between them shows in any chunk."""
    splitter = Splitter(size, size // 2 if overlaps else 0)
    texts = [text * 3 for text in texts]
    found = splitter.together([(number, text, utf8) for number, text in enumerate(texts)])
    assert [list(zip(*columns, strict=True)) for columns in found] == [
        list(splitter.split([(number, text)], utf8)) for number, text in enumerate(texts)
    ]


def test_many_texts_are_split_a_segment_at_a_time(monkeypatch):
    """However many there are."""
    monkeypatch.setattr(limits, "INGEST_SEGMENT_CHARACTERS", 1_000)
    splitter = Splitter(40)
    texts = [prose(seed, seed % 7) for seed in range(100)]
    found = splitter.together([(0, text, len) for text in texts])
    assert [list(zip(*columns, strict=True)) for columns in found] == [chunks(splitter, text) for text in texts]


def test_segments_leave_no_trace(monkeypatch):
    """A text of many segments has the chunks it has in one."""
    text = prose(1, 3_000)
    whole = chunks(Splitter(300), text)
    monkeypatch.setattr("flatwater.limits.INGEST_SEGMENT_CHARACTERS", 4_000)
    assert chunks(Splitter(300), text) == whole


def test_a_change_of_a_sentence_changes_few_chunks():
    """Removing, inserting or changing a sentence anywhere leaves all but a few chunks as they are."""
    splitter = Splitter(1_000)
    text = prose(2)
    old = {piece for *_range, piece in chunks(splitter, text)}
    rng = random.Random(3)
    counts = []
    for _ in range(150):
        at = text.index(" ", rng.randrange(len(text) - 200)) + 1
        edited = text[:at] + rng.choice(["A new sentence stands here. ", "x"]) + text[at + rng.choice([0, 1, 60]) :]
        counts.append(len({piece for *_range, piece in chunks(splitter, edited)} - old))
    assert max(counts) <= 3
    assert sum(counts) / len(counts) < 1.6


def test_a_change_in_repeated_lines_changes_few_chunks():
    """Lines that are all the same have no best one, and the chunks still stay."""
    splitter = Splitter(1_000)
    text = "the same line, again and again\n" * 3_000
    old = {piece for *_range, piece in chunks(splitter, text)}
    for at in (0, 500, 40_000, len(text)):
        edited = text[:at] + "something else. " + text[at:]
        assert len({piece for *_range, piece in chunks(splitter, edited)} - old) <= 3


def test_prose_fills_chunks_by_half():
    """The mean chunk of prose has at least 0.55 of the size."""
    made = chunks(Splitter(1_000), prose(4, 2_000))
    assert sum(len(piece) for *_range, piece in made) / len(made) >= 550


def test_a_hole_is_a_border():
    """No chunk reaches over a part that begins elsewhere than the one before ended."""
    assert list(Splitter(100).split([(0, "one "), (4, "two"), (50, "three")])) == [(0, 7, "one two"), (50, 55, "three")]


def test_overlap_repeats_the_end_of_the_text_before():
    """A chunk begins with text in front of it, up to the overlap, and its range says so."""
    text = prose(5, 200)
    made = chunks(Splitter(500, 100), text)
    assert all(text[start:stop] == piece and len(piece) <= 500 for start, stop, piece in made)
    shared = [before[1] - after[0] for before, after in pairwise(made)]
    assert all(0 <= each <= 100 for each in shared)
    assert max(shared) > 30


def test_tokens_are_counted():
    """No chunk has more tokens than its size, whatever counts them."""
    text = prose(6, 200) + "word " * 500 + "a b c d " * 300
    for overlap in (0, 10):
        made = chunks(Splitter(50, overlap, unit="tokens", count=words), text)
        assert all(words(piece) <= 50 and text[start:stop] == piece for start, stop, piece in made)


def test_a_tokenizer_counts_though_its_model_takes_less():
    """What a tokenizer would cut off counts, and the user's own stays as it was."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(5)
    splitter = pickle.loads(pickle.dumps(Splitter(20, unit="tokens", count=tokenizer)))
    assert all(words(piece) <= 20 for *_range, piece in chunks(splitter, "a b c " * 300))
    assert tokenizer.truncation["max_length"] == 5


@pytest.mark.parametrize("text", ["", " \n\n ", "\x00", "\ud800", "\r\n" * 3_000, "e" + "\u0301" * 5_000])
def test_strange_texts(text):
    """Nothing, blanks, a half of a pair, and accents without end are split without harm."""
    made = chunks(Splitter(100), text)
    assert all(text[start:stop] == piece and len(piece) <= 100 for start, stop, piece in made)
    assert bool(made) == bool(text.strip())


@pytest.mark.parametrize(
    "told",
    [{"size": 0}, {"size": 10, "overlap": 6}, {"unit": "words"}, {"unit": "tokens"}, {"count": len}, {"size": 1.5}],
)
def test_impossible_splitters_are_refused(told):
    """What no chunk can be is refused with a hint."""
    with pytest.raises(errors.UsageError):
        Splitter(**told)


def test_a_version_tells_what_changes_chunks():
    """Size, overlap, unit and counter make another version; the same ones make the same."""
    made = [
        Splitter(),
        Splitter(999),
        Splitter(1_000, 10),
        Splitter(unit="tokens", count=words),
        Splitter(unit="tokens", count=len),
    ]
    assert len({splitter.version for splitter in made}) == len(made)
    assert Splitter().version == pickle.loads(pickle.dumps(Splitter())).version


def test_identities_tell_parameters():
    """Objects of other parameters have other identities, the same ones the same."""

    class Sized:
        def __init__(self, size):
            self.size = size

    assert identity_of(Sized(1)) == identity_of(Sized(1)) != identity_of(Sized(2))
