"""tour.naive.store: one transaction that collects all changes."""

from __future__ import annotations

import json

import pytest

lmdb = pytest.importorskip("lmdb")
store = pytest.importorskip("flatwater.tour.naive.store")


def test_it_does_what_the_step_did(task_of):
    """Every tenth entry is gone, every third of the others is changed."""
    task = task_of(items=1_000)
    assert store.run(task) == 1_000
    with lmdb.open(f"{task.folder}/store") as opened, opened.begin() as transaction:
        rows = [json.loads(value) for _key, value in transaction.cursor()]
    assert len(rows) == 900
    assert sum(row["cents"] >= 1_000_000 for row in rows) == 333 - 33
