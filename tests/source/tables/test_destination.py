"""Where rows go: what the key is, and which tables no row can be written to."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.source.tables.destination import destination
from flatwater.source.tables.shape import MYSQL, SQLITE, Column, Relation, Shape


class Adapter:
    """A database that knows nothing but its words."""

    def __init__(self, dialect=SQLITE):
        self.dialect = dialect

    def stored(self, name, value):
        return f"db_{name}", value


SHAPE = Shape((Column("id", "int", nullable=False), Column("mail", "text", nullable=False)), ("id",), (("mail",),))
TABLE = Relation(path=("people",))


def test_the_key_is_the_tables_unless_given():
    """The primary key tells which rows are there, or the columns that were given; without conflicts there is none."""
    assert destination(Adapter(), TABLE, SHAPE, None, "raise").key == ()
    assert destination(Adapter(), TABLE, SHAPE, None, "skip").key == ("id",)
    assert destination(Adapter(), TABLE, SHAPE, "mail", "update").key == ("mail",)
    assert destination(Adapter(), TABLE, SHAPE, ["id", "mail"], "update").target().key == ("db_id", "db_mail")


def test_what_is_refused():
    """A select, an unknown way, no key, and in MariaDB a key that no unique index has."""
    for adapter, relation, shape, key, way, words in (
        (Adapter(), Relation(select="SELECT 1"), SHAPE, None, "raise", "is a select"),
        (Adapter(), TABLE, SHAPE, None, "ignore", "none of raise, skip, update"),
        (Adapter(), TABLE, Shape(SHAPE.columns), None, "skip", "has no primary key"),
        (Adapter(MYSQL), TABLE, SHAPE, ("id", "mail"), "skip", "no unique index has id, mail"),
    ):
        with pytest.raises(errors.UsageError, match=words):
            destination(adapter, relation, shape, key, way)
    assert destination(Adapter(MYSQL), TABLE, SHAPE, "mail", "skip").key == ("mail",)
