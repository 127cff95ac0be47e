"""cli.sql_names: tables behind FROM, columns of the tables that are named, words elsewhere."""

from __future__ import annotations

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from flatwater import errors, limits
from flatwater.cli.sql_names import Completion, Names
from flatwater.cli.sql_work import Work

TABLES = [("main", "notes"), ("chat", "messages"), ("main", "No Tes"), ("main", "evil\x1b[31m"), ("main", "bidi\u202e")]


class Result(list):
    def close(self):
        self.is_closed = True


class Target:
    """Tells names, and what it was asked."""

    def __init__(self):
        self.tables = TABLES
        self.asked = []
        self.fails = False

    def sql(self, text, params=()):
        self.asked.append(text)
        if self.fails:
            raise errors.BrokenError("gone")
        if text == "SHOW TABLES":
            return Result({"namespace": space, "name": name} for space, name in self.tables)
        return Result({"column": name} for name in ("id", "body", 'a"b', "c\nd"))


@pytest.fixture
def target():
    return Target()


@pytest.fixture
def names(target):
    with Work() as work:
        yield Names(target, work)


@pytest.fixture
def offered(names):
    def offer(before, behind=""):
        document = Document(before + behind, len(before))
        return [each.text for each in Completion(names).get_completions(document, CompleteEvent())]

    return offer


def test_tables(offered):
    """Behind FROM and others like it; quoted where they have to be, and without those that a terminal would obey."""
    assert offered("SELECT * FROM ") == ["notes", "chat.messages", '"No Tes"']
    assert offered("select * from no") == ["notes"]
    assert offered("\\d ch") == ["chat.messages"]
    assert offered('DESCRIBE "n') == ['"No Tes"']


def test_columns(offered, target):
    """Those of a table that is named before or behind, asked for once."""
    assert offered("SELECT b", " FROM notes") == ["body", "BETWEEN", "BIGINT", "BOOLEAN", "BY", "BYTES"]
    assert offered("SELECT * FROM notes WHERE i")[0] == "id"
    assert offered('SELECT * FROM notes WHERE "a') == ['"a""b"']
    assert target.asked == ["SHOW TABLES", "DESCRIBE notes"]


def test_words(offered):
    """Where a statement begins, and the shell's commands behind a backslash."""
    assert offered("sel") == ["SELECT"]
    assert offered("\\t") == ["\\timing"]
    assert offered("\\format j") == ["json"]
    assert offered("") == []
    assert offered("SELECT 1; ") == []


def test_what_is_defined_is_known_at_once(names, target):
    """Behind CREATE, DROP and ALTER names are asked for anew, and else seldom."""
    names.tables()
    target.tables = [("main", "fresh")]
    names.note("SELECT 1")
    assert "fresh" not in names.tables()
    names.note("create table fresh (id INT PRIMARY KEY)")
    assert names.tables() == ("fresh",)


def test_a_database_that_fails_offers_what_is_known(names, target, offered):
    """Who types sees no error."""
    assert offered("SELECT * FROM no") == ["notes"]
    target.fails = True
    names.note("DROP TABLE notes")
    assert offered("SELECT * FROM no") == ["notes"]
    assert offered("SELECT bo", " FROM notes") == ["BOOLEAN"]


def test_names_are_bounded(names, target):
    """So many tables are known and no more, and columns of some."""
    target.tables = [("main", f"t{number}") for number in range(limits.SHELL_NAMES_MAX + 10)]
    assert len(names.tables()) == limits.SHELL_NAMES_MAX
    for number in range(limits.SHELL_TABLES_MAX + 10):
        assert names.columns(f"t{number}")[:2] == ("id", "body")
    assert len(names._columns) == limits.SHELL_TABLES_MAX
    assert names.columns("unknown") == ()
