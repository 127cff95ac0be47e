"""Names, quoted for each database, and what a relation calls itself."""

from __future__ import annotations

import pytest

from flatwater.source.tables.shape import MYSQL, POSTGRESQL, SQLITE, Column, PageQuery, Relation, Shape


@pytest.mark.parametrize("name", ["a", 'a"b', "a`b", '"; DROP TABLE x; --', "50%", "%s", "%(x)s", "é", "a.b", ""])
def test_no_name_ends_its_quotes(name):
    """A quoted name, unquoted as its database does, is the name again, and holds no placeholder of a driver."""
    for dialect in (SQLITE, POSTGRESQL, MYSQL):
        quoted = dialect.identifier(name)
        sent = quoted % () if dialect.mark == "%s" else quoted
        assert sent[0] == sent[-1] == dialect.quote
        inner = sent[1:-1]
        assert dialect.quote not in inner.replace(dialect.quote * 2, "")
        assert inner.replace(dialect.quote * 2, dialect.quote) == name


def test_what_a_relation_is_called():
    """A table is called by its path, a select by its beginning, in one line."""
    assert str(Relation(("public", "users"))) == "public.users"
    assert str(Relation(select="SELECT\n 1")) == "(SELECT 1)"
    assert len(str(Relation(select="SELECT " + "x, " * 500))) < 80


def test_shapes_and_pages_are_values():
    """Two of the same are equal, and names come in order."""
    shape = Shape((Column("b", "text", nullable=True), Column("a", "", nullable=False)), ("a",))
    assert shape.names == ("b", "a")
    assert shape == Shape((Column("b", "text", nullable=True), Column("a", "", nullable=False)), ("a",))
    assert PageQuery(Relation(("t",)), ("a",), (), None, 5) == PageQuery(Relation(("t",)), ("a",), (), None, 5)
