"""What `Corpus.ingest` is asked to read, as sources.

Covers:     paths, patterns, URLs, tables, iterables; the columns of a row.
Not here:   reading them (`sources`).
Holds:      the arguments.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.ingest.document import metadata_text
from flatwater.ingest.sources import Files, Remotes, Rows, Source, below
from flatwater.source.documents import listing

if TYPE_CHECKING:
    from flatwater.source.documents.reader import Documents


@final
@dataclass(frozen=True)
class Asked:
    """The arguments of `Corpus.ingest`, as they are described there."""

    id: str | Callable[[Any], Any] = "id"
    text: str | Callable[[Any], Any] = "text"
    metadata: Mapping[str, Any] | Iterable[str] | None = None
    name: str = ""
    encoding: str | None = None
    password: str = ""
    worker_limit: str | int = limits.DOCUMENT_WORKER_LIMIT_BYTES
    storage_options: Mapping[str, Any] | None = None


def sources_of(source: Any, asked: Asked, corpus: str) -> list[Source]:
    """What is to be read into a corpus.

    Raises:
        UsageError: it is nothing that can be, or is in the corpus itself.
        BrokenError: a single path that is not there.
    """
    if isinstance(source, (str, os.PathLike)):
        return [_of_a_path(source, asked, corpus, alone=True)]
    if isinstance(source, (bytes, bytearray, Mapping)) or source is None:
        raise errors.UsageError(f"{source!r:.60} is no source.", hint="Give a path, a URL, a table, or rows.")
    is_list = isinstance(source, (list, tuple)) and all(isinstance(each, (str, os.PathLike)) for each in source)
    if is_list and (source or not asked.name):
        if not source:
            raise errors.UsageError("there is no source.", hint="Give a path, a URL, a table, or rows with a name=.")
        return [_of_a_path(each, asked, corpus, alone=False) for each in source]
    return [_of_rows(source, asked)]


def _of_a_path(path: str | os.PathLike[str], asked: Asked, corpus: str, *, alone: bool) -> Source:
    text = os.fspath(path)
    if not isinstance(text, str) or not text or "\0" in text:
        raise errors.UsageError(f"{path!r} is no path.", hint="Give a path or a URL.")
    if not (asked.metadata is None or isinstance(asked.metadata, Mapping)):
        raise errors.UsageError("metadata= of files is a dict.", hint="Columns are for tables and rows.")
    metadata = metadata_text(asked.metadata)
    if "://" in text:
        return Remotes(text, metadata, asked.storage_options or {})
    if alone and not os.path.lexists(text) and not listing.has_magic(text):
        raise errors.BrokenError(f"there is no file {text!r}.", hint=f"It is looked for from {os.getcwd()}.")
    if below(os.path.realpath(text), os.path.realpath(corpus)) is not None:
        raise errors.UsageError(f"{text!r} is in the corpus that it is to be read into.", hint="Give another source.")
    return Files(text, metadata, corpus)


def reader_of(asked: Asked) -> Documents:
    """What reads files.

    Raises:
        UsageError: an argument of it makes no sense.
    """
    from flatwater.source.documents.reader import documents

    return documents(
        [],
        piece_bytes=limits.INGEST_PIECE_BYTES,
        encoding=asked.encoding,
        password=asked.password,
        worker_limit=asked.worker_limit,
    )


def _of_rows(source: Any, asked: Asked) -> Source:
    is_table = hasattr(source, "find_each")
    if not is_table and not isinstance(source, Iterable) and not callable(source) and not hasattr(source, "batches"):
        raise errors.UsageError(
            f"{type(source).__name__} is no source.",
            hint="Give a path, a URL, a fw.Table, or an iterable of dicts or (id, text).",
        )
    name = asked.name or (str(source.name) if is_table else "")
    if not name:
        raise errors.UsageError(
            "rows need a name, by which the next run knows them.", hint='corpus.ingest(rows, name="articles")'
        )
    columns = () if asked.metadata is None or isinstance(asked.metadata, Mapping) else tuple(asked.metadata)
    common = dict(asked.metadata) if isinstance(asked.metadata, Mapping) else {}

    def rows() -> Iterator[tuple[Any, Any, Any]]:
        for row in _each(source):
            if isinstance(row, (tuple, list)) and asked.id == "id" and asked.text == "text":
                if len(row) != 2:  # noqa: PLR2004 - id and text
                    raise errors.UsageError(f"a row has {len(row)} values.", hint="Give (id, text), or dicts.")
                yield row[0], row[1], common
                continue
            yield _value(row, asked.id), _value(row, asked.text), common | {each: _value(row, each) for each in columns}

    return Rows(rows, name)


def _each(source: Any) -> Iterator[Any]:
    if hasattr(source, "find_each"):
        yield from source.find_each()
    elif hasattr(source, "batches"):
        for batch in source.batches():
            yield from batch
    else:
        yield from source() if callable(source) else source


def _value(row: Any, column: str | Callable[[Any], Any]) -> Any:
    """Of a row: a dict, or an object."""
    if callable(column):
        return column(row)
    try:
        return row[column] if isinstance(row, Mapping) else getattr(row, column)
    except (KeyError, AttributeError):
        raise errors.UsageError(
            f"a row has no {column!r}.", hint="Name its columns: ingest(rows, id=..., text=...)."
        ) from None
