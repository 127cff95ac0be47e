"""A document on its way into a corpus: what it is known by, what is read of it, what was wrong with it.

Covers:     the record itself, and what passes from stage to stage: parts of its text, and cuts of them.
Not here:   reading it (`sources`), splitting it (`stages`).
Holds:      a record: its names and notes, at most `limits.INGEST_NOTE_CHARS_MAX` characters of these.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from sys import getsizeof
from typing import Any, NamedTuple, final

from flatwater import errors, limits

RECORD_BYTES = 300  # of a part, a cut or a chunk, with its numbers and its digest


def shown(name: str) -> str:
    r"""A name as people and SQLite take it: bytes that are no UTF-8, and halves of characters, are written as escapes.

    >>> shown("caf\udce9.txt")
    'caf\\xe9.txt'
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode()


def metadata_text(metadata: Any) -> str:
    """Metadata as JSON, with sorted names.

    Raises:
        UsageError: it has values that JSON does not know.
    """
    try:
        text = json.dumps(metadata or {}, ensure_ascii=False, sort_keys=True, default=str)
    except (TypeError, ValueError) as error:
        raise errors.UsageError(
            f"the metadata {metadata!r:.80} is no JSON: {error}.", hint="Give a dict of plain values."
        ) from error
    return whole(text)


def whole(text: str) -> str:
    """A text without halves of characters, which SQLite does not take; a question mark stands for each."""
    return text.encode("utf-8", "replace").decode()


@final
class Document:
    """One version of a document, while it is read and written.

    Attributes:
        key: by which it is known: the path from the root on, a URL, a table's name and a row's key, as bytes.
        name: as it was listed, for people.
        source: the number of what listed it.
        stages: the number of the versions of all that is done to it.
        metadata: of it, as JSON.
        stamp: what tells its version without reading it: None where it has to be read the next time, b"" where its bytes have to
            be compared.
        digest: of its bytes; None where it has to be read the next time.
        width: how many units of its places a text takes: bytes of the file, or characters.
        id: its number in the manifest; 0 before it is written.
        number: of its next chunk.
        note: what was wrong with it, for people.
    """

    __slots__ = ("digest", "id", "key", "metadata", "name", "note", "number", "source", "stages", "stamp", "width")

    def __init__(
        self,
        key: bytes,
        name: str,
        *,
        source: int,
        stages: int,
        metadata: str,
        stamp: bytes | None,
        digest: bytes | None,
    ) -> None:
        self.key = key
        self.name = name
        self.source = source
        self.stages = stages
        self.metadata = metadata
        self.stamp = stamp
        self.digest = digest
        self.width: Callable[[str], int] = len
        self.id = 0
        self.number = 0
        self.note = ""

    def add_note(self, note: str) -> None:
        """Something was wrong with it; the first notes are kept."""
        whole = f"{self.note}; {note}" if self.note else note
        self.note = whole[: limits.INGEST_NOTE_CHARS_MAX].encode("utf-8", "backslashreplace").decode()

    def redo(self) -> None:
        """Have it read again the next time."""
        self.stamp = self.digest = None


class Part(NamedTuple):
    """Some text of a document; what begins where the one before it stopped belongs to it. The last one has no text.

    Attributes:
        document: of which.
        page: of a PDF, from 1; else 0.
        start: where it begins, in units of `document.width`.
        text: it; None where the document ends.
    """

    document: Document
    page: int
    start: int
    text: str | None

    @property
    def heap_bytes(self) -> int:
        """That it takes."""
        return RECORD_BYTES + getsizeof(self.text)


class Cut(NamedTuple):
    """Some chunks of a document, in their order, as one list for each of their properties.

    Lists of numbers and texts are not walked through by the garbage collector, as an object for each chunk would be.

    Attributes:
        document: of which.
        pages: of each chunk, as of its part.
        starts: where each begins.
        stops: where each ends; not included.
        texts: the raw text between the two, then the cleaned one.
        digests: of the cleaned ones; none before.
        is_last: whether the document ends here.
        heap_bytes: that it takes.
    """

    document: Document
    pages: list[int]
    starts: list[int]
    stops: list[int]
    texts: list[str]
    digests: list[bytes]
    is_last: bool
    heap_bytes: int

    def only(self, kept: list[int]) -> Cut:
        """Those of its chunks that have these numbers."""
        return self._replace(
            pages=[self.pages[number] for number in kept],
            starts=[self.starts[number] for number in kept],
            stops=[self.stops[number] for number in kept],
            texts=[self.texts[number] for number in kept],
            digests=[self.digests[number] for number in kept] if self.digests else [],
        )
