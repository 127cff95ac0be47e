"""What it costs to call a small function in a fresh child process."""

from __future__ import annotations

import concurrent.futures
import math
import multiprocessing

from benchmarks.case import Case, Run

ARGUMENT = 20

case = Case(
    "A small function, each call in a fresh spawned process: `worker.call` also limits memory and time.",
    size=5,
    tiny=1,
    per="call",
    unit="ms",
    commands=True,
)


@case.contestant("multiprocessing, a spawn Pool for each")
def pool(size: int) -> Run:
    spawn = multiprocessing.get_context("spawn")

    def run() -> None:
        for _ in range(size):
            with spawn.Pool(1) as pool:
                assert pool.apply(math.factorial, (ARGUMENT,))
                pool.close()
                pool.join()

    return run


@case.contestant("concurrent.futures, a spawn executor for each")
def executor(size: int) -> Run:
    spawn = multiprocessing.get_context("spawn")

    def run() -> None:
        for _ in range(size):
            with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as executor:
                assert executor.submit(math.factorial, ARGUMENT).result()

    return run


@case.contestant("worker.call")
def call(size: int) -> Run:
    from flatwater import worker

    def run() -> None:
        for _ in range(size):
            assert worker.call(math.factorial, (ARGUMENT,))

    return run
