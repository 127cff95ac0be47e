"""tour.naive.documents: texts of documents in a list."""

from __future__ import annotations

import pytest

from flatwater.tour.naive.paths import below

documents = pytest.importorskip("flatwater.tour.naive.documents")


def test_it_reads_documents(task_of):
    """The page first, then the others, until it has as much as the step."""
    assert documents.run(task_of()) == 3
    page, *others = documents.texts_of(task_of())
    assert "user100@example.org" in page
    assert others[1] == "One & two"
    assert documents.run(task_of(size=10)) == 1


def test_what_is_broken_has_no_text(tmp_path):
    """As with the step, it is passed over."""
    for name in ("a.pdf", "b.docx", "c.html"):
        (tmp_path / name).write_bytes(b"%PDF-1.7 and no more" if name == "a.pdf" else b"")
    assert [documents.text_of(str(tmp_path / name)) for name in ("a.pdf", "b.docx", "c.html", "none.txt")] == [""] * 4
    assert below([]) == []
