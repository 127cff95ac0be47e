"""source.documents.kinds: what a file is, and how it is encoded."""

from __future__ import annotations

import codecs

import pytest

from flatwater.source.documents import kinds


@pytest.mark.parametrize(
    ("path", "head", "kind"),
    [
        ("x", b"%PDF-1.4\n", "pdf"),
        ("x", b"junk\n%PDF-1.4\n", "pdf"),
        ("x.txt", b"\xef\xbb\xbf \n%PDF-1.4\n", "pdf"),
        ("x.txt", b"A PDF begins with %PDF-1.4\n", "text"),
        ("x.html", b"<p>A PDF begins with %PDF-1.4\n", "html"),
        ("x.txt", b"BZhuga is a name", "text"),
        ("x.pdf", b"", ""),
        ("x.docx", b"", ""),
        ("x", b"BZh91AY&SY\0\0", ""),
        ("x.pdf", b"only text", "text"),
        ("x", b"PK\x03\x04\x14\x00\x00", "zip"),
        ("x", b"<!DOCTYPE html><p>", "html"),
        ("x.txt", b"\n <!-- a --> <HTML>", "html"),
        ("x", codecs.BOM_UTF16_LE + "<html>".encode("utf-16-le"), "html"),
        ("x.xhtml", b'<?xml version="1.0"?><html>', "html"),
        ("x.htm", b"just words", "html"),
        ("x.md", b"<html> is a tag", "text"),
        ("x.md", b"# head\n<div>", "text"),
        ("x", b"", "text"),
        ("x.log", b"\0" * 4096, "text"),
        ("x", "wörter".encode("cp1252"), "text"),
        ("x", "without a mark".encode("utf-16-be"), "text"),
        ("x", b"\0" * 4096, ""),
        ("x.txt", bytes(range(256)) * 4, ""),
        ("x.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ""),
        ("x.txt", b"\x1f\x8b\x08", ""),
    ],
)
def test_the_content_decides_first(path, head, kind):
    """By what it begins with; the name only where that leaves it open."""
    found, reason = kinds.kind_of(path, head)
    assert found == kind
    assert bool(reason) != bool(kind)


@pytest.mark.parametrize(
    ("data", "encoding", "mark", "guessed"),
    [
        (b"plain", "utf-8", 0, False),
        ("grün".encode(), "utf-8", 0, False),
        (codecs.BOM_UTF8 + b"a", "utf-8", 3, False),
        (codecs.BOM_UTF16_BE + b"\0a", "utf-16-be", 2, False),
        (codecs.BOM_UTF32_LE + b"a\0\0\0", "utf-32-le", 4, False),
        ("grün".encode("cp1252"), "cp1252", 0, True),
        ("grün ä ö ü".encode() + b"\xff", "utf-8", 0, False),
        ("words in it".encode("utf-16-le"), "utf-16-le", 0, True),
        ("grün".encode()[:3], "utf-8", 0, False),
        ("gr\ufffdn gr\ufffdn".encode(), "utf-8", 0, False),
    ],
)
def test_encodings(data, encoding, mark, guessed):
    """A mark, else UTF-8 unless it is mostly broken; what is guessed is said; a character at the end may be cut."""
    assert kinds.encoding_of(data)[:2] == (encoding, mark)
    assert bool(kinds.encoding_of(data)[2]) == guessed


def test_texts_between_zeros_are_no_utf16():
    """Two zeros that stand at odd places by chance do not make other characters of a short text."""
    assert kinds.encoding_of(b"hello\0world\0")[0] == "utf-8"
    assert kinds.kind_of("x.html", b"<p>a\0b") == ("html", "")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-be", "cp037"])
def test_the_encoding_that_was_asked_for_tells_what_is_text(encoding):
    """Russian in UTF-16 has no zeros to know it by, EBCDIC looks like nothing; pictures are no text in any encoding."""
    text = ("Привет, мир. " if encoding != "cp037" else "hello, world\n") * 50
    assert kinds.kind_of("x", text.encode(encoding), encoding) == ("text", "")
    assert kinds.kind_of("x.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 16, encoding)[0] == ""
