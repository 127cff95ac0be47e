"""What it costs to go through a table of PostgreSQL as objects; the client's CPU, and the server's beside it.

Each contestant has a server of its own, started and filled before the measurement, and gone after it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.tables import models, people
from benchmarks.tables.measuring import FIGURES, Above, check, objects

OURS, DJANGO = "Table by URL, dataclass", "Django, iterator"
KEYSET, SERVER_CURSOR = "psycopg, keyset tuples, binary", "psycopg, server cursor, binary"
BATCH_ROWS = 1000
SERVERS = Path(__file__).parents[2] / "tests" / "servers"
_STACK = contextlib.ExitStack()  # the server is there until the process ends

case = Case(
    "A PostgreSQL table of so many rows of about 290 bytes, as objects with a date; CPU is the client's alone.",
    size=1_000_000,
    tiny=2_000,
    per="row",
    unit="us",
    figures={**FIGURES, "server_us": "server's CPU us per row"},
    bars=(
        Bar("it takes a quarter of the CPU of Django's iterator, or less", 1 / 4, "x",
            lambda outcome: outcome.ratio(OURS, DJANGO)),
        Bar("it takes at most 1.3 times the CPU of psycopg's keyset tuples", 1.3, "x",
            lambda outcome: outcome.ratio(OURS, KEYSET)),
    ),
)  # fmt: skip


def absent() -> str:
    """What the server lacks here."""
    sys.path.insert(0, str(SERVERS))
    try:
        import keeper
    finally:
        sys.path.remove(str(SERVERS))
    try:
        keeper.find("postgres")
    except keeper.Absent as why:
        return str(why)
    return ""


def filled(size: int) -> Any:
    """A server with the table people."""
    sys.path.insert(0, str(SERVERS))
    import database_servers

    folder = _STACK.enter_context(tempfile.TemporaryDirectory())
    server = _STACK.enter_context(database_servers.running("postgres", Path(folder)))
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE people ({people.postgres_columns()})")
        with cursor.copy(f"COPY people ({people.COLUMNS}) FROM STDIN") as copy:
            for row in people.rows(size):
                copy.write_row(row)
        cursor.execute("VACUUM (ANALYZE, FREEZE) people")
        cursor.execute("CHECKPOINT")
    return server


def server_s(pid: int) -> float:
    """CPU seconds of a server and of all of its processes, those included that have ended."""
    ticks = 0
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            fields = Path(f"/proc/{int(entry)}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
            if int(entry) == pid:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == pid:
                ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def with_server(server: Any, size: int, work: Run) -> Run:
    """Adds what the server used; the measured CPU is the client's alone, as it does not wait for the server's end."""

    def run() -> dict[str, float]:
        before_s = server_s(server.server_pid)
        figures = dict(work() or {})
        return {**figures, "server_us": (server_s(server.server_pid) - before_s) / size * 1e6}

    return run


def tuples(size: int, each: Callable[[], Any]) -> Run:
    wanted = people.expected(size)

    def run() -> dict[str, float]:
        above = Above()
        count = years = characters = 0
        for rows in each():
            for _, _, email, created_at, _ in rows:
                count += 1
                years += created_at.year
                characters += len(email)
        check(wanted, count, years, characters)
        return above.figures()

    return run


@case.contestant(OURS, absent=absent, needs=("psycopg", "pytest"))
def table(size: int) -> Run:
    from flatwater.source import Table

    server = filled(size)
    opened = Table(server.url, "people")
    opened.page(limit=1, as_=people.Person)
    return with_server(server, size, objects(size, lambda: opened.find_each(as_=people.Person, batch_rows=BATCH_ROWS)))


@case.contestant(DJANGO, absent=absent, needs=("django", "psycopg", "pytest"))
def django_iterator(size: int) -> Run:
    server = filled(size)
    person, _ = models.django(server.django)
    person.objects.first()
    rows = person.objects.order_by("id")
    return with_server(server, size, objects(size, lambda: rows.iterator(chunk_size=BATCH_ROWS)))


@case.contestant(KEYSET, absent=absent, needs=("psycopg", "pytest"))
def keyset(size: int) -> Run:
    server = filled(size)
    connection = server.connect()
    sql = f"SELECT {people.COLUMNS} FROM people WHERE id > %s ORDER BY id LIMIT {BATCH_ROWS}"

    def each() -> Any:
        last = 0
        with connection.cursor(binary=True) as cursor:
            while rows := cursor.execute(sql, (last,)).fetchall():
                yield rows
                last = rows[-1][0]

    return with_server(server, size, tuples(size, each))


@case.contestant(SERVER_CURSOR, absent=absent, needs=("psycopg", "pytest"))
def server_cursor(size: int) -> Run:
    server = filled(size)
    connection = server.connect(autocommit=False)

    def each() -> Any:
        with connection.cursor("people", binary=True) as cursor:
            cursor.execute(f"SELECT {people.COLUMNS} FROM people ORDER BY id")
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield rows

    return with_server(server, size, tuples(size, each))
