"""The forward pass of all-MiniLM-L6-v2 in numpy. It runs in a worker process.

Covers:     reading the weights, tokens, six layers of BERT, the mean of a text's tokens.
Not here:   the process (`embedders.minilm`).
Holds:      91 MB of weights, the vocabulary, and the activations of `limits.INGEST_MINILM_TOKENS` tokens.

The model: Wang et al., 2020, "MiniLM", and sentence-transformers/all-MiniLM-L6-v2; the layers: Devlin et al., 2018, "BERT".
Texts of a batch stand one behind the other, without padding: all is done for each token by itself but attention, which is
done text by text. So a vector is that of the text alone, and nothing is computed for padding.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flatwater import limits

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

WIDTH = 384
_LAYERS = 6
_HEADS = 12
_NORM_EPSILON = 1e-12  # of config.json
# Abramowitz and Stegun, 1964, 7.1.26: erf to 1.5e-7, which is what f32 holds.
_ERF_P = 0.3275911
_ERF = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def embed(directory: str, texts: list[str]) -> bytes:
    """The vectors of these texts, `(len(texts), 384)` as f32 in bytes, each of length 1. Raises what a library raises."""
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: 32 MiB for each more
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import numpy as np

    model = _model(directory)
    found = np.empty((len(texts), WIDTH), np.float32)
    for rows, tokens in _batches([model.tokens(text) for text in texts]):
        found[rows] = model.forward(tokens)
    return found.tobytes()


@functools.cache
def _model(directory: str) -> _Model:
    return _Model(directory)


class _Model:
    """Weights and vocabulary, read from a directory with model.safetensors and tokenizer.json."""

    def __init__(self, directory: str) -> None:
        import numpy as np
        from safetensors import safe_open
        from tokenizers import Tokenizer

        square = np.ones((256, 256), np.float32)
        square @ square  # OpenBLAS takes its buffers with the first product, and waits for ever where it gets none
        self._tokenizer: Any = Tokenizer.from_file(os.path.join(directory, "tokenizer.json"))
        self._tokenizer.enable_truncation(limits.INGEST_MINILM_TEXT_TOKENS)
        self._tokenizer.no_padding()
        with safe_open(os.path.join(directory, "model.safetensors"), framework="numpy") as file:

            def read(name: str) -> Array:
                return np.asarray(file.get_tensor(name), np.float32)

            def dense(name: str) -> tuple[Array, Array]:
                return read(f"{name}.weight"), read(f"{name}.bias")

            self._words = read("embeddings.word_embeddings.weight")
            self._places = read("embeddings.position_embeddings.weight")[: limits.INGEST_MINILM_TEXT_TOKENS]
            self._places = self._places + read("embeddings.token_type_embeddings.weight")[0]  # there is one type
            self._norm = dense("embeddings.LayerNorm")
            self._layers = []
            for number in range(_LAYERS):
                layer = f"encoder.layer.{number}"
                parts = [dense(f"{layer}.attention.self.{part}") for part in ("query", "key", "value")]
                self._layers.append(
                    (
                        (np.concatenate([weight for weight, _ in parts]), np.concatenate([bias for _, bias in parts])),
                        dense(f"{layer}.attention.output.dense"),
                        dense(f"{layer}.attention.output.LayerNorm"),
                        dense(f"{layer}.intermediate.dense"),
                        dense(f"{layer}.output.dense"),
                        dense(f"{layer}.output.LayerNorm"),
                    )
                )

    def tokens(self, text: str) -> list[int]:
        """Numbers of a text's tokens, its two special ones included."""
        # A token takes a character at least, and whatever is cut off is not looked at; but for spaces, and marks that
        # are taken away: eight times as much is.
        text = text[: limits.INGEST_MINILM_TEXT_CHARS].encode("utf-8", "replace").decode()
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def forward(self, texts: list[list[int]]) -> Array:
        """The vectors of texts, `(len(texts), 384)`."""
        import numpy as np

        ends = np.cumsum([len(text) for text in texts]).tolist()
        spans = list(zip([0, *ends[:-1]], ends, strict=True))
        state = self._words[np.concatenate([np.asarray(text) for text in texts])]
        for first, stop in spans:
            state[first:stop] += self._places[: stop - first]
        _normalise(state, *self._norm)
        for attention, attended, attended_norm, inner, outer, outer_norm in self._layers:
            state += _dense(_attend(_dense(state, *attention), spans), *attended)
            _normalise(state, *attended_norm)
            wide = _dense(state, *inner)
            _gelu(wide)
            state += _dense(wide, *outer)
            _normalise(state, *outer_norm)
        means = np.stack([state[first:stop].mean(axis=0) for first, stop in spans])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return means


def _batches(tokens: list[list[int]]) -> Iterator[tuple[list[int], list[list[int]]]]:
    """Numbers of texts, and their tokens, of which no more than so many are computed at once."""
    rows: list[int] = []
    size = 0
    for row, text in enumerate(tokens):
        if rows and size + len(text) > limits.INGEST_MINILM_TOKENS:
            yield rows, [tokens[kept] for kept in rows]
            rows, size = [], 0
        rows.append(row)
        size += len(text)
    if rows:
        yield rows, [tokens[row] for row in rows]


def _dense(state: Array, weight: Array, bias: Array) -> Array:
    product: Array = state @ weight.T
    product += bias
    return product


def _attend(mixed: Array, spans: list[tuple[int, int]]) -> Array:
    """Queries, keys and values of all texts, `(tokens, 3 * 384)`, to what each token attends to, `(tokens, 384)`."""
    import numpy as np

    size = WIDTH // _HEADS
    found = np.empty((len(mixed), WIDTH), np.float32)
    for first, stop in spans:
        queries, keys, values = mixed[first:stop].reshape(stop - first, 3, _HEADS, size).transpose(1, 2, 0, 3)
        scores = queries @ keys.transpose(0, 2, 1)
        scores *= np.float32(size**-0.5)
        scores -= scores.max(axis=2, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=2, keepdims=True)
        found[first:stop].reshape(stop - first, _HEADS, size)[:] = (scores @ values).transpose(1, 0, 2)
    return found


def _normalise(state: Array, weight: Array, bias: Array) -> None:
    """Each token to mean 0 and variance 1, then scaled and moved, in place."""
    import numpy as np

    state -= state.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", state, state)[:, None] / np.float32(WIDTH)
    state /= np.sqrt(variance + np.float32(_NORM_EPSILON))
    state *= weight
    state += bias


def _gelu(wide: Array) -> None:
    """GELU, x * (1 + erf(x / sqrt 2)) / 2, in place, some rows at a time, so that they stay in the cache."""
    import numpy as np

    for first in range(0, len(wide), limits.INGEST_MINILM_ROWS):
        part = wide[first : first + limits.INGEST_MINILM_ROWS]
        size = np.abs(part)
        size *= np.float32(0.5**0.5)
        ratio = size * np.float32(_ERF_P)
        ratio += np.float32(1)
        np.reciprocal(ratio, out=ratio)
        tail = ratio * np.float32(_ERF[0])
        for factor in _ERF[1:]:
            tail += np.float32(factor)
            tail *= ratio
        size *= size
        np.negative(size, out=size)
        np.exp(size, out=size)
        tail *= size  # 1 - erf(|x|)
        np.subtract(np.float32(1), tail, out=tail)
        np.copysign(tail, part, out=tail)
        tail += np.float32(1)
        tail *= np.float32(0.5)
        part *= tail
