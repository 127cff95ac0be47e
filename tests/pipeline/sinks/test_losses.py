"""What Arrow would leave out in silence is found; what it keeps passes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from flatwater.pipeline.sinks.losses import losses_of

pa = pytest.importorskip("pyarrow")
DAY = dt.date(2020, 1, 1)
MIDNIGHT, NOON = (dt.datetime.combine(DAY, dt.time(hour)) for hour in (0, 12))


@pytest.mark.parametrize(
    ("kind", "kept", "lost"),
    [
        (pa.int64(), [1, 2.0, None, Decimal(3)], [1.5, Decimal("0.1")]),
        (pa.date32(), [DAY, None, MIDNIGHT], [NOON]),
        (pa.struct([("a", pa.int64())]), [{"a": 1}, {}, None], [{"a": 1.5}, {"b": 1}]),
        (pa.list_(pa.int8()), [[1, None], [], None], [[1.5]]),
        (pa.large_list(pa.struct([("a", pa.float64())])), [[{"a": 1.5}, None]], [[{"b": 1}]]),
        (pa.map_(pa.string(), pa.int64()), [{"a": 1}, [("b", 2.0)], None], [{"a": 1.5}]),
    ],
)
def test_each_kind_of_column(kind, kept, lost):
    """Value by value."""
    schema = pa.schema([("x", kind)])
    for value in kept:
        assert losses_of([{"x": value}], pa.RecordBatch.from_pylist([{"x": value}], schema=schema)) == ""
    for value in lost:
        assert losses_of([{"x": value}], pa.RecordBatch.from_pylist([{"x": value}], schema=schema)).startswith("x: ")


def test_a_value_that_has_to_be_there():
    """None is no value."""
    schema = pa.schema([pa.field("x", pa.int64(), nullable=False)])
    assert "wants one" in losses_of([{}], pa.RecordBatch.from_pylist([{}], schema=schema))
