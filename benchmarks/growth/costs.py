"""What ten times and a hundred times as much costs: the same work at n, 10 n and 100 n, in one run.

A path that is linear has an exponent of 1 (CPU of 100 n over that of 10 n, as a power of ten); one whose memory is bounded has the
same peak. Matching has none: a changed row is to cost the same beside a hundred times as many live queries.
"""

from __future__ import annotations

import atexit
import csv
import math
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

SCALES = (1, 10, 100)
EXPONENT_MAX, PEAK_MAX, MATCH_MAX = 1.1, 1.3, 0.3
CHANGED_ROWS = 500
FILE_LINES = 400
PART = 1_000  # entries of a write: it is all or nothing, and held until it is done
MATCH = "live match"


def called(path: str, scale: int) -> str:
    """As in the table."""
    return f"{path}, {scale} n" if scale > 1 else f"{path}, n"


def exponent(path: str, outcome: Outcome) -> float:
    """Of CPU from 10 n to 100 n."""
    return math.log10(outcome.seconds(called(path, 100)) / outcome.seconds(called(path, 10)))


def peak(path: str, outcome: Outcome) -> float:
    """Anonymous memory at 100 n, to that at 10 n."""
    most, more = (max(each["anon_peak_bytes"] for each in outcome.rounds[called(path, scale)]) for scale in (100, 10))
    return float(most / max(more, 1))


def home() -> Path:
    """A folder that goes with the process."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _lines(count: int) -> Path:
    path = home() / "lines.txt"
    with path.open("w") as file:
        file.writelines(
            f"{number} is a line of some words, as they come in logs and in texts\n" for number in range(count)
        )
    return path


def table(size: int) -> Run:
    """Rows of a table, one by one."""
    import flatwater as fw

    path = home() / "orders.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        database.executemany(
            "INSERT INTO orders VALUES (?, ?, ?)", ((number, f"name {number}", number / 4) for number in range(size))
        )
    database.close()

    def run() -> None:
        assert sum(1 for _ in fw.Table(str(path), "orders").find_each()) == size

    return run


def records(size: int) -> Run:
    """Rows of a CSV file."""
    import flatwater as fw

    path = home() / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "price"])
        writer.writerows([number, f"name {number}", number / 4] for number in range(size))

    def run() -> None:
        assert sum(1 for _ in fw.records(str(path), dict)) == size

    return run


def flow(size: int) -> Run:
    """Lines through three stages."""
    import flatwater as fw

    made = fw.Flow(fw.lines(str(_lines(size)))).map(str.split).filter(len).batch(rows=1_000)

    def run() -> None:
        assert made.run().items > 0

    return run


def store(size: int) -> Run:
    """Entries written, and every one of them changed."""
    import flatwater as fw

    path = home() / "state"

    def run() -> None:
        with fw.Store(str(path)) as entries:
            for begin in range(0, size, PART):
                entries.write(
                    ((f"file/{number:09}",), b"unseen" * 5) for number in range(begin, min(begin + PART, size))
                )
            assert entries.update_each(lambda _key, value: value + b"!").changed == size

    return run


def sync(size: int) -> Run:
    """A first sync of a made-up listing, nothing of which is sent anywhere."""
    from benchmarks.sync.generated import Dropping, Generated

    import flatwater as fw

    state = home() / "state"

    def run() -> None:
        assert fw.Sync(Generated(size), Dropping(), state=str(state)).apply().files == size

    return run


def ingest(size: int) -> Run:
    """Texts into a searchable corpus, a line of 70 bytes for each of n."""
    import flatwater as fw

    folder, path = _lines(size).parent, home() / "docs.corpus"

    def run() -> None:
        with fw.Corpus(str(path)) as corpus:
            corpus.ingest(str(folder))

    return run


def match(size: int) -> Run:
    """Five hundred changed rows, beside n live queries."""
    from benchmarks.live import match as matching

    from flatwater.live.matching import Groups

    groups = Groups()
    for each in matching.predicates(size, ((1.0, "user_id = ?"),)):
        groups.add(1, "", each)
    changed = matching.rows(size)[:CHANGED_ROWS]

    def run() -> None:
        for row in changed:
            for _ in groups.match(1, "", None, row):
                pass

    return run


def lint(size: int) -> Run:
    """Lines of programs, four hundred a file."""
    from flatwater.lint import linter

    folder = home()
    body = "".join(
        f"def f{number}(rows):\n    return [each for each in rows if each > {number}]\n"
        for number in range(FILE_LINES // 2)
    )
    for number in range(max(1, size // FILE_LINES)):
        (folder / f"part{number}.py").write_text(f"# {number}\n{body}")

    def run() -> None:
        assert sum(1 for _ in linter.lint([str(folder)])) == 0

    return run


PATHS: dict[
    str, tuple[Callable[[int], Run], int, tuple[str, ...]]
] = {  # each with how many of its things one of n is, and what it needs
    "table": (table, 10, ("apsw",)),
    "records": (records, 10, ()),
    "flow": (flow, 20, ()),
    "store": (store, 10, ("lmdb",)),
    "sync": (sync, 1, ("lmdb",)),
    "ingest": (ingest, 10, ("apsw", "numpy")),
    MATCH: (match, 1, ("sqlglot",)),
    "lint": (lint, 1, ()),
}

case = Case(
    "The same work at n, 10 n and 100 n: rows, lines, entries, files, texts, live queries, lines of programs.",
    size=2_000, tiny=20, rounds_per_repeat=1, patience=2,
    bars=(
        *(
            Bar(f"{path}: CPU from 10 n to 100 n grows with an exponent of at most {EXPONENT_MAX}", EXPONENT_MAX, "", partial(exponent, path))
            for path in PATHS if path != MATCH
        ),
        Bar(f"a changed row beside 100 n live queries, as an exponent of that beside 10 n: at most {MATCH_MAX}", MATCH_MAX, "", partial(exponent, MATCH)),
        *(
            Bar(f"{path}: the peak at 100 n is at most {PEAK_MAX} times that at 10 n", PEAK_MAX, "x", partial(peak, path))
            for path in PATHS if path != MATCH
        ),
    ),
)  # fmt: skip


def _scaled(made: Callable[[int], Run], many: int, size: int) -> Run:
    return made(size * many)


for _path, (_made, _each, _needs) in PATHS.items():
    for _scale in SCALES:
        case.contestant(called(_path, _scale), needs=_needs)(partial(_scaled, _made, _scale * _each))
