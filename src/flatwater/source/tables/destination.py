"""Where rows go: a table, what is known of it, and what becomes of rows that are there already.

Covers:     the key that tells which rows are there, tables that no row can be written to.
Not here:   rows (`tables.given`), writing them (`tables.creating`).
Holds:      names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flatwater import errors
from flatwater.source.tables.adapters.base import Adapter
from flatwater.source.tables.given import Given
from flatwater.source.tables.inserting import CONFLICTS, Target
from flatwater.source.tables.shape import Relation, Shape
from flatwater.source.tables.statements import Statement


class Destination(NamedTuple):
    """A table that rows go to, and what is known of it."""

    adapter: Adapter
    relation: Relation
    shape: Shape
    key: tuple[str, ...]
    on_conflict: str

    def given(self) -> Given:
        """What makes tuples of rows."""
        adapter, relation, shape = self.adapter, self.relation, self.shape
        key = self.key if self.on_conflict != "raise" else ()
        return Given(str(relation), adapter.fillable(relation), key, lambda names: adapter.prepared(names, shape))

    def target(self) -> Target:
        """Where statements put them."""
        return Target(
            self.relation.path, tuple(self.adapter.stored(name, None)[0] for name in self.key), self.on_conflict
        )


def destination(
    adapter: Adapter, relation: Relation, shape: Shape, key: str | Sequence[str] | None, on_conflict: str
) -> Destination:
    """Where rows go.

    Raises:
        UsageError: it is a select, or no unique key is known that tells which rows are there already.
    """
    if on_conflict not in CONFLICTS:
        raise errors.UsageError(
            f"on_conflict={on_conflict!r} is none of {', '.join(CONFLICTS)}.", hint="See Table.create_many."
        )
    if not relation.path:
        raise errors.UsageError(f"{relation} is a select, and rows go into a table.", hint="Name the table.")
    given = (key,) if isinstance(key, str) else tuple(key or ())
    used = given or shape.key
    if on_conflict == "raise":
        return Destination(adapter, relation, shape, (), on_conflict)
    if not used:
        raise errors.UsageError(
            f'{relation} has no primary key, and on_conflict="{on_conflict}" needs one.',
            hint='Give Table(..., key="email"): columns with a unique index.',
        )
    proven = (shape.key, *shape.unique)
    if adapter.dialect.name == "mysql" and not any(set(each) == set(used) for each in proven if each):
        raise errors.UsageError(
            f"{relation}: no unique index has {', '.join(used)}, and nothing else.", hint="Give a key that has one."
        )
    return Destination(adapter, relation, shape, used, on_conflict)


def refuse_engine(adapter: Adapter, relation: Relation) -> None:
    """Refuse a table of MariaDB that keeps what is rolled back.

    Raises:
        UsageError: as said.
    """
    *schema, name = relation.path
    text = (
        "SELECT t.engine, e.transactions FROM information_schema.tables t JOIN information_schema.engines e"
        " ON e.engine = t.engine WHERE t.table_schema = COALESCE(%s, DATABASE()) AND t.table_name = %s"
    )
    statement: Statement = (text, (schema[-1] if schema else None, name))
    for engine, has_transactions in adapter.fetch(statement):
        if str(has_transactions).upper() != "YES":
            raise errors.UsageError(
                f"{relation} is a table of {engine}, which has no transactions.", hint="ALTER TABLE ... ENGINE=InnoDB."
            )
