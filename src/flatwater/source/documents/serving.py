"""The child's side of reading documents: some pieces at a call, from a place on, within bytes and seconds.

Covers:     keeping a document open between calls, ending a call early, telling what could not be read.
Not here:   the formats (`pdf`, `markup`, `word`), the parent's side (`lump`, `remote`).
Holds:      the document that is open, and the pieces of one call: see `Request.lump_bytes`.

A call says from where on it wants pieces. If the document is open and stands there, reading goes on; else it is opened and
brought there. So nothing is lost with a child that dies, but the time to come to that place again.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from flatwater import errors
from flatwater.source.documents import kinds

PIECE_HOLDS_BYTES = 200  # a piece on its way beside its text: a tuple and its numbers

# What a format yields: a piece `(page, start, stop, text)`, a problem `(page, kind, reason)`, or `(page, offset)`, which says
# that all before that place is done, pieces or not.
Part = tuple[int, int, int, str]
Note = tuple[int, str, str]
Place = tuple[int, int]
Event = Part | Note | Place


class Unreadable(errors.BrokenError):
    """This document cannot be read from here on. The message says why, in words for people."""


class Request(NamedTuple):
    """What is asked for.

    Attributes:
        path: absolute.
        kind: of `kinds`.
        page: to begin at, from 1; 0 where there are none.
        offset: characters in front of the first piece.
        piece_bytes: of one piece as UTF-8.
        page_bytes_max: of the text of one page as UTF-8.
        expanded_bytes_max: of a DOCX, unpacked.
        lump_bytes: of pieces to send at once; one piece more may be in it.
        lump_s: seconds after which a call ends with what it has.
        pages_max: pages of this call; 0 to open the document and read nothing.
        password: of a PDF.
        encoding: of HTML; empty to find it out.
    """

    path: str
    kind: str
    page: int
    offset: int
    piece_bytes: int
    page_bytes_max: int
    expanded_bytes_max: int
    lump_bytes: int
    lump_s: float
    pages_max: int
    password: str
    encoding: str


class Lump(NamedTuple):
    """What one call gives: pieces, problems, the place behind them, and whether the document ends there."""

    parts: list[Part]
    notes: list[Note]
    place: Place
    done: bool


class _Open(NamedTuple):
    key: tuple[object, ...]
    events: Iterator[Event]


_open: list[_Open] = []  # at most one: what the last call left off in, with the place where that is


def ready(kind: str) -> None:
    """Import what the kind needs, so that a call after this one is about the document only.

    Raises:
        MissingExtra: its library is not installed.
    """
    needed, package = ("pypdfium2_raw", "pypdfium2") if kind == kinds.PDF else ("lxml.etree", "lxml")
    try:
        importlib.import_module(needed)
    except ModuleNotFoundError:
        raise errors.MissingExtra("files", package) from None
    _format_of(kind)


def take(request: Request) -> Lump:
    """Some pieces from the place of the request on.

    Raises:
        Unreadable: the document cannot be read.
        OSError: the file cannot.
    """
    place = (request.page, request.offset)
    events = _events(request, place)
    parts: list[Part] = []
    notes: list[Note] = []
    held_bytes = pages = 0
    until_s = time.monotonic() + request.lump_s
    while True:
        try:
            event = next(events, None)
        except Exception as error:
            if not (parts or notes):
                raise
            events = _failing(error.with_traceback(None))  # for the next call: what came before is given out first
            break
        if event is None:
            return Lump(parts, notes, place, done=True)
        if len(event) == 4:  # noqa: PLR2004 - a piece
            parts.append(event)
            held_bytes += sys.getsizeof(event[3]) + PIECE_HOLDS_BYTES
            place = (event[0], event[2])
        elif len(event) == 3:  # noqa: PLR2004 - a problem
            notes.append(event)
            held_bytes += sys.getsizeof(event[2]) + PIECE_HOLDS_BYTES
        else:
            pages += event[0] > place[0]
            place = event
            if pages >= request.pages_max:
                break
        if held_bytes >= request.lump_bytes or time.monotonic() >= until_s:
            break
    _open.append(_Open(_key(request, place), events))
    return Lump(parts, notes, place, done=False)


def _failing(error: Exception) -> Iterator[Event]:
    """What is left of a document that cannot be read on."""
    raise error
    yield


def _events(request: Request, place: Place) -> Iterator[Event]:
    """Of the document that is open, if it stands there; else of the document, opened."""
    while _open:
        left = _open.pop()
        if left.key == _key(request, place):
            return left.events
        del left  # before another one is opened: there is room for one
    return _format_of(request.kind)(request)


def _key(request: Request, place: Place) -> tuple[object, ...]:
    return (request.path, request.kind, place, request.piece_bytes)


def _format_of(kind: str) -> Callable[[Request], Iterator[Event]]:
    """What reads documents of that kind; importing it is what costs."""
    if kind == kinds.PDF:
        from flatwater.source.documents import pdf

        return pdf.events
    if kind == kinds.HTML:
        from flatwater.source.documents import markup

        return markup.events
    from flatwater.source.documents import word

    return word.events
