"""A piece of a document's text, and the place after it from which reading can go on.

Covers:     the two records that readers give out, and reading a place back from JSON.
Not here:   where pieces are cut (`borders`), who makes them (`plain`, `remote`).
Holds:      a piece: its text, and about 200 bytes.
"""

from __future__ import annotations

from typing import NamedTuple

from flatwater import errors


class Piece(NamedTuple):
    """Some text of a document, at most `piece_bytes` of it as UTF-8.

    The pieces of a document come in its order, and each begins where the one before it stopped.

    Attributes:
        source: the path of the document, as it was listed.
        page: of a PDF, from 1; 0 where a document has no pages.
        start: where the text begins. Text and Markdown: the byte in the file. PDF: the character in the text of the page.
            HTML and DOCX: the character in the text that was extracted.
        stop: where it ends, counted the same way; `start` is included, `stop` is not.
        text: the text itself.
    """

    source: str
    page: int
    start: int
    stop: int
    text: str


class Position(NamedTuple):
    """The place after a piece. All that comes before it was given out, nothing that comes after it was.

    Plain numbers and a path: pickle it, or write it as JSON, and hand back what is read.

    Attributes:
        argument: which of the paths that were asked for, from 0.
        source: the document.
        page: of a PDF, from 1; else 0.
        offset: the `stop` of the piece.
        size: of the file in bytes, so that another file in its place is noticed.
        mtime_ns: when the file was last written, for the same reason.
    """

    argument: int
    source: str
    page: int
    offset: int
    size: int
    mtime_ns: int


def position_of(value: object) -> Position:
    """A position, from itself or from the list that JSON makes of it.

    Raises:
        UsageError: it is something else.

    >>> position_of([0, "report.pdf", 7, 120, 4096, 0]).page
    7
    """
    if isinstance(value, list | tuple) and len(value) == len(Position._fields):
        argument, source, *numbers = value
        whole = all(isinstance(number, int) and not isinstance(number, bool) for number in (argument, *numbers))
        if whole and isinstance(source, str) and min(argument, *numbers[:3]) >= 0:
            return Position(argument, source, *numbers)
    raise errors.UsageError(f"resume={value!r} is no position.", hint="Pass the `position` of an earlier reader.")
