"""source.documents.markup: text of HTML, as a reader sees it, in flat memory."""

from __future__ import annotations

import threading

import pytest

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
