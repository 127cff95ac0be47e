"""Child program: hold rows of one shape, print what the operating system saw and what sizing charges.

Run as `python sizing_shapes.py SHAPE`; prints one JSON line.
"""

from __future__ import annotations

import gc
import json
import random
import sqlite3
import sys
import uuid
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, make_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from flatwater.meter.probe import Probe
from flatwater.sizing import Sizer

HELD_BYTES_MIN = 10 << 20
EPOCH = datetime(2024, 1, 1)  # noqa: DTZ001 - a naive time is the smaller object, and common
STATUS = [f"status {word}" for word in ("new", "paid", "sent", "lost")]
CITIES = [f"city number {i}" for i in range(1000)]


@dataclass(slots=True)
class Slotted:
    key: int
    name: str
    price: float
    at: datetime


@dataclass
class Plain:
    key: int
    name: str
    price: float
    status: str
    note: str | None


class Point(NamedTuple):
    x: float
    y: float
    label: str


class Struct:
    """As msgspec.Struct: slots, no dict, no weak references."""

    __slots__ = ("body", "key", "score")

    def __init__(self, key, body, score):
        self.key, self.body, self.score = key, body, score


class Lazy:
    """Attributes that come after construction, some never."""

    def __init__(self, i):
        self.key = i + 1000
        if i % 3 == 0:
            self.extra = f"extra {i}"
        self.last = float(i)


@cache
def scroll(alphabet):
    """A long random text."""
    return "".join(random.Random(alphabet).choices(alphabet, k=8192))


def text(rng, low, high, alphabet="abcdefghij klmnopqrstuvwxyz"):
    """A text of its own, between `low` and `high` characters long."""
    start, length = rng.randrange(6000), rng.randint(low, high)
    return scroll(alphabet)[start : start + length]


def sqlite_rows(count):
    base = sqlite3.connect(":memory:")
    base.row_factory = sqlite3.Row
    cursor = base.execute(
        "with recursive n(i) as (select 1000 union all select i + 1 from n limit ?)"
        " select i, 'name ' || i as name, i * 0.5 as price, 'fixed' as status from n", (count,)
    )  # fmt: skip
    for row in cursor:  # noqa: UP028 - the shape's rows are made while they are held
        yield row


def each(make):
    """Rows from a function of a number and a generator of random numbers."""

    def rows(count):
        rng = random.Random(7)
        for i in range(count):
            yield make(i, rng)

    return rows


SHAPES = {
    "dict_flat": each(lambda i, r: {"id": i + 1000, "name": f"name {i}", "price": i * 0.5, "status": STATUS[i % 4]}),
    "dict_wide": each(lambda i, r: {f"c{j}": (i * 20 + j + 1000 if j % 2 else f"value {i} {j}") for j in range(20)}),
    "dict_of_none": each(lambda i, r: {c: (f"{c} {i}" if r.random() < 0.1 else None) for c in "abcdefghij"}),
    "dict_nested": each(lambda i, r: {
        "id": i + 1000, "geo": {"lat": r.random(), "lon": r.random()}, "tags": [f"tag {r.randrange(10**6)}" for _ in range(r.randrange(6))],
    }),
    "dict_category": each(lambda i, r: {"id": i + 1000, "city": r.choice(CITIES), "status": r.choice(STATUS), "n": r.random()}),
    "dict_time": each(lambda i, r: {"id": uuid.UUID(int=r.getrandbits(128)), "at": EPOCH + timedelta(seconds=i), "sum": Decimal(i) / 100}),
    "ordered_dict": each(lambda i, r: OrderedDict(id=i + 1000, name=f"name {i}", price=i * 0.5)),
    "default_dict": each(lambda i, r: defaultdict(list, {"id": i + 1000, "seen": [i + 1000, i + 2000]})),
    "tuple": each(lambda i, r: (i + 1000, f"name {i}", i * 0.5, None, STATUS[i % 4])),
    "tuple_of_floats": each(lambda i, r: tuple(r.random() for _ in range(12))),
    "list": each(lambda i, r: [i + 1000, f"name {i}", i * 0.5]),
    "list_ragged": each(lambda i, r: [r.random() for _ in range(r.randrange(60))]),
    "list_of_constants": each(lambda i, r: STATUS * r.randrange(30)),
    "slots_dataclass": each(lambda i, r: Slotted(i + 1000, f"name {i}", i * 0.5, EPOCH + timedelta(seconds=i))),
    "plain_dataclass": each(lambda i, r: Plain(i + 1000, f"name {i}", i * 0.5, STATUS[i % 4], None)),
    "late_attributes": each(lambda i, r: Lazy(i)),
    "named_tuple": each(lambda i, r: Point(r.random(), r.random(), f"label {i}")),
    "struct": each(lambda i, r: Struct(i + 1000, b"x" * r.randrange(100), r.random())),
    "sqlite_row": sqlite_rows,
    "bytes_skewed": each(lambda i, r: bytes(int(r.paretovariate(1.5) * 100) % 200_000)),
    "text_ascii": each(lambda i, r: text(r, 0, 200)),
    "text_latin1": each(lambda i, r: text(r, 20, 80, "äöüéabc")),
    "text_ucs2": each(lambda i, r: text(r, 20, 80, "語本日a ")),
    "text_ucs4": each(lambda i, r: text(r, 20, 80, "😀😁a ")),
    "text_mixed_scripts": each(lambda i, r: {"id": i + 1000, "t": text(r, 5, 90, r.choice(["abc", "äöü", "語本", "😀"]))}),
    "int": each(lambda i, r: i + 1000),
    "int_long": each(lambda i, r: r.getrandbits(r.randrange(30, 900))),
    "float": each(lambda i, r: r.random()),
    "decimal": each(lambda i, r: Decimal(r.getrandbits(40)) / 100),
    "set": each(lambda i, r: {r.getrandbits(40) for _ in range(r.randrange(12))}),
    "deque": each(lambda i, r: deque(r.random() for _ in range(r.randrange(90)))),
    "page": each(lambda i, r: {"url": f"https://example.org/{i}", "body": text(r, 500, 1500), "at": i * 1.0}),
    "events_mixed": each(lambda i, r: (
        {"kind": "click", "x": r.random(), "y": r.random()} if i % 3 else {"kind": "text", "body": text(r, 10, 300)}
    )),
    "matrix": each(lambda i, r: [[r.random() for _ in range(4)] for _ in range(4)]),
}  # fmt: skip


