"""What it costs to read the text of a PDF, page by page, and how much memory is resident for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.case import Bar, Case, Run
from benchmarks.documents.making import make_pdf
from benchmarks.outcome import Outcome

OURS, PYMUPDF, PDFIUM = "fw.documents", "PyMuPDF, plain loop", "pypdfium2, each page closed"


def peak_share(outcome: Outcome) -> float:
    """Our peak, both processes, as a share of PyMuPDF's."""
    return outcome.figure(OURS, "peak_mib") / outcome.figure(PYMUPDF, "peak_mib")


case = Case(
    "The text of a PDF of 3.6 KB a page; the peak is the resident high-water mark, and of `fw.documents` the sum of those "
    "of its two processes.",
    size=20_000,
    tiny=20,
    per="page",
    unit="ms",
    figures={"peak_mib": "peak, MiB"},
    bars=(Bar("a PDF of 20,000 pages is read in at most a quarter of PyMuPDF's memory", 0.25, "x", peak_share),),
)


def high_water_mib(process: str) -> float:
    """Of a process, as the kernel tells."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))


def run_of(size: int, read: Callable[[str], tuple[int, float]]) -> Run:
    """Make the PDF, and read it; `read` tells how many characters there were, and of other processes' peaks."""
    folder = tempfile.mkdtemp()
    path = str(Path(folder) / "pages.pdf")
    make_pdf(path, size)

    def run() -> dict[str, float]:
        characters, others_mib = read(path)
        assert characters > 3_000 * size
        os.unlink(path)
        os.rmdir(folder)
        return {"peak_mib": high_water_mib("self") + others_mib}

    return run


def read_ours(path: str) -> tuple[int, float]:
    from flatwater.source.documents import documents

    characters, worker_mib = 0, 0.0
    for number, piece in enumerate(documents(path)):
        characters += len(piece.text)
        if number % 16 == 0:  # the worker's mark is reset with each call, which brings some dozens of pages
            with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
                worker_mib = max([worker_mib, *map(high_water_mib, file.read().split())])
    return characters, worker_mib


def read_pymupdf(path: str) -> tuple[int, float]:
    import pymupdf

    return sum(len(page.get_text()) for page in pymupdf.open(path)), 0.0


def read_pdfium(path: str) -> tuple[int, float]:
    import pypdfium2

    document, characters = pypdfium2.PdfDocument(path), 0
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        characters += len(text.get_text_range())
        text.close()
        page.close()
    return characters, 0.0


@case.contestant(OURS, needs=("pypdfium2",))
def ours(size: int) -> Run:
    return run_of(size, read_ours)


@case.contestant(PYMUPDF, needs=("pymupdf",))
def by_pymupdf(size: int) -> Run:
    return run_of(size, read_pymupdf)


@case.contestant(PDFIUM, needs=("pypdfium2",))
def by_pdfium(size: int) -> Run:
    return run_of(size, read_pdfium)
