"""Texts to vectors: by hashing, by a small model, by a server, by any function.

Covers:     which embedder a value stands for.
Not here:   the embedders, a file each; what is done when one fails (`ingest.embedding`).
Holds:      nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from flatwater import errors
from flatwater.ingest.embedders.base import Embedder, EmbedderFailed

__all__ = ["Embedder", "EmbedderFailed", "embedder_of"]

_PARTS = ("name", "width", "workers", "batch_texts", "batch_bytes", "embed", "embed_query", "bytes_max", "close")
_KNOWN = (
    'There are "hashing", "hashing:768", "minilm", "http://host/v1#model", "https://host/v1#model", '
    "and anything that is called with a list of texts."
)


def embedder_of(value: object = "hashing", **options: Any) -> Embedder:
    """The embedder that `value` stands for.

    Args:
        value: `"hashing"` or `"hashing:WIDTH"`; `"minilm"`; `"https://host/v1#model"`, a server with OpenAI's interface;
            a callable that takes texts and returns their vectors, a coroutine function too; an object of LangChain,
            LlamaIndex or sentence-transformers; an `Embedder`. The names of the first three stand for them, too.
        **options: of that embedder's class.

    Raises:
        UsageError: it stands for none, or an option is none of that embedder's.
        MissingExtra: a library is not installed.

    >>> embedder_of("hashing:256").width
    256
    """
    if isinstance(value, str):
        kind, _, rest = value.partition(":")
        if kind in {"http", "https"}:
            from flatwater.ingest.embedders.http import Http

            return _made(Http, (value,), options, kind)
        own, _, version = value.partition("@")
        kind, _, rest = own.partition(":")
        if kind == "hashing":
            from flatwater.ingest.embedders.hashing import VERSION, Hashing

            _check_version(value, version, VERSION)
            if rest:
                options["width"] = _number(rest, value)
            return _made(Hashing, (), options, value)
        if own == "minilm":
            from flatwater.ingest.embedders.minilm import VERSION, MiniLM

            _check_version(value, version, VERSION)
            return _made(MiniLM, (), options, value)
        raise errors.UsageError(f"there is no embedder {value!r}.", hint=_KNOWN)
    missing = [part for part in _PARTS if not hasattr(value, part)]
    if not missing and not inspect.isclass(value):
        if options:
            raise errors.UsageError(f"{_type(value)} is made already: it takes no {', '.join(options)}.")
        embedder: Embedder = value  # type: ignore[assignment]
        return embedder
    from flatwater.ingest.embedders.function import Function, is_embedding

    if is_embedding(value):
        return _made(Function, (value,), options, _type(value))
    lacks = f"; it lacks {', '.join(missing)}" if hasattr(value, "embed") else ""
    raise errors.UsageError(f"{_type(value)} is no embedder{lacks}.", hint=_KNOWN)


def _made(kind: Callable[..., Embedder], args: tuple[object, ...], options: dict[str, Any], shown: str) -> Embedder:
    known = [name for name, it in inspect.signature(kind).parameters.items() if it.kind is it.KEYWORD_ONLY]
    if unknown := sorted(options.keys() - set(known)):
        raise errors.UsageError(
            f"the embedder {shown!r} has no option {', '.join(unknown)}.", hint=f"It has {', '.join(known) or 'none'}."
        )
    return kind(*args, **options)


def _check_version(value: str, version: str, ours: int) -> None:
    """A name with a version stands in a corpus that was made with it."""
    if version not in {"", str(ours)}:
        raise errors.UsageError(
            f"the embedder {value!r} is not in this version of Flatwater, which has {ours} of it.",
            hint="Ingest with the one that there is, which embeds all texts anew.",
        )


def _number(text: str, value: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise errors.UsageError(f"{value!r}: {text!r} is no width.", hint='For example: "hashing:768".')
    return int(text[:9])


def _type(value: object) -> str:
    kind = value if inspect.isclass(value) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
