from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.ingest.embedders import EmbedderFailed, embedder_of
from flatwater.ingest.embedders.function import Function
from flatwater.ingest.embedding import Embedding
from flatwater.worker import WorkerDied

NAN, INF = float("nan"), float("inf")


def of(function, width=0, **options):
    """An embedding by a function, and the calls that it gets."""
    calls = []

    def called(texts):
        calls.append(list(texts))
        return function(texts)

    return Embedding(Function(called, name="it", **options), width), calls


def right(texts):
    return [[3.0, 4.0 + len(text)] for text in texts]


def test_good_vectors_come_normalised():
    """Vectors come in order, as f32 of length 1, and what the function returned is not touched."""
    given = np.array([[3.0, 4.0], [0.0, 2.0]], np.float32)
    embedding, _ = of(lambda _: given)
    vectors, failed = embedding.embed(["a", "b"])
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, [[0.6, 0.8], [0, 1]])
    assert given[0, 0] == 3
    assert failed == {}
    assert embedding.width == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([NAN, 1.0], "NaN or infinity"),
        ([1.0, -INF], "NaN or infinity"),
        ([0.0, 0.0], "zero"),
        ([1.0], "1 components"),
        ([1.0, 2.0, 3.0], "3 components"),
        ([], "no list of numbers"),
        (None, "no list of numbers"),
        ("text", "no list of numbers"),
        ([[1.0], [2.0]], "no list of numbers"),
        (["x", "y"], "no list of numbers"),
        ([10**400, 1], "no list of numbers"),
    ],
)
def test_one_bad_vector(row, reason):
    """One vector that cannot be used is told with its reason, and those beside it are kept."""
    embedding, calls = of(lambda texts: [row if text == "bad" else [3.0, 4.0] for text in texts])
    vectors, failed = embedding.embed(["a", "bad", "c"])
    assert np.allclose(vectors, [[0.6, 0.8]] * 2)
    assert list(failed) == [1]
    assert reason in failed[1]
    assert len(calls) == 1


@pytest.mark.parametrize("scale", [1e-40, 1e-25, 1e-5, 1e5, 1e25, 1e38])
def test_very_long_and_very_short_vectors(scale):
    """A direction is kept whatever the length is."""
    embedding, _ = of(lambda texts: np.full((len(texts), 2), scale, np.float32))
    assert np.allclose(embedding.embed(["a", "b"])[0], 0.5**0.5, rtol=1e-3)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_number_of_vectors(count):
    """Which vector belongs to which text is not known then: all texts of that call are told."""
    embedding, _ = of(lambda texts: right(texts) if texts != ["a", "b"] else [[1.0, 2.0]] * count)
    embedding.embed(["good"])
    vectors, failed = embedding.embed(["a", "b"])
    assert len(vectors) == 0
    assert failed == dict.fromkeys(range(2), f"{count} vectors came for 2 texts")


def test_a_width_that_changes():
    """Vectors of another width than the first ones are told, and not kept."""
    widths = iter([2, 3, 2])
    embedding, _ = of(lambda texts: np.ones((len(texts), next(widths))))
    assert embedding.embed(["a"])[0].shape == (1, 2)
    vectors, failed = embedding.embed(["b"])
    assert len(vectors) == 0
    assert failed == {0: "its vector has 3 components, and 2 are wanted"}
    assert embedding.embed(["c"])[1] == {}


def test_the_width_of_a_corpus():
    """An embedder of another width is refused when it is known, else with its first vectors."""
    with pytest.raises(errors.UsageError, match=r"hashing:256.*gives vectors of 256 components, and 384 are wanted"):
        Embedding(embedder_of("hashing:256"), 384)
    embedding, _ = of(right, width=384)
    with pytest.raises(EmbedderFailed, match="first 64 texts: its vector has 2 components, and 384 are wanted"):
        embedding.embed([str(number) for number in range(64)])


def test_find_width():
    """The width is found with one word, once."""
    embedding, calls = of(right)
    assert embedding.find_width() == 2
    assert embedding.find_width() == 2
    assert len(calls) == 1


@pytest.mark.parametrize("bad", [0, 21, 63])
def test_the_text_that_makes_a_call_fail_is_found(bad):
    """It is found in about twice as many calls as halvings, and all others have their vectors, in order."""

    def function(texts):
        if "bad" in texts:
            raise OSError("no such thing")
        return right(texts)

    embedding, calls = of(function)
    texts = ["x" * number for number in range(64)]
    texts[bad] = "bad"
    vectors, failed = embedding.embed(texts)
    assert failed == {bad: "OSError: no such thing"}
    wanted = np.array(right(texts[:bad] + texts[bad + 1 :]))
    assert np.allclose(vectors, wanted / np.linalg.norm(wanted, axis=1, keepdims=True))
    assert len(calls) == 13


def test_an_embedder_that_always_fails_is_given_up():
    """It ends after a few tries, not after one for each text, with the last reason."""

    def function(_):
        raise RuntimeError("no such thing")

    embedding, calls = of(function)
    with pytest.raises(EmbedderFailed, match=r"it failed for 16 texts in a row.*RuntimeError: no such thing") as caught:
        embedding.embed(["x"] * 5_000)
    assert len(calls) < 2 * limits.INGEST_EMBED_FAILED_MAX + 8
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_embedder_that_fails_halfway():
    """One that stops working in the middle is given up, too."""
    count = 0

    def function(texts):
        nonlocal count
        count += 1
        if count > 5:
            raise RuntimeError("gone")
        return right(texts)

    embedding, _ = of(function)
    with pytest.raises(EmbedderFailed, match="gone"):
        embedding.embed(["x"] * 5_000)


