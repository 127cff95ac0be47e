"""source.documents.pdf: text of PDFs, page by page."""

from __future__ import annotations

import pytest
from benchmarks.documents import making

from flatwater import limits
from flatwater.source.documents import pdf, serving


def request(path, **changes):
    base = serving.Request(str(path), "pdf", 1, 0, 65_536, 1 << 20, 1 << 30, 1 << 20, 5.0, 1 << 30, "", "")
    return base._replace(**changes)


def events_of(path, **changes):
    return list(pdf.events(request(path, **changes)))


def pages_of(events):
    pages = {}
    for event in events:
        if len(event) == 4:
            pages[event[0]] = pages.get(event[0], "") + event[3]
    return pages


@pytest.fixture
def made(tmp_path):
    path = tmp_path / "a.pdf"
    making.make_pdf(path, 12, 300)
    return path


def test_each_page_has_its_text(made):
    """Page by page, from 1, what it draws, line by line."""
    pages = pages_of(events_of(made))
    assert list(pages) == list(range(1, 13))
    assert pages[7] == "\n".join(["page 7", *making.lines(7, 300)])


def test_pieces_of_a_page(made):
    """Small pieces lie side by side in the page's text, and each begins where the one before it stopped."""
    events = [event for event in events_of(made, piece_bytes=64) if len(event) == 4]
    assert pages_of(events) == pages_of(events_of(made))
    assert all(stop - start == len(text) <= 64 for _, start, stop, text in events)
    seventh = [event for event in events if event[0] == 7]
    assert [event[2] for event in seventh[:-1]] == [event[1] for event in seventh[1:]]


def test_it_goes_on_anywhere(made):
    """From the stop of any piece on, the pieces behind it come again."""
    pieces = [event for event in events_of(made, piece_bytes=64) if len(event) == 4]
    for number in range(0, len(pieces), 7):
        page, _, stop, _ = pieces[number]
        again = events_of(made, piece_bytes=64, page=page, offset=stop)
        assert [event for event in again if len(event) == 4] == pieces[number + 1 :]


def test_reopening_changes_nothing(made, monkeypatch):
    """Whatever PDFium forgets meanwhile, the pages are the same."""
    wanted = events_of(made)
    monkeypatch.setattr(limits, "DOCUMENT_REOPEN_PAGES", 3)
    assert events_of(made) == wanted


def test_a_long_page_is_copied_in_parts(tmp_path, monkeypatch):
    """The parts of its text join without a seam."""
    path = tmp_path / "a.pdf"
    making.make_pdf(path, 1, 30_000)
    wanted = pages_of(events_of(path))
    monkeypatch.setattr(limits, "DOCUMENT_CHARACTERS_AT_ONCE", 1_000)
    assert pages_of(events_of(path)) == wanted
    assert wanted[1] == "\n".join(["page 1", *making.lines(1, 30_000)])


def test_a_page_is_cut_at_its_bound(made):
    """What is beyond `page_bytes_max` is left out, and said once for each page."""
    events = events_of(made, page_bytes_max=100)
    assert all(len(text.encode()) <= 100 for text in pages_of(events).values())
    assert [event[:2] for event in events if len(event) == 3] == [(page, "cut") for page in range(1, 13)]


def test_pages_without_text_and_pages_that_are_none(tmp_path):
    """A drawing gives no piece; what the list of pages names and is no page is reported; the others come."""
    path = tmp_path / "a.pdf"
    writer = making.PdfWriter(path)
    writer.page(making.page_stream(1, 50))
    writer.page(b"0 0 10 10 re f")
    writer._pages.append(99)
    writer.page(making.page_stream(4, 50))
    writer.close()
    events = events_of(path)
    assert list(pages_of(events)) == [1, 4]
    assert [event for event in events if len(event) == 3] == [
        (2, pdf.EMPTY, ""),
        (3, "skipped", "PDFium cannot load this page"),
    ]


def test_a_broken_table_of_objects_is_repaired(made):
    """PDFium finds the objects by itself where the table is not where the end says."""
    data = made.read_bytes()
    at = data.rindex(b"startxref")
    made.write_bytes(data[:at] + b"startxref\n99999999\n%%EOF\n")
    assert list(pages_of(events_of(made))) == list(range(1, 13))


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"%PDF-1.7\n", "broken"), (b"%PDF-1.7\n" + bytes(range(256)) * 20, "broken"), (None, "no pages")],
)
def test_what_is_no_pdf(tmp_path, data, reason):
    """Only a head, garbage, or no page at all: the reason in words."""
    path = tmp_path / "a.pdf"
    making.make_pdf(path, 0)
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(serving.Unreadable, match=reason):
        events_of(path)


def test_a_file_that_is_gone(tmp_path):
    """The system says so better than PDFium."""
    with pytest.raises(FileNotFoundError):
        events_of(tmp_path / "nothing.pdf")


def test_passwords(tmp_path):
    """With the password it is read; without, or with another, the reason says so."""
    path = tmp_path / "a.pdf"
    making.make_encrypted_pdf(path, "secret")
    assert pages_of(events_of(path, password="secret")) == {1: "page 1\nencrypted words"}
    for password in ("", "wrong"):
        with pytest.raises(serving.Unreadable, match="password"):
            events_of(path, password=password)


def test_names_that_are_no_text(tmp_path, made):
    """The path goes to PDFium as the bytes it is."""
    path = bytes(tmp_path) + b"/\xe9.pdf"
    with open(path, "wb") as file:
        file.write(made.read_bytes())
    import os

    assert len(pages_of(events_of(os.fsdecode(path)))) == 12


def test_what_pdfium_remembers_ends(made, monkeypatch):
    """When the process grew by as much as is allowed, the document is opened again, and the pages are the same."""
    wanted = events_of(made)
    opened = []
    reopen = pdf._Document.reopen
    monkeypatch.setattr(
        pdf._Document, "reopen", lambda document: (opened.append(document.pages_read), reopen(document))
    )
    monkeypatch.setattr(limits, "DOCUMENT_REOPEN_PAGES_MIN", 2)
    sizes = iter(range(0, 1 << 40, 10 << 20))
    monkeypatch.setattr(pdf, "_resident_bytes", lambda: next(sizes))
    assert events_of(made) == wanted
    assert opened
    assert set(opened) <= {2, 3}


def test_pages_that_are_said_to_be_there(tmp_path, monkeypatch):
    """A file that says it has a million pages is left after some in a row that it has not."""
    monkeypatch.setattr(limits, "DOCUMENT_MISSING_PAGES_MAX", 50)
    path = tmp_path / "a.pdf"
    making.make_pdf(path, 3, 60)
    path.write_bytes(path.read_bytes().replace(b"/Count 3", b"/Count 1000000"))
    events = pdf.events(request(path))
    pages = [next(event[0] for event in events if len(event) == 4) for _ in range(3)]
    assert pages == [1, 2, 3]
    with pytest.raises(serving.Unreadable, match="50 pages in a row"):
        list(events)
