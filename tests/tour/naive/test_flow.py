"""tour.naive.flow: a list between every two stages."""

from __future__ import annotations

import json

import pytest

lmdb = pytest.importorskip("lmdb")
flow = pytest.importorskip("flatwater.tour.naive.flow")


def test_it_stores_cleaned_texts(task_of):
    """Each run of white space is one space."""
    task = task_of()
    assert flow.run(task) == 3
    with lmdb.open(f"{task.folder}/passages") as store, store.begin() as transaction:
        rows = [json.loads(value) for _key, value in transaction.cursor()]
    assert rows[1]["text"].startswith("# Title many words, many lines # Title")
