"""What is read: a table or a select, its columns, its key, and the database's ways.

Covers:     `Relation`, `Column`, `Shape`, `Dialect`, and one page's worth of a query (`PageQuery`).
Not here:   SQL (`tables.statements`), asking a database (`tables.adapters`).
Holds:      names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from flatwater.source.tables.conditions import Condition
from flatwater.source.tables.order import Order


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database wants it.

    Attributes:
        name: "sqlite", "postgresql" or "mysql".
        quote: around identifiers; doubled inside them.
        mark: of a parameter.
        row_values: whether `(a, b) > (?, ?)` seeks in an index.
        nulls_are_smallest: whether NULL sorts below all values.
        same: an operator that takes NULL for equal to NULL.
        dates_as_text: whether dates arrive as text.
    """

    name: str
    quote: str
    mark: str
    row_values: bool
    nulls_are_smallest: bool
    same: str
    dates_as_text: bool = False

    def identifier(self, name: str) -> str:
        """`name`, quoted; no name can end its quotes."""
        doubled = name.replace(self.quote, self.quote * 2)
        if self.mark == "%s":
            doubled = doubled.replace("%", "%%")
        return f"{self.quote}{doubled}{self.quote}"


SQLITE = Dialect("sqlite", '"', "?", row_values=True, nulls_are_smallest=True, same="IS", dates_as_text=True)
POSTGRESQL = Dialect(
    "postgresql", '"', "%s", row_values=True, nulls_are_smallest=False, same="IS NOT DISTINCT FROM"
)  # fmt: skip
MYSQL = Dialect("mysql", "`", "%s", row_values=False, nulls_are_smallest=True, same="<=>")


class Column(NamedTuple):
    """A column: its name, the type as the database says it (its own in lower case; may be empty), whether it can be NULL."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """What rows come from.

    Attributes:
        path: of a table: its name, after those of its schema and database, if any. Empty for a select.
        select: the text of a select. Empty for a table.
        where: a further condition in SQL; empty for none.
        params: of the select and of `where`, in this order.
    """

    path: tuple[str, ...] = ()
    select: str = ""
    where: str = ""
    params: tuple[object, ...] = ()

    def __str__(self) -> str:
        if self.path:
            return ".".join(self.path)
        text = " ".join(self.select.split())
        return f"({text[:60]}...)" if len(text) > 60 else f"({text})"  # noqa: PLR2004 - one line of a message


@dataclass(frozen=True, slots=True)
class Shape:
    """A relation's columns, and those of them that are unique together and never NULL; empty if none are known to be."""

    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """Of all columns."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """One statement: these columns of those rows, in order, at most so many."""

    relation: Relation
    columns: tuple[str, ...]
    conditions: tuple[Condition, ...]
    order: Order
    limit: int
    index: str = ""  # a hint for databases that need one
    casts: Mapping[str, str] = field(
        default_factory=dict
    )  # types that values are taken as, by column, where it matters
