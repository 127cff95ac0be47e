"""One parsed file: its tree, who stands above whom, and what each name of each scope is bound to.

Covers:     parents, scopes as Python has them (module, class, function, comprehension), imports, the nodes of a kind in order.
Not here:   what a value is (`lint.values`), reading files (`lint.files`).
Holds:      the tree of one file, about 1 KB a line; it goes when the file is done with.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar, final

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Loop = ast.For | ast.AsyncFor | ast.While
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.Module, ast.ClassDef, *FUNCTIONS, *COMPREHENSIONS)

T = TypeVar("T", bound=ast.AST)


@final
@dataclass(slots=True)
class Binding:
    """One place where a name gets a value.

    Attributes:
        how: "is" (the value itself), "each" (an element of it), "enters" (what its `with` gives), "part" (a part that is not followed),
            "import", "def", "class", "param", "aug", "del", "except".
        value: the expression, where there is one.
        node: where it stands.
        annotation: of an annotated assignment or a parameter.
        origin: of an import, the dotted name.
    """

    how: str
    node: ast.AST
    value: ast.expr | None = None
    annotation: ast.expr | None = None
    origin: str = ""


@final
@dataclass(slots=True)
class Scope:
    """Names of a module, a class, a function or a comprehension."""

    node: ast.AST
    above: Scope | None
    names: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)  # names that are "global" or "nonlocal" here

    def bind(self, name: str, binding: Binding) -> None:
        """Remember it."""
        scope = self
        while isinstance(scope.node, COMPREHENSIONS) and isinstance(binding.node, ast.NamedExpr) and scope.above:
            scope = scope.above  # a walrus belongs to who stands around a comprehension
        declared = scope.elsewhere.get(name)
        if declared == "global":
            while scope.above is not None:
                scope = scope.above
        elif declared == "nonlocal" and scope.above is not None:
            scope = scope.above.holding(name) or scope
        scope.names.setdefault(name, []).append(binding)

    def holding(self, name: str) -> Scope | None:
        """The scope that a name is looked up in from here; None if it is a built-in, or from a star."""
        scope: Scope | None = self
        is_first = True
        while scope is not None:
            if name in scope.names and (is_first or not isinstance(scope.node, ast.ClassDef)):
                return scope
            if not isinstance(scope.node, COMPREHENSIONS):
                is_first = False
            scope = scope.above
        return None

    def lookup(self, name: str) -> list[Binding]:
        """What a name is bound to, as seen from here; nothing for a built-in."""
        scope = self.holding(name)
        return scope.names[name] if scope else []


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
            self._lines = self.text.splitlines()
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
            if each in self._scopes and not _is_outside(each, inner):
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
            if isinstance(each, FUNCTIONS) and not _is_outside(each, inner):
                return each
            if isinstance(each, ast.ClassDef) and not _is_outside(each, inner):
                return None
            inner = each
        return None

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class whose body or methods a node stands in."""
        return next((each for each in self.parents(node) if isinstance(each, ast.ClassDef)), None)

    def loops_of(self, node: ast.AST) -> list[ast.AST]:
        """The loops and comprehensions that run a node again and again, the innermost first; up to its function."""
        found = []
        inner = node
        for each in self.parents(node):
            if isinstance(each, (*FUNCTIONS, ast.ClassDef)):
                break
            if (isinstance(each, (ast.For, ast.AsyncFor)) and inner is not each.iter and inner not in each.orelse) or (
                isinstance(each, ast.While) and inner not in each.orelse
            ):
                found.append(each)
            elif isinstance(each, COMPREHENSIONS) and inner is not each.generators[0]:
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
            if kind in _BINDS:
                order.append((node, scope))
            inner = scope
            if isinstance(node, SCOPES) and node is not self.tree:
                inner = self._scopes[node] = Scope(node, scope)
            if kind is ast.Global or kind is ast.Nonlocal:
                scope.elsewhere.update(dict.fromkeys(node.names, "global" if kind is ast.Global else "nonlocal"))  # type: ignore[attr-defined]
            children = []
            for name in node._fields:
                child = getattr(node, name, None)
                if isinstance(child, ast.AST):
                    if isinstance(child, _LEAVES):
                        continue
                    children.append(child)
                elif isinstance(child, list):
                    children += [each for each in child if isinstance(each, ast.AST) and not isinstance(each, _LEAVES)]
            for child in reversed(children):
                above[child] = node
                todo.append((child, scope if inner is not scope and _is_outside(node, child) else inner))
        for node, scope in order:
            _BINDS[type(node)](self, node, scope)

    def _bind_import(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Import)
        for each in node.names:
            top = each.name.partition(".")[0]
            self.imports.add(top)
            name, origin = (each.asname, each.name) if each.asname else (top, top)
            scope.bind(name, Binding("import", node, origin=origin))

    def _bind_from(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.ImportFrom)
        module = "." * node.level + (node.module or "")
        if not node.level:
            self.imports.add(module.partition(".")[0])
        for each in node.names:
            if each.name == "*":
                self.stars.add(module)
                continue
            origin = f"{module}{'' if module.endswith('.') else '.'}{each.name}"
            scope.bind(each.asname or each.name, Binding("import", node, origin=origin))

    def _bind_assign(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Assign)
        for target in node.targets:
            _bind_target(target, node.value, "is", node, scope)

    def _bind_annotated(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.AnnAssign)
        if isinstance(node.target, ast.Name):
            scope.bind(node.target.id, Binding("is", node, node.value, node.annotation))

    def _bind_augmented(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.AugAssign)
        if isinstance(node.target, ast.Name):
            scope.bind(node.target.id, Binding("aug", node, node.value))

    def _bind_walrus(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.NamedExpr)
        scope.bind(node.target.id, Binding("is", node, node.value))

    def _bind_loop(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.For | ast.AsyncFor | ast.comprehension)
        _bind_target(node.target, node.iter, "each", node, scope)

    def _bind_with(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.withitem)
        if node.optional_vars is not None:
            _bind_target(node.optional_vars, node.context_expr, "enters", node, scope)

    def _bind_function(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, FUNCTIONS)
        if not isinstance(node, ast.Lambda):
            scope.bind(node.name, Binding("def", node))
        own, given = self._scopes[node], node.args
        defaults: dict[str, ast.expr | None] = {}
        positional = [*given.posonlyargs, *given.args]
        for argument, default in zip(reversed(positional), reversed(given.defaults), strict=False):
            defaults[argument.arg] = default
        for argument, keyword_default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
            defaults[argument.arg] = keyword_default
        for argument in [*positional, *given.kwonlyargs]:
            own.bind(argument.arg, Binding("param", argument, defaults.get(argument.arg), argument.annotation))
        for rest in (given.vararg, given.kwarg):
            if rest is not None:
                own.bind(rest.arg, Binding("part", rest))

    def _bind_class(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.ClassDef)
        scope.bind(node.name, Binding("class", node))

    def _bind_except(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.ExceptHandler)
        if node.name:
            scope.bind(node.name, Binding("except", node))

    def _bind_delete(self, node: ast.AST, scope: Scope) -> None:
        assert isinstance(node, ast.Delete)
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.bind(target.id, Binding("del", node))


