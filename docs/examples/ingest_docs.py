"""Keep a copy of this documentation searchable: ingest it, search it, change a sentence, ingest it again, remove a page.

python ingest_docs.py
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import flatwater as fw

DOCS = Path(__file__).parent.parent
BUDGET = "128 MiB"  # an ingestion without PDF, HTML or DOCX promises half of it


def shown(results: list[fw.ingest.Result]) -> None:
    """Where each stands, and what the file has there."""
    for result in results:
        with open(result.source, "rb") as file:
            file.seek(result.start)
            text = file.read(result.stop - result.start).decode()
        assert " ".join(text.split()) == " ".join(result.text.split())  # a place is exact
        print(f"  {result.source} [{result.start}-{result.stop}] {text.split('. ')[0][:70].strip()!r}")


def told(what: str, report: fw.ingest.Report) -> None:
    """What an ingestion did."""
    print(f"{what}: {report.new} new, {report.changed} changed, {report.removed} removed; {report.embedded} embedded")


def main() -> None:
    """All of it, in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder, fw.Budget(BUDGET) as budget:
        os.chdir(folder)
        shutil.copytree(DOCS, "docs", ignore=shutil.ignore_patterns("examples", "design"))
        with fw.Corpus("docs.corpus") as corpus:
            told("first run", corpus.ingest("docs"))
            told("once more", corpus.ingest("docs"))
            shown(corpus.search("a budget that parts share", 2))

            page = Path("docs/why.md")
            page.write_text(page.read_text("utf-8") + "\nA zebra crossing is no limit.\n", "utf-8")
            told("a sentence more", corpus.ingest("docs"))
            shown(corpus.search('"zebra crossing"', by="words"))

            page.unlink()
            told("without a page", corpus.ingest("docs"))
            assert not corpus.search('"zebra crossing"', by="words")
            assert corpus.check() == []
        assert budget.held == 0
        print(f"promised at most {budget.peak / 2**20:.0f} MiB of {BUDGET}")


if __name__ == "__main__":
    main()
