from __future__ import annotations

import inspect

import pytest

from flatwater import errors
from flatwater.ingest.embedders import Embedder, EmbedderFailed, embedder_of


@pytest.mark.parametrize("value", ["hashing", "minilm", "http://localhost/v1#m", len])
def test_every_embedder_is_one(value):
    """Each has all that the protocol asks for, with bounds above 0, and is closed twice without harm."""
    embedder = embedder_of(value)
    for name, part in inspect.getmembers(Embedder):
        if not name.startswith("_"):
            assert callable(getattr(embedder, name)) is callable(part)
    assert embedder.workers > 0
    assert embedder.batch_texts > 0
    assert embedder.batch_bytes > 0
    assert embedder.bytes_max() > 0
    assert embedder_of(embedder) is embedder
    embedder.close()
    embedder.close()


def test_an_embedder_of_no_use_is_a_broken_world():
    """It is told from an error about a text, and both are the world's."""
    assert issubclass(EmbedderFailed, errors.BrokenError)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("word2vec", "no embedder 'word2vec'.*hashing.*minilm.*https://host/v1#model"),
        ("hashing:", None),
        ("hashing:x", "'x' is no width"),
        ("hashing:-3", "'-3' is no width"),
        ("hashing:99999999999999999999", "width"),
        ("hashing:0", "width"),
        ("", "no embedder ''"),
        (3.5, "float is no embedder"),
    ],
)
def test_values_that_stand_for_none(value, message):
    """They are refused with what there is."""
    if message is None:
        assert embedder_of(value).width == 384
        return
    with pytest.raises(errors.UsageError, match=message):
        embedder_of(value)


@pytest.mark.parametrize(
    "value", ["hashing:256", "minilm", "https://host/v1#a:b@2", "http://host:8080#m;dimensions=256"]
)
def test_a_name_stands_for_its_embedder(value):
    """A corpus keeps the name, which makes the same embedder again."""
    made = embedder_of(value)
    again = embedder_of(made.name)
    assert (again.name, again.width, type(again)) == (made.name, made.width, type(made))
    for embedder in (made, again):
        embedder.close()


@pytest.mark.parametrize("name", ["hashing:384@2", "minilm@0", "hashing@x"])
def test_another_version(name):
    """The name of a version that is not here is refused with what to do."""
    with pytest.raises(
        errors.UsageError, match=r"not in this version of Flatwater, which has 1 of it.*embeds all texts anew"
    ):
        embedder_of(name)


def test_options():
    """Options go to the embedder's class; one that it has not is refused with those that it has."""
    assert embedder_of("hashing", width=128).width == 128
    with pytest.raises(errors.UsageError, match=r"'hashing' has no option workers.*It has width"):
        embedder_of("hashing", workers=3)
    with pytest.raises(errors.UsageError, match="takes no width"):
        embedder_of(embedder_of("hashing"), width=3)


def test_an_object_that_is_almost_one():
    """What it lacks is told."""

    class Almost:
        name = "almost"
        width = 3

        def embed(self, texts):
            return texts

    with pytest.raises(errors.UsageError, match="it lacks workers, batch_texts, batch_bytes, embed_query"):
        embedder_of(Almost())
