"""SELECTs that are looked through."""

import pytest

from flatwater import errors
from flatwater.live.fence import checked
from flatwater.live.statements import understood


def tables(text):
    return {(table.namespace, table.name) for table in checked(understood(text).tree).tables}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT * FROM a", {("", "a")}), ("SELECT * FROM n.A", {("n", "a")}), ('SELECT * FROM "A"', {("", "A")}), ("SELECT * FROM a x, b JOIN c ON x.i = c.i", {("", "a"), ("", "b"), ("", "c")}),
        ("SELECT (SELECT 1 FROM a) FROM b WHERE x IN (SELECT y FROM c) AND EXISTS (SELECT 1 FROM d)", {("", name) for name in "abcd"}), ("SELECT * FROM a UNION SELECT * FROM b EXCEPT SELECT * FROM c", {("", name) for name in "abc"}),
        ("WITH a AS (SELECT * FROM b) SELECT * FROM a", {("", "b")}), ("WITH a AS (SELECT * FROM a) SELECT * FROM a", {("", "a")}), ("WITH a AS (SELECT 1) SELECT * FROM n.a", {("n", "a")}), ("SELECT * FROM (WITH a AS (SELECT * FROM b) SELECT * FROM a) q, a", {("", "a"), ("", "b")}),
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b", set()), ("WITH b AS (SELECT * FROM a), a AS (SELECT 1) SELECT * FROM b", {("", "a")}), ("SELECT 1", set()),
    ],
)  # fmt: skip
def test_tables_that_are_read(text, found):
    """A name of WITH hides a table where it is known, and nowhere else."""
    assert tables(text) == found


def test_the_text_for_the_engine():
    """Tables have the names that are given, and keep their own as an alias."""
    query = checked(understood("SELECT chat.m.id, x.id FROM chat.m, chat.m AS X WHERE body = 'chat.m'").tree)
    names, rest = {("chat", "m"): "t_1"}, " WHERE body = 'chat.m'"
    assert query.render(names) == 'SELECT m.id, x.id FROM "t_1" AS "m", "t_1" AS "x"' + rest
    limited = '(SELECT * FROM "t_1" LIMIT 9223372036854775807)'
    assert query.render(names, is_guarded=True) == f'SELECT m.id, x.id FROM {limited} AS "m", {limited} AS "x"' + rest


@pytest.mark.parametrize(
    "text",
    ["SELECT pg_sleep(1)", "SELECT * FROM generate_series(1, 2)", "WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a", "SELECT * FROM a FOR UPDATE", "SELECT * INTO b FROM a", "SELECT * FROM a TABLESAMPLE BERNOULLI (5)", "SELECT n.f(1)", "SELECT random()", "SELECT 1::regclass",
     "SELECT * FROM LATERAL (SELECT 1) AS x", "SELECT * FROM c.n.t", "SELECT repeat('x', 5)", "SELECT " + "-" * 0 + "(" * 120 + "1" + ")" * 120, "SELECT " + ", ".join(["1"] * 20_001)],
)  # fmt: skip
def test_what_is_refused(text):
    """Whatever is not on the list, too deep, or too large, with a hint where the list is."""
    with pytest.raises(errors.UsageError):
        checked(understood(text).tree)


def test_a_tree_stays_as_it_was():
    """Looking through a statement changes nothing of it: it is kept for the next time."""
    tree = understood("SELECT * FROM chat.m").tree
    before = tree.sql()
    checked(tree)
    assert tree.sql() == before
