"""Conditions on columns, as small trees that each adapter writes in its own words.

Covers:     comparison with a value, NULL or not, comparison of rows, all of, any of.
Not here:   which conditions seek (`tables.seek`), SQL (`tables.statements`).
Holds:      names and the values of one row's key.
"""

from __future__ import annotations

from typing import NamedTuple


class Compare(NamedTuple):
    """`column op value`; op is one of = > < >= <=. The value is never None."""

    column: str
    op: str
    value: object


class Null(NamedTuple):
    """`column IS NULL`, or that it is not."""

    column: str
    is_null: bool


class RowCompare(NamedTuple):
    """`(columns) op (values)`, compared from left to right."""

    columns: tuple[str, ...]
    op: str
    values: tuple[object, ...]


class AllOf(NamedTuple):
    """Every one of them holds; with none, everything does."""

    parts: tuple[Condition, ...]


class AnyOf(NamedTuple):
    """At least one of them holds; with none, nothing does."""

    parts: tuple[Condition, ...]


Condition = Compare | Null | RowCompare | AllOf | AnyOf
