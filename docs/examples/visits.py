"""The job of docs/tutorial.md: bytes sent for each page of an access log, once as it was written, once as it should be.

python docs/examples/visits.py LOG            all rows first, then the sums
python docs/examples/visits.py LOG --stream   a row at a time
python docs/examples/visits.py --make LOG N   write a log of N rows
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PAGES = [f"/docs/page-{number}" for number in range(500)]


def rows(log: str) -> Iterator[dict[str, object]]:
    """One dict for each line."""
    with open(log, encoding="utf-8") as file:
        for line in file:
            when, visitor, page, size = line.split()
            yield {"when": when, "visitor": visitor, "page": page, "bytes": int(size)}


def totals_all(log: str) -> Counter[str]:
    """Bytes by page; as it was written first."""
    everything = list(rows(log))
    totals: Counter[str] = Counter()
    for row in everything:
        totals[str(row["page"])] += int(str(row["bytes"]))
    return totals


def totals_stream(log: str) -> Counter[str]:
    """Bytes by page; holds one row and one number for each page."""
    totals: Counter[str] = Counter()
    for row in rows(log):
        totals[str(row["page"])] += int(str(row["bytes"]))
    return totals


# What `flatwater prove` runs. `make_log` is called before, in a process of its own; its result is the second argument.


def make_log(n: int) -> str:
    """A log of n rows; returns its path."""
    with tempfile.NamedTemporaryFile("w", suffix=".log", delete=False, encoding="utf-8") as file:
        write_log(Path(file.name), n)
        return file.name


def load(n: int, log: str) -> None:
    """The job as it was written."""
    assert totals_all(log).total() > n


def stream(n: int, log: str) -> None:
    """The job as it should be."""
    assert totals_stream(log).total() > n


def write_log(path: Path, n: int) -> None:
    """Write n rows, the same ones for the same n."""
    chance = random.Random(n)  # noqa: S311 - rows of an example
    with path.open("w", encoding="utf-8") as file:
        for number in range(n):
            seconds = number % 86_400
            file.write(
                f"{seconds} visitor-{chance.randrange(n)} {chance.choice(PAGES)} {chance.randrange(200, 50_000)}\n"
            )


def main(arguments: list[str]) -> int:
    """0 if it worked."""
    match arguments:
        case ["--make", path, count]:
            write_log(Path(path), int(count))
            return 0
        case [log]:
            totals = totals_all(log)
        case [log, "--stream"]:
            totals = totals_stream(log)
        case _:
            print(__doc__)
            return 2
    for page, size in totals.most_common(5):
        print(f"{size:>15,}  {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
