from __future__ import annotations

import math

import numpy as np
import pytest

from flatwater import limits
from flatwater.ingest.embedders import minilm_model


def test_gelu_is_that_of_the_model():
    """It differs from the exact function by no more than f32 does, and many rows are the same as few."""
    x = np.linspace(-9, 9, 4 * 1_001, dtype=np.float32).reshape(4, -1)
    wanted = [0.5 * value * (1 + math.erf(value / math.sqrt(2))) for value in x.ravel().tolist()]
    found = np.tile(x, (40, 1))
    minilm_model._gelu(found)
    assert np.abs(found[-4:].ravel() - wanted).max() < 1e-6
    assert np.array_equal(found[:4], found[-4:])


def test_normalising_a_token():
    """A token comes to mean 0 and variance 1, scaled and moved; one that is the same everywhere is no division by zero."""
    state = np.array([np.arange(384), np.ones(384)], np.float32)
    minilm_model._normalise(state, np.full(384, 2, np.float32), np.ones(384, np.float32))
    assert abs(float(state[0].mean()) - 1) < 1e-5
    assert abs(float(state[0].std()) - 2) < 1e-3
    assert np.isfinite(state[1]).all()


@pytest.mark.parametrize("spans", [[(0, 3)], [(0, 1), (1, 6)]])
def test_attention_is_that_of_a_text_alone(spans):
    """What a token attends to is the mean of its text's values by its scores, and no other text's."""
    mixed = np.random.default_rng(1).normal(size=(spans[-1][1], 3 * 384)).astype(np.float32)
    found = minilm_model._attend(mixed, spans)
    for first, stop in spans:
        for head in range(12):
            part = slice(32 * head, 32 * head + 32)
            queries, keys, values = (mixed[first:stop, 384 * which :][:, part].astype(float) for which in range(3))
            scores = np.exp(queries @ keys.T / math.sqrt(32))
            assert np.allclose(found[first:stop, part], scores / scores.sum(axis=1, keepdims=True) @ values, atol=1e-5)


def test_batches_hold_so_many_tokens():
    """No batch computes more tokens than the limit, and every text is in one, in order."""
    tokens = [[0] * size for size in [256] * 9 + [1] * 2_000 + [256]]
    batches = list(minilm_model._batches(tokens))
    assert [row for rows, _ in batches for row in rows] == list(range(len(tokens)))
    assert all(sum(map(len, kept)) <= limits.INGEST_MINILM_TOKENS for _, kept in batches)
    assert batches[0] == ([0, 1, 2, 3], tokens[:4])
