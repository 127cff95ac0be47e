"""cli.sql_session: rows come page by page, errors are told, and Ctrl-C ends a statement."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import threading

import pytest

from flatwater import errors, limits
from flatwater.cli.sql_session import Session, told
from flatwater.cli.sql_work import Work

WAIT_S = 30


class Result:
    """Rows of a test."""

    def __init__(self, rows=(), columns=(), count=-1):
        self.columns, self.count = columns, count
        self._rows = iter(rows)
        self.is_closed = threading.Event()

    def __iter__(self):
        return self._rows

    def close(self):
        self.is_closed.set()


class Target:
    """Gives a result of a test."""

    name = "test"

    def __init__(self, result):
        self.result = result

    def sql(self, text, params=()):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def asking():
    """A session that gets a result, and where it writes."""
    with Work() as work:

        def make(result, form="table"):
            out = io.StringIO()
            return Session(Target(result), work, form=form, out=out), out

        yield make


def test_a_page_is_all_that_is_held(asking):
    """Of rows without an end only a page is read ahead of what is written."""
    written, ahead = 0, []

    def rows():
        for number in itertools.count():
            ahead.append(number - out.getvalue().count("\n"))
            if number == 5 * limits.SHELL_PAGE_ROWS:
                raise errors.BrokenError("enough")
            yield {"id": number}

    session, out = asking(Result(rows(), ("id",)), "json")
    with pytest.raises(errors.BrokenError, match="enough"):
        session.do("SELECT id FROM t")
    written = [json.loads(line)["id"] for line in out.getvalue().splitlines()]
    assert written == list(range(5 * limits.SHELL_PAGE_ROWS))
    assert max(ahead) <= limits.SHELL_PAGE_ROWS
    assert session.target.result.is_closed.is_set()


def test_large_rows_make_small_pages(asking):
    """A page has so many letters, and not only so many rows."""
    ahead = []

    def rows():
        for number in range(20):
            ahead.append(number - out.getvalue().count("\n"))
            yield {"id": number, "body": "x" * limits.SHELL_PAGE_CHARS}

    session, out = asking(Result(rows(), ("id", "body")), "json")
    session.do("SELECT * FROM t")
    assert max(ahead) <= 1


@pytest.mark.parametrize(
    ("text", "result", "said"),
    [
        ("SELECT 1", Result([{"a": 1}], ("a",)), "(1 row)"),
        ("SELECT 1", Result([], ()), "(0 rows)"),
        ("SHOW TABLES", Result([], ("name",)), "(0 rows)"),
        ("CREATE TABLE t", Result([], (), 0), "(done)"),
        ("UPDATE t SET a = 1", Result([], (), 0), "(0 rows changed)"),
        ("INSERT INTO t", Result([], (), 1_234), "(1,234 rows changed)"),
    ],
)
def test_what_is_said_below(asking, text, result, said):
    """How many rows there were or were changed; JSON and CSV say nothing."""
    session, out = asking(result)
    session.do(text)
    assert out.getvalue().splitlines()[-1] == said


def test_json_and_csv_are_rows_alone(asking, capsys):
    """What others read has no word of the shell; the time goes to stderr."""
    session, out = asking(Result([{"a": 1}], ("a",)), "csv")
    session.is_timed = True
    session.do("SELECT 1 AS a")
    assert out.getvalue() == "a\n1\n"
    assert capsys.readouterr().err.endswith(" ms\n")


def test_columns_that_come_with_the_first_row(asking):
    """A server that streams does not say them in front."""
    result = Result(columns=())

    def rows():
        result.columns = ("a", "b")
        yield {"a": 1, "b": None}

    result._rows = rows()
    session, out = asking(result)
    session.do("SELECT a, b FROM t")
    assert out.getvalue().splitlines() == ["a │ b   ", "──┼─────", "1 │ NULL", "(1 row)"]


def test_who_may_not_ask_knows_it_at_once(asking):
    """Before something is typed; what was asked is closed."""
    session, _out = asking(Result())
    session.greet()
    assert session.target.result.is_closed.is_set()
    session, _out = asking(errors.BrokenError("nobody there"))
    with pytest.raises(errors.BrokenError, match="nobody there"):
        session.greet()


def test_ctrl_c_ends_a_statement(asking):
    """In the middle of a page: it is closed when the page is read, and the next statement does not wait for it."""
    go_on = threading.Event()

    def rows():
        os.kill(os.getpid(), signal.SIGINT)
        assert go_on.wait(WAIT_S)
        yield {"a": 1}

    session, out = asking(Result(rows(), ("a",)))
    first = session.target.result
    with pytest.raises(KeyboardInterrupt):
        session.do("SELECT a FROM t")
    session.target.result = Result([{"a": 2}], ("a",))
    session.do("SELECT a FROM t")
    assert "2" in out.getvalue()
    assert not first.is_closed.is_set()
    go_on.set()
    assert first.is_closed.wait(WAIT_S)


def test_errors_are_told_with_their_hints(capsys):
    """Without what a terminal would obey; the exit code is that of the command line."""
    assert told(errors.UsageError("no \x1b[31mtable\u202e.", hint="Try\x07 another.")) == 2
    assert capsys.readouterr().err == "flatwater: no \\x1b[31mtable\\u202e.\n  Try\\x07 another.\n"
    assert told(errors.BrokenError("gone")) == 4
