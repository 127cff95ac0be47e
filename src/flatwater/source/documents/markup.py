"""The text of HTML, without ever holding its tree. Runs in the child.

Covers:     blocks as lines, tables, preformatted text, entities, encodings; scripts, styles and templates are left out.
Not here:   XHTML's namespaces beyond what a browser makes of them, pages that a script would write.
Holds:      one part of the file, what the parser has not finished, and a few pieces of text.

lxml's parser (libxml2) reads part by part and calls back for each tag: a tree would take 10 to 20 times the file.
"""

from __future__ import annotations

import codecs
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import IO, final

from flatwater import limits
from flatwater.source.documents import kinds
from flatwater.source.documents.borders import Cutter
from flatwater.source.documents.layout import NEXT_CELL, NEXT_LINE, NEXT_PARAGRAPH, Layout
from flatwater.source.documents.report import GUESSED
from flatwater.source.documents.serving import Event, Request, Unreadable

_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_.:-]{2,40})", re.IGNORECASE)
_CHARSET_WITHIN = 4_096  # bytes in which browsers look for it, and some more
_XML_CHARSET = re.compile(rb"\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([a-zA-Z0-9_.:-]{2,40})", re.IGNORECASE)
_TAG_START = re.compile(r"<[a-zA-Z/!?]")
_RAW_END = re.compile(r"</(?:script|style|textarea)|<!--|-->", re.IGNORECASE)
_RAW_END_BEGUN = re.compile(r"(?:<(?:/[a-z]{0,9}|!-?)?|--?)\Z", re.IGNORECASE)  # cut off by the border of two parts
_BORDER = "</flatwater-border>"  # the end of what never began: parsers pass it over, and hand out the text before it
_REPLACED = "\ufffd"
_KEPT_CHARACTERS = 64  # of the end of a part whose middle is dropped: no name, "=" or quotation mark is torn off
_DROPPED = frozenset(
    ("script", "style", "template", "noscript", "iframe", "object", "svg", "math", "select", "textarea")
)
_RAW = frozenset(("script", "style", "textarea"))
_PARAGRAPHS = frozenset((
    "title", "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "ul", "ol", "dl", "table", "section",
    "article", "header", "footer", "nav", "aside", "main", "figure", "hr", "form", "fieldset", "details", "address",
))  # fmt: skip
_LINES = frozenset((
    "div", "br", "li", "dt", "dd", "tr", "caption", "figcaption", "summary", "option", "legend", "body", "head",
    "html",
))  # fmt: skip
_CELLS = frozenset(("td", "th"))


def events(request: Request) -> Iterator[Event]:
    """Pieces of the text from the request's offset on; now and then the place reached, so that long silences show life."""
    cutter = Cutter(request.piece_bytes, skip=request.offset)
    place = request.offset
    failure: Exception | None = None
    with open(request.path, "rb", buffering=0) as file:
        head = file.read(limits.DOCUMENT_HEAD_BYTES)
        encoding, mark_bytes, guess = encoding_of(head, request.encoding)
        del head
        if guess and not request.offset:
            yield 0, GUESSED, guess
        file.seek(mark_bytes)
        with closing(Parsing(file, encoding)) as parsing:
            try:
                for text in parsing:
                    for start, stop, piece in cutter.feed(text):
                        yield 0, start, stop, piece
                        place = stop
                    if parsing.replaced and not cutter.skip and not guess:
                        guess = f"bytes that are not {encoding.upper()} are replaced by U+FFFD"
                        yield 0, GUESSED, guess
                    yield 0, place
            except (Unreadable, MemoryError) as error:
                failure = error  # what came before it is text all the same
    for start, stop, piece in cutter.end():
        yield 0, start, stop, piece
    if failure:
        raise failure


