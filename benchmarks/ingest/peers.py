"""The contestants of this folder's cases, each a program of its own, with its start and its imports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from benchmarks.case import Run
from benchmarks.ingest import texts
from benchmarks.outcome import Outcome

FIGURES = MappingProxyType({"embedded": "chunks embedded", "peak_mb": "peak RSS, MB", "stored_mb": "stored, MB"})


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to ingest a folder.

    Attributes:
        name: as in tables.
        program: the module that does it, and its words after the two folders.
        needs: modules without which it is left out.
        rounds_max: rounds it takes part in.
    """

    name: str
    program: str
    needs: tuple[str, ...]
    words: tuple[str, ...] = ()
    rounds_max: int = 1_000


NEEDS = ("apsw", "numpy", "numkong")
OURS = Peer("flatwater, no full text", "by_flatwater", NEEDS)
FULL = Peer("flatwater, with full text", "by_flatwater", NEEDS, ("text",))
COCOINDEX = Peer("CocoIndex, SQLite", "by_cocoindex", ("cocoindex",))
LANGCHAIN = Peer(
    "LangChain index(), LanceDB", "by_langchain", ("langchain_community", "langchain_classic", "lancedb"), rounds_max=1
)
LLAMAINDEX = Peer("LlamaIndex, persisted", "by_llamaindex", ("llama_index",), rounds_max=1)


def ingested(peer: Peer, folder: Path, state: Path) -> dict[str, float]:
    """Run its program once; what that tells, and what it has stored."""
    argv = [sys.executable, "-m", f"benchmarks.ingest.{peer.program}", str(folder), str(state), *peer.words]
    done = subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    stored = sum(path.stat().st_size for path in state.rglob("*") if path.is_file())
    return {**json.loads(done.stdout.splitlines()[-1]), "stored_mb": stored / 1e6}


def first(peer: Peer, size: int) -> Run:
    """An ingestion into nothing."""
    folder, home = texts.texts(size), texts.home()

    def run() -> Mapping[str, float]:
        figures = ingested(peer, folder, home / "state")
        shutil.rmtree(home)
        assert figures["embedded"] > size / 2_000, figures  # chunks have 700 to 800 characters
        return figures

    return run


def again(peer: Peer, size: int, *, changed: bool) -> Run:
    """An ingestion of what has been ingested before, with or without changes."""
    home = texts.home()
    texts.linked(size, home / "texts")
    ingested(peer, home / "texts", home / "state")
    count = texts.change_some(home / "texts") if changed else 0

    def run() -> Mapping[str, float]:
        figures = ingested(peer, home / "texts", home / "state")
        shutil.rmtree(home)
        assert (figures["embedded"] >= count) if changed else (figures["embedded"] == 0), figures
        return figures

    return run


def cpu_share(name: str, of: str) -> Callable[[Outcome], float]:
    """The part of another's CPU that one takes."""
    return partial(_cpu_share, name, of)


def peak_share(name: str, of: str) -> Callable[[Outcome], float]:
    """The part of another's peak that one has."""
    return partial(_peak_share, name, of)


def _cpu_share(name: str, of: str, outcome: Outcome) -> float:
    return outcome.ratio(name, of)


def _peak_share(name: str, of: str, outcome: Outcome) -> float:
    return outcome.figure(name, "peak_mb") / outcome.figure(of, "peak_mb")
