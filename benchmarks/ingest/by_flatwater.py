"""Flatwater: a folder into a corpus: `python -m benchmarks.ingest.by_flatwater TEXTS CORPUS [text]`."""

from __future__ import annotations

import sys

from benchmarks.ingest import embedder

import flatwater as fw


def main(folder: str, path: str, text: str = "") -> None:
    """Bring a corpus in step with a folder; with a full-text index, if asked for."""
    with fw.Corpus(path, embedder=embedder.embed, full_text=bool(text)) as corpus:
        corpus.ingest(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
    embedder.tell()
