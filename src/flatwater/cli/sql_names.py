"""What can be typed next: words of SQL, tables, columns; asked for seldom, and bounded.

Covers:     names of tables and columns, when they are asked for anew, what is offered behind which word.
Not here:   the prompt (`cli.sql_shell`).
Holds:      names of tables, and columns of those that were typed.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, final

from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.completion import Completion as Offer
from prompt_toolkit.document import Document

from flatwater import limits
from flatwater.cli.sql_session import FORMATS
from flatwater.cli.sql_targets import Target
from flatwater.cli.sql_work import Work

WORDS: Final = (
    "ADD", "ALTER", "AND", "AS", "ASC", "BETWEEN", "BIGINT", "BOOLEAN", "BY", "BYTES", "CASE", "CAST", "COLUMN",
    "CONFLICT", "CREATE", "DATE", "DECIMAL", "DEFAULT", "DELETE", "DESC", "DESCRIBE", "DISTINCT", "DO", "DOUBLE",
    "DROP", "ELSE", "END", "EXCEPT", "EXECUTE", "EXISTS", "FALSE", "FROM", "GROUP", "HAVING", "IF", "ILIKE", "IN",
    "INSERT", "INT", "INTERSECT", "INTERVAL", "INTO", "IS", "JOIN", "JSON", "KEY", "LEFT", "LIKE", "LIMIT",
    "NAMESPACE", "NAMESPACES", "NOT", "NOTHING", "NOW()", "NULL", "OFFSET", "ON", "OR", "ORDER", "OVER",
    "PARTITION", "PASSWORD", "PRIMARY", "RETURNING", "ROLE", "SELECT", "SET", "SHOW", "SMALLINT", "SNOWFLAKE_ID()",
    "TABLE", "TABLES", "TEXT", "THEN", "TIMESTAMP", "TRUE", "UNION", "UPDATE", "USER", "USERS", "UUID", "VALUES",
    "WHEN", "WHERE", "WITH",
)  # fmt: skip
COMMANDS: Final = ("\\?", "\\d", "\\format", "\\live", "\\q", "\\timing")
_BEFORE_TABLES: Final = {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "DESCRIBE", "\\D"}
_DEFINING: Final = {"CREATE", "DROP", "ALTER"}
_SIMPLE = re.compile(r"[a-z_][a-z0-9_]*\Z")
_NAME = re.compile(r'[\w.$"]+\Z|\\[a-z?]*\Z')
_WORD = re.compile(r'\\?[\w.$"?]+')


@final
class Names:
    """Of tables and columns, as far as they are known. Thread-safe."""

    def __init__(self, target: Target, work: Work) -> None:
        self._target = target
        self._work = work
        self._tables: tuple[str, ...] = ()
        self._columns: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._asked_s = -limits.SHELL_NAMES_S
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        """A statement is done: where it defines something, names are asked for anew."""
        if text.split(None, 1)[0].upper() in _DEFINING:
            self._asked_s = -limits.SHELL_NAMES_S

    def tables(self) -> tuple[str, ...]:
        """As they are written in SQL; at most so many."""
        with self._lock:
            if time.monotonic() - self._asked_s >= limits.SHELL_NAMES_S:
                self._asked_s = time.monotonic()
                self._columns.clear()
                found = self._ask("SHOW TABLES", limits.SHELL_NAMES_MAX, _table)
                self._tables = self._tables if found is None else found
            return self._tables

    def columns(self, table: str) -> tuple[str, ...]:
        """Of a table that is known by this name."""
        if table not in self.tables():
            return ()
        with self._lock:
            known = self._columns.get(table)
            if known is None:
                known = self._ask(f"DESCRIBE {table}", limits.SHELL_NAMES_MAX, _column) or ()
                self._columns[table] = known
                if len(self._columns) > limits.SHELL_TABLES_MAX:
                    self._columns.popitem(last=False)
            return known

    def _ask(self, text: str, most: int, name_of: Any) -> tuple[str, ...] | None:
        """Names, or None where the database does not tell them now."""
        try:
            return self._work.ask(partial(self._read, text, most, name_of), wait_s=limits.SHELL_NAMES_WAIT_S)
        except Exception:  # noqa: BLE001 - who types wants no error of something that was not asked for
            return None

    def _read(self, text: str, most: int, name_of: Any) -> tuple[str, ...]:
        result = self._target.sql(text)
        try:
            found = (name_of(row) for _number, row in zip(range(most), result, strict=False))
            return tuple(name for name in found if name is not None)
        finally:
            result.close()


@final
class Completion(Completer):
    """Offers what begins as the word at the cursor does."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Offer]:  # noqa: ARG002 - as the base has it
        """In the order of their use: columns, tables, words."""
        before = document.text_before_cursor
        found = _NAME.search(before)
        word = found[0] if found else ""
        words = _WORD.findall(before[: len(before) - len(word)])
        if not word and not words:
            return
        for offer in self._offers(word, words, document.text):
            if offer.lower().startswith(word.lower()) and offer != word:
                yield Offer(offer, start_position=-len(word))

    def _offers(self, word: str, words: list[str], text: str) -> Iterable[str]:
        last = words[-1].upper() if words else ""
        if word.startswith("\\"):
            return () if words else COMMANDS
        if last == "\\FORMAT":
            return FORMATS
        if last in _BEFORE_TABLES:
            return self._names.tables()
        if not word:
            return ()
        known = set(self._names.tables())
        named = dict.fromkeys(each for each in _WORD.findall(text)[: limits.SHELL_TABLES_MAX] if each in known)
        columns = dict.fromkeys(column for table in named for column in self._names.columns(table))
        return (*columns, *self._names.tables(), *WORDS)


def _table(row: dict[str, Any]) -> str | None:
    namespace, name = _written(row["namespace"]), _written(row["name"])
    if namespace is None or name is None:
        return None
    return name if namespace == "main" else f"{namespace}.{name}"


def _column(row: dict[str, Any]) -> str | None:
    return _written(row["column"])


def _written(name: object) -> str | None:
    """A name as it is written in SQL; None for one that should not be put in front of people."""
    if not isinstance(name, str) or not name.isprintable():
        return None
    return name if _SIMPLE.match(name) else '"' + name.replace('"', '""') + '"'
