"""Any function of texts as an embedder, and the objects of libraries that have such methods.

Covers:     callables, coroutine functions, LangChain, LlamaIndex, sentence-transformers; their names.
Not here:   checking what they give (`ingest.embedding`); what they hold is theirs.
Holds:      nothing; an event loop in a thread, for coroutines.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast, final

from flatwater import errors, limits

if TYPE_CHECKING:
    from flatwater.ingest.embedders.base import Vectors

# Of a list of texts, and of a query: the first pair whose methods are there is taken.
_METHODS = (
    ("embed_documents", "embed_query"),  # LangChain
    ("get_text_embedding_batch", "get_query_embedding"),  # LlamaIndex
    ("encode_document", "encode_query"),  # sentence-transformers, from version 5 on
    ("encode", "encode"),  # before
)
_NAMES = ("model", "model_name", "model_id")  # attributes that tell which model an object asks


def is_embedding(value: object) -> bool:
    """Whether it can be called with texts, or is an object of a library that can."""
    return not inspect.isclass(value) and (callable(value) or _methods(value) is not None)


@final
class Function:
    """A callable that takes a list of texts and returns a vector for each, or an object that has such a method.

    Vectors come as an array or as lists of numbers; `Embedding` checks and normalises them. A coroutine function runs in an
    event loop of its own, the same one for all calls. Of several threads, all call the function if `workers` says so.

    The name tells whether vectors are still the same: change `version` when the function changes.

    Args:
        function: it; or an object of LangChain, LlamaIndex or sentence-transformers.
        name: its identity. Without it, an attribute `name` of the function, or its module and qualified name, or the
            class of an object and its model.
        version: added to the name. Without it, an attribute `version` of the function.
        width: of its vectors; without it, the first call tells.
        workers: calls at a time.
        batch_texts: texts of one call.
        batch_bytes: of these.
        bytes_max: that it holds with so many calls under way: for the budget, nobody can see it from outside.

    Raises:
        UsageError: it is none, or has no name that says which function it is, as a lambda.
    """

    def __init__(
        self,
        function: object,
        *,
        name: str = "",
        version: str = "",
        width: int = 0,
        workers: int = 1,
        batch_texts: int = limits.INGEST_CALL_TEXTS,
        batch_bytes: str | int = limits.INGEST_CALL_BYTES,
        bytes_max: str | int = 0,
    ) -> None:
        methods = _methods(function)
        if not is_embedding(function):
            raise errors.UsageError(f"{type(function).__qualname__} cannot be called with texts.")
        self._texts: Callable[[Any], Any] = methods[0] if methods else cast("Callable[[Any], Any]", function)
        self._query: Callable[[Any], Any] | None = methods[1] if methods else None
        version = version or _text(function, "version")
        self.name = (name or _name(function)) + (f"@{version}" if version else "")
        self.width = errors.count_of(width, what="width", most=limits.INGEST_WIDTH_MAX) if width else 0
        self.workers = errors.count_of(workers, what="workers", most=limits.INGEST_CALLS_MAX)
        self.batch_texts = errors.count_of(batch_texts, what="batch_texts", most=limits.INGEST_CALL_TEXTS_MAX)
        self.batch_bytes = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)
        self._bytes_max = errors.bytes_of(bytes_max, what="bytes_max")
        self._lock = threading.Lock()  # of the loop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def embed(self, texts: list[str]) -> Vectors:
        """What the function gives for these. Raises what it raises.

        Raises:
            ClosedError: it is closed, or was while a coroutine ran.
        """
        rows: Vectors = self._called(self._texts, texts)
        return rows

    def embed_query(self, text: str) -> Vectors:
        """The vector of what is searched for; by a method of its own where the object has one."""
        if self._query is not None:
            row: Vectors = self._called(self._query, text)
            return row
        rows = self._called(self._texts, [text])
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} vectors came for 1 text")
        only: Vectors = rows[0]
        return only

    def bytes_max(self) -> int:
        """What it was said to hold, in bytes, and the texts of its calls."""
        total = self._bytes_max
        total += self.workers * self.batch_bytes  # the texts of the calls that run
        return total

    def close(self) -> None:
        """End the event loop; coroutines that run are cancelled. Closing twice is fine. The function is the caller's."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    def _called(self, function: Callable[..., Any], argument: object) -> Any:
        if self._closed:
            raise errors.ClosedError(f"the embedder {self.name} is closed.")
        given = function(argument)
        if inspect.isawaitable(given):
            given = self._awaited(given)
        if not self.width and isinstance(argument, list):
            self.width = _width(given)
        return given

    def _awaited(self, given: Any) -> Any:
        from concurrent.futures import CancelledError

        async def wait() -> Any:
            return await given

        coming: Coroutine[Any, Any, Any] = wait()
        with self._lock:
            if self._closed:
                coming.close()
                raise errors.ClosedError(f"the embedder {self.name} is closed.")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="flatwater-embedder", daemon=True).start()
            future = asyncio.run_coroutine_threadsafe(coming, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise errors.ClosedError(f"the embedder {self.name} was closed.") from None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _methods(value: object) -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    if inspect.isroutine(value):
        return None
    for of_texts, of_query in _METHODS:
        found = getattr(value, of_texts, None), getattr(value, of_query, None)
        if callable(found[0]) and callable(found[1]):
            return found[0], found[1]
    return None


def _width(given: object) -> int:
    """Of the first row; 0 where there is none."""
    try:
        return len(given[0])  # type: ignore[index]
    except (TypeError, IndexError, KeyError):
        return 0


def _name(function: object) -> str:
    """What tells this function from others.

    Raises:
        UsageError: nothing does.
    """
    if named := _text(function, "name"):
        return named
    if inspect.isroutine(function):
        bound = getattr(function, "__self__", None)
        qualified = str(getattr(function, "__qualname__", ""))
        is_bound = bound is not None and not inspect.ismodule(bound) and not inspect.isclass(bound)
        if qualified and "<lambda>" not in qualified and not is_bound:
            return f"{function.__module__}.{qualified}"
        kind = "a method of an object" if is_bound else "a lambda"
        raise errors.UsageError(
            f"{kind} has no name of its own that would be the same the next time.",
            hint='Give one that changes when its vectors do: name="my-embedder-1".',
        )
    kind = f"{type(function).__module__}.{type(function).__qualname__}"
    if model := next(filter(None, (_text(function, attribute) for attribute in _NAMES)), ""):
        return f"{kind}#{model}"
    raise errors.UsageError(
        f"a {kind} does not tell which model it asks.",
        hint='Give a name that changes when its vectors do: name="my-model-1".',
    )


def _text(function: object, attribute: str) -> str:
    value = getattr(function, attribute, "")
    return value if isinstance(value, str) else ""
