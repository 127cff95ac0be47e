"""The text of a DOCX, without ever holding its tree. Runs in the child.

Covers:     paragraphs, headings, lists, tables, tabs and breaks, text boxes, footnotes and endnotes; bombs and lies in the zip.
Not here:   headers, footers, comments, deleted text, field codes, pictures.
Holds:      the zip's list of names, one part of one member, and a few pieces of text.

Read member by member from the zip as a stream: nothing is unpacked to a disk, so names in the zip lead nowhere.
"""

from __future__ import annotations

import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, final

from flatwater import limits
from flatwater.source.documents.borders import Cutter
from flatwater.source.documents.layout import NEXT_CELL, NEXT_LINE, NEXT_PARAGRAPH, Layout
from flatwater.source.documents.report import CUT
from flatwater.source.documents.serving import Event, Request, Unreadable

_END_MARK, _END = b"PK\x05\x06", struct.Struct("<4s4H2LH")
_COMMENT_BYTES_MAX = 65_535
_MAIN = re.compile(r"word/document\d*\.xml")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the standard's; others unpack without a bound
_NOTES = ("word/footnotes.xml", "word/endnotes.xml")
_WORDS = (
    "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "{http://purl.oclc.org/ooxml/wordprocessingml/main}",
)
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # the same text once more

_DELETED = frozenset(("del", "moveFrom"))  # what was moved stands at its new place once more


def events(request: Request) -> Iterator[Event]:
    """Pieces of the text from the request's offset on; now and then the place reached, so that long silences show life."""
    cutter = Cutter(request.piece_bytes, skip=request.offset)
    layout = Layout()
    place = request.offset
    left_bytes = request.expanded_bytes_max
    failure: Exception | None = None
    with open(request.path, "rb") as file:
        _check_directory(file)
        try:
            with zipfile.ZipFile(file) as archive:
                for count in _fed(archive, layout):
                    for start, stop, text in cutter.feed(layout.take()):
                        yield 0, start, stop, text
                        place = stop
                    yield 0, place
                    left_bytes -= count
                    if left_bytes < 0:
                        bound = f"{request.expanded_bytes_max:,} bytes (expanded_bytes_max)"
                        yield 0, CUT, f"it unpacks to more than {bound}; the rest is left out"
                        break
        except (Unreadable, MemoryError) as error:
            failure = error
        except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
            failure = Unreadable(f"its zip archive is broken: {error}")
        except RuntimeError as error:  # zipfile's way to say that a member is encrypted
            failure = Unreadable(f"{error}")
    for start, stop, text in cutter.feed(layout.take()):  # what came before a failure is text all the same
        yield 0, start, stop, text
    for start, stop, text in cutter.end():
        yield 0, start, stop, text
    if failure:
        raise failure


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a list of names that would not fit, before zipfile makes objects of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END.size - _COMMENT_BYTES_MAX))
    tail = file.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        raise Unreadable("its zip archive is broken: it has no end")
    _mark, _disk, _start, _here, entries, directory_bytes, _offset, _comment = _END.unpack_from(tail, at)
    if directory_bytes > limits.DOCUMENT_DIRECTORY_BYTES_MAX:
        raise Unreadable(f"its zip archive lists {entries:,} or more members; no document does")


def _members(archive: zipfile.ZipFile) -> list[str]:
    names = set(archive.namelist())
    main = sorted(name for name in names if _MAIN.fullmatch(name))
    if not main:
        raise Unreadable("it is a zip archive without a Word document in it")
    if any(archive.getinfo(name).compress_type not in _METHODS for name in (main[0], *_NOTES) if name in names):
        raise Unreadable("its members are compressed in a way that no document's are")
    return [main[0], *(name for name in _NOTES if name in names)]


def _fed(archive: zipfile.ZipFile, layout: Layout) -> Iterator[int]:
    """Feed the members that have text to a parser each, and yield how many bytes each part had."""
    from lxml import etree

    for name in _members(archive):
        # No entity is replaced, no DTD read, nothing fetched. huge_tree: there is no tree; the child's limit is the bound.
        parser = etree.XMLParser(
            target=Target(layout), resolve_entities=False, load_dtd=False, no_network=True, huge_tree=True
        )
        with archive.open(name) as member:
            try:
                while part := member.read(limits.DOCUMENT_WORD_PART_BYTES):
                    parser.feed(part)
                    yield len(part)
                parser.close()
            except etree.XMLSyntaxError as error:
                if any(entry.type_name == "ERR_NO_MEMORY" for entry in parser.feed_error_log):
                    raise MemoryError from None
                raise Unreadable(f"{name} is broken: {error}") from None
        yield 0


@final
class Target:
    """What the parser calls; it makes text of what it hears, and keeps nothing else."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._is_text = False  # inside of w:t
        self._dropped = 0
        self._properties = 0  # of paragraphs, that are open
        self._cells = 0  # table cells that are open: their paragraphs are lines

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        """No DOCX has one; what has is after something else, such as entities that grow."""
        raise Unreadable("it has a document type declaration, which no DOCX has")

    def start(self, tag: str, _attributes: object) -> None:
        """An element begins."""
        name = _local(tag)
        if tag == _FALLBACK or name in _DELETED:
            self._dropped += 1
        if self._dropped:
            return
        match name:
            case "t":
                self._is_text = True
            case "pPr":
                self._properties += 1
            case "tab" if not self._properties:  # else it says where tabs stop
                self.layout.add("\t", verbatim=True)
            case "br" | "cr":
                self.layout.gap(NEXT_LINE)
            case "tc":
                self._cells += 1
            case "numPr" if self._properties == 1:  # else it was one before somebody changed it
                self.layout.add("- ", verbatim=True)
            case "noBreakHyphen":
                self.layout.add("-", verbatim=True)

    def end(self, tag: str) -> None:
        """An element ends."""
        name = _local(tag)
        if tag == _FALLBACK or name in _DELETED:
            self._dropped -= 1
            return
        if self._dropped:
            return
        match name:
            case "t":
                self._is_text = False
            case "pPr":
                self._properties -= 1
            case "p":
                self.layout.gap(NEXT_LINE if self._cells else NEXT_PARAGRAPH)
            case "tc":
                self._cells -= 1
                self.layout.replace_gap(NEXT_CELL)
            case "tr":
                self.layout.replace_gap(NEXT_LINE)
            case "tbl":
                self.layout.gap(NEXT_PARAGRAPH)

    def data(self, text: str) -> None:
        """Text, in parts of any length."""
        if self._is_text and not self._dropped:
            self.layout.add(text, verbatim=True)

    def comment(self, text: str) -> None:
        """Nobody is meant to read it."""

    def pi(self, target: str, data: str | None) -> None:
        """An instruction to a program."""

    def close(self) -> None:
        """The member ends."""
        self.layout.gap(NEXT_PARAGRAPH)


def _local(tag: str) -> str:
    """The name of an element of Word's own namespace; nothing for others."""
    for words in _WORDS:
        if tag.startswith(words):
            return tag[len(words) :]
    return ""
