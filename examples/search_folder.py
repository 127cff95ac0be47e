"""Keep a folder of texts searchable: ingest it, ask, change a page, ingest again.

    python examples/search_folder.py [pages]

Budget: 96 MiB
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import flatwater as fw

BUDGET = "96 MiB"
WORDS = (
    "river",
    "lake",
    "pump",
    "valve",
    "basin",
    "gauge",
    "meter",
    "ditch",
    "canal",
    "sluice",
    "weir",
    "flood",
    "drought",
    "spring",
)


def make(folder: Path, pages: int) -> None:
    """Pages to try it on, some 3 KB each."""
    folder.mkdir()
    for number in range(pages):
        words = (WORDS[(number * 31 + place * place) % len(WORDS)] for place in range(500))
        (folder / f"page{number:05}.md").write_text(f"# Page {number}\n\n{' '.join(words)}\n", encoding="utf-8")


def main(pages: int) -> None:
    """Make, ingest, ask; change one, and do it again."""
    with tempfile.TemporaryDirectory() as home, fw.Budget(BUDGET):
        folder = Path(home, "pages")
        make(folder, pages)
        with fw.Corpus(str(Path(home, "pages.corpus"))) as corpus:
            first = corpus.ingest(str(folder))
            page = folder / "page00007.md"
            page.write_text(page.read_text("utf-8") + "\nThe zebra mussel clogs the intake.\n", encoding="utf-8")
            second = corpus.ingest(str(folder))
            found = corpus.search('"zebra mussel"', by="words")
        print(f"{first.new} pages, then {second.changed} changed")
        print(f"found in {Path(found[0].source).name}: {found[0].text[-35:].strip()!r}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
