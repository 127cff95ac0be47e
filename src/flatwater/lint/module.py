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
_LEAVES = (ast.expr_context, ast.operator, ast.boolop, ast.cmpop, ast.unaryop)


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
        self._lines: list[str] | None = None
        self.scope = Scope(self.tree, None)
        self._walk()

    @property
    def lines(self) -> list[str]:
        """The text's lines, without their ends."""
        if self._lines is None:
            self._lines = LINE_END.split(self.text)
        return self._lines

    def of(self, kind: type[T]) -> list[T]:
        """All nodes of exactly this type, in the order of the text."""
        return self._nodes.get(kind, [])  # type: ignore[return-value]  # filled by type

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """Who stands above it, the nearest first."""
        above = self.above.get(node)
        while above is not None:
            yield above
            above = self.above.get(above)

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope that an expression is evaluated in."""
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
        above, nodes = self.above, self._nodes
        todo: list[tuple[ast.AST, Scope]] = [(self.tree, self.scope)]
        order: list[tuple[ast.AST, Scope]] = []
        while todo:
            node, scope = todo.pop()
            kind = type(node)
            nodes.setdefault(kind, []).append(node)
            if kind in BINDS:
                order.append((node, scope))
            inner = scope
            if isinstance(node, SCOPES) and node is not self.tree:
                inner = self._scopes[node] = Scope(node, scope)
            if kind is ast.Global or kind is ast.Nonlocal:
                scope.elsewhere.update(dict.fromkeys(node.names, "global" if kind is ast.Global else "nonlocal"))  # type: ignore[attr-defined]
            for child in reversed(_children(node)):
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


def _children(node: ast.AST) -> list[ast.AST]:
    """Those that stand below it, but for what only says which operator it is."""
    found: list[ast.AST] = []
    for name in node._fields:
        child = getattr(node, name, None)
        if isinstance(child, list):
            found += [each for each in child if isinstance(each, ast.AST) and not isinstance(each, _LEAVES)]
        elif isinstance(child, ast.AST) and not isinstance(child, _LEAVES):
            found.append(child)
    return found
