"""Rows as Arrow."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from flatwater.live.dataset import RowsDataset, arrow_rows, batches_of
from flatwater.live.schema import USER, Column, Schema
from flatwater.live.types import Type

KINDS = {
    "i": "BIGINT",
    "t": "TEXT",
    "b": "BYTES",
    "d": "DATE",
    "at": "TIMESTAMP",
    "u": "UUID",
    "x": "DECIMAL",
    "j": "JSON",
    "f": "FLOAT",
    "o": "BOOLEAN",
}
SCHEMA = Schema(
    1,
    "main",
    "t",
    USER,
    [Column(name, Type(kind, *((10, 2) if kind == "DECIMAL" else ()))) for name, kind in KINDS.items()],
    ["i"],
)
ROW = {
    "i": 1,
    "t": "é",
    "b": b"\xff",
    "d": date(2026, 1, 2),
    "at": datetime(2026, 1, 2, tzinfo=UTC),
    "u": UUID(int=7),
    "x": Decimal("1.50"),
    "j": {"a": 1},
    "f": 0.5,
    "o": True,
}
NULLS = dict.fromkeys(ROW) | {"i": 2}


def test_all_types():
    """Each has its type in Arrow; UUIDs and JSON are texts; NULL is null."""
    (batch,) = batches_of([[ROW, NULLS]], SCHEMA, None)
    assert batch.schema == SCHEMA.arrow()
    assert batch.to_pylist() == [ROW | {"u": str(ROW["u"]), "j": '{"a":1}'}, NULLS]


def test_some_columns():
    """Those that are asked for, in this order; of none, the rows are still counted."""
    pages = [[ROW], [NULLS] * 2]
    assert next(batches_of(pages, SCHEMA, ["t", "i"])).to_pylist() == [{"t": "é", "i": 1}]
    assert [batch.num_rows for batch in batches_of(pages, SCHEMA, [])] == [1, 2]
    assert arrow_rows([{"i": 1}], pa.schema([("i", pa.int64())])).to_pylist() == [{"i": 1}]


def test_a_scan():
    """A dataset filters by any column, gives those that are wanted, and reads nothing before it is scanned."""
    read = []

    class Source:
        schema = SCHEMA.arrow()

        def batches(self, columns):
            read.append(columns)
            return batches_of([[ROW, NULLS]], SCHEMA, columns)

    dataset = RowsDataset(Source())
    (fragment,) = dataset.get_fragments()
    assert read == []
    assert fragment.physical_schema == dataset.schema
    assert [batch.to_pylist() for batch in dataset.scanner(columns=["t"]).to_batches()] == [[{"t": "é"}, {"t": None}]]
    assert [batch.to_pylist() for batch in fragment.scanner(columns=["t"], filter=pc.field("i") == 2).to_batches()] == [
        [{"t": None}]
    ]
    assert read == [["t"], None]