def generated(seed):
    """Rows of a random schema: container, columns, sizes and sharing are drawn from `seed`."""
    rng = random.Random(f"held out {seed}")
    alphabet = rng.choice(["abcdefgh ", "äöüabcd", "語本日abc", "😀abc"])
    low, high = sorted((rng.randrange(120), rng.randrange(240)))
    pool = [f"shared value {i}" for i in range(rng.choice([3, 50, 2000]))]
    makers = [
        lambda i, r: i + 5000, lambda i, r: r.random(), lambda i, r: text(r, low, high, alphabet),
        lambda i, r: r.choice(pool), lambda i, r: None if r.random() < 0.6 else text(r, 5, 25),
        lambda i, r: [r.random() for _ in range(r.randrange(8))], lambda i, r: EPOCH + timedelta(minutes=i),
        lambda i, r: {"a": r.getrandbits(50), "b": text(r, 2, 12)}, lambda i, r: r.randbytes(r.randrange(60)),
        lambda i, r: bool(i % 2), lambda i, r: (r.getrandbits(20), r.choice(pool)),
        lambda i, r: {r.randrange(100_000) for _ in range(r.randrange(6))}, lambda i, r: Decimal(r.getrandbits(30)),
        lambda i, r: uuid.UUID(int=r.getrandbits(128)), lambda i, r: r.getrandbits(200),
    ]  # fmt: skip
    columns = rng.choices(makers, k=rng.randrange(2, 14))
    names = [f"column_{j}" for j in range(len(columns))]
    plain = make_dataclass("Generated", names)
    slotted = make_dataclass("Generated", names, slots=True)
    container = rng.choice(
        [lambda v: dict(zip(names, v, strict=True)), tuple, list, lambda v: plain(*v), lambda v: slotted(*v)]
    )
    return each(lambda i, r: container([column(i, r) for column in columns]))


def hold(shape):
    """Hold rows of `shape` until enough is held; what was seen, and what each way of charging says."""
    source = generated(int(shape[10:])) if shape.startswith("generated_") else SHAPES[shape]
    list(source(200))  # classes, caches and code are warm
    probe = Probe()
    streaming, batch = Sizer(), Sizer()
    streaming.batch(list(source(200)))
    gc.collect()
    streaming = Sizer()
    before = probe.read()[1]
    rows, charged = [], 0
    for row in source(3_000_000):
        rows.append(row)
        charged += streaming.row(row)
        if len(rows) % 256 == 0 and probe.read()[1] - before >= HELD_BYTES_MIN:
            break
    del row
    gc.collect()
    seen = probe.read()[1] - before
    return {
        "shape": shape, "rows": len(rows), "seen": seen,
        "row": (charged + sys.getsizeof(rows)) / seen, "batch": batch.batch(rows) / seen, "column": Sizer().column(rows) / seen,
    }  # fmt: skip


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(json.dumps(hold(name)), flush=True)
