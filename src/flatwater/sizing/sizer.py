"""Charge rows, batches and columns in heap bytes, fast enough to charge every row.

Covers:     a calibration per schema, the list that points to the rows, arrays and buffers.
Not here:   what a schema learns (`sizing.schema`), exact walks (`sizing.heap`), counting what is held (`budget`).
Holds:      the calibrations and the shared values: see `Sizer.bytes_max`.
"""

from __future__ import annotations

import array
from collections import OrderedDict
from collections.abc import Collection, Mapping
from itertools import islice
from typing import final

from flatwater.sizing.heap import heap_bytes
from flatwater.sizing.objects import layout_of, own_bytes
from flatwater.sizing.schema import COLUMNS_MAX, SCHEMA_BYTES, Constants, Schema

SCHEMAS_MAX = 64  # schemas a `Sizer` knows at a time; the oldest goes first
_WIDTHS_MAX = 12  # more schemas of one type: its rows are ragged
_CHUNK_ROWS = 256  # rows of a batch glanced at together
_NAMES_CHARS_MAX = 4096  # longer column names are data


@final
class Sizer:
    """Charges rows in heap bytes, calibrated per schema: the row's type and its columns.

    The first rows of a schema are weighed exactly, then fewer and fewer, down to one in 128. All others are glanced
    at: every value is looked at by one C function, and a line through the weighed rows turns the sum into bytes. A row
    that is larger, deeper or of other types than those weighed is weighed itself: one fat row is charged in full.

    A value that rows share (column names, status strings, an interned category) is divided by the references to it, so
    that the rows together pay for it about once. Up to three references count as one, because they may be a caller's
    variable and a page of rows about to be dropped; such a value is free once two weighed rows both had it.

    A row of four columns costs about as much CPU as 10 empty function calls in a batch, whose rows are glanced at 256 at
    a time, and as 50 of them when charged by itself; one more column adds 1 or 2 to a row of a batch.

    Not locked: threads that share a sizer may lose a weighed row, which costs a little accuracy and nothing else.

    >>> sizer = Sizer()
    >>> rows = [{"id": 1000 + i, "name": f"name {i}"} for i in range(1000)]
    >>> 250_000 < sizer.batch(rows) < 350_000
    True
    >>> sizer.row({"id": 7, "name": "x" * 1_000_000}) >= 1_000_000
    True
    """

    def __init__(self) -> None:
        self._schemas: OrderedDict[tuple[type, object], Schema] = OrderedDict()
        self._constants = Constants()

    def __reduce__(self) -> tuple[type[Sizer], tuple[()]]:
        # A copy or another process calibrates for itself: identities and references mean nothing there.
        return Sizer, ()

    def bytes_max(self) -> int:
        """The most this sizer can hold at once, in bytes."""
        total = 0
        total += SCHEMAS_MAX * SCHEMA_BYTES  # the calibrations
        total += Constants.bytes_max()  # the values known to be shared
        return total

    def row(self, row: object) -> int:
        """Heap bytes of one row, with its share of what it shares with other rows.

        Args:
            row: anything: dict, tuple, list, named tuple, dataclass, sqlite3.Row, str, bytes, a number, nested.
        """
        # `_schema_of` by hand: this is called for every row, and a call costs as much as a column.
        cls = type(row)
        width: object = 0
        if cls is dict:
            width = tuple(row)  # type: ignore[arg-type]  # it is a dict
        elif cls is tuple or cls is list:
            width = len(row)  # type: ignore[arg-type]  # it is a tuple or list
        schema = self._schemas.get((cls, width))
        if schema is None:
            schema = self._schema_for(cls, width)
        return schema.charge(row)

    def batch(self, rows: Collection[object]) -> int:
        """Heap bytes of a batch: its rows, and the list or other container that points to them.

        Raises:
            ValueError: `rows` is a mapping, an iterator (sizing would use it up), or no collection.
        """
        if isinstance(rows, Mapping) or not (hasattr(rows, "__len__") and hasattr(rows, "__iter__")):
            name = type(rows).__name__
            raise ValueError(
                f"{name} is not a batch; give a list, or .values() (an iterator would be used up by sizing)"
            )
        if isinstance(rows, (str, bytes, bytearray, memoryview, array.array)) or layout_of(type(rows)).library:
            return heap_bytes(rows)
        total = round(own_bytes(rows, ()))
        left = iter(rows)
        while chunk := list(islice(left, _CHUNK_ROWS)):
            charge = None
            if len(set(map(type, chunk))) == 1:
                charge = self._schema_of(chunk[0]).charge_chunk(chunk)
            total += sum(map(self.row, chunk)) if charge is None else charge
        return total

    def column(self, values: Collection[object]) -> int:
        """Heap bytes of a column: its values, and the list, array or buffer they stand in.

        Raises:
            ValueError: `values` is a mapping, an iterator (sizing would use it up), or no collection.

        >>> Sizer().column(array.array("d", [0.5] * 1000)) // 100
        80
        """
        return self.batch(values)

    def _schema_of(self, row: object) -> Schema:
        """The schema of `row`, by its type and its columns' names or number."""
        cls = type(row)
        width: object = 0
        if cls is dict:
            width = tuple(row)  # type: ignore[arg-type]  # it is a dict
        elif cls is tuple or cls is list:
            width = len(row)  # type: ignore[arg-type]  # it is a tuple or list
        schema = self._schemas.get((cls, width))
        if schema is None:
            schema = self._schema_for(cls, width)
        return schema

    def _schema_for(self, cls: type, width: object) -> Schema:
        """A new schema, or the one for all rows of a type that come in too many widths."""
        ragged = self._schemas.get((cls, None))
        if ragged is not None:
            return ragged
        siblings = [key for key in list(self._schemas) if key[0] is cls]
        names = width if isinstance(width, tuple) else ()
        columns = max(len(names), width if isinstance(width, int) else 0)
        names_chars = sum(len(name) if type(name) is str else _NAMES_CHARS_MAX for name in names)
        if len(siblings) >= _WIDTHS_MAX or columns > COLUMNS_MAX or names_chars > _NAMES_CHARS_MAX:
            for key in siblings:
                self._schemas.pop(key, None)
            width = None
        while len(self._schemas) >= SCHEMAS_MAX:
            self._schemas.popitem(last=False)
        schema = self._schemas[cls, width] = Schema(cls, width, self._constants)
        return schema
