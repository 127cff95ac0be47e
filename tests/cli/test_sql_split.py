"""cli.sql_split: a `;` ends a statement where it is one, wherever a text is cut into pieces."""

from __future__ import annotations

import itertools

import pytest

from flatwater import errors, limits
from flatwater.cli.sql_split import is_whole, statements

TEXTS = [
    ("", []),
    (" ;; ; ", []),
    ("SELECT 1", ["SELECT 1"]),
    ("SELECT 1; SELECT 2;\n", ["SELECT 1", "SELECT 2"]),
    ("SELECT 'a;''b;'; SELECT 2", ["SELECT 'a;''b;'", "SELECT 2"]),
    ('SELECT "a;""b"; x', ['SELECT "a;""b"', "x"]),
    ("SELECT $$a;b$$; SELECT $x$;$$;$x$;", ["SELECT $$a;b$$", "SELECT $x$;$$;$x$"]),
    (r"SELECT e'\';'; SELECT 2", [r"SELECT e'\';'", "SELECT 2"]),
    ("SELECT /* ; /* ; */ ; */ 1; -- ; end\n", ["SELECT /* ; /* ; */ ; */ 1"]),
    ("-- only ; a comment", []),
    ("SELECT '\N{GRINNING FACE};é'; SELECT 'x'", ["SELECT '\N{GRINNING FACE};é'", "SELECT 'x'"]),
    ("SELECT 1;\r\nSELECT 2;\r\n", ["SELECT 1", "SELECT 2"]),
    ("SELECT 1; SELECT 'open; SELECT 2", ["SELECT 1", "SELECT 'open; SELECT 2"]),
]


@pytest.mark.parametrize(("text", "found"), TEXTS)
@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_statements_end_at_semicolons(text, found, size):
    """Not at those in quotes, names, dollars and comments; the same for pieces of any size."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert list(statements(pieces)) == found


def test_one_is_given_as_soon_as_it_ends():
    """What comes behind it need not be there."""

    def pieces():
        yield "SELECT 1; SEL"
        raise AssertionError

    assert next(statements(pieces())) == "SELECT 1"


def test_one_without_an_end_is_refused():
    """Where more has come than a database takes, and a quote is open, reading stops and the error shows its beginning."""
    pieces = itertools.chain(["SELECT 'never closed; "], itertools.repeat("x; " * 20_000))
    with pytest.raises(errors.UsageError, match="begins with \"SELECT 'never"):
        list(statements(pieces))


def test_many_in_one_piece_cost_what_they_are_long():
    """A thousand statements of one piece are all found."""
    assert len(list(statements(["INSERT INTO t VALUES ('a;b');" * 1_000]))) == 1_000


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("SELECT 1", False), ("SELECT 1;", True), ("SELECT 1; -- x", True), ("SELECT 1 -- ;", False), ("SELECT ';", False),
        ("SELECT /* ;", False), ("SELECT $$;", False), ("SELECT 1; SELECT 2", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_typed_is_whole(text, whole):
    """Enter does it where the last `;` ends a statement, and else begins a line."""
    assert is_whole(text) is whole


def test_a_limit_is_the_database_s():
    """A statement that a database takes passes."""
    text = "SELECT '" + "x" * (limits.LIVE_STATEMENT_BYTES_MAX - 9) + "'"
    assert list(statements([" " * len(text), text, ";"])) == [text]
