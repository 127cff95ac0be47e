from __future__ import annotations

import datetime as dt
import gzip
import io
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


def test_values_that_python_has_not(tmp_path):
    """A day beyond its calendar, a nanosecond, bytes that are no text: each is a bad row, and the others come."""
    columns = {
        "id": [1, 2, 3, 4],
        "day": pa.array([0, 2**30, 0, 0], pa.date32()),
        "at": pa.array([1_000, 1_000, 1, 1_000], pa.timestamp("ns")),
        "name": pa.array([b"a", b"b", b"c", b"\xff"]).view(pa.string()),
    }
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table(columns), path)
    rows = records(path, dict, on_error="skip")
    assert [row["id"] for row in rows] == [1]
    assert [row.line for row in rows.report] == [2, 3, 4]
    assert "Nanosecond" in rows.report.rows[1].reason
    assert "pandas" not in rows.report.rows[1].reason
    reader = records(path, dict)
    assert next(reader)["id"] == 1
    with pytest.raises(errors.CorruptError, match="line 2"):
        next(reader)


def test_open_files(table):
    """A file object in which can be sought is as good as a path, from where it stands, and stays open."""
    data = Path(table).read_bytes()
    assert sum(1 for _ in records(io.BytesIO(data), Row)) == 10_000
    with open(table, "rb") as file:
        assert sum(1 for _ in records(file, Row)) == 10_000
        assert not file.closed


def test_damage_that_a_checksum_shows(tmp_path):
    """Where pages have checksums they are compared."""
    path = tmp_path / "a.parquet"
    parquet.write_table(
        pa.table({"id": list(range(10_000))}), path, write_page_checksum=True, compression="none", use_dictionary=False
    )
    data = bytearray(path.read_bytes())
    data[20_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(errors.CorruptError, match="broken after row"):
        list(records(path, Row))


def test_columns_with_a_dot(tmp_path):
    """A column whose name has a dot is counted like any other."""
    path = tmp_path / "a.parquet"
    parquet.write_table(
        pa.table({"a.b": ["x" * 100_000] * 20, "a": list(range(20))}), path, use_dictionary=False, compression="none"
    )
    schema = msgspec.defstruct("Dotted", [("text", str, msgspec.field(name="a.b"))])
    with records(path, schema) as reader:
        assert [len(row.text) for row in next(reader._rows.lists())] == [100_000] * 5
