"""source.documents.kinds: what a file is, and how it is encoded."""

from __future__ import annotations

import codecs

import pytest

from flatwater.source.documents import kinds


@pytest.mark.parametrize(
    ("path", "head", "kind"),
    [
        ("x", b"%PDF-1.4\n", "pdf"),
        ("x.txt", b"junk\n%PDF-1.4\n", "pdf"),
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
    ],
)
def test_encodings(data, encoding, mark, guessed):
    """A mark, else UTF-8 unless it is mostly broken; what is guessed is said; a character at the end may be cut."""
    assert kinds.encoding_of(data)[:2] == (encoding, mark)
    assert bool(kinds.encoding_of(data)[2]) == guessed
