"""Parquet files: rows as they are, in groups of bounded bytes, whole or not at all."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import stat

import pytest

from flatwater import errors, limits
from flatwater.pipeline.flow import Flow

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@dataclasses.dataclass
class Row:
    n: int
    text: str


def test_rows_come_back(tmp_path):
    """Dicts with gaps, and objects."""
    rows = [{"n": n, "text": f"row {n}"} if n % 3 else {"n": n} for n in range(5000)]
    Flow(rows).to(tmp_path / "out.parquet").run()
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"text": None, **row} for row in rows]
    Flow([Row(1, "a"), Row(2, "b")]).to(tmp_path / "out.parquet").run()
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"n": 1, "text": "a"}, {"n": 2, "text": "b"}]
    assert os.listdir(tmp_path) == ["out.parquet"]


@pytest.mark.parametrize("with_job", [False, True])
def test_row_groups_are_of_bounded_bytes(tmp_path, monkeypatch, with_job):
    """As many as bytes ask for, with a checkpoint and without."""
    monkeypatch.setattr(limits, "FLOW_ROW_GROUP_BYTES", 100_000)
    options = {"checkpoint": tmp_path / "job.state", "checkpoint_s": 0.001} if with_job else {}
    Flow(range(2000)).map(lambda n: {"n": n, "text": f"{n:0500}"}).to(tmp_path / "out.parquet").run(**options)
    with pq.ParquetFile(tmp_path / "out.parquet") as file:
        assert 5 <= file.num_row_groups <= 20
        assert file.read().column("n").to_pylist() == list(range(2000))


@pytest.mark.parametrize("with_job", [False, True])
@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ({"n": "no number"}, "n: int64"),
        ({"n": 1, "more": 2}, "no column for more"),
        (7, "int is no row of Parquet"),
    ],
)
def test_a_row_that_does_not_suit(tmp_path, bad, match, with_job):
    """It is named, with its stage and number, and passed over if that was asked for."""
    rows = [{"n": n} for n in range(1500)]
    rows[1200] = bad
    options = {"checkpoint": tmp_path / "job.state"} if with_job else {}
    with pytest.raises(errors.UsageError, match=match) as caught:
        Flow(rows).to(tmp_path / "out.parquet").run(**options)
    assert "1 to(out.parquet), item 1,201" in caught.value.__notes__[0]
    assert not (tmp_path / "out.parquet").exists()
    report = Flow(rows).to(tmp_path / "out.parquet").run(on_error="skip", **options)
    assert report.skipped == 1
    assert pq.read_table(tmp_path / "out.parquet").column("n").to_pylist() == [n for n in range(1500) if n != 1200]
    assert sum(stage.items_in for stage in report.stages) == 1500


@pytest.mark.parametrize("with_job", [False, True])
def test_rows_of_several_kinds_that_do_not_suit(tmp_path, with_job):
    """Each is told once, with its own number, also where no row and a row that does not suit are in one batch."""
    rows = [3, {"n": 1}, {"n": "x"}, None, {"n": 2}]
    options = {"checkpoint": tmp_path / "job.state"} if with_job else {}
    report = Flow(rows).to(tmp_path / "out.parquet").run(dead_letters=tmp_path / "dead.jsonl", **options)
    assert (report.items, report.skipped, report.stages[1].items_in) == (2, 3, 5)
    assert [json.loads(line)["number"] for line in (tmp_path / "dead.jsonl").read_text().splitlines()] == [1, 3, 4]
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([{"n": None}, {"n": 1}, {"n": "x"}, {"n": 2, "more": 3}], "n more"),
        ([{"n": 1}, {"n": 1.5}, {"n": "x"}, {"n": 2}], "n"),
        ([{"n": "x", "more": 1}, {"n": 1, "worse": 1}, {"n": "y"}, {"n": None, "more": None}], "n more"),
    ],
)
def test_first_rows_of_which_one_does_not_suit(tmp_path, rows, columns):
    """It alone is passed over: the columns are those of the others, and not of the very first row."""
    report = Flow(rows).to(tmp_path / "out.parquet").run(on_error="skip")
    assert (report.items, report.skipped) == (3, 1)
    assert pq.read_table(tmp_path / "out.parquet").column_names == columns.split()


def test_a_schema_for_all_rows(tmp_path):
    """It makes columns that the first rows do not have, and those of a file without rows."""
    schema = pa.schema([("n", pa.int32()), ("late", pa.string())])
    rows = [{"n": n} for n in range(3000)] + [{"n": 1, "late": "x"}]
    Flow(rows).to(tmp_path / "out.parquet", schema=schema).run()
    assert pq.read_table(tmp_path / "out.parquet").slice(3000).to_pylist() == [{"n": 1, "late": "x"}]
    Flow([]).to(tmp_path / "out.parquet", schema=schema).run()
    assert pq.read_table(tmp_path / "out.parquet").schema == schema


@pytest.mark.parametrize("with_job", [False, True])
def test_no_rows_and_no_schema(tmp_path, with_job):
    """Such a file has no columns: it is an error, and nothing is left."""
    options = {"checkpoint": tmp_path / "job.state"} if with_job else {}
    with pytest.raises(errors.UsageError, match="has no row, and no columns"):
        Flow([]).to(tmp_path / "out.parquet").run(**options)
    assert not (tmp_path / "out.parquet").exists()


def test_a_job_goes_on_behind_what_was_published(tmp_path):
    """New rows of the source are added to those that are there."""
    (tmp_path / "in.txt").write_text("".join(f"{n}\n" for n in range(1000)))
    flow = Flow(_numbers, str(tmp_path / "in.txt")).to(tmp_path / "out.parquet")
    assert flow.run(checkpoint=tmp_path / "job.state").items == 1000
    assert flow.run(checkpoint=tmp_path / "job.state").items == 0
    with (tmp_path / "in.txt").open("a") as file:
        file.writelines(f"{n}\n" for n in range(1000, 1500))
    assert flow.run(checkpoint=tmp_path / "job.state").items == 500
    assert pq.read_table(tmp_path / "out.parquet").column("n").to_pylist() == list(range(1500))
    assert sorted(os.listdir(tmp_path)) == ["in.txt", "job.state", "job.state.lock", "out.parquet"]


def _numbers(path):
    with open(path) as file:
        for line in file:
            yield {"n": int(line)}


def test_a_pipe_or_device_is_refused(tmp_path):
    """It is not replaced by a file."""
    os.mkfifo(tmp_path / "pipe.parquet")
    for options in ({}, {"checkpoint": tmp_path / "job.state"}):
        with pytest.raises(errors.UsageError, match="is a pipe or a device"):
            Flow([{"n": 1}]).to(tmp_path / "pipe.parquet").run(**options)
    assert stat.S_ISFIFO((tmp_path / "pipe.parquet").stat().st_mode)


def test_a_schema_of_another_kind(tmp_path):
    """It is said when the flow is made."""
    with pytest.raises(errors.UsageError, match="schema= is dict"):
        Flow([]).to(tmp_path / "out.parquet", schema={"n": int})


DAY, NOON = dt.date(2020, 1, 1), dt.datetime.combine(dt.date(2020, 1, 1), dt.time(12))


@pytest.mark.parametrize("batch_rows", [1, 1000])
@pytest.mark.parametrize(
    ("first", "bad", "match"),
    [
        (DAY, NOON, "day: datetime"),
        ([DAY], [NOON], "list"),
        ({"a": DAY}, {"a": NOON}, "a: datetime"),
    ],
)
def test_nothing_of_a_date_is_cut_off(tmp_path, first, bad, match, batch_rows):
    """A time of day is not dropped in silence, wherever it stands."""
    flow = Flow([{"day": first}, {"day": first}, {"day": bad}], batch_rows=batch_rows).to(tmp_path / "out.parquet")
    with pytest.raises(errors.UsageError, match=match):
        flow.run()
    assert flow.run(on_error="skip").skipped == 1
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"day": first}] * 2


@pytest.mark.parametrize(
    ("first", "good", "bad", "match"),
    [
        (1, 2.0, 1.5, r"it does not suit the columns x: int64: x: 1.5 in a column of int64"),
        ({"a": 1}, {}, {"a": 1, "b": 2}, "no field for b"),
        ([{"a": 1}], [], [{"a": 1, "b": 2}], "no field for b"),
        ({"a": {"b": 1}}, {"a": None}, {"a": {"b": 2.5}}, "a: b: 2.5"),
        ([1], [2.0, None], [1, 2.5], "2.5 in a column"),
    ],
)
def test_nothing_of_a_later_row_is_cut_off(tmp_path, first, good, bad, match):
    """What the columns of the first rows have no room for fails, and what fits passes."""
    flow = Flow([{"x": first}, {"x": good}, {"x": bad}, {"x": None}], batch_rows=1).to(tmp_path / "out.parquet")
    with pytest.raises(errors.UsageError, match=match):
        flow.run()
    assert flow.run(on_error="skip").skipped == 1
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 3


def test_a_schema_that_is_given_cuts_nothing_off(tmp_path):
    """Maps have keys and values; a column that may not be empty is not."""
    schema = pa.schema([pa.field("n", pa.int32(), nullable=False), ("m", pa.map_(pa.string(), pa.int8()))])
    rows = [{"n": 1, "m": {"a": 1}}, {"n": None}, {"n": 2, "m": [("a", 1.5)]}, {"n": 3, "m": None}]
    report = Flow(rows).to(tmp_path / "out.parquet", schema=schema).run(on_error="skip")
    assert [failure.number for failure in report.failures] == [2, 3]
    assert pq.read_table(tmp_path / "out.parquet").column("n").to_pylist() == [1, 3]
