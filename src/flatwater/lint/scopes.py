"""What names are bound to, in the scopes that Python has.

Covers:     module, class, function and comprehension; assignments, loops, `with`, imports, parameters, definitions, `global`, `nonlocal`.
Not here:   the walk through a file (`lint.module`), what a value is (`lint.values`).
Holds:      a binding for each place where a name gets a value, about 150 B.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.Module, ast.ClassDef, *FUNCTIONS, *COMPREHENSIONS)


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


Scopes = dict[ast.AST, Scope]
Bind = Callable[[ast.AST, Scope, Scopes], None]


def _bind_import(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.Import)
    for each in node.names:
        top = each.name.partition(".")[0]
        name, origin = (each.asname, each.name) if each.asname else (top, top)
        scope.bind(name, Binding("import", node, origin=origin))


def _bind_from(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.ImportFrom)
    module = "." * node.level + (node.module or "")
    for each in node.names:
        if each.name == "*":
            continue
        origin = f"{module}{'' if module.endswith('.') else '.'}{each.name}"
        scope.bind(each.asname or each.name, Binding("import", node, origin=origin))


def _bind_assign(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.Assign)
    for target in node.targets:
        _bind_target(target, node.value, "is", node, scope)


def _bind_annotated(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.AnnAssign)
    if isinstance(node.target, ast.Name):
        scope.bind(node.target.id, Binding("is", node, node.value, node.annotation))


def _bind_augmented(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.AugAssign)
    if isinstance(node.target, ast.Name):
        scope.bind(node.target.id, Binding("aug", node, node.value))


def _bind_walrus(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.NamedExpr)
    scope.bind(node.target.id, Binding("is", node, node.value))


def _bind_loop(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.For | ast.AsyncFor | ast.comprehension)
    _bind_target(node.target, node.iter, "each", node, scope)


def _bind_with(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.withitem)
    if node.optional_vars is not None:
        _bind_target(node.optional_vars, node.context_expr, "enters", node, scope)


def _bind_function(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, FUNCTIONS)
    if not isinstance(node, ast.Lambda):
        scope.bind(node.name, Binding("def", node))
    own, given = scopes[node], node.args
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


def _bind_class(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.ClassDef)
    scope.bind(node.name, Binding("class", node))


def _bind_except(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.ExceptHandler)
    if node.name:
        scope.bind(node.name, Binding("except", node))


def _bind_delete(node: ast.AST, scope: Scope, scopes: Scopes) -> None:
    assert isinstance(node, ast.Delete)
    for target in node.targets:
        if isinstance(target, ast.Name):
            scope.bind(target.id, Binding("del", node))


BINDS: dict[type[ast.AST], Bind] = {
    ast.Import: _bind_import, ast.ImportFrom: _bind_from, ast.Assign: _bind_assign,
    ast.AnnAssign: _bind_annotated, ast.AugAssign: _bind_augmented, ast.NamedExpr: _bind_walrus,
    ast.For: _bind_loop, ast.AsyncFor: _bind_loop, ast.comprehension: _bind_loop,
    ast.withitem: _bind_with, ast.FunctionDef: _bind_function, ast.AsyncFunctionDef: _bind_function,
    ast.Lambda: _bind_function, ast.ClassDef: _bind_class, ast.ExceptHandler: _bind_except,
    ast.Delete: _bind_delete,
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


def is_outside(scope: ast.AST, child: ast.AST) -> bool:
    """Whether this child of a node that opens a scope is evaluated before it: defaults, decorators, bases, the first iterable."""
    if isinstance(scope, FUNCTIONS):
        if isinstance(scope, ast.Lambda):
            return child is scope.args
        return child is scope.args or child is scope.returns or child in scope.decorator_list
    if isinstance(scope, ast.ClassDef):
        return child not in scope.body
    return False
