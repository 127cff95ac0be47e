"""What a file is, by what it contains first, and by its name only where that does not say.

Covers:     PDF, zip (DOCX or not), HTML, text; formats that are known and not read, in words; what is no text at all.
Not here:   reading any of them.
Holds:      the first `limits.DOCUMENT_HEAD_BYTES` of a file.
"""

from __future__ import annotations

import codecs
import os
import re
import unicodedata

TEXT, HTML, PDF, ZIP = "text", "html", "pdf", "zip"
TEXT_SUFFIXES = frozenset((
    ".txt", ".text", ".md", ".markdown", ".mdown", ".rst", ".adoc", ".org", ".tex", ".log", ".csv", ".tsv", ".json",
    ".jsonl", ".ndjson", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".srt", ".vtt", ".py", ".js",
    ".ts", ".c", ".h", ".cpp", ".java", ".go", ".rs", ".rb", ".sh", ".sql", ".css",
))  # fmt: skip
HTML_SUFFIXES = frozenset((
    ".html", ".htm", ".xhtml", ".xht",
))  # fmt: skip
MARKDOWN_SUFFIXES = frozenset((
    ".md", ".markdown", ".mdown",
))  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with theirs
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNREAD = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an old or encrypted Office file; save it as DOCX without a password"),
    (b"{\\rtf", "it is RTF; save it as DOCX"),
    (b"\x1f\x8b", "it is compressed by gzip; unpack it first"),
    (b"BZh91AY&SY", "it is compressed by bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "it is compressed by xz; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is compressed by zstd; unpack it first"),
    (b"%!PS", "it is PostScript; make a PDF of it"),
)
_PDF_WITHIN = 1_024  # bytes before which the mark of a PDF may stand, as its readers agree
_LOOKED_AT_BYTES = 4_096  # for the start of a page, and for characters that no text has
_HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_BLANKS = b" \t\r\n\f\v\xef\xbb\xbf"  # and UTF-8's mark
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b"))
_ODD = frozenset(("Cc", "Cn", "Co", "Cs"))  # controls, and what has no character
_CONTROL_SHARE_MAX = 0.02  # of a text: more is something else
_NULL_SHARE_UTF16 = 0.3  # of the even or odd bytes: so many are the upper halves of characters
_FEW_CHARACTERS = 16  # of so few, all have to be: texts that are separated by zeros look like UTF-16 by chance


def encoding_by_mark(head: bytes) -> tuple[str, int]:
    """The encoding that a byte-order mark says and the length of the mark; nothing and 0 where there is none."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding, len(mark)
    return "", 0


def kind_of(path: str, head: bytes, wanted: str = "") -> tuple[str, str]:
    r"""The kind, or an empty one and the reason why this is not read.

    >>> kind_of("paper", b"%PDF-1.7 ...")
    ('pdf', '')
    >>> kind_of("photo.txt", bytes([137]) + b"PNG\r\n" + bytes(range(32)))
    ('', 'it is no text, and no document of a known kind')
    """
    suffix = os.path.splitext(path)[1].lower()
    is_named_text = suffix in TEXT_SUFFIXES | HTML_SUFFIXES
    at = head[:_PDF_WITHIN].find(b"%PDF-")
    if at >= 0 and not (is_named_text and head[:at].strip(_BLANKS)):  # such a text may speak of PDFs
        return PDF, ""
    if not head and suffix in {".pdf", ".docx"}:
        return "", "it is empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP, ""
    for mark, reason in _UNREAD:
        if head.startswith(mark):
            return "", reason
    encoding, length = encoding_by_mark(head)
    if not encoding and not _is_text(head, named_so=is_named_text) and not (wanted and _is_text_in(head, wanted)):
        return "", "it is no text, and no document of a known kind"
    plain = head[length:].replace(b"\0", b"") if encoding.startswith("utf-16") else head[length:]
    if suffix not in MARKDOWN_SUFFIXES and (_HTML_START.match(plain[:_LOOKED_AT_BYTES]) or suffix in HTML_SUFFIXES):
        return HTML, ""
    return TEXT, ""


def encoding_of(head: bytes) -> tuple[str, int, str]:
    """How a text is encoded, how long its mark is, and in words what was guessed, if anything was.

    A mark decides. Else it is UTF-8, unless more of what is beyond ASCII is broken than is not: then it is Windows-1252,
    which the web takes for Latin-1 too. UTF-16 without a mark is known by its zeros.

    >>> encoding_of("naïve".encode("cp1252"))
    ('cp1252', 0, 'it has no valid UTF-8; read as Windows-1252')
    """
    encoding, length = encoding_by_mark(head)
    if encoding:
        return encoding, length, ""
    encoding = _utf16_without_mark(head)
    if encoding:
        return encoding, 0, f"it has no byte-order mark; read as {encoding.upper()} for its zeros"
    if head.isascii():
        return "utf-8", 0, ""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(head)
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    broken = text.count("\ufffd") - head.count(b"\xef\xbf\xbd")  # what was broken before, and written so, is valid
    if broken > 0 and 2 * broken > beyond_ascii:
        return "cp1252", 0, "it has no valid UTF-8; read as Windows-1252"
    return "utf-8", 0, ""


def _is_text(head: bytes, *, named_so: bool) -> bool:
    """Whether people could read it. Zeros are no text, unless the name says that this is one: then they are a hole."""
    if b"\0" in head and not named_so and not _utf16_without_mark(head):
        return False
    some = head.replace(b"\0", b"")
    return len(some) - len(some.translate(None, _CONTROLS)) <= _CONTROL_SHARE_MAX * len(some)


def _is_text_in(head: bytes, encoding: str) -> bool:
    """Whether it is one in the encoding that was asked for: bytes alone tell nothing of UTF-16, and less of EBCDIC."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head[:_LOOKED_AT_BYTES])
    odd = sum(unicodedata.category(sign) in _ODD or sign == "\ufffd" for sign in text if not sign.isspace())
    return odd <= _CONTROL_SHARE_MAX * len(text)


def _utf16_without_mark(head: bytes) -> str:
    """The encoding if nearly every second byte of one half is 0, and none or few of the other."""
    if b"\0" not in head:
        return ""
    half = len(head) // 2
    share = _NULL_SHARE_UTF16 if half > _FEW_CHARACTERS else 0.99
    even, odd = head[::2].count(0), head[1::2].count(0)
    if half > 1 and odd > share * half and even * 10 < odd:
        return "utf-16-le"
    if half > 1 and even > share * half and odd * 10 < even:
        return "utf-16-be"
    return ""
