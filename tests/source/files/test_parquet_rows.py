from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import msgspec
import pytest

from flatwater import errors
from flatwater.source import records

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


class Row(msgspec.Struct):
    id: int
    name: str | None = None
    day: dt.date | None = None


@pytest.fixture
def table(tmp_path):
    """Ten thousand rows in three groups, with a nested column and one that nobody asks for."""
    count = 10_000
    columns = {
        "more": ["x" * 100] * count,
        "id": range(count),
        "name": [None if number % 3 else f"name {number}" for number in range(count)],
        "day": [dt.date(2024, 1, 1)] * count,
        "nested": [{"a": [number]} for number in range(count)],
    }
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({name: list(values) for name, values in columns.items()}), path, row_group_size=4000)
    return str(path)


def test_rows(table):
    """Rows come with their types, in order, and only the schema's columns are read."""
    rows = list(records(table, Row))
    assert [row.id for row in rows] == list(range(10_000))
    assert rows[3] == Row(3, "name 3", dt.date(2024, 1, 1))
    assert rows[4].name is None
    assert next(iter(records(table, dict)))["nested"] == {"a": [0]}


def test_it_is_known_by_its_content(table, tmp_path):
    """A file of any name is known by its first bytes."""
    (tmp_path / "data").write_bytes(Path(table).read_bytes())
    assert sum(1 for _ in records(tmp_path / "data", Row)) == 10_000


def test_bad_rows(tmp_path):
    """A row that is none of the schema is told with its number."""
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": [1, None, 3]}), path)
    reader = records(path, Row, on_error="skip")
    assert [row.id for row in reader] == [1, 3]
    assert str(reader.report.rows[0]).endswith("line 2: Expected `int`, got `null` - at `$.id`")
    with pytest.raises(errors.CorruptError, match="line 2"):
        list(records(path, Row))


def test_what_is_no_parquet(write, table):
    """Rubbish, a file that was cut off, a compressed one and a pipe are told apart."""
    whole = Path(table).read_bytes()
    for data in (b"PAR1 rubbish", whole[:-10], b""):
        with pytest.raises(errors.CorruptError, match="no whole Parquet file"):
            list(records(write(data, "b.parquet"), Row))
    with pytest.raises(errors.UsageError, match="read from its end"):
        list(records(write(gzip.compress(whole), "b.parquet"), Row))
    with pytest.raises(errors.CorruptError, match="no column 'missing'"):
        list(records(table, msgspec.defstruct("Other", [("missing", int)])))


def test_a_broken_page(table, write):
    """Damage in the middle is an error of ours."""
    data = bytearray(Path(table).read_bytes())
    data[200:2000] = bytes(1800)
    with pytest.raises(errors.CorruptError):
        list(records(write(bytes(data), "b.parquet"), dict))


def test_large_rows_come_a_few_at_a_time(tmp_path):
    """Rows of 200 KB are read some at a time, and the bound says so."""
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": list(range(40)), "name": ["x" * 200_000] * 40}), path, use_dictionary=False)
    with records(path, Row) as reader:
        assert len(next(reader._rows.lists())) < 10
        assert reader.bytes_max() < 64 << 20
