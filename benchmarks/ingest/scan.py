"""The ten nearest of a million vectors, exactly or almost: from files in fixed memory, and by peers.

The files are in the page cache. faiss maps its index, so that its memory shows as pages of a file; simsimd and numpy in blocks do
the same as ours with their products, as it is where numkong is not installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.case import Bar, Case, Run
from benchmarks.ingest.clustered import QUERIES, RESULTS, STEP, WIDTH, made
from benchmarks.outcome import Outcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Search = Callable[[NDArray[np.float32]], Sequence[int]]

OURS, SIMSIMD, NUMPY = "nearest", "nearest, by simsimd", "nearest, by numpy"
IN_RAM, FAISS, FAISS_8 = "numpy, f32 in memory", "faiss, f16 mapped", "faiss, 8 bit mapped"


def figure(name: str) -> Callable[[Outcome], float]:
    """One of ours."""
    return lambda outcome: outcome.figure(OURS, name)


def anon_mib(outcome: Outcome) -> float:
    """The most that the process held, interpreter and libraries included."""
    return max(float(each["anon_peak_bytes"]) for each in outcome.rounds[OURS]) / 2**20


case = Case(
    f"The {RESULTS} nearest of 1 M clustered vectors of {WIDTH} dimensions, {QUERIES} queries one after the other.",
    size=1_000_000, tiny=2_000, unit="ms",
    figures={"missed": "not found", "cpu_ms": "CPU ms a query", "wall_ms": "wall ms a query"},
    bars=(
        Bar("at most 1 of 100 that f32 finds is missed", 0.01, "", figure("missed")),
        Bar("at most 200 ms of CPU a query", 200, "ms", figure("cpu_ms")),
        Bar("at most 0.4 s a query on 2 cores", 400, "ms", figure("wall_ms")),
        Bar("at most 48 MiB of anonymous memory", 48, "MiB", anon_mib),
    ),
)  # fmt: skip


def searching(size: int, search: Search) -> Run:
    """All queries by `search`; the first one is asked once before, which brings the files into the page cache."""
    import numpy as np

    queries, truth = (np.load(made(size) / f"{name}.npy") for name in ("queries", "truth"))
    search(queries[0])

    def run() -> dict[str, float]:
        cpu_s, wall_s, found = [], [], 0
        for query, exact in zip(queries, truth, strict=True):
            begin_cpu_s, begin_s = time.process_time(), time.perf_counter()
            ids = search(query)
            cpu_s.append(time.process_time() - begin_cpu_s)
            wall_s.append(time.perf_counter() - begin_s)
            found += len({int(each) for each in ids} & set(exact.tolist()))
        return {
            "missed": 1 - found / QUERIES / RESULTS, "cpu_ms": median(cpu_s) * 1e3, "wall_ms": median(wall_s) * 1e3,
        }  # fmt: skip

    return run


def ours(size: int) -> Run:
    """As it is set."""
    from flatwater.ingest.scan import nearest
    from flatwater.ingest.vectors import Vectors

    reader = Vectors.reading(made(size) / "generation", WIDTH)
    return searching(size, lambda query: [each for each, _ in nearest(reader, size, query, RESULTS)])


@case.contestant(OURS, needs=("numkong",))
def as_it_is(size: int) -> Run:
    return ours(size)


def by(library: str, size: int) -> Run:
    """With the products of another library."""
    from flatwater.ingest import kernels

    kernels.LIBRARIES = (library,)
    return ours(size)


@case.contestant(SIMSIMD, needs=("simsimd",))
def by_simsimd(size: int) -> Run:
    return by("simsimd", size)


@case.contestant(NUMPY, needs=("numpy",), rounds_max=2)
def by_numpy(size: int) -> Run:
    return by("numpy", size)


@case.contestant(IN_RAM, needs=("numpy",), rounds_max=2)
def in_ram(size: int) -> Run:
    import numpy as np

    rows = np.fromfile(made(size) / "f32", np.float32).reshape(size, WIDTH)

    def search(query: NDArray[np.float32]) -> Sequence[int]:
        products = rows @ query
        best = np.argpartition(-products, RESULTS)[:RESULTS]
        return best.tolist()

    return searching(size, search)


def with_faiss(size: int, kind: str) -> Run:
    """An index of that kind of numbers, mapped."""
    import faiss
    import numpy as np

    path = made(size) / f"faiss-{kind}"
    if not path.exists():
        index = faiss.IndexScalarQuantizer(
            WIDTH, getattr(faiss.ScalarQuantizer, f"QT_{kind}"), faiss.METRIC_INNER_PRODUCT
        )
        rows = np.memmap(made(size) / "f32", np.float32, "r").reshape(size, WIDTH)
        index.train(np.array(rows[:STEP]))
        for first in range(0, size, STEP):
            index.add(np.array(rows[first : first + STEP]))
        faiss.write_index(index, str(path))
        del index, rows
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    return searching(size, lambda query: index.search(query[None, :], RESULTS)[1][0].tolist())


@case.contestant(FAISS, needs=("faiss",))
def faiss_f16(size: int) -> Run:
    return with_faiss(size, "fp16")


@case.contestant(FAISS_8, needs=("faiss",))
def faiss_8_bit(size: int) -> Run:
    return with_faiss(size, "8bit")
