"""The texts that other cases of this folder ingest as one document, in chunks of at most 1,000 characters."""

from __future__ import annotations

import time

from benchmarks.case import Bar, Case, Run

OURS = "Splitter, with byte ranges"
PEER = "RecursiveCharacterTextSplitter"

case = Case(
    "Real texts of 32 MB as one document, in chunks of up to 1,000 characters.",
    size=32,
    tiny=1,
    per="MB",
    unit="ms",
    figures={"mean": "mean chunk, characters"},
    bars=(Bar("half of the CPU of the recursive splitter", 0.5, "x", lambda outcome: outcome.ratio(OURS, PEER)),),
)


def documents(size: int) -> list[str]:
    """Texts of so many megabytes together."""
    from benchmarks.ingest import texts

    paths = sorted(path for path in texts.texts(size * 1_000_000).rglob("*") if path.is_file())
    return [path.read_text("utf-8", "replace") for path in paths]


def a_text(size: int) -> str:
    """The same as one."""
    return "".join(documents(size))


@case.contestant(OURS, needs=("numpy",))
def ours(size: int) -> Run:
    from flatwater.ingest.splitting import Splitter

    text, splitter = a_text(size), Splitter(1_000)
    assert list(splitter.split([(0, text[:10_000])]))  # numpy is imported here, as the peer's modules are
    time.sleep(0.5)  # until the threads that come with it are at rest

    def run() -> dict[str, float]:
        lengths = [len(piece) for *_range, piece in splitter.split([(0, text)], lambda part: len(part.encode()))]
        return {"mean": sum(lengths) / len(lengths)}

    return run


@case.contestant(PEER, needs=("langchain_text_splitters",))
def langchain(size: int) -> Run:
    return by_langchain([a_text(size)])


def by_langchain(texts: list[str]) -> Run:
    """The peer, over some documents."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=1_000, chunk_overlap=0)

    def run() -> dict[str, float]:
        lengths = [len(piece) for text in texts for piece in splitter.split_text(text)]
        return {"mean": sum(lengths) / len(lengths)}

    return run
