"""Typed rows from a log that many programs have written, some of them badly.

python docs/examples/files_messy.py
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import msgspec

import flatwater as fw
from flatwater.source import records

MESSY = """\
{"user": "ann", "bytes": 120}
{"user": "bob", "bytes": "many"}

{"user": "cyd"}
{"user": "dan", "bytes": 7, "more": [1, 2]}
{"user": "eve", "by
"""


class Visit(msgspec.Struct):
    """What is wanted of a row; what else it has is passed over."""

    user: str
    bytes: int


def main() -> None:
    """Print the good rows by batches, then what was wrong with the others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visits.jsonl.gz"
        path.write_bytes(gzip.compress(MESSY.encode()))
        with fw.Budget("64 MiB") as budget:
            rows = records(path, Visit, on_error="skip")
            for batch in rows.batches("1 MiB"):
                print(batch)
            print(f"{budget.peak / (1 << 20):.0f} MiB were promised")
        for row in rows.report:
            print(f"line {row.line}, byte {row.byte}: {row.reason}")


if __name__ == "__main__":
    main()
