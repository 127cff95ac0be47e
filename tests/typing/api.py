"""What the public names look like to a type checker; mypy reads this file, nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from typing import Literal, assert_type

import flatwater as fw
from flatwater.watch import Account, promised_and_seen

# --- budget -----------------------------------------------------------------------------------------------------------
with fw.Budget("256 MiB", name="job") as budget:
    assert_type(budget, fw.Budget)
    assert_type(fw.Budget.current(), fw.Budget)
with budget.reserve("1 MiB", "rows", wait_s=1.0) as rows:
    assert_type(rows, fw.Reservation)
    rows.resize("2 MiB")
    assert_type(rows.peak, int)
assert_type(budget.try_reserve(1, "rows"), fw.Reservation | None)
assert_type(budget.share("cache", "64 MiB"), fw.Budget)
assert_type(fw.Budget.detect().limit, int)
assert_type(str(budget.explain()), str)
assert_type(budget.on_pressure(lambda wanted: wanted).freed, int)


async def waits() -> None:
    assert_type(await budget.areserve("1 MiB", "rows"), fw.Reservation)
    assert_type(await budget.gate.wait_async(timeout_s=1.0), bool)


try:
    budget.reserve("1 GiB", "rows")
except fw.errors.BudgetExceeded as error:
    assert_type(error.asked, int)
    assert_type(error.held, int)
    assert_type(error.limit, int)
    assert_type(error.hint, str)

# --- sizing -----------------------------------------------------------------------------------------------------------
sizer = fw.sizing.Sizer()
assert_type(sizer.row({"id": 1}), int)
assert_type(sizer.batch([{"id": 1}]), int)
assert_type(fw.sizing.heap_bytes([1, 2]), int)

# --- meter ------------------------------------------------------------------------------------------------------------
assert_type(fw.usage().rss, int)
with fw.measure("load", python=True) as reading:
    assert_type(reading, fw.Reading)
assert_type(reading.to_dict(), dict[str, object])


@fw.measure("decorated")
def load(path: str) -> list[str]:
    return [path]


@fw.measure("decorated")
async def aload(path: str) -> list[str]:
    return [path]


async def alines() -> AsyncIterator[str]:
    yield ""


assert_type(load("a"), list[str])
assert_type(fw.measure("rows")([1, 2]), Iterator[int])
assert_type(fw.size_of([1]).deep, int)
assert_type(str(fw.snapshot().diff(fw.snapshot())), str)
assert_type(str(fw.retention()), str)
assert_type(str(fw.trim()), str)
assert_type(fw.Timeline().pattern.words, str)

# --- worker -----------------------------------------------------------------------------------------------------------
assert_type(fw.worker.call(len, ("ab",), limit="256 MiB", timeout="30s"), int)
assert_type(fw.worker.run(len, ("ab",)).peak_rss, int)
with fw.worker.Pool(2, limit="256 MiB") as pool:
    assert_type(pool.call(len, "ab"), int)
    assert_type(pool.submit(len, "ab"), Future[int])
    assert_type(pool.map(len, ["ab"]), Iterator[int])

# --- watch ------------------------------------------------------------------------------------------------------------
with fw.Watcher(budget) as watcher:
    assert_type(watcher, fw.Watcher)
    assert_type(watcher.level, Literal["normal", "high", "critical"])
assert_type(promised_and_seen(budget), Account)
assert_type(fw.watch("512 MiB", alert=print), fw.Watcher)

# --- proof ------------------------------------------------------------------------------------------------------------


def scenario(n: int) -> None:
    list(range(n))


def proves() -> None:
    proof = fw.prove(scenario, sizes="1k..16k", target="1M", budget="64 MiB", survive=True, setup="jobs:make", repeat=3)
    assert_type(proof, fw.Proof)
    assert_type(proof.verdict, Literal["constant", "grows", "undecided"])
    assert_type(proof.kind, Literal["linear", "sqrt", "log", "superlinear"] | None)
    assert_type(proof.bytes_per_item, float)
    assert_type(proof.fails_at, int | None)
    assert_type(proof.survived, bool | None)
    assert_type(proof.points[0].peak_bytes, int)
    assert_type(fw.prove(["node", "job.js", "{n}"], sizes=[1, 2, 4, 8, 16]).holds, bool)
    comparison = fw.compare({"all": scenario, "batched": "jobs:stream"}, sizes="1k..16k", target="1M", budget="64 MiB")
    assert_type(comparison, fw.Comparison)
    assert_type(comparison.holds, bool)
    assert_type(comparison.proofs["all"], fw.Proof)
    leaks = fw.find_leaks(lambda: None, undo=lambda: None, rounds=4)
    assert_type(leaks, fw.LeakReport)
    assert_type(leaks.holds, bool)


# --- tables -----------------------------------------------------------------------------------------------------------
table = fw.Table("shop.db", "orders")
assert_type(table.create_many([{"id": 1}], on_conflict="skip"), fw.source.Created)
with table.writer() as writer:
    assert_type(writer, fw.source.Writer)
    assert_type(writer.state_of("load"), bytes | None)
    writer.commit(("load", b"1"))
