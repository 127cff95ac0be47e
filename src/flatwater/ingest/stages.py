"""What is done to documents between reading and writing: split, cleaned, gathered, embedded.

Covers:     one class for each stage of the flow; their versions, which are part of what a document was done by.
Not here:   where borders are (`splitting`), what embeds (`embedders`), writing (`writing`).
Holds:      one load: chunks that are looked up and embedded together, `limits.INGEST_LOAD_BYTES` of text.

Chunks are cleaned one by one, behind the splitter: so a chunk's place is exact in the document as it is.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import groupby
from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from flatwater import errors, limits
from flatwater.ingest.document import RECORD_BYTES, Chunk, Cut, Part

if TYPE_CHECKING:
    import numpy as np

    from flatwater.ingest.embedding import Embedding
    from flatwater.ingest.manifest import Manifest
    from flatwater.ingest.plugged import SplitterLike

_ODD: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffc\ufffe\uffff\ud800-\udfff]"
)
_PLAIN: Final = bytes(range(32, 127)) + b"\t\n"  # what is left of ASCII as it is
_LINES: Final = {0x85: "\n", 0x2028: "\n", 0x2029: "\n", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}
_EMPTY_LINES: Final = re.compile(r"\n{3,}")


@final
class Splitting:
    """Parts in, cuts out: a page, or a document without pages, is split as one text.

    Args:
        splitter: that says where.
    """

    def __init__(self, splitter: SplitterLike) -> None:
        self._splitter = splitter

    def __call__(self, parts: Iterator[Part]) -> Iterator[Cut]:
        """The chunks of all documents, some at a time."""
        for document, of_document in groupby(parts, _document_of):
            chunks: list[Chunk] = []
            held = 0
            for (page, is_end), of_page in groupby(of_document, _page_of):
                if is_end:
                    continue
                for start, stop, text in self._splitter.split(map(_text_of, of_page), document.width):
                    chunks.append(Chunk(page, start, stop, text))
                    held += getsizeof(text) + RECORD_BYTES
                    if held > limits.INGEST_CUT_BYTES:
                        yield Cut(document, chunks, is_last=False, heap_bytes=held)
                        chunks, held = [], 0
            yield Cut(document, chunks, is_last=True, heap_bytes=held + RECORD_BYTES)


def _document_of(part: Part) -> Any:
    return part.document


def _page_of(part: Part) -> tuple[int, bool]:
    return part.page, part.text is None


def _text_of(part: Part) -> tuple[int, str]:
    assert part.text is not None
    return part.start, part.text


@final
class Cleaning:
    """Raw chunks in, cleaned ones out, with their digests; those without any text are left out.

    What people do not see is removed (controls, zero-width and soft hyphens, more than one empty line), and characters are
    composed (NFC). Indentation stays.

    Args:
        function: does what else is to be done to the text of a chunk.
        version: of that function; one with another version does all documents anew.

    Raises:
        UsageError: a function that nobody could recognise in the next run.
    """

    def __init__(self, function: Callable[[str], str] | None = None, version: str = "") -> None:
        self._function = function
        if function is not None and not version:
            version = (
                getattr(function, "version", "") or f"{function.__module__}.{getattr(function, '__qualname__', '')}"
            )
            if "<lambda>" in version:
                raise errors.UsageError(
                    "clean= is a lambda, and has no name by which the next run would know it.",
                    hint="Give a function of a module, or set its `version`.",
                )
        self.version = f"clean 1{f', {version}' if version else ''}"

    def __call__(self, cut: Cut) -> Cut:
        """The same places, cleaned texts."""
        chunks = []
        blake2b = hashlib.blake2b
        for page, start, stop, raw, _ in cut.chunks:
            text = self._cleaned(raw)
            if text:
                chunks.append(Chunk(page, start, stop, text, blake2b(text.encode(), digest_size=16).digest()))
        return Cut(cut.document, chunks, cut.is_last, cut.heap_bytes)

    def _cleaned(self, text: str) -> str:
        text = cleaned(text)
        if self._function is not None and text:
            text = self._function(text)
            if not isinstance(text, str):
                raise errors.UsageError(f"clean= returned {type(text).__name__}.", hint="Return a text.")
            text = cleaned(text)
        return text


def cleaned(text: str) -> str:
    r"""A text without what people do not see.

    >>> cleaned("soft\u00adhyphens  \nand\r\n\n\n\n  more ")
    'softhyphens  \nand\n\n  more'
    """
    if text.isascii():
        if text.encode().translate(None, _PLAIN):
            text = _ODD.sub("", text)
    else:
        text = unicodedata.normalize("NFC", text)
        if _ODD.search(text):
            text = _ODD.sub("", text.translate(_LINES))
    if "\n\n\n" in text:
        text = _EMPTY_LINES.sub("\n\n", text)
    return text.strip("\n").rstrip()


class Load(NamedTuple):
    """Chunks that go together.

    Attributes:
        cuts: they, with their documents.
        digests: of those that have to be embedded.
        texts: of the same.
    """

    cuts: list[Cut]
    digests: list[bytes]
    texts: list[str]

    @property
    def heap_bytes(self) -> int:
        """That it takes; its texts are those of its cuts."""
        return sum(cut.heap_bytes for cut in self.cuts)


class Embedded(NamedTuple):
    """A load whose new texts are embedded.

    Attributes:
        load: it.
        vectors: of shape (texts that could be embedded, width), in their order.
        failures: why others could not be, by their number.
    """

    load: Load
    vectors: np.ndarray
    failures: dict[int, str]

    @property
    def heap_bytes(self) -> int:
        """That it takes."""
        return self.load.heap_bytes + int(self.vectors.nbytes)


@final
class Gathering:
    """Cuts in, loads out: with the texts that nobody has embedded before, nor is about to.

    Args:
        manifest: that knows what is there.
        texts: of a load, at most, that have to be embedded.

    Attributes:
        under_way: digests that are in loads that are not written yet; whoever writes them takes them out.
    """

    def __init__(self, manifest: Manifest, texts: int) -> None:
        self._manifest = manifest
        self._texts_max = texts
        self.under_way: set[bytes] = set()

    def __call__(self, cuts: Iterator[Cut]) -> Iterator[Load]:
        """Loads, each as soon as it is full; the last one at the end."""
        load, size, count = Load([], [], []), 0, 0
        for cut in cuts:
            load.cuts.append(cut)
            size += cut.heap_bytes
            count += len(cut.chunks) + 1
            self._look_up(cut, load)
            del cut
            if (
                size >= limits.INGEST_LOAD_TEXT_BYTES
                or count >= limits.INGEST_LOAD_ROWS
                or len(load.texts) >= self._texts_max
            ):
                yield load
                load, size, count = Load([], [], []), 0, 0
        if load.cuts:
            yield load

    def _look_up(self, cut: Cut, load: Load) -> None:
        under_way = self.under_way
        wanted = {chunk.digest: chunk.text for chunk in cut.chunks if chunk.digest not in under_way}
        for digest in self._manifest.known(wanted):
            del wanted[digest]
        under_way.update(wanted)
        load.digests.extend(wanted)
        load.texts.extend(wanted.values())


@final
class EmbeddingStage:
    """Loads in, embedded loads out. Thread-safe, as its embedder is.

    Args:
        embedding: that embeds texts, whatever its embedder does.
    """

    def __init__(self, embedding: Embedding) -> None:
        self._embedding = embedding

    def __call__(self, load: Load) -> Embedded:
        """Its new texts, embedded."""
        return Embedded(load, *self._embedding.embed(load.texts))
