"""source.documents.remote: whatever becomes of the child, the rest of the document comes."""

from __future__ import annotations

import pytest

from flatwater import errors, limits, worker
from flatwater.source.documents import remote, serving

PAGES = 200


class Child:
    """One that dies as it is told: `deaths[page]` errors, in turn, whenever a call touches that page."""

    def __init__(self, deaths, pages=PAGES, opens=None):
        self.deaths = deaths
        self.pages = pages
        self.opens = opens
        self.calls = []

    def take(self, request):
        self.calls.append((request.page, request.pages_max))
        if request.pages_max == 0:
            if self.opens:
                raise self.opens
            return serving.Lump([], [], (request.page, request.offset), done=False)
        parts = []
        for page in range(request.page, min(request.page + request.pages_max, self.pages + 1)):
            if self.deaths.get(page):
                raise self.deaths[page].pop(0)
            parts.append((page, 0, 4, "text"))
        behind = parts[-1][0] + 1 if parts else request.page
        return serving.Lump(parts, [], (behind, 0), done=behind > self.pages)


def read(child, kind="pdf"):
    problems = []
    request = serving.Request("x", kind, 0, 0, 500, 1 << 20, 1 << 30, 1 << 20, 5.0, 9, "", "")
    document = remote.RemoteDocument(
        child, request, lambda *problem: problems.append(problem), lambda: None, lambda: None
    )
    return [part[0] for part in document.pieces()], problems


def died(code=-6):
    return worker.WorkerDied("the worker was killed", exit_code=code)


OVER = worker.WorkerOverLimit("too much", limit=64 << 20, kind="rlimit_data")
LATE = worker.WorkerTimeout("too long", limit=30)


@pytest.mark.parametrize("page", [1, 2, 64, 65, 130, 200])
@pytest.mark.parametrize(("error", "words"), [(died(), "signal 6"), (OVER, "67,108,864 bytes"), (LATE, "30 s")])
def test_a_bad_page_is_passed_over(page, error, words):
    """It is reported, each other page comes once, and lumps are whole again behind it."""
    child = Child({page: [error] * 9})
    pages, problems = read(child)
    assert pages == [number for number in range(1, PAGES + 1) if number != page]
    assert [problem[0] for problem in problems] == [page]
    assert words in problems[0][1]
    assert problems[0][2] == "skipped"
    if page < 130:
        assert child.calls[-1][1] == limits.DOCUMENT_PAGES_AT_ONCE


def test_a_death_that_was_no_fault_of_a_page_loses_nothing():
    """Killed once by somebody else, in a lump or alone: all pages come, and there is no problem."""
    assert read(Child({70: [died(-9)]})) == (list(range(1, PAGES + 1)), [])
    assert read(Child({70: [died(-9), died(-9)]}))[0] == list(range(1, PAGES + 1))


def test_a_document_that_cannot_be_opened_has_no_bad_pages():
    """When opening alone ends the child, the document is reported, and no page is tried."""
    child = Child({1: [died()] * 9}, opens=died(-11))
    assert read(child) == ([], [(0, remote._words(died(-11)), "skipped")])
    assert len(child.calls) == 2


def test_a_document_of_bad_pages_is_given_up():
    """After so many deaths it costs more than it gives: the rest is left out, and that is said."""
    child = Child({page: [OVER] * 9 for page in range(10, 150)})
    pages, problems = read(child)
    assert pages == list(range(1, 10))
    assert len(child.calls) < 40
    assert problems[-1][2] == "cut"
    assert f"{limits.DOCUMENT_DEATHS_MAX} times" in problems[-1][1]


def test_a_document_without_pages_gets_a_second_try():
    """HTML and DOCX: once more from the same place, then the rest is left out."""
    assert read(Child({0: [died(-9)]}, pages=0), "html") == ([0], [])
    _pages, problems = read(Child({0: [died(), died()]}, pages=0), "html")
    assert problems[0][0] == 0
    assert problems[0][2] == "skipped"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (serving.Unreadable("it is encrypted"), "it is encrypted"),
        (FileNotFoundError(2, "No such file"), "No such file"),
        (KeyError("odd"), "KeyError"),
        (worker.CallFailed("take raised X"), "take raised X"),
    ],
)
def test_what_the_child_says(error, words):
    """A document that the child refuses is reported in its words, and no child is to blame."""
    pages, problems = read(Child({1: [error]}))
    assert pages == []
    assert words in problems[0][1]


@pytest.mark.parametrize(
    "error",
    [
        errors.MissingExtra("files", "lxml"),
        errors.BudgetExceeded.refusal("x", asked=2, held=0, limit=1),
        errors.BrokenError("no process can be started."),
        errors.LimitReached("too little", what="worker_limit", limit=1),
        MemoryError(),
        KeyboardInterrupt(),
    ],
)
def test_what_is_no_fault_of_the_document_is_raised(error):
    """A missing library, a full budget, a system without processes: reading on would lose everything."""
    with pytest.raises(type(error)):
        read(Child({1: [error]}))
