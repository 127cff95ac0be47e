"""Growth of everything that builds, each beside a twin that keeps what it should let go."""

from __future__ import annotations

import pytest

import flatwater as fw
from flatwater import build

pytestmark = pytest.mark.slow
FIELDS = ["id", "name", "score"]
PATHS = ["id", "user.name", "items[].price"]


def fluent(n, *, keep=False):
    """A builder and an object for each item, both dropped."""
    create = build.builder(FIELDS).create
    kept = []
    for number in range(n):
        made = create().with_id(number).with_name("Ann").with_score(1.5).build()
        if keep:
            kept.append(made)


def reused(n, *, keep=False):
    """One builder for all objects."""
    made = build.builder(FIELDS).create().with_name("Ann").with_score(1.5)
    kept = []
    for number in range(n):
        one = made.with_id(number).build()
        if keep:
            kept.append(one)


def pooled(n, *, keep=False):
    """Fifty builders of a pool open at once; the twin never lets go of those it took."""
    create = build.builder(FIELDS, pooled=True).create
    kept = []
    for start in range(0, n, 50):
        open_now = [create().with_id(start) for _ in range(50)]
        if keep:
            kept += open_now
        while open_now:
            open_now.pop().with_name("Ann").with_score(1.5).build()


def made(n, *, keep=False):
    """`make` of a template, whose list is copied for each object."""
    factory = build.builder(FIELDS).template(score=[1, 2, 3])
    kept = []
    for number in range(n):
        one = factory.make(id=number, name="Ann")
        if keep:
            kept.append(one)


def batched(n, *, keep=False):
    """Rows to a sink in batches of 64 KiB; the twin's sink keeps them."""
    kept = []
    with build.BatchBuilder(
        FIELDS, kept.append if keep else lambda rows: None, batch_bytes="64 KiB", as_="rows"
    ) as rows:
        for number in range(n):
            rows.append(id=number, name=f"name {number}", score=1.5)


def arrow(n, *, keep=False):
    """The same as record batches, of names of 100 characters: Arrow's allocator takes its memory in large pieces."""
    kept = []

    class Row:
        id: int
        name: str
        score: float

    with build.BatchBuilder(Row, kept.append if keep else lambda batch: None, batch_bytes="64 KiB") as rows:
        for number in range(n):
            rows.row.with_id(number).with_name(f"name {number:>100}").with_score(1.5).push()


def picked(n, *, keep=False):
    """Parts of an order for each item."""
    take = build.pick(PATHS)
    kept = []
    for number in range(n):
        one = take({"id": number, "user": {"name": "Ann", "age": 3}, "items": [{"price": 1, "cost": 2}]})
        if keep:
            kept.append(one)


@pytest.mark.parametrize("program", [fluent, reused, pooled, made, batched, arrow, picked])
def test_building_is_constant_and_its_twin_grows(program):
    """However many objects, rows or picks: the peak is the same, and the twin that keeps them is found."""

    if program is arrow:
        arrow.needs = pytest.importorskip("pyarrow")  # sent along, so that it is imported before the call

    def twin(n):
        return program(n, keep=True)

    good = fw.prove(program, sizes="2k..32k", resolution="64 B")
    assert (good.verdict, good.outcome) == ("constant", "holds"), str(good)
    leaking = fw.prove(twin, sizes="2k..32k", resolution="64 B")
    assert (leaking.verdict, leaking.outcome) == ("grows", "fails"), str(leaking)
    assert leaking.bytes_per_item > 20
