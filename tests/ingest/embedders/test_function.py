from __future__ import annotations

import asyncio
import functools
import threading

import numpy as np
import pytest

from flatwater import errors
from flatwater.ingest.embedders import embedder_of
from flatwater.ingest.embedders.function import Function
from flatwater.ingest.embedding import Embedding


def lengths(texts):
    return [[len(text), 1.0] for text in texts]


async def slowly(texts):
    await asyncio.sleep(0)
    return np.array(lengths(texts))


class OfLangChain:
    model = "small"

    def embed_documents(self, texts):
        return lengths(texts)

    def embed_query(self, text):
        return [len(text), -1.0]


class OfLlamaIndex:
    model_name = "bge"

    def get_text_embedding_batch(self, texts):
        return lengths(texts)

    def get_query_embedding(self, text):
        return [len(text), -1.0]


class OfSentenceTransformers:
    def encode(self, texts):
        return np.array([len(texts), -1.0]) if isinstance(texts, str) else np.array(lengths(texts))


class Called:
    name = "my-embedder"
    version = "3"

    def __call__(self, texts):
        return lengths(texts)


@pytest.mark.parametrize("function", [lengths, slowly, Called()])
def test_functions(function):
    """A function, a coroutine function and an object that can be called give their vectors; the first call tells the width."""
    embedder = embedder_of(function)
    assert embedder.width == 0
    assert np.asarray(embedder.embed(["a", "bb"])).tolist() == [[1, 1], [2, 1]]
    assert embedder.width == 2
    assert list(embedder.embed_query("ccc")) == [3, 1]
    embedder.close()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (OfLangChain(), f"{__name__}.OfLangChain#small"),
        (OfLlamaIndex(), f"{__name__}.OfLlamaIndex#bge"),
        (OfSentenceTransformers(), "mine"),
    ],
)
def test_objects_of_libraries(given, name):
    """They embed texts and queries by the methods that they have for these, and are named by class and model."""
    embedder = embedder_of(given, **({"name": "mine"} if name == "mine" else {}))
    assert np.asarray(embedder.embed(["a", "bb"])).tolist() == [[1, 1], [2, 1]]
    assert list(embedder.embed_query("ccc")) == [3, -1]
    assert embedder.name == name


@pytest.mark.parametrize(
    ("function", "options", "name"),
    [
        (lengths, {}, f"{__name__}.lengths"),
        (lengths, {"version": "2"}, f"{__name__}.lengths@2"),
        (lengths, {"name": "mine"}, "mine"),
        (Called(), {}, "my-embedder@3"),
        (Called(), {"name": "other", "version": "4"}, "other@4"),
        (lambda texts: [*lengths(texts)], {"name": "mine"}, "mine"),
    ],
)
def test_names(function, options, name):
    """A name that is given wins, then the function's own, then where it stands; a version is added."""
    assert Function(function, **options).name == name


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda texts: texts, "a lambda has no name"),
        (Called().__call__, "a method of an object has no name"),
        (OfSentenceTransformers(), "does not tell which model"),
        (functools.partial(lengths), "does not tell which model"),
    ],
)
def test_what_has_no_name(function, message):
    """A function that nothing tells from others asks for a name."""
    with pytest.raises(errors.UsageError, match=f'{message}.*name="'):
        embedder_of(function)


@pytest.mark.parametrize("value", [3, None, [], OfLangChain, object()])
def test_what_is_no_function(value):
    """It is refused with what there is."""
    with pytest.raises(errors.UsageError, match=r"is no embedder.*There are"):
        embedder_of(value)


def test_one_loop_for_all_calls():
    """Coroutines of several threads run in the same event loop, at the same time."""
    loops = set()
    both = threading.Barrier(2)

    async def together(texts):
        loops.add(id(asyncio.get_running_loop()))
        await asyncio.get_running_loop().run_in_executor(None, both.wait, 10)
        return lengths(texts)

    embedder = Function(together, name="together", workers=2)
    threads = [threading.Thread(target=embedder.embed, args=(["a"],)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(loops) == 1
    assert not both.broken
    embedder.close()


def test_closing_ends_a_coroutine():
    """A call that waits for a coroutine gets an error when the embedder is closed; so does one that comes later."""
    began = threading.Event()
    caught = []

    async def for_ever(_):
        began.set()
        await asyncio.Event().wait()

    embedder = Function(for_ever, name="for-ever")

    def ask():
        try:
            embedder.embed(["a"])
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert began.wait(10)
    embedder.close()
    thread.join(10)
    assert isinstance(caught[0], errors.ClosedError)
    with pytest.raises(errors.ClosedError):
        embedder.embed(["a"])
    embedder.close()


def test_errors_of_a_function():
    """What a function raises comes as it is; a query without exactly one vector is told."""
    with pytest.raises(KeyError):
        Function(lambda _: {}["x"], name="x").embed(["a"])
    with pytest.raises(errors.BrokenError, match="0 vectors came for 1 text"):
        Embedding(Function(lambda _: [], name="x")).embed_query("a")


def test_a_bound():
    """It holds what it was said to, and the texts of its calls."""
    assert Function(lengths, bytes_max="1 MiB", workers=2, batch_bytes=1_000).bytes_max() == (1 << 20) + 2_000


@pytest.mark.parametrize("options", [{"width": -1}, {"workers": 0}, {"batch_texts": 0}, {"batch_bytes": 0}])
def test_bounds_that_make_no_sense(options):
    """They are refused."""
    with pytest.raises(errors.UsageError):
        Function(lengths, **options)
