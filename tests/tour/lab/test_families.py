"""tour.lab.families and its programs: all variants write the same rows."""

from __future__ import annotations

import itertools

import pytest

from flatwater.store.store import Store
from flatwater.tour.lab.families import EXPERIMENTS
from flatwater.tour.lab.programs import families


@pytest.fixture
def few_rows(monkeypatch):
    monkeypatch.setattr(families, "ROWS_EACH", 500)


@pytest.mark.parametrize("name", ["family_each", "shared", "partitions"])
def test_all_rows_are_written(tmp_path, few_rows, name):
    """Each program writes the rows of all tables, and says how many."""
    assert getattr(families, name)(str(tmp_path), 3) == 1_500
    assert name in {variant.program.rpartition(":")[2] for variant in EXPERIMENTS[0].variants}


def test_a_partition_has_the_rows_of_its_table(tmp_path, few_rows):
    """What was written can be read: the same rows as the other programs write."""
    families.partitions(str(tmp_path), 2)
    expected = list(itertools.islice(families.values(), 1_000))
    with Store(tmp_path) as store:
        read = [
            value
            for name in ("table_0", "table_1")
            for batch in store.partition(name).batches()
            for _key, value in batch
        ]
    assert read == expected
