"""source.documents.markup: text of HTML, as a reader sees it, in flat memory."""

from __future__ import annotations

import threading

import pytest

from flatwater import limits
from flatwater.source.documents import markup, serving


def request(path, **changes):
    base = serving.Request(str(path), "html", 0, 0, 65_536, 1 << 20, 1 << 30, 1 << 20, 5.0, 1 << 30, "", "")
    return base._replace(**changes)


def text_of(path, **changes):
    events = list(markup.events(request(path, **changes)))
    return "".join(event[3] for event in events if len(event) == 4), [event for event in events if len(event) == 3]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<title>T &amp; x</title><body><h1>Head</h1><p>One <b>bold</b>\n word<br>two",
            "T & x\n\nHead\n\nOne bold word\ntwo",
        ),
        ("<p>a<script>var x='<p>no'</script>b<style>p{}</style>c<template>no</template>", "abc"),
        ("<table><tr><th>a<th>b<tr><td>c</td><td>d</td></tr></table>", "a\tb\nc\td"),
        ("<ul><li>x<li>y</ul>z", "x\ny\n\nz"),
        ("<pre>  keep\n    this</pre>", "  keep\n    this"),
        ("&euro;&nbsp;5 &#x1F600; &lt;b&gt; &unknown;", "€ 5 😀 <b> &unknown;"),
        ("<div>a</div>b<!-- <p>no</p> --><p hidden>c", "a\nb\n\nc"),
        ("", ""),
        ("   \n ", ""),
        ("<p>", ""),
        ("no tag at all", "no tag at all"),
        ("<p>never <b>closed <a href='x", "never closed"),
        ("</p></div>stray", "stray"),
        ("<script>never closed <p>a", ""),
        ("a\0b", "a\ufffdb"),
    ],
)
def test_what_a_reader_sees(write, html, text):
    """Blocks are lines, paragraphs are set apart, entities are characters, scripts are gone; broken tags harm nothing."""
    assert text_of(write("a.html", html))[0].strip("\n ") == text.strip("\n ")


@pytest.mark.parametrize(
    ("data", "wanted", "guesses"),
    [
        (b"\xef\xbb\xbf<p>gr\xc3\xbcn", "", 0),
        ("\ufeff<p>grün".encode("utf-16-le"), "", 0),
        (b"<meta charset='iso-8859-1'><p>gr\xfcn", "", 0),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>gr\xfcn', "", 0),
        (b"<p>gr\xc3\xbcn", "", 0),
        (b"<p>gr\xfcn", "", 1),
        (b"<p>gr\xfcn", "latin-1", 0),
        (b"<meta charset=nonsense><p>gr\xc3\xbcn", "", 0),
        (b"<meta charset=utf-16><p>gr\xc3\xbcn", "", 0),
    ],
)
def test_encodings(write, data, wanted, guesses):
    """By the mark, as asked for, by its meta tag, else as text; a guess is said."""
    text, notes = text_of(write("a.html", data), encoding=wanted)
    assert text.strip() == "grün"
    assert len(notes) == guesses


def test_it_goes_on_anywhere(write):
    """From the stop of any piece on, the pieces behind it come again."""
    path = write("a.html", "<p>some words and <b>more</b> of ä them</p>" * 4_000)
    pieces = [event for event in markup.events(request(path, piece_bytes=500)) if len(event) == 4]
    assert len(pieces) > 100
    for number in range(0, len(pieces), 50):
        again = [
            event
            for event in markup.events(request(path, piece_bytes=500, offset=pieces[number][2]))
            if len(event) == 4
        ]
        assert again == pieces[number + 1 :]


def test_a_document_that_is_left_leaves_no_thread(write):
    """Whoever stops early ends the thread that parses."""
    path = write("a.html", "<p>words</p>" * 100_000)
    before = threading.active_count()
    events = markup.events(request(path))
    next(events)
    assert threading.active_count() == before + 1
    events.close()
    assert threading.active_count() == before


