"""source.documents.serving: the child's side, called here in this process."""

from __future__ import annotations

import pytest
from benchmarks.documents import making

from flatwater import errors
from flatwater.source.documents import serving


@pytest.fixture
def request_(tmp_path):
    path = tmp_path / "a.pdf"
    making.make_pdf(path, 20, 400)
    yield serving.Request(str(path), "pdf", 1, 0, 100, 1 << 20, 1 << 30, 1 << 20, 60.0, 1 << 20, "", "")
    serving._open.clear()


def taken(request):
    """All lumps of a document, each asked for where the one before it ended."""
    lumps = []
    while not lumps or not lumps[-1].done:
        lumps.append(serving.take(request))
        request = request._replace(page=lumps[-1].place[0], offset=lumps[-1].place[1])
    return lumps


def parts_of(lumps):
    return [part for lump in lumps for part in lump.parts]


def test_lumps_join_to_the_document(request_):
    """However small the lumps are, by bytes, pages or time, the pieces are the same."""
    wanted = parts_of(taken(request_))
    for changes in ({"lump_bytes": 1}, {"lump_bytes": 2_000}, {"pages_max": 1}, {"pages_max": 3}, {"lump_s": 0.0}):
        lumps = taken(request_._replace(**changes))
        assert parts_of(lumps) == wanted
        assert len(lumps) > 5


def test_a_fresh_child_goes_on(request_):
    """Where nothing is open, a document is opened and brought to the place."""
    wanted = parts_of(taken(request_))
    request, parts, done = request_._replace(lump_bytes=2_000), [], False
    while not done:
        lump = serving.take(request)
        serving._open.clear()
        parts += lump.parts
        request, done = request._replace(page=lump.place[0], offset=lump.place[1]), lump.done
    assert parts == wanted


def test_one_page_at_a_time(request_):
    """With one page, a call gives that page whole and stands before the next."""
    lump = serving.take(request_._replace(pages_max=1, page=7))
    assert {part[0] for part in lump.parts} == {7}
    assert lump.place == (8, 0)


def test_opening_only(request_):
    """With no page, a call opens the document and reads nothing."""
    lump = serving.take(request_._replace(pages_max=0))
    assert (lump.parts, lump.place, lump.done) == ([], (1, 0), False)


def test_another_document_takes_the_place(request_, tmp_path):
    """One document is open at a time."""
    serving.take(request_._replace(lump_bytes=1))
    making.make_pdf(tmp_path / "b.pdf", 2, 100)
    serving.take(request_._replace(path=str(tmp_path / "b.pdf"), lump_bytes=1))
    assert [open_.key[0] for open_ in serving._open] == [str(tmp_path / "b.pdf")]


def test_a_library_that_is_missing(monkeypatch):
    """The extra that brings it is named."""
    monkeypatch.setitem(__import__("sys").modules, "lxml.etree", None)
    with pytest.raises(errors.MissingExtra, match=r"flatwater\[files\]"):
        serving.ready("html")


def test_a_failure_comes_after_what_was_read(request_, monkeypatch):
    """A document that breaks in the middle of a call: the call gives what came before, the next one the failure."""

    def breaking(_request):
        yield 3, 0, 5, "words"
        raise serving.Unreadable("broken")

    monkeypatch.setattr(serving, "_format_of", lambda _kind: breaking)
    lump = serving.take(request_)
    assert (lump.parts, lump.place, lump.done) == ([(3, 0, 5, "words")], (3, 5), False)
    with pytest.raises(serving.Unreadable, match="broken"):
        serving.take(request_._replace(page=3, offset=5))