_LEAVES = (ast.expr_context, ast.operator, ast.boolop, ast.cmpop, ast.unaryop)

_BINDS = {
    ast.Import: Module._bind_import, ast.ImportFrom: Module._bind_from, ast.Assign: Module._bind_assign,
    ast.AnnAssign: Module._bind_annotated, ast.AugAssign: Module._bind_augmented, ast.NamedExpr: Module._bind_walrus,
    ast.For: Module._bind_loop, ast.AsyncFor: Module._bind_loop, ast.comprehension: Module._bind_loop,
    ast.withitem: Module._bind_with, ast.FunctionDef: Module._bind_function, ast.AsyncFunctionDef: Module._bind_function,
    ast.Lambda: Module._bind_function, ast.ClassDef: Module._bind_class, ast.ExceptHandler: Module._bind_except,
    ast.Delete: Module._bind_delete,
}  # fmt: skip


def _bind_target(target: ast.expr, value: ast.expr | None, how: str, node: ast.AST, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id, Binding(how, node, value))
    elif isinstance(target, ast.Starred):
        _bind_target(target.value, None, "part", node, scope)
    elif isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if how == "is" and isinstance(value, ast.Tuple | ast.List) else []
        if len(parts) == len(target.elts) and not any(isinstance(each, ast.Starred) for each in [*parts, *target.elts]):
            for inner, part in zip(target.elts, parts, strict=True):
                _bind_target(inner, part, "is", node, scope)
        else:
            for inner in target.elts:
                _bind_target(inner, value, "part", node, scope)


def _is_outside(scope: ast.AST, child: ast.AST) -> bool:
    """Whether this child of a node that opens a scope is evaluated before it: defaults, decorators, bases, the first iterable."""
    if isinstance(scope, FUNCTIONS):
        if isinstance(scope, ast.Lambda):
            return child is scope.args
        return child is scope.args or child is scope.returns or child in scope.decorator_list
    if isinstance(scope, ast.ClassDef):
        return child not in scope.body
    return False