@final
class Parsing:
    """The text of a file, part by part, while a thread parses it.

    libxml2's parser keeps all that it is fed (measured: a byte for each byte), but not what it reads itself. So it reads itself,
    in a thread that goes on only while somebody waits for its next part: one of the two runs at a time.

    Attributes:
        replaced: whether there were bytes that are no text in that encoding.
    """

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._mark = _encoded(_REPLACED, encoding)  # where a file has it, nothing was replaced
        self._before = b""  # the end of the part before, in which the mark may begin
        self.replaced = False
        self._in_tag = False  # what was read last ends within a tag or a comment
        self._had_end = True  # a script may end in it, or an end of one begin
        self._target = Target()
        self._part = b""  # of the file as UTF-8, that the parser has not asked for yet
        self._is_over = self._ends = self._stopped = False  # the file, the text, the wish to have it
        self._error: BaseException | None = None
        self._go, self._reached = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="documents.html", daemon=True)

    def __iter__(self) -> Iterator[str]:
        before = threading.stack_size(limits.DOCUMENT_STACK_BYTES)
        try:
            self._thread.start()
        finally:
            threading.stack_size(before)
        while not self._ends:
            self._go.release()
            self._reached.acquire()
            yield self._target.layout.take()
            if self._error is not None:
                raise self._error

    def close(self) -> None:
        """End the thread."""
        self._stopped = True
        if self._thread.is_alive():
            self._go.release()
            self._thread.join()

    def read(self, count: int) -> bytes:
        """What the parser asks for; here it waits until somebody wants the text of the next part."""
        if not self._part:
            self._reached.release()
            self._go.acquire()
            while not self._part and not self._stopped:
                some = self._file.read(limits.DOCUMENT_MARKUP_PART_BYTES)
                text = self._decoder.decode(some, not some)
                if _REPLACED in text and not self.replaced:
                    seen = (self._before + some).count(self._mark) if self._mark else 0
                    self.replaced = text.count(_REPLACED) > seen
                self._before = some[1 - len(self._mark) :] if len(self._mark) > 1 else b""
                self._part = self._bounded(text.replace("\0", _REPLACED)).encode("utf-8", "replace")
                if not some:
                    self._is_over = True
                    break
        part, self._part = self._part[:count], self._part[count:]
        return b"" if self._stopped else part

    def _bounded(self, text: str) -> str:
        """The same for the parser, which keeps a tag or a text without tags until it ends, however long it is.

        Of a tag that goes on, such as one with a picture in an attribute, the middle is dropped: no attribute is read. So is
        that of a script. A text that goes on gets a border, after a space or an entity where there is one.
        """
        had_end, self._had_end = self._had_end, True
        if self._target.raw and not _RAW_END.search(text):
            self._had_end = _RAW_END_BEGUN.search(text[-_KEPT_CHARACTERS:]) is not None
            if not had_end:  # nor in the part before: the parser is less than that behind
                return text[-_KEPT_CHARACTERS:]
        start = text.rfind("<")
        if start >= 0:
            self._in_tag = text.find(">", start) < 0 and _TAG_START.match(text, start) is not None
        elif len(text) < _KEPT_CHARACTERS:
            pass
        elif not self._in_tag:
            at = max(text.rfind(" "), text.rfind("\n"), text.rfind(";")) + 1
            if not at:  # one word; an entity must not be cut
                at = max(text.rfind("&"), 0) or len(text)
            text = f"{text[:at]}{_BORDER}{text[at:]}"
        elif not any(sign in text for sign in "\"'>"):
            text = text[-_KEPT_CHARACTERS:]
        else:
            self._in_tag = ">" not in text
        return text

    def _run(self) -> None:
        from lxml import etree

        self._go.acquire()
        try:
            # huge_tree: its bounds on depth and length guard those who keep a tree; here the child's limit does.
            parser = etree.HTMLParser(target=self._target, huge_tree=True, encoding="utf-8")
            etree.parse(self, parser)
            if any(entry.type_name == "ERR_NO_MEMORY" for entry in parser.error_log.filter_from_fatals()):
                self._error = MemoryError()  # it ends without a word otherwise
        except etree.XMLSyntaxError as error:
            if not self._is_over or self._target.layout.begun:  # else there is nothing but blanks in it
                self._error = Unreadable(f"the parser gives up: {error}")
        except BaseException as error:  # noqa: BLE001 - for the thread that waits
            self._error = error
        if not (self._is_over or self._stopped or self._error):
            self._error = Unreadable(
                "the parser gives up; one tag or text may be too large for the worker (worker_limit)"
            )
        self._ends = True
        self._reached.release()


def encoding_of(head: bytes, wanted: str = "") -> tuple[str, int, str]:
    """The encoding, the length of the mark, and what was guessed: by the mark, as wanted, by what it says, else as for text."""
    encoding, mark_bytes = kinds.encoding_by_mark(head)
    if encoding:
        return encoding, mark_bytes, ""
    found = _CHARSET.search(head[:_CHARSET_WITHIN])
    declared = _XML_CHARSET.match(head)
    for name in (wanted, *(match[1].decode("ascii") for match in (found, declared) if match)):
        try:
            encoding = codecs.lookup(name).name if name else ""
            "a".encode(encoding) if encoding else b""
        except (LookupError, TypeError, ValueError):
            continue
        if encoding in {"iso8859-1", "ascii"}:
            return "cp1252", 0, ""  # as browsers do: nobody means Latin-1's control characters
        if encoding.startswith(("utf-16", "utf-32", "utf-7")):
            continue  # who could read the tag knows that it is none of these
        if encoding:
            return encoding, 0, ""
    return kinds.encoding_of(head)


def _encoded(text: str, encoding: str) -> bytes:
    """Nothing where the encoding does not have it."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return b""


@final
class Target:
    r"""What the parser calls; it makes text of what it hears, and keeps nothing else.

    >>> from lxml import etree
    >>> target = Target()
    >>> etree.fromstring("<title>T</title><p>One<br>two<script>no</script><p>3 &lt; 4", etree.HTMLParser(target=target))
    >>> target.layout.take()
    'T\n\nOne\ntwo\n\n3 < 4'
    """

    def __init__(self) -> None:
        self.layout = Layout()
        self.raw = ""  # the element that is open and in which no other can begin
        self._dropped = 0  # elements that are open and whose text is left out
        self._verbatim = 0

    def start(self, tag: str, _attributes: object) -> None:
        """An element begins."""
        if tag in _RAW:
            self.raw = tag
        if tag in _DROPPED:
            self._dropped += 1
        elif tag == "pre":
            self._verbatim += 1
        self._gap(tag, is_end=False)

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == self.raw:
            self.raw = ""
        if tag in _DROPPED:
            self._dropped = max(self._dropped - 1, 0)
        elif tag == "pre":
            self._verbatim = max(self._verbatim - 1, 0)
        self._gap(tag, is_end=True)

    def data(self, text: str) -> None:
        """Text, in parts of any length."""
        if not self._dropped:
            self.layout.add(text, verbatim=self._verbatim > 0)

    def comment(self, text: str) -> None:
        """Nobody is meant to read it."""

    def pi(self, target: str, data: str | None) -> None:
        """An instruction to a program."""

    def close(self) -> None:
        """The document ends."""

    def _gap(self, tag: str, *, is_end: bool) -> None:
        if tag in _PARAGRAPHS:
            self.layout.gap(NEXT_PARAGRAPH)
        elif tag in _LINES:
            self.layout.gap(NEXT_LINE)
        elif tag in _CELLS and is_end:
            self.layout.gap(NEXT_CELL)
