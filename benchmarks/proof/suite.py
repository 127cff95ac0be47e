"""Ask for the verdict on every program of a half, and keep the points.

Verdicts are asked for in as many processes as there are cores, each of which does nothing else meanwhile. What stands in
the way of one verdict, such as a machine that is too full, is kept in its place.
"""

from __future__ import annotations

import compileall
import concurrent.futures
import multiprocessing
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.proof.programs.registry import LARGEST, SMALLEST, Program, families, left_out, programs

from benchmarks import machine

ROOT = Path(__file__).parents[2]


def measure(
    half: str,
    *,
    only: tuple[str, ...] = (),
    at_a_time: int = 0,
    on_verdict: Callable[[dict[str, Any], int], None] | None = None,
) -> dict[str, Any]:
    """The record of a half, as it is stored.

    Args:
        half: "tune" or "held-out".
        only: families, instead of all of that half.
        at_a_time: verdicts; as many as cores, if not said.
        on_verdict: told each as it comes, with how many there will be.
    """
    load_1m = machine.load_1m()
    for folder in (ROOT / "src", ROOT / "benchmarks"):  # as for an installed package: not compiled at each start
        compileall.compile_dir(folder, quiet=2)
    chosen = [each for each in programs(half) if not only or each.family.name in only]
    jobs = [(each.family.name, each.family.variants.index(each.parameters)) for each in chosen]
    found = []
    began_s = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(
        at_a_time or os.cpu_count(), mp_context=multiprocessing.get_context("spawn")
    ) as pool:
        for verdict in pool.map(verdict_on, jobs):
            found.append(verdict)
            if on_verdict is not None:
                on_verdict(verdict, len(jobs))
    return {
        "case": f"proof/{half}",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "size": len(found),
        "machine": machine.describe(),
        "load_1m": load_1m,
        "versions": machine.versions("big-O", "numpy"),
        "left_out": left_out(),
        "wall_s": round(time.monotonic() - began_s, 1),
        "verdicts": found,
    }


def verdict_on(job: tuple[str, int]) -> dict[str, Any]:
    """One verdict, on a variant of a family by its number; runs in a process of its own."""
    import flatwater as fw
    from flatwater import errors

    family, half = families()[job[0]]
    program = Program(family, half, family.variants[job[1]])
    known = {
        "program": program.name,
        "family": family.name,
        "kind": family.kind,
        "bytes_per_item": round(program.bytes_per_item, 2),
    }
    began_s = time.monotonic()
    try:
        proof = fw.prove(program.scenario, sizes=f"{SMALLEST}..{LARGEST}", repeat=1)
    except errors.FlatwaterError as error:
        return {**known, "verdict": "failed", "reason": str(error), "wall_s": round(time.monotonic() - began_s, 2)}
    return {
        **known,
        "verdict": proof.verdict,
        "seen_kind": proof.kind or "",
        "seen_bytes_per_item": round(proof.bytes_per_item, 2),
        "resolution": round(proof.resolution, 2),
        "wall_s": round(time.monotonic() - began_s, 2),
        "cpu_s": round(sum(point.cpu_s * point.runs for point in proof.points), 2),
        "base_bytes": proof.points[0].base_bytes,
        "sizes": [point.n for point in proof.points],
        "peaks": [point.grown_bytes for point in proof.points],
        "runs": [point.runs for point in proof.points],
    }
