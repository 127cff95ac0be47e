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
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate, chain, groupby, islice
from sys import getsizeof
from typing import TYPE_CHECKING, Final, NamedTuple, final

from flatwater import errors, limits
from flatwater.ingest.document import RECORD_BYTES, Cut, Document, Part
from flatwater.ingest.splitting import Columns, Splitter

if TYPE_CHECKING:
    import numpy as np

    from flatwater.ingest.embedders import EmbedderFailed
    from flatwater.ingest.embedding import Embedding
    from flatwater.ingest.manifest import Manifest
    from flatwater.ingest.plugged import SplitterLike

_ODD: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffc\ufffe\uffff\ud800-\udfff]"
)
_PLAIN: Final = bytes(range(32, 127)) + b"\t\n"  # what is left of ASCII as it is
_LINES: Final = {0x85: "\n", 0x2028: "\n", 0x2029: "\n", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}


@final
class Splitting:
    """Parts in, cuts out: a page, or a document without pages, is split as one text.

    Short texts wait for one another, and are split together.

    Args:
        splitter: that says where.
    """

    def __init__(self, splitter: SplitterLike) -> None:
        self._together = splitter.together if isinstance(splitter, Splitter) else None
        self._columns = splitter.columns if isinstance(splitter, Splitter) else partial(_columns_of, splitter)

    def __call__(self, parts: Iterator[Part]) -> Iterator[Cut]:
        """The chunks of all documents, some at a time."""
        waiting: list[Part] = []
        length = 0
        for (document, page, is_end), of_page in groupby(parts, _page_of):
            some = list(islice(of_page, 1 if is_end else 2))
            text = some[0].text or ""
            if is_end or (self._together and len(some) == 1 and len(text) <= limits.INGEST_PIECE_BYTES):
                waiting += some
                length += len(text)
            else:
                yield from self._cuts_together(waiting)
                waiting, length = [], 0
                for columns in _named(document, self._columns(map(_text_of, chain(some, of_page)), document.width)):
                    yield from _cuts(document, page, columns)
            if length >= limits.INGEST_TOGETHER_CHARACTERS or len(waiting) >= limits.INGEST_TOGETHER_PARTS:
                yield from self._cuts_together(waiting)
                waiting, length = [], 0
        yield from self._cuts_together(waiting)

    def _cuts_together(self, waiting: list[Part]) -> list[Cut]:
        texts = [(part.start, part.text, part.document.width) for part in waiting if part.text is not None]
        columns = self._together(texts) if self._together else iter(())
        cuts: list[Cut] = []
        for part in waiting:
            if part.text is not None:
                cuts += _cuts(part.document, part.page, next(columns))
            elif cuts and cuts[-1].document is part.document:
                cuts[-1] = cuts[-1]._replace(is_last=True)
            else:
                cuts.append(Cut(part.document, [], [], [], [], [], is_last=True, heap_bytes=RECORD_BYTES))
        return cuts


def _page_of(part: Part) -> tuple[Document, int, bool]:
    return part.document, part.page, part.text is None


def _text_of(part: Part) -> tuple[int, str]:
    assert part.text is not None
    return part.start, part.text


def _columns_of(
    splitter: SplitterLike, texts: Iterable[tuple[int, str]], width: Callable[[str], int]
) -> Iterator[Columns]:
    """What another's splitter makes, some at a time."""
    chunks = splitter.split(texts, width)
    while some := list(islice(chunks, limits.INGEST_CUT_CHUNKS)):
        starts, stops, pieces = zip(*some, strict=True)
        yield [*starts], [*stops], [*pieces]


def _named(document: Document, columns: Iterator[Columns]) -> Iterator[Columns]:
    """The same; where another's splitter fails, it is said at which document.

    Raises:
        BrokenError: it failed.
    """
    try:
        yield from columns
    except errors.FlatwaterError:
        raise
    except Exception as error:
        raise errors.BrokenError(
            f"the splitter failed at {document.name}: {type(error).__name__}: {error}.",
            hint="What was ingested before it is kept: leave the document out, or mend the splitter, and run it again.",
        ) from error


