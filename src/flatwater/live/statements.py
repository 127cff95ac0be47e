"""What a statement is: its text understood once, as one of the kinds that a database knows.

Covers:     reading a text with sqlglot, the statements that sqlglot does not know, names, numbered parameters.
Not here:   what each kind does (`live.definitions`, `live.changing`, `live.selecting`), what SELECT may have (`live.fence`).
Holds:      nothing; a database keeps statements in a `Cache`.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Final, NamedTuple

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.generators.postgres import PostgresGenerator
from sqlglot.tokenizer_core import Token, TokenType

from flatwater import errors, limits
from flatwater.live.catalog import DEFAULT

_NODE_BYTES = 600  # of what sqlglot makes of one token
_MARKS: Final = ("?", "?::")  # of parameters
_QUOTED: Final = {TokenType.STRING, TokenType.IDENTIFIER}
ALTERS: Final = "ALTER TABLE name ADD COLUMN a INT, ADD COLUMN b TEXT DEFAULT 'x': each has its ADD COLUMN."
_SHOWN: Final = ("TABLES", "NAMESPACES", "USERS")

logging.getLogger("sqlglot").addFilter(lambda record: "contains unsupported syntax" not in record.getMessage())


class Sql(Postgres):
    """PostgreSQL's SQL, as far as it is known here."""

    class Tokenizer(Postgres.Tokenizer):
        """Without commands, of which sqlglot would keep the text."""

        COMMANDS: ClassVar[Any] = set()

    class Generator(PostgresGenerator):
        """What the SQL engine calls otherwise, or knows and PostgreSQL does not."""

        TRANSFORMS: ClassVar[Any] = {
            **PostgresGenerator.TRANSFORMS,
            exp.Hex: lambda self, node: self.func("to_hex", node.this),
            exp.IgnoreNulls: lambda self, node: f"{self.sql(node, 'this')} IGNORE NULLS",
            exp.RespectNulls: lambda self, node: f"{self.sql(node, 'this')} RESPECT NULLS",
            exp.IsNan: lambda self, node: self.func("isnan", node.this),
            exp.Sign: lambda self, node: self.func("signum", node.this),
            exp.StrToDate: lambda self, node: self.func("to_date", node.this, node.args.get("format")),
            exp.StrToTime: lambda self, node: self.func("to_timestamp", node.this, node.args.get("format")),
            exp.TimeToStr: lambda self, node: self.func("to_char", node.this, node.args.get("format")),
            exp.TryCast: lambda self, node: f"TRY_CAST({self.sql(node, 'this')} AS {self.sql(node, 'to')})",
            exp.UnixToTime: lambda self, node: self.func("to_timestamp", node.this),
        }


class Statement(NamedTuple):
    """A text that was understood.

    Attributes:
        kind: select, insert, update, delete, create table, create namespace, alter table, drop table, drop namespace,
            describe, show, create user, alter user, drop user, execute as, kill.
        tree: what sqlglot made of it; None for those that it does not know.
        words: what those say: names and values.
        parameters: how many it takes.
        cost: bytes that it takes in memory, or about.
    """

    kind: str
    tree: Any
    words: tuple[Any, ...]
    parameters: int
    cost: int


