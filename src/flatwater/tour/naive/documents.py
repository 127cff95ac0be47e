"""The naive twin of `documents`: the text of every document, in a list.

Covers:     PDF, HTML, DOCX and texts, each read whole in this process.
Not here:   the same a piece at a time, in a process that can be ended (`tour.steps.read_documents`).
Holds:      all texts, and one document with all that its library makes of it.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import lxml.etree
import lxml.html
import pypdfium2

from flatwater.tour.naive.paths import below

if TYPE_CHECKING:
    from flatwater.tour.twin import Task

SUFFIXES = (".docx", ".htm", ".html", ".md", ".pdf", ".rst", ".txt")


def run(task: Task) -> int:
    """Read as much text as the step did; how many documents that was."""
    texts = list(texts_of(task))
    assert sum(len(text) for text in texts) >= 0
    return len(texts)


def texts_of(task: Task) -> Iterator[str]:
    """The page, and the documents in the roots of `task`, until there is as much text as the step read."""
    page = os.path.join(task.made, "users.html")
    read = 0
    for path in [page] * os.path.exists(page) + below(task.roots, SUFFIXES):
        text = text_of(path)
        yield text
        read += len(text)
        if read >= task.bytes:
            break


def text_of(path: str) -> str:
    """The text of a document; empty if it is broken."""
    try:
        if path.endswith(".pdf"):
            with pypdfium2.PdfDocument(path) as pdf:
                return "\n".join(page.get_textpage().get_text_bounded() for page in pdf)
        if path.endswith((".html", ".htm")):
            return str(lxml.html.parse(path).getroot().text_content())
        if path.endswith(".docx"):
            with zipfile.ZipFile(path) as archive:
                return " ".join(
                    str(text) for text in lxml.etree.fromstring(archive.read("word/document.xml")).itertext()
                )
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (OSError, AttributeError, KeyError, lxml.etree.ParserError, zipfile.BadZipFile, pypdfium2.PdfiumError):
        return ""  # an empty page has no root
