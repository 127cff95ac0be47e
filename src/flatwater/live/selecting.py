"""SELECT: reads of one table by key or condition as they are, everything else through the SQL engine.

Covers:     which way a SELECT goes, columns, order of keys, LIMIT and OFFSET; what the engine is given of each table.
Not here:   conditions (`live.conditions`), the engine (`live.engine`), what is allowed in it (`live.fence`).
Holds:      pages of rows; see `Snapshot.walk_bytes_max`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar, final

from sqlglot import exp

from flatwater import errors, limits
from flatwater.live.conditions import Condition, condition_of
from flatwater.live.fence import Query, checked
from flatwater.live.reading import Entry, Snapshot
from flatwater.live.rows import Place
from flatwater.live.schema import Row, Schema
from flatwater.live.statements import Name, identifier, table_name

Item = TypeVar("Item")
_CLAUSES = {"expressions", "from_", "from", "where", "order", "limit", "offset", "kind", "hint"}


@final
class Simple(NamedTuple):
    """A SELECT of one table's columns, prepared.

    Attributes:
        table: its name.
        names: what columns are called in the result, and in the table; None for `*`.
        where: the condition, or None.
        reverse: from the last key to the first.
        limit: rows at most: a literal or a parameter, or None.
        offset: rows that are passed over.
    """

    table: Name
    names: tuple[tuple[str, str], ...] | None
    where: Any
    reverse: bool
    limit: Any
    offset: Any


def simple(tree: Any, schema_of: Callable[[Name], Schema | None]) -> Simple | None:
    """`tree` as a read of one table, or None if it is more than that."""
    table = _only_table(tree)
    if table is None:
        return None
    name = table_name(table)
    schema = schema_of(name)
    if schema is None:
        return None
    called = {identifier(table.args["alias"].this)} if table.args.get("alias") else {name.name}
    names = _names(tree.expressions, schema, called)
    where = _where(tree, schema, called) if tree.args.get("where") else None
    if isinstance(names, bool) or (where is None and tree.args.get("where")):
        return None
    order = _order(tree.args.get("order"), schema, called)
    limit, offset = tree.args.get("limit"), tree.args.get("offset")
    bounds = [each.expression if each is not None else None for each in (limit, offset)]
    if order is None or any(each is not None and not isinstance(each, exp.Literal | exp.Parameter) for each in bounds):
        return None
    return Simple(name, names or None, where, order, bounds[0], bounds[1])


def check_followed(tree: Any, table_of: Callable[..., Schema]) -> None:
    """Say what a SELECT that cannot be followed names and is not there.

    Raises:
        UsageError: a table, a column, or a part of the condition.
    """
    table = _table(tree) if isinstance(tree, exp.Select) else None
    if table is None:
        return
    schema = table_of(*table_name(table))
    for node in tree.expressions:
        column = node.unalias()
        if isinstance(column, exp.Column) and not isinstance(column.this, exp.Star):
            name = identifier(column.this)
            if name not in schema.columns:
                raise errors.UsageError(
                    f"{schema.full_name} has no column {name!r}.", hint=f"It has {', '.join(schema.columns)}."
                )
    if tree.args.get("where"):
        condition_of(tree.args["where"].this, schema, None)


@final
class Asked(NamedTuple):
    """A SELECT for the engine, prepared.

    Attributes:
        query: what the engine is asked.
        where: a condition that rows of its only table are asked before the engine sees them; None: it asks them itself.
    """

    query: Query
    where: Any


def asked(tree: Any, schema_of: Callable[[Name], Schema | None]) -> Asked:
    """`tree` as a query for the engine, without the condition that can be asked of each row as it is read.

    So keys narrow what is read, and columns that only the condition names are not made for the engine.

    Raises:
        UsageError: it has a part that is not known, or is too large.
    """
    query = checked(tree)
    table = _table(tree) if query.is_plain and isinstance(tree, exp.Select) and tree.args.get("where") else None
    schema = None if table is None else schema_of(table_name(table))
    if table is None or schema is None:
        return Asked(query, None)
    called = {identifier(table.args["alias"].this)} if table.args.get("alias") else {identifier(table.this)}
    where = _where(tree, schema, called)
    if where is None:
        return Asked(query, None)
    tree = tree.copy()
    tree.set("where", None)
    return Asked(checked(tree), where)


def _where(tree: Any, schema: Schema, called: set[str]) -> Any:
    """The condition of a SELECT of one table, its columns without the table; None if it cannot be asked of each row."""
    where = tree.args["where"].this
    if not _is_plain(where, called):
        return None
    where = where.copy()
    for column in where.find_all(exp.Column):
        column.set("table", None)  # it is this one, whatever it is called in the statement
    try:
        condition_of(where, schema, None)
    except errors.UsageError:
        return None  # the engine may know it, or says what is wrong
    return where


def _only_table(tree: Any) -> Any:
    """The table of a SELECT that has no other one, and no clause that is more than a read; else None."""
    if not isinstance(tree, exp.Select) or any(value for name, value in tree.args.items() if name not in _CLAUSES):
        return None
    return _table(tree)


def _table(tree: Any) -> Any:
    """What a SELECT reads, if that is a table and nothing more is said of it; else None."""
    source = tree.args.get("from_") or tree.args.get("from")
    if source is None or not isinstance(source.this, exp.Table) or tree.args.get("hint"):
        return None
    table = source.this
    extra = any(value for name, value in table.args.items() if name not in {"this", "db", "alias"})
    return None if extra or not isinstance(table.this, exp.Identifier) else table


def _names(nodes: Sequence[Any], schema: Schema, called: set[str]) -> tuple[tuple[str, str], ...] | bool | None:
    """Columns as they are called in the result and in the table; None for all, False if it is more than columns."""
    found: list[tuple[str, str]] = []
    if len(nodes) == 1 and isinstance(nodes[0], exp.Star) and not any(nodes[0].args.values()):
        return None
    for node in nodes:
        column = node.this if isinstance(node, exp.Alias) else node
        if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star) or not _is_plain(column, called):
            return False
        name = identifier(column.this)
        if name not in schema.columns:
            return False
        found.append((identifier(node.args["alias"]) if isinstance(node, exp.Alias) else name, name))
    return tuple(found) if len(dict(found)) == len(found) else False


def _is_plain(node: Any, called: set[str]) -> bool:
    """Whether it has columns of this table only, and no query."""
    for each in node.walk():
        if isinstance(each, exp.Query):
            return False
        if isinstance(each, exp.Column) and (
            each.args.get("db") or (each.args.get("table") and identifier(each.args["table"]) not in called)
        ):
            return False
    return True


def _order(node: Any, schema: Schema, called: set[str]) -> bool | None:
    """Whether rows come in reverse; None if they come in another order than that of their keys."""
    if node is None:
        return False
    found: list[tuple[str, bool]] = []
    for each in node.expressions:
        if (
            not isinstance(each, exp.Ordered)
            or not isinstance(each.this, exp.Column)
            or not _is_plain(each.this, called)
        ):
            return None
        found.append((identifier(each.this.this), bool(each.args.get("desc"))))
    names, downs = [name for name, _down in found], {down for _name, down in found}
    if names != list(schema.key[: len(names)]) or len(downs) != 1:
        return None
    return downs.pop()


def read(
    wanted: Simple, place: Place, condition: Condition, snapshot: Snapshot, values: Sequence[Any], since: int
) -> Iterator[list[Entry]]:
    """Pages of the rows that are wanted: their keys and JSON."""
    left, skip = bound_of(wanted.limit, values), bound_of(wanted.offset, values) or 0
    decode, matches = place.schema.decode, condition.matches
    rows = {} if left is None or condition.is_filter else {"rows": max(1, min(left + skip, limits.LIVE_PAGE_ROWS))}
    ranges = condition.ranges(place)[:: -1 if wanted.reverse else 1]
    pages = snapshot.walk(ranges, place.there, reverse=wanted.reverse, since=since, **rows)
    if condition.is_filter:
        pages = ([entry for entry in page if matches(decode(entry[1]))] for page in pages)
    return _some(pages, skip, left)


def read_made(wanted: Simple, pages: Iterable[list[Row]], values: Sequence[Any]) -> Iterator[list[Row]]:
    """Pages of the rows that are wanted, of a table whose rows are made as they are read."""
    left, skip = bound_of(wanted.limit, values), bound_of(wanted.offset, values) or 0
    for page in _some(pages, skip, left):
        yield page if wanted.names is None else [{called: row[name] for called, name in wanted.names} for row in page]


def _some(pages: Iterable[list[Item]], skip: int, left: int | None) -> Iterator[list[Item]]:
    """Pages without the first `skip` entries, and `left` at most; none that is empty."""
    if left == 0:
        return
    for page in pages:
        found = page
        if skip:
            found, skip = found[skip:], max(0, skip - len(found))
        if left is not None:
            found = found[:left]
            left -= len(found)
        if found:
            yield found
        if left == 0:
            return


def bound_of(node: Any, values: Sequence[Any]) -> int | None:
    """Rows of a LIMIT or OFFSET; None without one.

    Raises:
        UsageError: it is no number from 0 on.
    """
    if node is None:
        return None
    given = (
        values[int(node.name) - 1] if isinstance(node, exp.Parameter) else int(node.this) if node.is_int else node.this
    )
    if type(given) is not int or given < 0:
        raise errors.UsageError(f"{given!r} is no number of rows.", hint="LIMIT and OFFSET take one from 0 on.")
    return given


def decoded(
    pages: Iterable[list[Entry]], schema: Schema, names: tuple[tuple[str, str], ...] | None
) -> Iterator[list[Row]]:
    """Pages of rows as dicts, with these columns."""
    decode = schema.decode
    for page in pages:
        rows = [decode(json) for _key, json in page]
        yield rows if names is None else [{called: row[name] for called, name in names} for row in rows]


@final
class TableSource:
    """What the engine reads of one table: the rows of one user, as of one moment.

    Args:
        place: whose rows of which table.
        snapshot: of the moment.
        since: the number below which rows expired.
        condition: of the rows that are meant.
    """

    def __init__(self, place: Place, snapshot: Snapshot, since: int, condition: Condition) -> None:
        self._place, self._snapshot, self._since, self._condition = place, snapshot, since, condition
        self.schema = place.schema.arrow()
        self.widest = 0

    def batches(self, columns: list[str] | None) -> Iterator[Any]:
        """Record batches of these columns."""
        from flatwater.live.dataset import batches_of  # and Arrow with it: who asks for no batches is spared 57 MiB

        place = self._place
        pages = self._snapshot.walk(self._condition.ranges(place), place.there, since=self._since)
        return batches_of(map(self._rows, pages), place.schema, columns)

    def _rows(self, page: list[Entry]) -> list[Row]:
        decode, condition = self._place.schema.decode, self._condition
        rows = [decode(json) for _key, json in page]
        self.widest = max(self.widest, *(len(json) for _key, json in page))
        return [row for row in rows if condition.matches(row)] if condition.is_filter else rows
