"""One parsed file: its tree, who stands above whom, and what each name of each scope is bound to.

Covers:     parents, scopes as Python has them (module, class, function, comprehension), imports, the nodes of a kind in order.
Not here:   what a value is (`lint.values`), reading files (`lint.files`).
Holds:      the tree of one file, about 1 KB a line; it goes when the file is done with.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TypeVar, final

from flatwater.lint.scopes import BINDS, COMPREHENSIONS, FUNCTIONS, SCOPES, Function, Scope, is_outside

T = TypeVar("T", bound=ast.AST)
LINE_END = re.compile(r"\r\n?|\n")  # Python's; a form feed ends no line
_NO_NODES = frozenset(
    {
        "ctx",
        "op",
        "ops",
        "id",
        "attr",
        "arg",
        "name",
        "asname",
        "lineno",
        "level",
        "module",
        "kind",
        "type_comment",
        "type_ignores",
        "conversion",
        "simple",
        "is_async",
    }
)
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}  # by type of node, of which Python has about a hundred
_SCOPE_TYPES = frozenset(SCOPES)


def is_testing(path: str) -> bool:
    """Whether a file is in a package called `testing`: all that rules may ask of a name, which the cache's key has for that."""
    return bool({"testing", "testing.py"} & set(path.split("/")))


@final
class Module:
    """A file that was parsed. Raises SyntaxError, ValueError, RecursionError or MemoryError as the parser does."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.text = text
        self.tree = ast.parse(text, path)
        self.above: dict[ast.AST, ast.AST] = {}
        self.imports: set[str] = set()  # first parts of what is imported anywhere in it
        self.stars: set[str] = set()
        self._scopes: dict[ast.AST, Scope] = {}
        self._nodes: dict[type[ast.AST], list[ast.AST]] = {}
        self._scope_of_names: dict[ast.AST, Scope] = {}
        self._lines: list[str] | None = None
        self.scope = Scope(self.tree, None)
        self._walk()

    @property
    def lines(self) -> list[str]:
        """The text's lines, without their ends."""
        if self._lines is None:
            self._lines = LINE_END.split(self.text)
        return self._lines

    @property
    def is_migration(self) -> bool:
        """Whether it takes a database from one version to the next (Alembic, Django): it runs once, by hand."""
        if "alembic" in self.imports:
            return any(isinstance(each, ast.FunctionDef) and each.name == "upgrade" for each in self.tree.body)
        return "django" in self.imports and any(
            isinstance(each, ast.ClassDef) and each.name == "Migration" for each in self.tree.body
        )

    def of(self, kind: type[T]) -> list[T]:
        """All nodes of exactly this type, in the order of the text."""
        return self._nodes.get(kind, [])  # type: ignore[return-value]  # filled by type

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions that have a name."""
        return [*self.of(ast.FunctionDef), *self.of(ast.AsyncFunctionDef)]

    def fors(self) -> list[ast.For | ast.AsyncFor]:
        """All loops over something."""
        return [*self.of(ast.For), *self.of(ast.AsyncFor)]

    def withs(self) -> list[ast.With | ast.AsyncWith]:
        """All `with` statements."""
        return [*self.of(ast.With), *self.of(ast.AsyncWith)]

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """Who stands above it, the nearest first."""
        above = self.above.get(node)
        while above is not None:
            yield above
            above = self.above.get(above)

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope that an expression is evaluated in."""
        if (known := self._scope_of_names.get(node)) is not None:
            return known
        inner = node
        for each in self.parents(node):
            if each in self._scopes and not is_outside(each, inner):
                return self._scopes[each]
            inner = each
        return self.scope

    def own_scope(self, node: ast.AST) -> Scope:
        """The scope that a function, class, comprehension or module opens."""
        return self._scopes[node]

    def function_of(self, node: ast.AST) -> Function | None:
        """The function that a node runs in; None in a module or class body."""
        inner = node
        for each in self.parents(node):
            if isinstance(each, FUNCTIONS) and not is_outside(each, inner):
                return each
            if isinstance(each, ast.ClassDef) and not is_outside(each, inner):
                return None
            inner = each
        return None

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class whose body or methods a node stands in."""
        return next((each for each in self.parents(node) if isinstance(each, ast.ClassDef)), None)

    def loops_of(self, node: ast.AST) -> list[ast.AST]:
        """The loops and comprehensions that run a node again and again, the innermost first; up to its function."""
        found: list[ast.AST] = []
        inner = node
        for each in self.parents(node):
            if isinstance(each, (*FUNCTIONS, ast.ClassDef)):
                break
            if (
                (isinstance(each, (ast.For, ast.AsyncFor)) and inner is not each.iter and inner not in each.orelse)
                or (isinstance(each, ast.While) and inner not in each.orelse)
                or (isinstance(each, COMPREHENSIONS) and inner is not each.generators[0])
            ):
                found.append(each)
            inner = each
        return found

    # --- one walk -----------------------------------------------------------------------------------------------------

    def _walk(self) -> None:
        self._scopes[self.tree] = self.scope
        above, nodes, scope_of_names, fields_of = self.above, self._nodes, self._scope_of_names, _FIELDS
        todo: list[tuple[ast.AST, Scope]] = [(self.tree, self.scope)]
        order: list[tuple[ast.AST, Scope]] = []
        while todo:
            node, scope = todo.pop()
            kind = type(node)
            try:
                nodes[kind].append(node)
            except KeyError:
                nodes[kind] = [node]
            if kind is ast.Name:
                scope_of_names[node] = scope
                continue
            if kind in BINDS:
                order.append((node, scope))
            inner = scope
            if kind in _SCOPE_TYPES and node is not self.tree:
                inner = self._scopes[node] = Scope(node, scope)
            if kind is ast.Global or kind is ast.Nonlocal:
                scope.elsewhere.update(dict.fromkeys(node.names, "global" if kind is ast.Global else "nonlocal"))  # type: ignore[attr-defined]
            fields = fields_of.get(kind)
            if fields is None:
                fields = fields_of[kind] = _fields(kind)
            for name in fields:
                child = getattr(node, name, None)
                if child is None:
                    continue
                if child.__class__ is list:
                    for each in reversed(child):
                        if isinstance(each, ast.AST):
                            above[each] = node
                            todo.append((each, scope if inner is not scope and is_outside(node, each) else inner))
                elif isinstance(child, ast.AST):
                    above[child] = node
                    todo.append((child, scope if inner is not scope and is_outside(node, child) else inner))
        for node, scope in order:
            BINDS[type(node)](node, scope, self._scopes)
        self._note_imports()

    def _note_imports(self) -> None:
        for node in self.of(ast.Import):
            self.imports.update(each.name.partition(".")[0] for each in node.names)
        for from_ in self.of(ast.ImportFrom):
            if not from_.level:
                self.imports.add((from_.module or "").partition(".")[0])
            if any(each.name == "*" for each in from_.names):
                self.stars.add("." * from_.level + (from_.module or ""))


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """Those in which nodes stand, the last first, but for what only says which operator or number it is."""
    return tuple(
        name
        for name in reversed(kind._fields)
        if name not in _NO_NODES or (name == "name" and kind.__name__ == "TypeAlias")
    )
