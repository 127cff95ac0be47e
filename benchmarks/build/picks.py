"""What it costs to take a few parts of a nested order: compiled paths, written by hand, and copying what is not wanted."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

from benchmarks.case import Case, Run

PATHS = ["id", "user.name", "items[].price", "items[].sku"]
HAND, PICK = "written by hand", "fw.pick"

case = Case(
    "Taking four paths from an order of ten items, 48 fields in all.",
    size=20_000,
    tiny=20,
    per="order",
    unit="us",
)


def order() -> dict[str, object]:
    """With more in it than is wanted."""
    item = {"sku": "a-1", "price": 3.5, "cost": 1.5, "stock": 7}
    user = {"name": "Ann", "password": "x", "email": "ann@example.org"}
    return {"id": 7, "user": user, "items": [dict(item) for _ in range(10)], "note": "", "secret": "x"}


def repeated(take: Callable[[dict[str, object]], object], size: int) -> Run:
    """So many orders."""
    one = order()
    take(one)

    def run() -> None:
        for _ in range(size):
            take(one)

    return run


@case.contestant(HAND)
def by_hand(size: int) -> Run:
    def take(one: dict) -> object:
        return {
            "id": one["id"],
            "user": {"name": one["user"]["name"]},
            "items": [{"price": item["price"], "sku": item["sku"]} for item in one["items"]],
        }

    return repeated(take, size)


@case.contestant(PICK)
def picked(size: int) -> Run:
    from flatwater.build import pick

    return repeated(pick(PATHS), size)


@case.contestant("copy.deepcopy of all of it")
def copied(size: int) -> Run:
    return repeated(copy.deepcopy, size)


@case.contestant("json there and back")
def through_json(size: int) -> Run:
    return repeated(lambda one: json.loads(json.dumps(one)), size)
