"""Telling sources apart: paths, URLs and connections; what is none of them is refused with what is."""

from __future__ import annotations

import contextlib
import os
import pathlib
import sqlite3
import subprocess
import sys

import pytest

from flatwater import errors
from flatwater.source.tables.connecting import adapter_for
from flatwater.source.tables.table import Table


@pytest.fixture
def odd_path(tmp_path):
    """A file whose name has spaces, umlauts, a question mark, a hash and a percent sign."""
    path = tmp_path / "ä b?c#d%41 é.db"
    with contextlib.closing(sqlite3.connect(str(path))) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO t VALUES (7)")
        connection.commit()
    return path


def test_paths_of_any_name(odd_path, monkeypatch):
    """A path may be text, bytes or a Path, absolute or relative; it is taken as it is."""
    for source in (str(odd_path), odd_path, os.fsencode(str(odd_path)), pathlib.PurePosixPath(odd_path)):
        assert list(Table(source, "t").pluck("id")) == [7]
    monkeypatch.chdir(odd_path.parent)
    assert list(Table(odd_path.name, "t").pluck("id")) == [7]


@pytest.mark.parametrize("scheme", ["sqlite", "SQLite", "sqlite+pysqlite"])
def test_urls_of_sqlite(odd_path, monkeypatch, scheme):
    """sqlite:/// is relative, sqlite://// absolute, and special characters are written as in other URLs."""
    from urllib.parse import quote

    monkeypatch.chdir(odd_path.parent)
    assert list(Table(f"{scheme}:///{quote(str(odd_path))}", "t").pluck("id")) == [7]
    assert list(Table(f"{scheme}:///{quote(odd_path.name)}", "t").pluck("id")) == [7]


@pytest.mark.parametrize(
    "url", ["sqlite:///t.db?mode=ro", "sqlite:///t.db#x", "sqlite://host/t.db", "sqlite:///", "sqlite:///none.db"]
)
def test_wrong_urls_of_sqlite(url):
    """What would be ignored, a host, and a file that is not there are refused; nothing is created."""
    with pytest.raises(errors.UsageError):
        Table(url, "t")
    assert not os.path.exists("none.db")


@pytest.mark.parametrize(
    "source",
    [
        None,
        5,
        [],
        {},
        object(),
        ("data.db",),
        print,
        "",
        "a\0b",
        "oracle://h/x",
        "http://x/y.db",
        ":memory:",
        "file::memory:",
    ],
)
def test_what_is_no_source_is_refused(source):
    """Anything else is a UsageError that says what there is."""
    with pytest.raises(errors.UsageError) as caught:
        Table(source, "t")
    assert caught.value.hint


@pytest.mark.parametrize(
    "url",
    ["mysql://u:p@h:port/d", "mysql://u:p@[::1/d", "mysql://u:p@127.0.0.1:1/d?connect_timeout=x", "mysql://u:p@127.0.0.1:1",
     "mysql://u:p@127.0.0.1:1/d?ssl_disabled=1", "mysql://u:p@127.0.0.1:1/d?charset=none", "mysql://u:p@127.0.0.1:1/d?local_infile=1", "mariadb://u:p@127.0.0.1:1/d",
     "postgresql://u:p@h:port/d", "postgresql://u:p@127.0.0.1:1/d", "postgresql+psycopg://u:p@127.0.0.1:1/d",
     "postgresql://u:p@127.0.0.1:1/d?nonsense=1"],
)  # fmt: skip
def test_urls_that_lead_nowhere(url):
    """A URL that is none, or that nobody answers at, is said in one line, and its password is not."""
    url = url.replace("u:p@", "u:pa55word@")
    with pytest.raises((errors.UsageError, errors.BrokenError)) as caught:
        Table(url, "t")
    assert "pa55word" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_kinds_of_connections():
    """A connection, also one of a class of the user's, goes to its driver's adapter."""
    import apsw

    class Mine(sqlite3.Connection):
        pass

    for connection, name in (
        (sqlite3.connect(":memory:"), "SqliteConnection"),
        (sqlite3.connect(":memory:", factory=Mine), "SqliteConnection"),
        (apsw.Connection(":memory:"), "SqliteApsw"),
    ):
        assert type(adapter_for(connection)).__name__ == name
        connection.close()


def test_no_driver_is_imported_for_another_source():
    """A SQLite file imports neither psycopg nor PyMySQL, SQLAlchemy or Django."""
    code = (
        "import sys, sqlite3; from flatwater.source.tables.table import Table\n"
        "c = sqlite3.connect(':memory:'); c.execute('CREATE TABLE t (id INTEGER PRIMARY KEY)')\n"
        "list(Table(c, 't', secret='x' * 20).find_each())\n"
        "print([m for m in ('psycopg', 'pymysql', 'sqlalchemy', 'django', 'pyarrow', 'apsw') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("source", "package"), [("x.db", "apsw"), ("postgresql://h/d", "psycopg"), ("mysql://h/d", "PyMySQL")]
)
def test_a_missing_driver_is_named(source, package, monkeypatch):
    """Without the driver the error says what to install."""
    monkeypatch.setitem(sys.modules, package.lower(), None)
    monkeypatch.delitem(sys.modules, "flatwater.source.tables.adapters.unknown", raising=False)
    with pytest.raises(errors.MissingExtra, match="tables"):
        Table(source, "t")
