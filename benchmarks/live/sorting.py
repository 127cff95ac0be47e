"""Five million rows of 108 bytes, sorted by the SQL engine with a pool of 64 MiB, and by DuckDB below a limit of 128 MB.

DuckDB refuses the same with 64 MB. The peak is the resident high-water mark of the whole process, libraries and all; the rows come
from a generator, a thousand at a time.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.live.status import status_mb

OURS, DUCKDB = "SQL engine, pool of 64 MiB", "DuckDB, limit of 128 MB"
ROWS = 1_000  # at a time

case = Case(
    "Rows sorted in a query, by thousands.",
    size=5_000, tiny=20, per="thousand rows", unit="us",
    figures={"peak_mb": "peak resident, MB"},
    bars=(Bar("5 M rows peak at 320 MB in all", 320, "MB", lambda outcome: outcome.figure(OURS, "peak_mb")),),
)  # fmt: skip


def batches(size: int) -> Iterator[Any]:
    """So many thousand rows, in an order of chance."""
    import pyarrow as pa

    chance = random.Random(1)
    for _ in range(size):
        numbers = [chance.getrandbits(60) for _ in range(ROWS)]
        yield pa.RecordBatch.from_pydict({"id": numbers, "body": [f"{number:0100d}" for number in numbers]})


class Rows:
    """The rows as the engine reads them."""

    def __init__(self, size: int) -> None:
        import pyarrow as pa

        self.schema = pa.schema([("id", pa.int64()), ("body", pa.string())])
        self.widest = 0  # no row is wider than the average
        self._size = size

    def batches(self, columns: list[str] | None) -> Iterator[Any]:
        """Those columns of them."""
        for batch in batches(self._size):
            yield batch if columns is None else batch.select(columns)


@case.contestant(OURS, needs=("datafusion", "sqlglot"))
def ours(size: int) -> Run:
    import flatwater as fw
    from flatwater.live.engine import Engine
    from flatwater.live.fence import checked
    from flatwater.live.statements import understood

    folder = tempfile.mkdtemp()

    def run() -> dict[str, float]:
        engine = Engine(64 << 20, f"{folder}/spill", fw.Budget("1 GiB"))
        query = checked(understood("SELECT * FROM t ORDER BY id").tree)
        rows = sum(batch.num_rows for batch in engine.run(query, {("", "t"): Rows(size)}, (), 3_600)[1])
        assert rows == size * ROWS
        engine.close()
        shutil.rmtree(folder)
        return {"peak_mb": status_mb("VmHWM")}

    return run


@case.contestant(DUCKDB, needs=("duckdb", "pyarrow"), rounds_max=1)
def duck(size: int) -> Run:
    import duckdb
    import pyarrow as pa

    folder = tempfile.mkdtemp()

    def run() -> dict[str, float]:
        connection = duckdb.connect(config={"memory_limit": "128MB", "temp_directory": folder, "threads": 2})
        made = pa.RecordBatchReader.from_batches(pa.schema([("id", pa.int64()), ("body", pa.string())]), batches(size))
        connection.register("t", made)
        rows = sum(batch.num_rows for batch in connection.sql("SELECT * FROM t ORDER BY id").to_arrow_reader())
        assert rows == size * ROWS
        connection.close()
        shutil.rmtree(folder)
        return {"peak_mb": status_mb("VmHWM")}

    return run
