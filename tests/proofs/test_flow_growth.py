"""Each stage of a flow in fresh processes: flat, however many items pass; the same stage, kept, grows and is found."""

from __future__ import annotations

import os
import tempfile

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SIZES = (20_000, 40_000, 80_000, 160_000, 320_000)


def rows(count):
    """Small dicts, made as they are asked for."""
    for number in range(count):
        yield {"id": number, "name": f"somebody {number}", "price": number * 0.5}


def same(row):
    return row


def also(row):
    return {**row, "more": 1}


def is_wanted(row):
    return row["id"] % 3 != 0


def twice(row):
    yield row
    yield row


def passed_on(items):
    yield from items


def entry(row):
    return (row["id"],), row["name"].encode()


def scratch(name):
    return os.path.join(tempfile.mkdtemp(prefix="flatwater-flow-"), name)


def to_a_store(flow):
    return flow.map(entry).to(fw.Store(scratch("rows.store")))


def in_one_batch(flow):
    return flow.batch(rows=500)


STAGES = {
    "map": lambda flow: flow.map(also),
    "filter": lambda flow: flow.filter(is_wanted),
    "flat_map": lambda flow: flow.flat_map(twice),
    "each": lambda flow: flow.each(same),
    "tap": lambda flow: flow.tap(same),
    "pipe": lambda flow: flow.pipe(passed_on),
    "batch": in_one_batch,
    "window": lambda flow: flow.window(5),
    "pmap": lambda flow: flow.pmap(also, workers=2, bytes="1 MiB"),
    "to a function": lambda flow: flow.to(same),
    "to JSON lines": lambda flow: flow.to(scratch("rows.jsonl")),
    "to CSV": lambda flow: flow.to(scratch("rows.csv")),
    "to Parquet": lambda flow: flow.to(scratch("rows.parquet")),
    "to a store": to_a_store,
}


IN_FILES = {"to a store"}  # pages of a file that is mapped are the system's, and it may take them back
WITH_A_FOOTER = {"to Parquet"}  # each row group of 4 MiB is described there, and that is kept until the file's end


def metric_of(stage):
    return "anon" if stage in IN_FILES else "rss"


def flat(stage):
    def scenario(count):
        STAGES[stage](fw.Flow(rows, count)).run()

    return scenario


def leaking(stage):
    """The same with somebody who keeps what comes out."""

    def scenario(count):
        kept = []
        STAGES[stage](fw.Flow(rows, count)).to(kept.append).run()

    return scenario


@pytest.mark.parametrize("stage", list(STAGES))
def test_a_stage_is_flat(stage):
    """Its memory does not depend on the number of items."""
    proof = fw.prove(flat(stage), sizes=SIZES, metric=metric_of(stage))
    if stage in WITH_A_FOOTER and proof.verdict == "undecided":
        assert abs(proof.bytes_per_item) < 1, proof
    else:
        assert proof.verdict == "constant", proof


@pytest.mark.parametrize("stage", list(STAGES))
def test_its_leaking_twin_is_found(stage):
    """With the number of bytes that each item leaves."""
    proof = fw.prove(leaking(stage), sizes=(5_000, 10_000, 20_000, 40_000, 80_000), metric=metric_of(stage))
    assert proof.verdict == "grows", proof
    assert proof.bytes_per_item > 20


def with_a_job(count):
    folder = tempfile.mkdtemp(prefix="flatwater-flow-")
    flow = fw.Flow(rows, count).batch(rows=100).flat_map(list).to(os.path.join(folder, "rows.jsonl"))
    flow.run(checkpoint=os.path.join(folder, "job.state"), checkpoint_s=0.05)


def with_failures(count):
    def fails(row):
        raise ValueError(row["id"])

    fw.Flow(rows, count).map(fails).run(dead_letters=scratch("dead.jsonl"))


@pytest.mark.parametrize("scenario", [with_a_job, with_failures])
def test_checkpoints_and_failures_are_flat(scenario):
    """However many there are."""
    proof = fw.prove(scenario, sizes=(5_000, 10_000, 20_000, 40_000, 80_000))
    assert proof.verdict == "constant", proof


def test_into_a_table_is_flat(tmp_path):
    """Rows go in short transactions."""
    pytest.importorskip("apsw")

    def scenario(count):
        import sqlite3

        path = scratch("rows.db")
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        connection.close()
        fw.Flow(rows, count).to(fw.Table(path, "rows")).run()

    proof = fw.prove(scenario, sizes=SIZES)
    assert proof.verdict == "constant", proof
