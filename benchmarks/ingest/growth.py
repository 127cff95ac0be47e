"""How the resident peak of an ingestion grows with the bytes of text, proved by runs at rising sizes, each in a fresh process.

Ours goes from 10 MB to 2 GB, with and without full text. CocoIndex, for comparison, from 4 MB to 64 MB. The size counts kilobytes.
"""

from __future__ import annotations

import functools
import importlib
import os
import shutil
import tempfile

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

STEPS = 5
SPAN, COCOINDEX_SPAN = 200, 16  # the largest size is so many times the least
COCOINDEX_PART = 31.25  # our largest size is so many times theirs
RESOLUTION = 100  # bytes a kilobyte: 0.1 B a byte
OURS, FULL, COCOINDEX = "flatwater, no full text", "flatwater, with full text", "CocoIndex, SQLite"


def not_constant(outcome: Outcome) -> float:
    """Rounds in which one of ours was not found to be constant."""
    return sum(1 - float(each["figures"]["constant"]) for name in (OURS, FULL) for each in outcome.rounds[name])


def bytes_per_byte(outcome: Outcome) -> float:
    """Of ours, the most that can have gone unseen."""
    return max(outcome.figure(name, figure) for name in (OURS, FULL) for figure in ("growth", "unseen"))


case = Case(
    "The resident peak of an ingestion of 10 MB to 2 GB of text.",
    size=2_000_000, tiny=2_000, patience=6,
    figures={
        "constant": "constant", "growth": "B a byte of text", "unseen": "seen from B a byte on", "peak_mb": "largest peak, MB",
        "largest_mb": "of MB of text",
    },
    bars=(
        Bar("constant from 10 MB to 2 GB: rounds that say otherwise", 0, "rounds", not_constant),
        Bar("at most 0.1 bytes for each byte of text", 0.1, "B", bytes_per_byte),
    ),
)  # fmt: skip


def made(size: int) -> str:
    """The texts; made in a process of their own."""
    from benchmarks.ingest import texts

    return str(texts.texts(size * 1_000))


def ingested(_size: int, folder: str, *, program: str, words: tuple[str, ...]) -> None:
    """One ingestion into nothing."""
    state = tempfile.mkdtemp()
    importlib.import_module(f"benchmarks.ingest.{program}").main(folder, f"{state}/state", *words)
    shutil.rmtree(state)


def proof(size: int, *, program: str, span: int, part: float = 1.0, words: tuple[str, ...] = ()) -> Run:
    """Of sizes up to this one, or a part of it."""
    import flatwater as fw

    sizes = [round(size / part / span ** (1 - step / (STEPS - 1))) for step in range(STEPS)]
    scenario = functools.partial(ingested, program=program, words=words)

    def run() -> dict[str, float]:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # more are not used, and would be found at work while they start
        found = fw.prove(scenario, sizes=sizes, setup=made, resolution=RESOLUTION, timeout="30 min")
        return {
            "constant": float(found.verdict == "constant"), "growth": found.bytes_per_item / 1e3, "unseen": found.resolution / 1e3,
            "peak_mb": max(point.peak_bytes for point in found.points) / 1e6, "largest_mb": found.points[-1].n / 1e3,
        }  # fmt: skip

    return run


NEEDS = ("apsw", "numpy", "numkong")
case.contestant(OURS, needs=NEEDS, rounds_max=1)(functools.partial(proof, program="by_flatwater", span=SPAN))
case.contestant(FULL, needs=NEEDS, rounds_max=1)(
    functools.partial(proof, program="by_flatwater", span=SPAN, words=("text",))
)
case.contestant(COCOINDEX, needs=("cocoindex",), rounds_max=1)(
    functools.partial(proof, program="by_cocoindex", span=COCOINDEX_SPAN, part=COCOINDEX_PART)
)