def _cuts(document: Document, page: int, columns: Columns) -> Iterator[Cut]:
    """The chunks of a page, in cuts that are small enough."""
    starts, stops, texts = columns
    sizes = [*accumulate((getsizeof(text) + RECORD_BYTES for text in texts), initial=RECORD_BYTES)]
    low, last = 0, len(texts)
    while low < last:
        high = max(bisect_right(sizes, sizes[low] + limits.INGEST_CUT_BYTES) - 1, low + 1)
        yield Cut(
            document, [page] * (high - low), starts[low:high], stops[low:high], texts[low:high], [], is_last=False,
            heap_bytes=sizes[high] - sizes[low],
        )  # fmt: skip
        low = high


@final
class Cleaning:
    """Raw chunks in, cleaned ones out, with their digests; those without any text are left out.

    What people do not see is removed (controls, zero-width and soft hyphens, more than one empty line), and characters are
    composed (NFC). Indentation stays.

    Args:
        function: does what else is to be done to the text of a chunk. Its `version`, else its name: with another one, all documents are
            done anew.

    Raises:
        UsageError: a function that nobody could recognise in the next run.
    """

    def __init__(self, function: Callable[[str], str] | None = None) -> None:
        self._function, version = function, ""
        if function is not None:
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
        has_more = self._function is not None or _has_odd("".join(cut.texts))
        texts = list(map(self._cleaned if has_more else _trimmed, cut.texts))
        cut = cut._replace(texts=texts)
        if not all(texts):
            cut = cut.only([number for number, text in enumerate(texts) if text])
        blake2b = hashlib.blake2b
        return cut._replace(digests=[blake2b(text.encode(), digest_size=16).digest() for text in cut.texts])

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
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        if _ODD.search(text):
            text = _ODD.sub("", text.translate(_LINES))
    elif _has_odd(text):
        text = _ODD.sub("", text)
    return _trimmed(text)


def _has_odd(text: str) -> bool:
    """Whether a text may have characters that do not stay as they are."""
    return not text.isascii() or bool(text.encode().translate(None, _PLAIN))


def _trimmed(text: str) -> str:
    """Without empty lines at its ends, and no more than one between others."""
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.lstrip("\n").rstrip()


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
        tried: how many of the new texts, from the first on, these are about.
        error: why it is not all of them: the run ends with it, and keeps these.
    """

    load: Load
    vectors: np.ndarray
    failures: dict[int, str]
    tried: int
    error: EmbedderFailed | None

    @property
    def heap_bytes(self) -> int:
        """That it takes."""
        return self.load.heap_bytes + int(self.vectors.nbytes)


@final
class Gathering:
    """Cuts in, loads out: with the texts that nobody has embedded before, nor is about to.

    Args:
        manifest: that knows what is there.
        texts: says how many of a load have to be embedded at most, about.

    Attributes:
        under_way: digests that are in loads that are not written yet; whoever writes them takes them out.
    """

    def __init__(self, manifest: Manifest, texts: Callable[[], int]) -> None:
        self._manifest = manifest
        self._texts_max = texts
        self.under_way: set[bytes] = set()

    def __call__(self, cuts: Iterator[Cut]) -> Iterator[Load]:
        """Loads, each as soon as it is full; the last one at the end."""
        load, size, count = Load([], [], []), 0, 0
        asked: dict[bytes, str] = {}  # whether these are known is looked up when they may fill the load
        for cut in cuts:
            load.cuts.append(cut)
            size += cut.heap_bytes
            count += len(cut.texts) + 1
            asked.update(zip(cut.digests, cut.texts, strict=True))
            del cut
            is_full = size >= limits.INGEST_LOAD_TEXT_BYTES or count >= limits.INGEST_LOAD_ROWS
            most = self._texts_max()
            if is_full or len(load.texts) + len(asked) >= most:
                self._look_up(asked, load)
                asked = {}
                if is_full or len(load.texts) >= most:
                    yield load
                    load, size, count = Load([], [], []), 0, 0
        if load.cuts:
            self._look_up(asked, load)
            yield load

    def _look_up(self, asked: dict[bytes, str], load: Load) -> None:
        wanted = {digest: text for digest, text in asked.items() if digest not in self.under_way}
        for digest in self._manifest.known(wanted):
            del wanted[digest]
        self.under_way.update(wanted)
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
        """Its new texts, embedded. Raises what `embed` raises, unless some of them are."""
        found = self._embedding.embed_until(load.texts)
        if found.error is not None and not found.tried:
            raise found.error
        return Embedded(load, *found)
