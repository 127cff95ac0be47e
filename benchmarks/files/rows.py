"""What it costs to read JSON lines and look at one field of each row."""

from __future__ import annotations

import json
import os

import msgspec
from benchmarks.case import Bar, Case, Run

from benchmarks import kept

PEER = "orjson, a line at a time"
TYPED = "records, five of the fields"

case = Case(
    "Rows of about 300 bytes with eleven fields, one field of each looked at; orjson gives dicts that nobody has checked.",
    size=500_000,
    tiny=1_000,
    per="row",
    unit="us",
    figures={"delta_mb": "MB above `import flatwater`"},
    bars=(
        Bar("typed rows take at most 1 / 1.8 of the CPU of orjson line by line", 1 / 1.8, "x",
            lambda outcome: outcome.ratio(TYPED, PEER)),
        Bar("they take at most 10 MB above `import flatwater`", 10.0, "MB",
            lambda outcome: outcome.figure(TYPED, "delta_mb")),
    ),
)  # fmt: skip


class Sale(msgspec.Struct):
    """What a job needs of a row."""

    id: int
    customer: str
    price: float
    quantity: int
    paid: bool


class Whole(Sale):
    """All of a row."""

    email: str
    city: str
    street: str
    status: str
    created: str
    note: str


def a_file(rows: int) -> str:
    """A file of so many rows."""
    path = str(kept.folder("rows") / f"{rows}.jsonl")
    if not os.path.exists(path):
        with open(path + ".part", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row_of(number)) + "\n" for number in range(rows))
        os.replace(path + ".part", path)
    return path


def row_of(number: int) -> dict[str, object]:
    """A row."""
    return {
        "id": number,
        "customer": f"customer {number}",
        "email": f"customer{number}@example.org",
        "city": "Berlin",
        "street": f"Long Street {number % 977}",
        "status": "shipped",
        "price": number * 0.37,
        "quantity": number % 17,
        "paid": True,
        "created": "2026-11-21T10:00:00Z",
        "note": "please ring twice, and leave it with a neighbour",
    }


def resident_mb(what: str) -> float:
    """VmRSS or VmHWM of this process."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith(what))


def ours(size: int, schema: type) -> Run:
    import flatwater  # noqa: F401 - what is above it is measured

    path = a_file(size)
    before_mb = resident_mb("VmRSS")
    from flatwater.source import records  # what importing costs is in the memory, not in the time

    records(path, schema).close()

    def run() -> dict[str, float]:
        total = 0
        for row in records(path, schema):
            total += row.id
        assert total
        return {"delta_mb": resident_mb("VmHWM") - before_mb}

    return run


@case.contestant(PEER, needs=("orjson",))
def peer(size: int) -> Run:
    import orjson

    path = a_file(size)
    before_mb = resident_mb("VmRSS")

    def run() -> dict[str, float]:
        total = 0
        with open(path, "rb") as file:
            for line in file:
                total += orjson.loads(line)["id"]
        assert total
        return {"delta_mb": resident_mb("VmHWM") - before_mb}

    return run


@case.contestant(TYPED)
def typed(size: int) -> Run:
    return ours(size, Sale)


@case.contestant("records, all of the fields")
def whole(size: int) -> Run:
    return ours(size, Whole)
