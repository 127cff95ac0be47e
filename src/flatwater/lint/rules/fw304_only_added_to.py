"""FW304: a collection of a module or a class is only ever added to.

Covers:     dicts, lists, sets and deques that live as long as the program, are added to in functions and nowhere emptied.
Not here:   registries that are filled while modules are imported.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.growing import Added
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.scopes import FUNCTIONS

CLASSES = frozenset({"type", "issubclass", "isinstance"})


def _check(look: Look) -> Iterator[Found]:
    held = _held(look)
    if not held:
        return
    adding: dict[str, list[Added]] = {}
    touched: set[str] = set()
    for kind in (ast.Call, ast.Assign, ast.AugAssign, ast.Delete):
        for node in look.module.of(kind):
            if kind in {ast.Call, ast.Assign, ast.AugAssign} and (found := growing.added(node)) is not None:
                name = _name(look, found.target, held)
                if name and look.module.function_of(node) is not None:
                    adding.setdefault(name, []).append(found)
            touched.update(name for name in held if name not in touched and _drops(look, node, name, held))
    for name, places in adding.items():
        if name in touched:
            continue
        best = max(places, key=lambda each: _confidence(look, each))
        yield Found(
            best.node,
            f"`{name}` lives as long as the program and is only ever added to; give it a bound, or use `functools.lru_cache(maxsize=…)`.",
            _confidence(look, best),
        )


def _held(look: Look) -> dict[str, ast.AST]:
    """Names of empty collections of the module, and of its classes; each with where it is bound."""
    found: dict[str, ast.AST] = {}
    for scope_node in [look.module.tree, *look.module.of(ast.ClassDef)]:
        if scope_node is not look.module.tree and look.module.function_of(scope_node) is not None:
            continue
        for name, bindings in look.module.own_scope(scope_node).names.items():
            if (
                len(bindings) == 1
                and bindings[0].how == "is"
                and growing.is_empty(bindings[0].value)
                and not isinstance(bindings[0].value, ast.Constant)
            ):
                found[name] = scope_node
    for owner in look.module.of(ast.ClassDef):  # what an object gets of its own is not the class's
        for name, bindings in look.values.selves(owner).items():
            if name in found and found[name] is owner and len(bindings) > 1:
                del found[name]
    return found


def _name(look: Look, target: ast.expr, held: dict[str, ast.AST]) -> str:
    if isinstance(target, ast.Name) and target.id in held:
        scope = look.module.scope_of(target).holding(target.id)
        return target.id if scope is not None and scope.node is held[target.id] else ""
    if isinstance(target, ast.Attribute) and target.attr in held and isinstance(target.value, ast.Name):
        owner = look.module.class_of(target)
        if target.value.id in {"self", "cls"} and owner is held[target.attr]:
            return target.attr
    return ""


def _drops(look: Look, node: ast.AST, name: str, held: dict[str, ast.AST]) -> bool:
    owner = held[name]
    if isinstance(owner, ast.ClassDef):
        return any(
            growing.is_shrunk([node], ast.Attribute(ast.Name(each), name)) for each in ("self", "cls", owner.name)
        )
    if (
        isinstance(node, ast.Assign)
        and look.module.function_of(node) is None
        and any(isinstance(each, ast.Name) for each in node.targets)
    ):
        return False  # its own binding
    return growing.is_shrunk([node], ast.Name(name))


def _confidence(look: Look, found: Added) -> Confidence:
    """Likely where what is added is first looked for: a memory of what was asked. A registry is filled without a look."""
    function = look.module.function_of(found.node)
    if function is None or isinstance(function, ast.Lambda):
        return Confidence.MAYBE
    if _is_decorator(function) or _is_of_a_class(look, found):
        return Confidence.MAYBE
    arguments = {each.arg for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]} - {
        "self",
        "cls",
    }
    if found.what is None or (
        not (arguments & set(growing.names_in(found.what))) and not _is_computed(function, found, arguments)
    ):
        return Confidence.MAYBE
    names = _names(found.what)
    if (
        not wording.is_of_things(*names)
        or not wording.is_asked_for(*names)
        or not all(map(wording.is_plain, names))
        or wording.is_of_warnings(ast.unparse(found.target))
    ):
        return Confidence.MAYBE  # languages, settings, methods: as many as code writes down
    if wording.is_of_handlers(ast.unparse(found.target)):
        return Confidence.MAYBE  # one for each kind of event
    if wording.is_of_connections(ast.unparse(found.target)) or _is_connected(found.node):
        return Confidence.MAYBE  # one for each server, of which there are few
    if found.how == "setdefault":
        return Confidence.MAYBE if _is_listed(look, found.node) else Confidence.LIKELY
    for above in [found.node, *look.module.parents(found.node)]:
        if above is function:
            break
        if isinstance(above, ast.ExceptHandler) and above.type is not None and look.origin(above.type) == "KeyError":
            return Confidence.LIKELY
        if isinstance(above, ast.If) and _asks(above.test, found.target, ast.NotIn, ast.Is):
            return Confidence.LIKELY
    line = getattr(found.node, "lineno", 0)
    for each in ast.walk(function):
        if (
            isinstance(each, ast.If)
            and each.lineno < line
            and _asks(each.test, found.target, ast.In)
            and isinstance(each.body[-1], ast.Return | ast.Continue)
        ):
            return Confidence.LIKELY
    return Confidence.MAYBE


def _is_connected(node: ast.AST) -> bool:
    """Whether what is put there is made by something that is called as makers of connections are."""
    made = node.value if isinstance(node, ast.Assign) else None
    while isinstance(made, ast.Await):
        made = made.value
    return isinstance(made, ast.Call) and wording.is_of_connections(ast.unparse(made.func))


def _is_listed(look: Look, node: ast.AST) -> bool:
    """Whether what it gives is added to: `hooks.setdefault(name, []).append(hook)` is a registry, and no memory of answers."""
    above = look.module.above.get(node)
    return isinstance(above, ast.Attribute) and above.attr in growing.ADDING


def _names(node: ast.AST) -> list[str]:
    """Names and attributes in an expression: `message.id` says more by its last part."""
    return [
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Name | ast.Attribute)
    ]


def _asks(test: ast.expr, target: ast.expr, *how: type[ast.cmpop]) -> bool:
    for each in ast.walk(test):
        if isinstance(each, ast.Compare) and isinstance(each.ops[0], how):
            if growing.is_same(each.comparators[0], target):
                return True
            if (
                isinstance(each.left, ast.Call)
                and isinstance(each.left.func, ast.Attribute)
                and growing.is_same(each.left.func.value, target)
            ):
                return True
    return False


def _is_computed(function: ast.AST, found: Added, arguments: set[str]) -> bool:
    """Whether a name in the key was computed from an argument."""
    assert found.what is not None
    names = set(growing.names_in(found.what))
    for each in ast.walk(function):
        if (
            isinstance(each, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id in names for t in each.targets)
            and arguments & set(growing.names_in(each.value))
        ):
            return True
    return False


def _is_decorator(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it takes a function or class and gives it back, which happens while modules are imported."""
    arguments = [each.arg for each in function.args.args if each.arg not in {"self", "cls"}]
    for each in ast.walk(function):
        if isinstance(each, ast.Return) and isinstance(each.value, ast.Name) and each.value.id in arguments[:1]:
            return True
        if isinstance(each, FUNCTIONS) and each is not function and not isinstance(each, ast.Lambda):
            return True
    return False


def _is_of_a_class(look: Look, found: Added) -> bool:
    """Whether its keys are classes or modules, of which a program has as many as it was written with."""
    for each in ast.walk(found.what) if found.what is not None else ():
        if isinstance(each, ast.Attribute) and each.attr in {"__class__", "__name__", "__qualname__", "__module__"}:
            return True
        if isinstance(each, ast.Call) and look.origin(each.func) in CLASSES:
            return True
        if isinstance(each, ast.Name) and each.id in {"cls", "klass", "class_", "type_"}:
            return True
    return False


RULE = Rule("FW304", "only-added-to", "A collection of a module or a class is only ever added to.", _check)
