"""Taking bytes from a budget and giving them back, beside taking and giving back a semaphore."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

from benchmarks.case import Bar, Case, Run

from flatwater.budget import Budget

OURS = "Budget"
PARENTS_MAX = 3
US = 1e6

case = Case(
    "`Budget.reserve` and `release`, uncontended, below 0 to 3 parents; a semaphore counts, and knows no holders.",
    size=30_000,
    tiny=100,
    per="pair",
    unit="us",
    rounds_per_repeat=3,
    bars=(
        Bar(
            "`reserve` and `release` take at most 2.5 us of CPU, uncontended",
            2.5,
            "us",
            lambda outcome: outcome.seconds(OURS) * US,
        ),
        Bar(
            "each parent adds at most 0.6 us",
            0.6,
            "us",
            lambda outcome: outcome.above(below(PARENTS_MAX), OURS) / PARENTS_MAX * US,
        ),
    ),
)


def below(parents: int) -> str:
    """The contestant's name."""
    return f"{OURS}, {parents} parent{'s' if parents > 1 else ''}" if parents else OURS


@case.contestant("threading.BoundedSemaphore")
def bounded_semaphore(size: int) -> Run:
    semaphore = threading.BoundedSemaphore(1 << 20)

    def run() -> None:
        for _ in range(size):
            semaphore.acquire(blocking=False)
            semaphore.release()

    return run


@case.contestant("asyncio.Semaphore")
def asyncio_semaphore(size: int) -> Run:
    async def pairs() -> None:
        semaphore = asyncio.Semaphore(1 << 20)
        for _ in range(size):
            await semaphore.acquire()
            semaphore.release()

    return lambda: asyncio.run(pairs())


def reserve(size: int, parents: int) -> Run:
    budget = Budget("1 GiB", name="root")
    for depth in range(parents):
        budget = budget.share(f"share {depth}", f"{512 >> depth} MiB")

    def run() -> None:
        for _ in range(size):
            budget.reserve(4096, "x").release()

    return run


for count in range(PARENTS_MAX + 1):
    case.contestant(below(count))(partial(reserve, parents=count))
