"""What an embedder is, and the error of one that is of no use.

Covers:     the protocol, the error that ends a run.
Not here:   the embedders; checking what they give (`ingest.embedding`).
Holds:      nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flatwater import errors

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]


class EmbedderFailed(errors.BrokenError):
    """An embedder is of no use at all: its server is away, refuses the key, or it fails whatever the text is."""


class Embedder(Protocol):
    """Texts to vectors. `embed` may be called by `workers` threads at a time.

    Attributes:
        name: its identity: what has the same name gives the same vectors. It holds no secrets.
        width: components of a vector; 0 as long as that is not known, which the first call ends.
        workers: calls at a time that it gains from.
        batch_texts: texts of one call, at most.
        batch_bytes: of these in UTF-8, at most; a longer text comes alone.
    """

    @property
    def name(self) -> str:
        """See above."""

    @property
    def width(self) -> int:
        """See above."""

    @property
    def workers(self) -> int:
        """See above."""

    @property
    def batch_texts(self) -> int:
        """See above."""

    @property
    def batch_bytes(self) -> int:
        """See above."""

    def embed(self, texts: list[str]) -> Vectors:
        """A row of `width` for each text. Of length 1, unless `Embedding` is to see to that.

        Raises:
            EmbedderFailed: no text can be embedded. Any other error is about these texts.
        """

    def embed_query(self, text: str) -> Vectors:
        """The vector of what is searched for, `(width,)`. Raises what `embed` raises."""

    def bytes_max(self) -> int:
        """The most that it holds with `workers` calls under way, in bytes, but for what it reserves itself."""

    def close(self) -> None:
        """End what it started. Calls that wait end with an error. Closing twice is fine."""
