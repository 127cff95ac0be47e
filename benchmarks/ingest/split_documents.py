"""The texts that other cases of this folder ingest, split as an ingestion does it: short ones together."""

from __future__ import annotations

import time

from benchmarks.case import Bar, Case, Run
from benchmarks.ingest.split import OURS, PEER, by_langchain, documents

case = Case(
    "Real texts of 32 MB, each a document, in chunks of up to 1,000 characters.",
    size=32,
    tiny=1,
    per="MB",
    unit="ms",
    figures={"mean": "mean chunk, characters"},
    bars=(Bar("half of the CPU of the recursive splitter", 0.5, "x", lambda outcome: outcome.ratio(OURS, PEER)),),
)


@case.contestant(OURS, needs=("numpy",))
def ours(size: int) -> Run:
    from flatwater.ingest.splitting import Splitter

    texts, splitter = documents(size), Splitter(1_000)
    assert list(splitter.split([(0, texts[0] * 2)]))  # numpy is imported here, as the peer's modules are
    time.sleep(0.5)  # until the threads that come with it are at rest

    def width(part: str) -> int:
        return len(part) if part.isascii() else len(part.encode())

    def run() -> dict[str, float]:
        lengths = [
            len(piece)
            for _starts, _stops, pieces in splitter.together([(0, text, width) for text in texts])
            for piece in pieces
        ]
        return {"mean": sum(lengths) / len(lengths)}

    return run


@case.contestant(PEER, needs=("langchain_text_splitters",))
def langchain(size: int) -> Run:
    return by_langchain(documents(size))
