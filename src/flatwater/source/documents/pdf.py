"""The text of a PDF, page by page, through PDFium. Runs in the child.

Covers:     opening by path, a page's text as far as its bound goes, pages that PDFium refuses, opening it again now and then.
Not here:   what to do about a page that ends the child (`remote`), pictures of pages.
Holds:      PDFium's view of one document, one page, and the text of that page.

PDFium reads the file itself, piece by piece, so the size of the file does not matter. To find a page it reads the list of
pages up to there and keeps it, about 1.3 KB for each: 20,000 pages take 25 MiB, and 90,000 the whole default limit. What it
remembers beside that, such as fonts, ends when the document is opened again, as it is now and then.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Generator, Iterator
from typing import Any, final

from flatwater import limits
from flatwater.source.documents.borders import text_border
from flatwater.source.documents.report import CUT, SKIPPED
from flatwater.source.documents.serving import Event, Request, Unreadable

EMPTY = "empty"  # a note that is no problem: the page has no text
_REASONS = {
    1: "PDFium cannot tell why",
    2: "the file cannot be opened",
    3: "it is no PDF, or is broken beyond repair",
    4: "it is encrypted, and the password is missing or wrong",
    5: "its kind of encryption is not known",
    6: "its page cannot be found",
}
_HYPHEN = "\ufffe"  # PDFium's mark for a hyphen at the end of a line, behind which the word goes on


def events(request: Request) -> Iterator[Event]:
    """Pieces of the pages from the request's place on; behind each page, the place of the next one."""
    page, offset = max(request.page, 1), request.offset
    with _Document(request) as document:
        pages = document.pages
        missing = 0  # pages in a row
        if not pages:
            raise Unreadable("it has no pages")
        yield page, offset
        while page <= pages:
            if document.remembers_much():
                document.reopen()
            is_there = yield from _page(document, request, page, offset)
            missing = 0 if is_there else missing + 1
            if missing == limits.DOCUMENT_MISSING_PAGES_MAX:
                raise Unreadable(f"{missing:,} pages in a row cannot be loaded")
            page, offset = page + 1, 0
            yield page, 0


def _page(document: _Document, request: Request, page: int, offset: int) -> Generator[Event, None, bool]:
    """The events of a page, and whether there is such a page."""
    try:
        text, is_cut = document.text(page - 1, request.page_bytes_max)
    except Unreadable as error:
        yield page, SKIPPED, str(error)
        return False
    if not text.strip():
        yield page, EMPTY, ""
        return True
    while offset < len(text):
        stop = text_border(text, offset, request.piece_bytes)
        yield page, offset, stop, text[offset:stop]
        offset = stop
    if is_cut:
        yield (
            page,
            CUT,
            f"its text is longer than {request.page_bytes_max:,} bytes (page_bytes_max); the rest is left out",
        )
    return True


@final
class _Document:
    """An open document; a context manager.

    Attributes:
        pages: how many it says it has.
        pages_read: since it was opened last.
    """

    def __init__(self, request: Request) -> None:
        import pypdfium2_raw  # type: ignore[import-untyped]

        self._pdfium: Any = pypdfium2_raw
        self._request = request
        self._document: Any = None
        self.pages = self.pages_read = 0
        self._first_resident_bytes = 0

    def __enter__(self) -> _Document:
        self._pdfium.FPDF_InitLibrary()
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._pdfium.FPDF_DestroyLibrary()

    def remembers_much(self) -> bool:
        """Whether it is time to let PDFium forget."""
        if self.pages_read == 1:
            self._first_resident_bytes = _resident_bytes()  # with the list of pages up to here
        if self.pages_read >= limits.DOCUMENT_REOPEN_PAGES:
            return True
        grown_bytes = _resident_bytes() - self._first_resident_bytes
        return (
            self.pages_read >= limits.DOCUMENT_REOPEN_PAGES_MIN and grown_bytes >= limits.DOCUMENT_REOPEN_GROWTH_BYTES
        )

    def reopen(self) -> None:
        """Let PDFium forget what it remembers of pages."""
        self._close()
        self._open()

    def _open(self) -> None:
        password = self._request.password.encode("utf-8") or None
        self._document = self._pdfium.FPDF_LoadDocument(os.fsencode(self._request.path), password)
        if not self._document:
            os.close(os.open(self._request.path, os.O_RDONLY))  # if that is why, the system says so better
            raise Unreadable(f"{_REASONS.get(self._pdfium.FPDF_GetLastError(), _REASONS[1])}")
        self.pages = self._pdfium.FPDF_GetPageCount(self._document)
        self.pages_read = 0

    def _close(self) -> None:
        if self._document:
            self._pdfium.FPDF_CloseDocument(self._document)
            self._document = None

    def text(self, index: int, bytes_max: int) -> tuple[str, bool]:
        """The text of a page, and whether it was cut."""
        pdfium = self._pdfium
        self.pages_read += 1
        page = pdfium.FPDF_LoadPage(self._document, index)
        if not page:
            raise Unreadable("PDFium cannot load this page")
        try:
            text_page = pdfium.FPDFText_LoadPage(page)
            if not text_page:
                raise Unreadable("PDFium cannot find the text of this page")
            try:
                return self._copied(text_page, bytes_max)
            finally:
                pdfium.FPDFText_ClosePage(text_page)
        finally:
            pdfium.FPDF_ClosePage(page)

    def _copied(self, text_page: Any, bytes_max: int) -> tuple[str, bool]:
        """The page's text with plain line ends and without hyphens at the ends of lines, as far as the bound allows."""
        pdfium = self._pdfium
        count = pdfium.FPDFText_CountChars(text_page)
        wanted = min(count, bytes_max)
        parts: list[bytes] = []
        buffer = (ctypes.c_ushort * (2 * limits.DOCUMENT_CHARACTERS_AT_ONCE + 1))()
        for start in range(0, wanted, limits.DOCUMENT_CHARACTERS_AT_ONCE):
            asked = min(limits.DOCUMENT_CHARACTERS_AT_ONCE, wanted - start)
            written = pdfium.FPDFText_GetText(text_page, start, asked, buffer)
            parts.append(bytes(memoryview(buffer).cast("B")[: 2 * max(written - 1, 0)]))
        text = b"".join(parts).decode("utf-16-le", "replace")
        text = text.replace("\r\n", "\n").replace(_HYPHEN, "").replace("\0", "")
        is_cut = wanted < count
        if not text.isascii():
            encoded = text.encode("utf-8")
            if len(encoded) > bytes_max:
                text, is_cut = encoded[:bytes_max].decode("utf-8", "ignore"), True
        return text, is_cut


def _resident_bytes() -> int:
    """Of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
