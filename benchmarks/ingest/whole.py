"""A first ingestion, with everything that it takes: files read, split, embedded and stored.

CocoIndex and Flatwater store the same: texts and vectors. The embedder is the same for all and costs next to nothing; splitters
are each one's own, for chunks of up to 1,000 characters (bytes, with CocoIndex) that do not overlap. Programs start and import.
"""

from __future__ import annotations

from functools import partial

from benchmarks.case import Bar, Case
from benchmarks.ingest.peers import COCOINDEX, FIGURES, FULL, LANGCHAIN, LLAMAINDEX, OURS, cpu_share, first, peak_share

PEERS = {"LangChain's index()": LANGCHAIN, "LlamaIndex's pipeline": LLAMAINDEX}

case = Case(
    "Real texts of 64 MB (.py, .md, .rst, .txt; no two alike) into a base of chunks and vectors that was empty.",
    size=64_000_000, tiny=60_000, commands=True, figures=FIGURES, patience=3,
    bars=(
        Bar("without full text, at most 1/5 of CocoIndex's CPU", 1 / 5, "x", cpu_share(OURS.name, COCOINDEX.name)),
        Bar("and at most 1/4 of its resident peak", 1 / 4, "x", peak_share(OURS.name, COCOINDEX.name)),
        Bar("with full text, no more than CocoIndex's CPU, which has none", 1, "x", cpu_share(FULL.name, COCOINDEX.name)),
        Bar("and at most 1/4 of its resident peak", 1 / 4, "x", peak_share(FULL.name, COCOINDEX.name)),
        *(
            bar
            for text, peer in PEERS.items()
            for bar in (
                Bar(f"without full text, at most 1/10 of the CPU of {text}", 1 / 10, "x", cpu_share(OURS.name, peer.name)),
                Bar("and at most 1/8 of its resident peak", 1 / 8, "x", peak_share(OURS.name, peer.name)),
            )
        ),
    ),
)  # fmt: skip

for each in (OURS, FULL, COCOINDEX, LANGCHAIN, LLAMAINDEX):
    case.contestant(each.name, needs=each.needs, rounds_max=each.rounds_max)(partial(first, each))
