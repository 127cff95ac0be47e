"""SQL text: names are quoted, values are parameters, nothing is skipped by counting."""

from __future__ import annotations

import re
import sqlite3

import pytest

from flatwater.source.tables import statements
from flatwater.source.tables.conditions import Compare, Null, RowCompare
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.shape import MYSQL, POSTGRESQL, SQLITE, PageQuery, Relation

ORDER = Order((OrderColumn("day", True, False, False), OrderColumn("id", False, False, True)))
HOSTILE = 'x"`; DROP TABLE t; -- %s ?'


def page(relation, conditions=(), dialect=SQLITE, **options):
    return statements.page(PageQuery(relation, ("id", "day"), tuple(conditions), ORDER, 7, **options), dialect)


def test_a_page_in_each_database():
    """Columns, source, conditions, order and limit, in the words of each database."""
    assert page(Relation(("t",)), [Compare("day", "<", 5)]) == (
        'SELECT "id", "day" FROM "t" WHERE "day" < ? ORDER BY "day" DESC, "id" LIMIT ?', (5, 7),
    )  # fmt: skip
    cast = page(Relation(("s", "t")), [RowCompare(("day", "id"), ">", (1, 2))], POSTGRESQL, casts={"day": "real"})
    assert cast[0] == (
        'SELECT "id", "day" FROM "s"."t" WHERE ("day", "id") > (%s::real, %s) ORDER BY "day" DESC, "id" LIMIT %s'
    )
    mysql = page(Relation(("t",)), [Null("day", is_null=True), Compare("id", ">", 5)], MYSQL, index="PRIMARY")
    assert mysql[0] == (
        "SELECT `id`, `day` FROM `t` FORCE INDEX (`PRIMARY`) WHERE `day` IS NULL AND `id` > %s ORDER BY `id` LIMIT %s"
    )


def test_the_users_parameters_come_first():
    """A select's parameters, then those of where, then ours, in the order in which they stand in the text."""
    relation = Relation(select="SELECT * FROM t WHERE a = ?", where="b = ?", params=("of a", "of b"))
    sql, params = page(relation, [Compare("id", ">", "ours")])
    assert params == ("of a", "of b", "ours", 7)
    assert sql.count("?") == 4


def test_a_comment_at_the_end_of_the_users_text_ends_there():
    """What follows the user's text is not swallowed by a comment that it ends with."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, day)")
    connection.execute("INSERT INTO t VALUES (1, 2), (3, 4)")
    relation = Relation(select="SELECT * FROM t -- all of it", where="id > 1 -- the later ones")
    assert connection.execute(*page(relation, [Compare("day", ">", 0)])).fetchall() == [(3, 4)]


def test_an_or_of_the_users_stays_his():
    """The user's condition is one condition: an OR in it does not set ours free."""
    sql, _ = page(Relation(("t",), where="a = 1 OR b = 2"), [Compare("id", ">", 5)])
    assert re.search(r"\(a = 1 OR b = 2\n\) AND ", sql)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL, MYSQL], ids=lambda each: each.name)
def test_hostile_names_and_values_stay_names_and_values(dialect):
    """A hostile name stands between quotes, and a hostile value stands nowhere in the text."""
    order = Order((OrderColumn(HOSTILE, False, True, True),))
    query = PageQuery(Relation((HOSTILE, HOSTILE)), (HOSTILE,), (Compare(HOSTILE, "=", "a value '--"),), order, 3)
    written = [
        statements.page(query, dialect),
        statements.update((HOSTILE,), [(HOSTILE, "a value '--")], [(HOSTILE, "a value '--")], dialect),
        statements.delete((HOSTILE,), [(HOSTILE, "a value '--")], dialect),
        statements.insert((HOSTILE,), [(HOSTILE, "a value '--")], dialect),
        statements.row_by_key((HOSTILE,), [HOSTILE], [(HOSTILE, "a value '--")], dialect),
        statements.every(Relation((HOSTILE,)), order, 5, dialect),
        statements.count(Relation((HOSTILE,)), dialect),
    ]
    quoted = dialect.identifier(HOSTILE)
    for sql, params in written:
        bare = sql.replace(quoted, "")
        assert "DROP" not in bare
        assert "a value" not in sql
        assert bare.count(dialect.mark) == len(params)
    assert "DROP" not in statements.create_index(Relation(("t",)), order, dialect).replace(
        quoted.replace("%%", "%"), ""
    ).replace(dialect.identifier(f"t_{HOSTILE}").replace("%%", "%"), "")


def test_changes_find_null_equal_to_null():
    """An update whose old value was NULL finds its row."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id, x)")
    connection.execute("INSERT INTO t VALUES (1, NULL), (2, 5)")
    sql, params = statements.update(("t",), [("x", 6)], [("id", 1), ("x", None)], SQLITE)
    assert connection.execute(sql, params).rowcount == 1
    assert connection.execute(*statements.delete(("t",), [("x", 6)], SQLITE)).rowcount == 1


def test_a_percent_sign_of_the_users_is_no_placeholder():
    """Without parameters of his own, a percent sign in the user's text is sent as it is."""
    relation = Relation(("t",), where="x LIKE '10%'")
    assert "'10%%'" in statements.from_clause(relation, POSTGRESQL)[0]
    assert "'10%'" in statements.from_clause(relation, SQLITE)[0]
    given = Relation(("t",), where="x LIKE %s", params=("10%",))
    assert "LIKE %s" in statements.from_clause(given, POSTGRESQL)[0]