class Name(NamedTuple):
    """Of a table."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}"


def understood(text: str) -> Statement:
    """The one statement of `text`.

    Raises:
        UsageError: it is no SQL, more than one statement, or none that is known.
    """
    if not isinstance(text, str):
        raise errors.UsageError(f"{type(text).__name__} is no SQL.", hint="Pass a text.")
    if len(text) > limits.LIVE_STATEMENT_BYTES_MAX:
        raise errors.UsageError(
            f"the statement has {len(text)} characters.",
            hint=f"It may have {limits.LIVE_STATEMENT_BYTES_MAX}: pass values as parameters, or load rows with db.load.",
        )
    tokens = _tokens(text)
    if not tokens:
        raise errors.UsageError("there is no statement in the text.", hint="Try SHOW TABLES.")
    if any(token.token_type is TokenType.SEMICOLON for token in tokens):
        raise errors.UsageError("there is more than one statement in the text.", hint="Pass them one by one.")
    words = _Words(tokens)
    special = _special(text, words)
    if special is not None:
        return special
    numbered, count = _numbered(text, tokens)
    tree = _parsed(numbered)
    return Statement(_kind_of(tree), tree, (), count, len(text) + _NODE_BYTES * len(tokens))


def identifier(node: Any) -> str:
    """A name as it counts: in lower case unless it is quoted."""
    if isinstance(node, exp.Column | exp.Table) and not node.args.get("db"):
        node = node.this
    if not isinstance(node, exp.Identifier):
        told = f"{node.sql(dialect=Sql)} is no name." if isinstance(node, exp.Expression) else "a name is missing."
        raise errors.UsageError(told)
    text = str(node.this)
    return text if node.args.get("quoted") else text.lower()


def table_name(node: Any) -> Name:
    """The table that a statement names."""
    if not isinstance(node, exp.Table) or node.args.get("catalog") or not isinstance(node.this, exp.Identifier):
        told = (
            f"{node.sql(dialect=Sql)} is no table." if isinstance(node, exp.Expression) else "there is no table here."
        )
        raise errors.UsageError(told, hint="Write name, or namespace.name.")
    namespace = node.args.get("db")
    return Name(identifier(namespace) if namespace else DEFAULT, identifier(node.this))


def name_in(text: str) -> Name:
    """The table of a name such as `chat.messages`, as SQL has it.

    Raises:
        UsageError: it is none.
    """
    tree = _parsed(f"DESCRIBE {text}") if isinstance(text, str) else None
    if not isinstance(tree, exp.Describe):
        raise errors.UsageError(f"{text!r:.80} is no name of a table.", hint="Write name, or namespace.name.")
    return table_name(tree.this)


# --- texts ------------------------------------------------------------------------------------------------------------


@functools.cache
def _dialect() -> Any:
    return Sql()


def _tokens(text: str) -> list[Token]:
    try:
        tokens = list(_dialect().tokenize(text))
    except SqlglotError as error:
        raise _no_sql(error) from None
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    return tokens


def _parsed(text: str) -> Any:
    try:
        trees = _dialect().parse(text)
    except SqlglotError as error:
        raise _no_sql(error) from None
    except RecursionError:
        raise errors.UsageError(
            "the statement is nested too deep.", hint="Use parameters, or IN for long ORs."
        ) from None
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        raise errors.UsageError("there is more than one statement in the text.", hint="Pass them one by one.")
    _settle_limits(found[0])
    return found[0]


def _settle_limits(tree: Any) -> None:
    """FETCH FIRST as the LIMIT that it is.

    Raises:
        UsageError: a LIMIT is a part of the rows; a SELECT has no columns.
    """
    for node in tree.find_all(exp.Limit, exp.Fetch, exp.Select):
        if isinstance(node, exp.Select):
            if not node.expressions:
                raise errors.UsageError("SELECT names no columns.", hint="SELECT * has all of them.")
            continue
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise errors.UsageError("a LIMIT is a number of rows here.", hint="PERCENT and WITH TIES are not known.")
        if isinstance(node, exp.Fetch):
            node.replace(exp.Limit(expression=node.args.get("count") or exp.Literal.number(1)))


def _no_sql(error: SqlglotError) -> errors.UsageError:
    details: list[dict[str, Any]] = getattr(error, "errors", None) or []
    if details:
        first = details[0]
        where = f" near {str(first.get('highlight'))[:40]!r}, line {first.get('line')}, column {first.get('col')}"
        return errors.UsageError(
            f"the statement cannot be understood{where}: {str(first.get('description')).rstrip('.')}."
        )
    return errors.UsageError("the statement cannot be understood: a text, name or comment does not end.")


def _numbered(text: str, tokens: Sequence[Token]) -> tuple[str, int]:
    """`text` with `$1`, `$2` for each `?`, in the order in which they stand there, and how many parameters it takes."""
    marks = [token.start for token in tokens if token.text in _MARKS and token.token_type not in _QUOTED]
    named = [token.text for at, token in enumerate(tokens[1:]) if tokens[at].token_type is TokenType.PARAMETER]
    if not marks:
        numbers = [int(name) for name in named if name.isdecimal() and len(name) < 5]  # noqa: PLR2004 - digits
        if len(numbers) < len(named) or (numbers and (min(numbers) < 1 or max(numbers) > len(set(numbers)))):
            raise errors.UsageError("parameters are ?, or $1, $2, ... without a gap.")
        return text, max(numbers, default=0)
    if named:
        raise errors.UsageError("parameters are either ? or $1, $2, ..., not both.")
    parts, at = [], 0
    for number, mark in enumerate(marks, 1):
        parts += [text[at:mark], f"${number} "]
        at = mark + 1
    return "".join([*parts, text[at:]]), len(marks)


def _kind_of(tree: Any) -> str:
    if isinstance(tree, exp.Query):
        return "select"
    for kind, node in (
        ("insert", exp.Insert),
        ("update", exp.Update),
        ("delete", exp.Delete),
        ("describe", exp.Describe),
    ):
        if isinstance(tree, node):
            return kind
    for verb, form in (("create", exp.Create), ("alter", exp.Alter), ("drop", exp.Drop)):
        if isinstance(tree, form):
            what = {"SCHEMA": "namespace"}.get(str(tree.args.get("kind")), str(tree.args.get("kind")).lower())
            if (verb, what) in {
                ("create", "table"), ("create", "namespace"), ("alter", "table"), ("drop", "table"), ("drop", "namespace"),
            }:  # fmt: skip
                return f"{verb} {what}"
    if tree.sql(dialect=Sql).upper().startswith("ALTER TABLE"):
        raise errors.UsageError("this ALTER TABLE is not known.", hint=ALTERS)
    raise errors.UsageError(
        f"{tree.sql(dialect=Sql)[:60]!r} is no statement of this database.",
        hint="It knows SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER and DROP TABLE, namespaces and users, SHOW, DESCRIBE, "
        "EXECUTE AS USER, KILL LIVE QUERY; see docs/live-sql.md.",
    )


# --- statements that sqlglot does not know ----------------------------------------------------------------------------


class _Words:
    """Tokens, taken one after another."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def take(self, *expected: str) -> bool:
        """Whether these words come next, unquoted; then they are taken."""
        following = self._tokens[self._at : self._at + len(expected)]
        if [token.text.upper() for token in following if token.token_type not in _QUOTED] != [*expected]:
            return False
        self._at += len(expected)
        return True

    def name(self) -> str:
        """The name or text that comes next."""
        token = self.next()
        if token.token_type in _QUOTED:
            return token.text
        if not token.text.replace("_", "a").isalnum():
            raise errors.UsageError(f"{token.text!r} is no name.", hint="Quote it, as in 'a name'.")
        return token.text.lower()

    def next(self) -> Token:
        """What comes next."""
        if self._at >= len(self._tokens):
            raise errors.UsageError("the statement ends in the middle.")
        self._at += 1
        return self._tokens[self._at - 1]

    @property
    def rest(self) -> Sequence[Token]:
        """What was not taken."""
        return self._tokens[self._at :]

    def end(self) -> None:
        """Refuse what follows."""
        if self.rest:
            raise errors.UsageError(f"{self.rest[0].text!r} is not expected in this statement.")


