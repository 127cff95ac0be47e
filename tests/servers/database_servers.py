"""Fixtures: a real PostgreSQL and a real MariaDB, each one for the whole test run, with fresh databases in it.

`postgres` and `mariadb` are servers for the session; `postgres_database` and `mariadb_database` are empty databases for
a module. With pytest-xdist all workers share one server (`keeper.py` says how it ends). Where a server is not installed
the tests skip, and the summary says what to install.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

KEEPER = Path(__file__).with_name("keeper.py")


@dataclass(frozen=True)
class Database:
    """Where a database is, and how to get there.

    Attributes:
        kind: "postgres" or "mariadb".
        name: the database; a server's own is "postgres" or "mysql".
    """

    kind: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    name: str = ""

    def _url(self, scheme: str) -> str:
        return f"{scheme}://{self.user}:{self.password}@{self.host}:{self.port}/{self.name}"

    @property
    def url(self) -> str:
        """As `postgresql://user:password@127.0.0.1:port/name`, or `mariadb://...`."""
        return self._url("postgresql" if self.kind == "postgres" else "mariadb")

    @property
    def sqlalchemy_url(self) -> str:
        """With the driver that the tests use: psycopg, PyMySQL."""
        return (
            self._url("postgresql+psycopg")
            if self.kind == "postgres"
            else self._url("mariadb+pymysql") + "?ssl_disabled=true"
        )

    @property
    def dsn(self) -> dict[str, object]:
        """Keyword arguments of `psycopg.connect` or `pymysql.connect`."""
        where = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        if self.kind == "postgres":
            return where | {"dbname": self.name}
        return where | {
            "database": self.name,
            "ssl_disabled": True,
        }  # its context reads all of the system's certificates

    @property
    def django(self) -> dict[str, object]:
        """An entry of Django's DATABASES (PostgreSQL only: its MySQL backend wants another driver)."""
        assert self.kind == "postgres"
        names = {"NAME": self.name, "USER": self.user, "PASSWORD": self.password, "HOST": self.host, "PORT": self.port}
        return {"ENGINE": "django.db.backends.postgresql", **names}

    def connect(self, **options):
        """A connection of the plain driver; it commits each statement unless `autocommit=False` is given."""
        options.setdefault("autocommit", True)
        if self.kind == "postgres":
            import psycopg

            return psycopg.connect(**self.dsn, **options)
        import pymysql

        return pymysql.connect(**self.dsn, **options)

    def execute(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@dataclass(frozen=True)
class Server(Database):
    """A running server. Its own database is not for tables of tests: take a fresh one.

    Attributes:
        keeper_pid: the process that stops it.
        server_pid: its own.
    """

    keeper_pid: int = 0
    server_pid: int = 0

    def new_database(self, name: str = "") -> Database:
        """An empty database; dropped with the server, or by `drop`."""
        name = name or f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        return Database(self.kind, self.host, self.port, self.user, self.password, name)

    def drop(self, database: Database) -> None:
        """Drop it, also with connections open."""
        force = " WITH (FORCE)" if self.kind == "postgres" else ""
        self.execute(f"DROP DATABASE IF EXISTS {database.name}{force}")

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """A fresh database for a block."""
        database = self.new_database()
        try:
            yield database
        finally:
            self.drop(database)


def _keeper():
    spec = importlib.util.spec_from_file_location("flatwater_tests_keeper", KEEPER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _join(path: str) -> tuple[socket.socket, dict[str, object]] | None:
    """A connection to the keeper at `path`, and what it said; None if it has gone, or is going."""
    user = socket.socket(socket.AF_UNIX)
    try:
        user.connect(path)
        with user.makefile("rb") as lines:
            said = lines.readline()
    except OSError:
        said = b""
    if not said.endswith(b"\n"):
        user.close()
        return None
    return user, json.loads(said)


def _start(kind: str) -> str:
    """A new keeper; returns where it listens."""
    process = subprocess.Popen(
        [sys.executable, str(KEEPER), kind], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, text=True,
    )  # fmt: skip
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"no {kind} for the tests: {process.communicate()[1].strip()}", pytrace=False)
    process.stdout.close()
    process.stderr.close()
    process.returncode = 0  # it outlives this process if others still use it: nobody waits for it
    return json.loads(line)["socket"]


@contextlib.contextmanager
def running(kind: str, meeting: Path) -> Iterator[Server]:
    """The server of this test run; those who meet in the same folder share it."""
    if os.name != "posix":
        pytest.skip(f"SKIPPED FOR WANT OF A SERVER: {kind} is started on POSIX systems only")
    import fcntl

    keeper = _keeper()
    try:
        keeper.find(kind)
    except keeper.Absent as absent:
        pytest.skip(f"SKIPPED FOR WANT OF A SERVER: {absent}")
    note = meeting / f"{kind}.socket"
    with open(meeting / f"{kind}.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        joined = _join(note.read_text()) if note.exists() else None
        if joined is None:
            path = _start(kind)
            note.write_text(path)
            joined = _join(path)
    assert joined is not None, f"the keeper of {kind} ended at once"
    connection, facts = joined
    with connection:
        name = "postgres" if kind == "postgres" else "mysql"
        keys = ("kind", "host", "port", "user", "password")
        yield Server(
            **{key: facts[key] for key in keys}, name=name, keeper_pid=facts["keeper"], server_pid=facts["server"]
        )


def _meeting(tmp_path_factory) -> Path:
    """A folder that all workers of this run share: each has its own below it."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A PostgreSQL server."""
    with running("postgres", _meeting(tmp_path_factory)) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory):
    """A MariaDB server."""
    with running("mariadb", _meeting(tmp_path_factory)) as server:
        yield server


@pytest.fixture(scope="module")
def postgres_database(postgres):
    """An empty PostgreSQL database for one module."""
    with postgres.database() as database:
        yield database


@pytest.fixture(scope="module")
def mariadb_database(mariadb):
    """An empty MariaDB database for one module."""
    with mariadb.database() as database:
        yield database