def test_an_embedder_without_a_good_vector_is_given_up():
    """Where no vector was ever good, it ends after so many texts; where one was, each text is told."""
    embedding, calls = of(lambda texts: np.full((len(texts), 2), NAN), batch_texts=16)
    with pytest.raises(EmbedderFailed, match="first 64 texts: its vector holds NaN"):
        embedding.embed(["x"] * 5_000)
    assert len(calls) == 4
    embedding, _ = of(lambda texts: [[NAN if text == "x" else 1.0] for text in texts])
    vectors, failed = embedding.embed(["good", *["x"] * 500])
    assert len(vectors) == 1
    assert len(failed) == 500


@pytest.mark.parametrize(
    "error",
    [
        EmbedderFailed("away"), errors.ClosedError("closed"), errors.MissingExtra("minilm", "it"), errors.UsageError("no"),
        errors.BudgetExceeded("no", asked=1, held=1, limit=1), KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_is_about_no_text_comes_through(error):
    """It is raised as it is, after one call."""

    def function(_):
        raise error

    embedding, calls = of(function)
    with pytest.raises(type(error)):
        embedding.embed(["a", "b", "c"])
    assert len(calls) == 1


def test_a_worker_that_dies():
    """Its texts are asked for again, in halves: none is lost when it dies once, and a text on which it dies is told."""
    died = []

    def function(texts):
        if not died or "bad" in texts:
            died.append(1)
            raise WorkerDied("the worker died with signal 9")
        return right(texts)

    embedding, _ = of(function)
    vectors, failed = embedding.embed(["a", "b"])
    assert len(vectors) == 2
    assert failed == {}
    died.clear()
    assert of(function)[0].embed(["only"])[1] == {}
    assert embedding.embed(["a", "bad"])[1] == {1: "WorkerDied: the worker died with signal 9"}


def test_reasons_are_short():
    """A reason is one line of bounded length, whatever an embedder says."""

    def function(texts):
        if texts == ["bad"]:
            raise ValueError("x\n" * 10_000)
        return right(texts)

    embedding, _ = of(function)
    embedding.embed(["good"])
    reason = embedding.embed(["bad"])[1][0]
    assert reason.startswith("ValueError: x x x")
    assert len(reason) < limits.INGEST_REASON_CHARS_MAX + 20


@given(st.lists(st.text(max_size=12), max_size=40))
def test_calls_keep_their_bounds(texts):
    """No call takes more texts or bytes than the embedder says, but for one text that is larger, and all come in order."""
    embedding, calls = of(right, batch_texts=5, batch_bytes=20)
    vectors, failed = embedding.embed(texts)
    assert [text for call in calls for text in call] == texts
    assert all(len(call) <= 5 for call in calls)
    assert all(len(call) == 1 or sum(len(text.encode()) for text in call) <= 20 for call in calls)
    assert len(vectors) == len(texts)
    assert failed == {}


def test_queries():
    """A query's vector is normalised; one that is of no use, or an embedder that fails, is an error."""
    embedding, _ = of(right)
    assert np.allclose(np.linalg.norm(embedding.embed_query("a")), 1)
    for wrong in ([[NAN, 1.0]], [[0.0, 0.0]], [[1.0]], [], ["x"]):
        embedding, _ = of(lambda _, wrong=wrong: wrong, width=2)
        with pytest.raises(EmbedderFailed):
            embedding.embed_query("a")

    def function(_):
        raise OSError("away")

    with pytest.raises(EmbedderFailed, match="it cannot embed the query: OSError: away"):
        of(function)[0].embed_query("a")


def test_threads():
    """Several threads embed at a time, and each gets its own vectors."""
    started = threading.Barrier(4)

    def function(texts):
        if texts[0] == "first":
            started.wait(10)
        return right(texts)

    embedding, _ = of(function, workers=4)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda number: embedding.embed(["first", "x" * number]), range(4)))
    for number, (vectors, failed) in enumerate(found):
        assert np.allclose(vectors[1], np.array([3, 4 + number]) / np.hypot(3, 4 + number))
        assert failed == {}


def test_no_texts():
    """No text is no call, and no vector."""
    embedding, calls = of(right, width=2)
    vectors, failed = embedding.embed([])
    assert vectors.shape == (0, 2)
    assert (failed, calls) == ({}, [])


def test_a_bound():
    """It holds what the embedder does, and the vectors of its calls, twice as f32 and once as f64."""
    embedder = embedder_of("hashing")
    vectors = embedder.batch_texts * 384 * 4
    assert Embedding(embedder).bytes_max() == embedder.bytes_max() + 4 * vectors
    Embedding(embedder).close()


def test_an_embedder_that_spoils_later_calls_is_told_by_text():
    """Vectors of another width, or one too few, in a later call cost the texts of that call alone."""
    for spoil in (lambda rows: [row[:1] for row in rows], lambda rows: rows[:-1], lambda _rows: None):
        calls = []

        def function(texts, spoil=spoil, calls=calls):
            calls.append(texts)
            return right(texts) if len(calls) == 1 else spoil(right(texts))

        embedding = Embedding(Function(function, name="it", batch_texts=2))
        vectors, failed = embedding.embed(["a", "b", "c", "d"])
        assert vectors.shape == (2, 2)
        assert set(failed) == {2, 3}
