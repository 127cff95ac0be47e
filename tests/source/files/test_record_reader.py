from __future__ import annotations

import asyncio
import dataclasses
import gzip
import io
import json
import pickle

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.sizing import heap_bytes
from flatwater.source import records


@dataclasses.dataclass
class Row:
    id: int
    name: str = ""


def rows_of(count, width=10):
    return "".join(json.dumps({"id": number, "name": "x" * width}) + "\n" for number in range(count))


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.jsonl", '{"id": 1}'), ("a.ndjson.gz", gzip.compress(b'{"id": 1}')), ("a.csv", "id\n1"), ("a.csv.gz", gzip.compress(b"id\n1")),
     ("a", '\n {"id": 1}'), ("b", gzip.compress(b'\xef\xbb\xbf{"id": 1}')), ("c", '{"id": 1}'.encode("utf-16"))],
    ids=["jsonl", "ndjson.gz", "csv", "csv.gz", "jsonl by content", "gzip by content", "utf-16 by content"],
)  # fmt: skip
def test_the_format_is_told_by_name_or_content(write, name, data):
    """The suffix tells it, before that of a compression; else the first bytes do."""
    assert list(records(write(data, name), Row)) == [Row(1)]


def test_a_format_that_cannot_be_told(write):
    """It is asked for; and an unknown one is refused."""
    with pytest.raises(errors.UsageError, match="format="):
        list(records(write("id\n1\n"), Row))
    assert list(records(write("id\n1\n"), Row, "csv")) == [Row(1)]
    with pytest.raises(errors.UsageError, match="xml"):
        records("a", Row, "xml")
    assert list(records(io.BytesIO(b'{"id": 5}'), Row)) == [Row(5)]


@pytest.mark.parametrize("width", [5, 3_000, 200_000])
def test_batches_are_bounded_by_bytes(write, width):
    """No batch takes more heap bytes than asked for, but a single row; all rows come, in order."""
    count = 20_000 // width + 200
    batches = list(records(write(rows_of(count, width), "a.jsonl"), Row).batches("128 KiB"))
    assert [row.id for batch in batches for row in batch] == list(range(count))
    assert all(len(batch) == 1 or heap_bytes(batch) <= 1.25 * 131_072 for batch in batches)
    assert len(batches) == count if width == 200_000 else len(batches) < count / 5


def test_batches_are_bounded_by_rows(write):
    """A number of rows is a second bound."""
    batches = list(records(write(rows_of(1000), "a.jsonl"), Row).batches(rows=64))
    assert {len(batch) for batch in batches[:-1]} == {64}
    assert len(batches[-1]) == 1000 % 64


def test_batches_are_promised(write):
    """A batch's bytes are in the bound and in the budget; too many are refused; asked for too late they are an error."""
    path = write(rows_of(10), "a.jsonl")
    budget = fw.Budget("20 MiB")
    with budget:
        reader = records(path, Row, longest="64 KiB")
        plain = reader.bytes_max()
        batches = reader.batches("8 MiB")
        assert reader.bytes_max() >= plain + (8 << 20)
        assert len(next(batches)) == 10
        assert list(batches) == []
        assert budget.held == 0
        assert budget.peak >= 8 << 20
        with pytest.raises(errors.BudgetExceeded):
            list(records(path, Row, longest="64 KiB").batches("30 MiB"))
    reader = records(path, Row)
    next(reader)
    with pytest.raises(errors.UsageError, match="read already"):
        reader.batches()
    with pytest.raises(errors.UsageError, match="rows=0"):
        records(path, Row).batches(rows=0)
    reader.close()


def test_a_row_that_is_too_long(write):
    """It is refused with its place, or skipped and told."""
    path = write(rows_of(2) + rows_of(1, 5000) + rows_of(1), "a.jsonl")
    with pytest.raises(errors.LimitReached, match="line 3"):
        list(records(path, Row, longest="1 KiB"))
    reader = records(path, Row, longest="1 KiB", on_error="skip")
    assert [row.id for row in reader] == [0, 1, 0]
    assert "longer than 1.0 KiB" in reader.report.rows[0].reason


def test_workers_and_coroutines(write):
    """Ranges can be pickled; CSV has none; `async for` gives the same rows."""
    path = write(rows_of(100), "a.jsonl")
    assert [row["id"] for part in pickle.loads(pickle.dumps(records(path).ranges(3))) for row in part] == list(
        range(100)
    )
    with pytest.raises(errors.UsageError, match="no ranges"):
        records(write("id\n1\n", "a.csv")).ranges(2)
    with pytest.raises(errors.UsageError, match="from the middle"):
        records(path, Row, "csv", offset=5)

    async def read():
        return [row.id async for row in records(path, Row)]

    assert asyncio.run(read()) == list(range(100))


def test_what_it_holds_is_within_its_bound(write):
    """Rows of the smallest objects take no more than `bytes_max()`."""
    import tracemalloc

    path = write('{"id":1,"name":""}\n' * 50_000 + "{}\n" * 100_000, "a.jsonl")
    with records(path, dict, longest="64 KiB") as reader:
        tracemalloc.start()
        try:
            assert sum(1 for _ in reader) == 150_000
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak <= reader.bytes_max()


@pytest.mark.parametrize("arguments", [{"header": 3}, {"header": "id"}, {"header": [1]}, {"csv": "x"}, {"csv": [1]}])
def test_arguments_that_are_none(write, arguments):
    """What is no header and no dict of arguments is refused in words."""
    with pytest.raises(errors.UsageError, match=next(iter(arguments))):
        records(write("id\n1\n", "a.csv"), Row, **arguments)


def test_what_a_row_that_is_too_long_asks_for(write):
    """The hint names an argument that there is."""
    with pytest.raises(errors.LimitReached, match="on_error='skip'") as caught:
        list(records(write(rows_of(1, 5000), "a.jsonl"), Row, longest="1 KiB"))
    assert "too_long" not in str(caught.value)