def test_an_error_while_reading_arrives(write, monkeypatch):
    """What the thread meets is raised where the text is asked for."""
    path = write("a.html", "<p>words</p>" * 100)
    monkeypatch.setattr(markup.Target, "data", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(markup.events(request(path)))


def test_a_parser_that_stops_early_is_no_end(write, monkeypatch):
    """Where libxml2 gives up before the end of the file, as it does without memory, the text is not taken for whole."""
    from lxml import etree

    path = write("a.html", "<p>words</p>" * 100_000)
    monkeypatch.setattr(etree, "parse", lambda source, _parser: source.read(100))
    with pytest.raises(serving.Unreadable, match="gives up"):
        list(markup.events(request(path)))


KINDS = {
    "one line": ("", "words and ", ""),
    "one word": ("", "words", ""),
    "entities": ("", "a&amp;b", ""),
    "a picture": ("<img src='data:image/png;base64,", "iVBORw0K", "'>"),
    "attributes": ("<i ", "a=1 ", ">"),
    "a script": ("<script>", "if (a<b) x('</b>');\n", "</script>"),
    "a long script": ("<script>", "x = 5 > 4; i--; ", "</SCRIPT>"),
    "a script in a comment": ("<script><!-- ", "x = '<p>'; ", "--></script>"),
    "a style": ("<style>", "p > a {} ", "</style>"),
    "a comment": ("<!-- ", "words ", "-->"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_long_parts_of_a_page_change_nothing(write, kind):
    """A text, tag, script or comment of several parts of the file: the text around it is whole, and so is the text itself."""
    begin, middle, end = KINDS[kind]
    count = 3 * limits.DOCUMENT_MARKUP_PART_BYTES // len(middle)
    for shift in range(7):  # so that parts end everywhere
        path = write("a.html", f"<p>{' ' * shift}before<b>{begin}{middle * count}{end}</b> after<p>the end")
        inner = "" if begin else middle.replace("&amp;", "&") * count
        assert text_of(path)[0] == f"before{inner.rstrip()} after\n\nthe end"


def test_the_end_of_a_script_is_seen_wherever_it_is(write):
    """`</script>` on the border of two parts ends a long script all the same."""
    for back in range(12):
        filler = "x" * (3 * limits.DOCUMENT_MARKUP_PART_BYTES - len("<p>before<script>") - back)
        assert text_of(write("a.html", f"<p>before<script>{filler}</script><p>after"))[0] == "before\n\nafter"


def test_the_parser_holds_no_long_text(write):
    """Of a page of one line, the parser gets the text away as it comes: 33 MB are read below 48 MiB."""
    from flatwater.source.documents import documents

    path = write("a.html", b"<p>" + b"words and " * 3_300_000)
    found = documents(path, worker_limit="48 MiB")
    assert sum(len(piece.text) for piece in found) > 32_000_000
    assert found.report.count == 0


def test_what_comes_before_a_failure_is_text(write, monkeypatch):
    """Where memory ends in the middle, the text so far is given out; then it is said."""
    path = write("a.html", "<p>words</p>" * 100_000)
    original = markup.Target.end

    def end(target, tag):
        original(target, tag)
        if parts:
            raise MemoryError

    monkeypatch.setattr(markup.Target, "end", end)
    parts = []

    def read_all():
        for event in markup.events(request(path, piece_bytes=1_000)):
            parts.extend(event[3:])  # of pieces, the text

    with pytest.raises(MemoryError):
        read_all()
    assert "".join(parts) == "words\n\n" * (len("".join(parts)) // 7) + "words"


def test_bytes_that_are_replaced_are_said(write):
    """Once for a document; U+FFFD that stands in the file is none, also on the border of two parts."""
    assert text_of(write("a.html", b"<meta charset=utf-8><p>gr\xfcn gr\xfcn"))[1] == [
        (0, "guessed", "bytes that are not UTF-8 are replaced by U+FFFD")
    ]
    for shift in range(4):
        assert text_of(write("b.html", "<p>" + "a" * shift + "\ufffd" * 60_000))[1] == []


def test_the_declaration_of_xml_says_an_encoding(write):
    """XHTML says it there; a meta tag wins."""
    assert text_of(write("a.html", '<?xml version="1.0" encoding="latin-1"?><p>grün'.encode("latin-1"))) == ("grün", [])
    both = '<?xml version="1.0" encoding="latin-1"?><meta charset="utf-8"><p>grün'
    assert text_of(write("b.html", both)) == ("grün", [])
