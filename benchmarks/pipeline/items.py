"""Small dicts through map, filter and batch: what a flow costs for each item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.case import Bar, Case, Run

LOOP = "a loop, with the same functions"
FLOW = "a flow"
PEER = "streamable"

case = Case(
    "Dicts of four fields: one field is computed, two thirds stay, and lists of 1,000 are made of them.",
    size=1_000_000,
    tiny=2_000,
    per="item",
    unit="us",
    bars=(
        Bar("a flow takes at most twice the CPU of a loop", 2.0, "x", lambda outcome: outcome.ratio(FLOW, LOOP)),
    ),
)  # fmt: skip


def rows(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"id": number, "name": "somebody", "price": 2.5, "count": number % 7}


def priced(row: dict[str, Any]) -> dict[str, Any]:
    row["total"] = row["price"] * row["count"]
    return row


def is_wanted(row: dict[str, Any]) -> bool:
    return row["id"] % 3 != 0


def checked(size: int, groups: int, items: int) -> None:
    assert items == size - -(-size // 3), items
    assert groups >= -(-items // 1000), groups


@case.contestant(LOOP)
def loop(size: int) -> Run:
    def run() -> None:
        groups = items = 0
        group: list[dict[str, Any]] = []
        for row in rows(size):
            made = priced(row)
            if is_wanted(made):
                group.append(made)
                if len(group) == 1000:
                    groups, items = groups + 1, items + len(group)
                    group = []
        checked(size, groups + 1, items + len(group))

    return run


@case.contestant(FLOW)
def flow(size: int) -> Run:
    import flatwater as fw

    made = fw.Flow(rows, size).map(priced).filter(is_wanted).batch(rows=1000, bytes="4 MiB")

    def run() -> None:
        groups = items = 0
        for group in made:
            groups, items = groups + 1, items + len(group)
        checked(size, groups, items)

    return run


@case.contestant(PEER, needs=("streamable",))
def streamable(size: int) -> Run:
    from streamable import stream

    made = stream(rows(size)).map(priced).filter(is_wanted).group(1000)

    def run() -> None:
        groups = items = 0
        for group in made:
            groups, items = groups + 1, items + len(group)
        checked(size, groups, items)

    return run
