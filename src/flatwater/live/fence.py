"""What a SELECT may say to the SQL engine: one that is made of known parts only, over tables that are named anew.

Covers:     the allow-list, real tables beside the names of WITH, sizes, the text for the engine.
Not here:   the lists (`live.allowed`), who may read a table (`live.access`), the engine (`live.engine`).
Holds:      nothing.

Tables get random names for each query, which the engine knows only while it runs. Whatever gets through: it can name nothing else.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, final

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from flatwater import errors, limits
from flatwater.live.allowed import FUNCTIONS, NODES
from flatwater.live.growth import grows, largest
from flatwater.live.statements import Sql, identifier
from flatwater.live.types import Type

_ARGS: Final = {  # of a table, that may be set
    "this",
    "db",
    "alias",
    "joins",
}
_ALL: Final = 2**63 - 1  # rows: a LIMIT below which no condition is handed down
_CUTTING = {"SMALLINT", "INT", "BIGINT", "DECIMAL"}
_COMPARING = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.NullSafeEQ, exp.NullSafeNEQ)
_SHOWN: Final = 100  # characters of what is refused
_SELECT: Final = {
    "kind", "expressions", "from_", "from", "joins", "where", "group", "having", "qualify", "windows", "distinct", "order", "limit", "offset", "with_", "with",
}  # fmt: skip


class TableReference(NamedTuple):
    """A table as a statement names it."""

    namespace: str
    name: str


@final
class Query:
    """A SELECT that was looked through.

    Attributes:
        tables: those that it reads.
        references: how often it names each of them.
        is_plain: it goes once through one table: what it takes grows with the rows that are read.
    """

    def __init__(self, tree: Any, references: Sequence[Any]) -> None:
        self.references = Counter(reference_of(each) for each in references)
        self.tables = frozenset(self.references)
        self.is_plain = len([*tree.find_all(exp.Select)]) == 1 and tree.find(exp.Join) is None
        self._tokens = {table: f"t{secrets.token_hex(16)}" for table in self.tables}
        for table in references:
            token = self._tokens[reference_of(table)]
            if table.args.get("alias"):
                table.args["alias"].set("this", exp.to_identifier(identifier(table.args["alias"].this), quoted=True))
            else:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(identifier(table.this), quoted=True)))
            table.set("this", exp.to_identifier(token, quoted=True))
            table.set("db", None)
        for column in tree.find_all(exp.Column):
            column.set("db", None)  # chat.messages.id is messages.id, as the alias has it
        tree = _casts_kept(_kept_apart(tree))
        self._text: str = tree.sql(dialect=Sql)
        self._tree = tree if grows(tree) else None
        self._said_bytes = max((len(each.this) for each in tree.find_all(exp.Literal)), default=0)

    def row_bytes(self, values: Sequence[Any], read: int) -> int:
        """Bytes of the largest row that it makes, if those that it reads have `read` together."""
        if self._tree is not None:
            return largest(self._tree, values, read)
        return read + max(self._said_bytes, *(len(each) for each in values if isinstance(each, str | bytes)), 0)

    def render(self, names: Mapping[tuple[str, str], str], *, is_guarded: bool = False) -> str:
        """The text for the engine, with these names for its tables.

        Args:
            names: of its tables.
            is_guarded: no condition may be handed down to a table, for Arrow does not take each of them. Then sorts keep all rows
                in memory: the engine takes the guard for a limit of them.
        """
        text = self._text
        for table, token in self._tokens.items():
            name = f'"{names[table]}"'
            text = text.replace(f'"{token}"', f"(SELECT * FROM {name} LIMIT {_ALL})" if is_guarded else name)  # noqa: S608 - our own
        return text


def checked(tree: Any) -> Query:
    """A statement that may be given to the engine, if its tables may be read.

    Raises:
        UsageError: it has a part that is not known, or is too large.
    """
    if not isinstance(tree, exp.Query):
        raise errors.UsageError("only SELECT gives rows.")
    nodes = 0
    for node in tree.walk():
        nodes += 1
        _check(node)
    if nodes > limits.LIVE_NODES_MAX:
        raise errors.UsageError(f"the statement has {nodes} parts.", hint=f"It may have {limits.LIVE_NODES_MAX}.")
    _check_depth(tree)
    tree = tree.copy()
    return Query(tree, _real_tables(tree))


def reference_of(table: Any) -> TableReference:
    """Namespace (empty if there is none) and name."""
    namespace = table.args.get("db")
    return TableReference(identifier(namespace) if namespace else "", identifier(table.this))


def _check(node: Any) -> None:
    """Refuse a node that is not on the list."""
    kind = type(node)
    if isinstance(node, exp.Anonymous):
        if node.name.lower() not in FUNCTIONS or isinstance(node.this, exp.Identifier):
            raise _refused(f"the function {node.name}()")
    elif isinstance(node, exp.Func) and kind not in NODES:
        if not FUNCTIONS & {name.lower() for name in kind.sql_names()} and kind.key not in FUNCTIONS:
            raise _refused(f"the function {kind.sql_names()[0]}()")
    elif kind not in NODES:
        text = node.sql(dialect=Sql)
        raise _refused(repr(text) if len(text) < _SHOWN else kind.__name__.upper())
    else:
        what = _extra(node)
        if what:
            raise _refused(what)


def _extra(node: Any) -> str:
    """What a node has that is not known; empty if nothing is."""
    match node:
        case exp.Select():
            extra = [name for name, value in node.args.items() if value and name not in _SELECT]
            return f"{extra[0].upper().rstrip('_')} in a SELECT" if extra else "SELECT AS" * bool(node.args.get("kind"))
        case exp.Table():
            is_known = isinstance(node.this, exp.Identifier) and not any(
                value for name, value in node.args.items() if name not in _ARGS
            )
            return "" if is_known else "this form of a table"
        case exp.With():
            return "WITH RECURSIVE, whose rows have no end," if node.args.get("recursive") else ""
        case exp.DataType():
            if not isinstance(node.parent, exp.Cast | exp.TryCast):
                return f"the type {node.sql(dialect=Sql)}"
            Type.of(node)
        case exp.Join():
            return (
                f"{node.args.get('method') or 'a hint in a'} JOIN"
                if node.args.get("method") or node.args.get("hint")
                else ""
            )
    return ""


def _check_depth(tree: Any) -> None:
    deepest = max((_depth(node) for node in tree.walk() if not any(True for _ in node.iter_expressions())), default=0)
    if deepest > limits.LIVE_NESTING_MAX:
        raise errors.UsageError(
            "the statement is nested too deep.", hint="Use IN for long ORs, and WITH for queries in queries."
        )


def _depth(node: Any) -> int:
    depth = 0
    while node.parent is not None:
        node = node.parent
        depth += 1
    return depth


def _real_tables(tree: Any) -> list[Any]:
    """Tables that are none of WITH: a name of WITH hides a table of the same name where it is known, and nowhere else."""
    found: dict[int, Any] = {}
    hidden: set[int] = set()
    for scope in traverse_scope(tree):
        for name, source in scope.sources.items():
            if isinstance(source, exp.Table):
                continue
            for table in scope.tables:
                if table.alias_or_name == name and not table.args.get("db"):
                    hidden.add(id(table))
    for table in tree.find_all(exp.Table):
        if id(table) not in hidden:
            found[id(table)] = table
    return list(found.values())


def _kept_apart(tree: Any) -> Any:
    """The tree with `a IN (1, 2)` as `a IN (1, 2) AND a = a`, which is the same, if there are several.

    DataFusion 55 makes one list of two that are joined by AND or OR, and where that becomes empty, NULL is forgotten.
    """
    lists = [node for node in tree.find_all(exp.In) if node.expressions and node.this.find(exp.In, exp.Query) is None]
    for node in lists if len(lists) > 1 else []:
        is_null = exp.EQ(this=exp.paren(node.this.copy()), expression=exp.paren(node.this.copy()))
        node.replace(exp.paren(exp.And(this=node.copy(), expression=is_null)))
    return tree


def _casts_kept(tree: Any) -> Any:
    """The tree with `CAST(a AS INT) = 2` as `nullif(CAST(a AS INT), NULL) = 2`, which is the same.

    DataFusion 55 compares `a` with the 2 then, so that a DECIMAL of 2.5, which is cut to 2 elsewhere, is none.
    """
    for cast in [*tree.find_all(exp.Cast, exp.TryCast)]:
        above = cast.parent
        while isinstance(above, exp.Paren):
            above = above.parent
        if isinstance(above, _COMPARING) and Type.of(cast.args["to"]).name in _CUTTING:
            cast.replace(exp.Nullif(this=cast.copy(), expression=exp.Null()))
    return tree


def _refused(what: str) -> errors.UsageError:
    return errors.UsageError(f"{what} is not known in a SELECT.", hint="docs/live-sql.md names what is.")
