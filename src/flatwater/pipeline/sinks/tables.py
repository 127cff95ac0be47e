"""A SQL table as a sink: rows in short transactions, with the place of a job in the same ones.

Covers:     writing batch by batch, committing with a record.
Not here:   the statements (`source.tables.creating`).
Holds:      what the table's writer holds.
"""

from dataclasses import dataclass
from typing import Any


@dataclass
class TableSink:
    table: Any