def _special(text: str, words: _Words) -> Statement | None:
    if words.take("SHOW"):
        what = next((each for each in _SHOWN if words.take(each)), None)
        if what is None:
            raise errors.UsageError("it is not known what to show.", hint=f"SHOW {', SHOW '.join(_SHOWN)}.")
        within = words.name() if what == "TABLES" and (words.take("IN") or words.take("FROM")) else None
        words.end()
        return Statement("show", None, (what, within), 0, len(text))
    if words.take("EXECUTE", "AS", "USER"):
        return _execute_as(text, words)
    if words.take("KILL", "LIVE", "QUERY"):
        number = words.next().text
        words.end()
        return Statement("kill", None, (None if number == "?" else number,), int(number == "?"), len(text))
    for verb in ("CREATE", "ALTER", "DROP"):
        if words.take(verb, "USER"):
            return _user(text, verb, words)
    return None


def _execute_as(text: str, words: _Words) -> Statement:
    user = words.name()
    rest = words.rest
    if not rest:
        raise errors.UsageError("EXECUTE AS USER has no statement.", hint="EXECUTE AS USER 'ada' (SELECT ...).")
    start, end = rest[0].start, rest[-1].end + 1
    if rest[0].token_type is TokenType.L_PAREN and rest[-1].token_type is TokenType.R_PAREN:
        start, end = rest[0].end + 1, rest[-1].start
    inner = text[start:end]
    known = understood(inner)
    if known.kind == "execute as":
        raise errors.UsageError("EXECUTE AS USER stands in another one.", hint="Once is enough.")
    return Statement("execute as", None, (user, inner), known.parameters, max(2 * len(text), known.cost))


def _user(text: str, verb: str, words: _Words) -> Statement:
    is_if = words.take("IF", "NOT", "EXISTS") if verb == "CREATE" else words.take("IF", "EXISTS")
    name = words.name()
    given: dict[str, Any] = {}
    if verb != "DROP":
        words.take("WITH") or words.take("SET")
        while words.rest:
            key = words.name()
            words.take("=")
            if words.take("NULL"):
                raise errors.UsageError(f"{key.upper()} has no value.")
            given[key] = _password(words) if key == "password" else words.next().text
            words.take(",")
    words.end()
    # one with a password costs more than any cache keeps
    cost = 2 * limits.LIVE_STATEMENTS_BYTES if "password" in given else 2 * len(text)
    return Statement(f"{verb.lower()} user", None, (name, is_if, given), int(given.get("password", "") is None), cost)


def _password(words: _Words) -> str | None:
    """What stands behind PASSWORD; None for a parameter."""
    token = words.next()
    if token.token_type in _QUOTED:
        return token.text
    if token.text == "?":
        return None
    raise errors.UsageError(
        "a password stands in quotes.", hint="PASSWORD 'long enough', or PASSWORD ? and a parameter."
    )
