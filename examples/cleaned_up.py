"""A mean for each kind, of a file of measurements: first as it is often written, then as it stays inside.

    python examples/cleaned_up.py [rows] [hungry]

`flatwater lint --confidence maybe examples/cleaned_up.py` finds the first one: all rows are a list before one is looked at.

Budget: 64 MiB
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import flatwater as fw


def make(path: Path, rows: int) -> None:
    """Measurements to try it on."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "place", "value"])
        writer.writerows([f"kind{number % 5}", f"place {number % 1000}", number % 100] for number in range(rows))


def hungry(path: Path) -> dict[str, float]:
    """All rows at once."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {row["kind"] for row in rows}
    of = {kind: [float(row["value"]) for row in rows if row["kind"] == kind] for kind in kinds}
    return {kind: sum(values) / len(values) for kind, values in of.items()}


def flat(path: Path) -> dict[str, float]:
    """Row by row; two numbers for each kind."""
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for row in fw.records(str(path), dict):
        sums[row["kind"]] += float(row["value"])
        counts[row["kind"]] += 1
    return {kind: sums[kind] / counts[kind] for kind in sums}


def main(rows: int, which: str) -> None:
    """Make, compute, tell."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "measurements.csv")
        make(path, rows)
        for kind, mean in sorted((hungry if which == "hungry" else flat)(path).items()):
            print(f"{kind}  {mean:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000, sys.argv[2] if len(sys.argv) > 2 else "flat")
