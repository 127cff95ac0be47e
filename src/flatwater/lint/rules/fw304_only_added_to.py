"""FW304: a collection of a module or a class is only ever added to.

Covers:     dicts, lists, sets and deques that live as long as the program, are added to in functions and nowhere emptied; those of the one object of a class, too.
Not here:   registries that are filled while modules are imported.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import consumed, growing, handlers, keyed, memos, served, statements, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.growing import Added
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.scopes import FUNCTIONS

LISTED = frozenset({"append", "appendleft", "extend", "insert", "+="})
KEYED = frozenset({"[]", "[]+=", "setdefault", "add"})
TEXTS = frozenset({"message", "phrase", "prompt", "sentence", "text"})
FRESH = ("uuid.uuid", "secrets.token_", "time.time")  # another key for each call
FETCHING = ("requests.", "httpx.", "urllib.request.", "aiohttp.")
Held = dict[tuple[ast.AST, str], bool]  # by the module or class, and the name; whether it makes its values itself


def _check(look: Look) -> Iterator[Found]:
    held = _held(look)
    if not held:
        return
    named = {name for _owner, name in held}
    adding: dict[tuple[ast.AST, str], list[Added]] = {}
    dropped: set[str] = set()
    for kind in (ast.Call, ast.Assign, ast.AugAssign, ast.Delete):
        for node in look.module.of(kind):
            for target in growing.shrunk(node):
                name = target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
                if name in named and not _is_own(look, node, target) and not _is_told_only(look, node):
                    dropped.add(name)
            if kind is not ast.Delete and (found := _added(look, node, held)) is not None:
                key = _key(look, found.target, held)
                if key and look.module.function_of(node) is not None:
                    adding.setdefault(key, []).append(found)
    for key, places in adding.items():
        if key[1] in dropped:
            continue
        rated = [(how, -index, each) for index, each in enumerate(places) if (how := _confidence(look, each, is_made=held[key])) is not None]  # fmt: skip
        if not rated:
            continue
        how, _index, best = max(rated, key=lambda each: each[:2])
        yield Found(
            best.node,
            f"`{key[1]}` lives as long as the program and is only ever added to; give it a bound, or use `functools.lru_cache(maxsize=…)`.",
            how,
        )


def _held(look: Look) -> Held:
    """Empty collections of the module, of its classes, and of the one object of a class that the module makes."""
    found: Held = {}
    singles = _singles(look)
    for scope_node in [look.module.tree, *look.module.of(ast.ClassDef)]:
        if scope_node is not look.module.tree and look.module.function_of(scope_node) is not None:
            continue
        selves = look.values.selves(scope_node) if isinstance(scope_node, ast.ClassDef) else {}
        for name, bindings in look.module.own_scope(scope_node).names.items():
            is_own = len(selves.get(name, ())) > 1  # what an object gets of its own is not the class's
            if len(bindings) == 1 and bindings[0].how == "is" and not is_own and _is_collection(bindings[0].value):
                found[scope_node, name] = _makes(bindings[0].value)
        if isinstance(scope_node, ast.ClassDef) and scope_node.name in singles:
            for name, bindings in selves.items():
                if len(bindings) == 1 and _is_collection(bindings[0].value):
                    found[scope_node, name] = _makes(bindings[0].value)
    return found


def _singles(look: Look) -> set[str]:
    """Names of classes of which the module makes one object, and no function makes another."""
    made: dict[str, list[ast.Call]] = {}
    for call in look.module.of(ast.Call):
        if isinstance(call.func, ast.Name):
            made.setdefault(call.func.id, []).append(call)
    return {
        name
        for name, calls in made.items()
        if len(calls) == 1 and isinstance(look.module.above.get(calls[0]), ast.Assign | ast.AnnAssign)
        and look.module.above.get(look.module.above[calls[0]]) is look.module.tree
    }  # fmt: skip


def _is_collection(node: ast.expr | None) -> bool:
    return (
        growing.is_empty(node) and not isinstance(node, ast.Constant)
        and not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("Weak"))
    )  # fmt: skip


def _makes(node: ast.expr | None) -> bool:
    """Whether it makes a value for each key that it is asked with: a `defaultdict`, a `Counter`."""
    func = node.func if isinstance(node, ast.Call) else None
    return (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")) in {"defaultdict", "Counter"}


def _added(look: Look, node: ast.AST, held: Held) -> Added | None:
    """What a node puts where; `hits[address].append(…)` puts an address into `hits`."""
    found = growing.added(node)
    if found is not None and isinstance(found.target, ast.Subscript):
        key = _key(look, found.target.value, held)
        if key and held[key]:
            return Added(node, found.target.value, found.target.slice, "[]+=")
    return found


def _key(look: Look, target: ast.expr, held: Held) -> tuple[ast.AST, str] | None:
    if isinstance(target, ast.Name):
        scope = look.module.scope_of(target).holding(target.id)
        key = (scope.node, target.id) if scope is not None else None
        return key if key in held else None
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        owner = look.module.class_of(target) if target.value.id in {"self", "cls"} else None
        if owner is None:
            classes = [
                each.node for each in look.module.scope_of(target).lookup(target.value.id) if each.how == "class"
            ]
            owner = classes[0] if len(classes) == 1 and isinstance(classes[0], ast.ClassDef) else None
        return (owner, target.attr) if owner is not None and (owner, target.attr) in held else None
    return None


def _is_own(look: Look, node: ast.AST, target: ast.expr) -> bool:
    """Whether a binding is the one that makes it."""
    if not isinstance(node, ast.Assign):
        return False
    function = look.module.function_of(node)
    if isinstance(target, ast.Name):
        return function is None
    return getattr(function, "name", "") == "__init__"


def _is_told_only(look: Look, node: ast.AST) -> bool:
    """Whether its length is only told: logged, printed, given back, and not compared with anything."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"):
        return False
    for above in look.module.parents(node):
        if isinstance(above, ast.JoinedStr | ast.Expr | ast.Return):
            return True
        if isinstance(above, ast.Compare | ast.stmt):
            return False
    return False


def _confidence(look: Look, found: Added, *, is_made: bool) -> Confidence | None:
    """Likely where what is added comes with requests, or is first looked for: a memory of what was asked. A registry is filled without a look."""
    function = look.module.function_of(found.node)
    if function is None or isinstance(function, ast.Lambda):
        return Confidence.MAYBE
    if _is_decorated(function, found):
        return None
    if _is_decorator(function) or keyed.is_of_a_class(look, found.what):
        return Confidence.MAYBE
    said = ast.unparse(found.target).lower()
    if wording.is_of_warnings(said) or "warn" in said or "once" in function.name.lower() or found.what is None:
        return Confidence.MAYBE
    made_of = keyed.parts(look, found.what)
    if _is_of_service(look, found, function, made_of) or _is_object_of_many(look, found, function):
        return Confidence.LIKELY
    return _by_words(look, found, function, made_of, is_made=is_made)


def _is_of_service(look: Look, found: Added, function: memos.FunctionDef, made_of: list[ast.expr]) -> bool:
    """Whether it grows with requests, messages or connections."""
    if any(map(_is_fixture, function.decorator_list)):
        return False  # of tests
    if any(served.is_of_request(look, each) and not _is_of_few(each) for each in made_of):
        return True
    if consumed.is_accepted(look, made_of) or _is_consumed(look, found, function, made_of):
        return True
    handler = handlers.of(look, found.node)
    if handler is None or found.how not in LISTED | KEYED:
        return False
    if any(isinstance(each, ast.Call) and look.origin(each.func).startswith(FRESH) for each in made_of):
        return True
    if found.how in LISTED and found.how != "+=":
        return True
    return bool(_arguments(look, handler) & keyed.roots(made_of)) or (
        handler is function and _is_computed(handler, found, _arguments(look, handler))
    )


def _is_fixture(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name | ast.Attribute) and _last(called) == "fixture"


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _is_of_few(node: ast.expr) -> bool:
    """Whether a part of a request is called as those are of which a program has a few."""
    return any(
        says(each)
        for each in keyed.names(node)
        for says in (wording.is_of_connections, wording.is_of_few, wording.is_of_parts)
    )


def _is_consumed(look: Look, found: Added, function: memos.FunctionDef, made_of: list[ast.expr]) -> bool:
    """Whether it is a part of each message of a consumer, and no kind of which there are a few."""
    drawn = consumed.names(look, found.node, function)
    parts = [each for each in made_of if keyed.roots([each]) & drawn]
    if found.how in LISTED:
        return bool(parts)
    return found.how in KEYED and any(
        wording.is_of_things(*keyed.names(each)[1:]) and not _is_of_few(each) for each in parts
    )


def _is_object_of_many(look: Look, found: Added, function: memos.FunctionDef) -> bool:
    """Whether objects put themselves there, each by a method that it is to be told by, and none leaves."""
    if found.how not in LISTED | {"add"} or not isinstance(found.what, ast.Name | ast.Attribute):
        return False
    if isinstance(found.what, ast.Attribute):
        owner = look.module.class_of(found.what)
        return _is_method_of_self(look, found.what) and not _is_single(look, owner)
    owner = look.module.class_of(function)
    given = [each.arg for each in function.args.args if each.arg not in {"self", "cls"}]
    if found.what.id not in given:
        return False
    for call in look.module.of(ast.Call):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name != function.name or look.module.function_of(call) is None:
            continue
        other = look.module.class_of(call)
        if other is None or other is owner or _is_single(look, other):
            continue
        if any(_is_method_of_self(look, each) for each in memos.given_to(call)):
            return True
    return False


def _is_method_of_self(look: Look, node: ast.expr) -> bool:
    if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"):
        return False
    return look.values.function(node) is not None


def _is_single(look: Look, owner: ast.ClassDef | None) -> bool:
    return owner is None or owner.name in _singles(look)


def _arguments(look: Look, function: memos.FunctionDef) -> set[str]:
    """Names of arguments with more than a few values."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *[each for each in (given.vararg,) if each]]
    return {each.arg for each in every if not memos.is_few(look, each.annotation)} - {"self", "cls"}


def _by_words(
    look: Look, found: Added, function: memos.FunctionDef, made_of: list[ast.expr], *, is_made: bool
) -> Confidence:
    """Likely where the key is what users ask for, by its words, and is looked for first."""
    assert found.what is not None
    arguments = _arguments(look, function)
    if not arguments & (keyed.roots(made_of) | set(growing.names_in(found.what))) and not _is_computed(
        function, found, arguments
    ):
        return Confidence.MAYBE
    target = ast.unparse(found.target)
    if wording.is_of_handlers(target) or wording.is_of_connections(target) or _is_connected(look, found.node):
        return Confidence.MAYBE  # one for each kind of event, or for each server, of which there are few
    if _is_fetched(look, function, made_of) and _is_looked_for(look, found, function):
        return Confidence.LIKELY
    if not _is_asked_for(look, found, made_of):
        return Confidence.MAYBE  # languages, settings, methods: as many as code writes down
    if found.how == "setdefault":
        return Confidence.MAYBE if _is_listed(look, found.node) else Confidence.LIKELY
    if (
        is_made
        and found.how == "[]+="
        and any(wording.is_of_users(one) for each in made_of for one in keyed.names(each))
    ):
        return Confidence.LIKELY  # it is looked for, and made where it was not there yet
    return Confidence.LIKELY if _is_looked_for(look, found, function) else Confidence.MAYBE


def _is_asked_for(look: Look, found: Added, made_of: list[ast.expr]) -> bool:
    """Whether each part is called as things are, or says how it is done; and one as things are that users ask for."""
    is_wanted = bool(made_of)
    wanted = 0
    for each in made_of:
        names = keyed.names(each)
        if {"sql", "stmt", "statement"} & set(names):
            return False  # as many as code writes down
        if _is_thing(names) or _is_text(look, found, each):
            wanted += 1
        elif not any(map(wording.is_of_manner, names)):
            is_wanted = False
    if is_wanted and wanted:
        return True
    said = keyed.names(found.what) if found.what is not None else []
    return (
        not isinstance(found.what, ast.Call)
        and _is_thing(said)
        and all(wording.is_of_data("data", *keyed.names(each)) for each in made_of)
    )


def _is_thing(names: list[str]) -> bool:
    return wording.is_of_things(*names) and wording.is_asked_for(*names) and all(map(wording.is_plain, names))


def _is_text(look: Look, found: Added, asked: ast.expr) -> bool:
    """Whether it is a text, and what is put there was made by a call with it."""
    if not isinstance(asked, ast.Name) or asked.id not in TEXTS:
        return False
    made = look.values.resolved(found.node.value) if isinstance(found.node, ast.Assign) else None
    if isinstance(made, ast.Await):
        made = made.value
    return isinstance(made, ast.Call) and any(asked.id in growing.names_in(each) for each in memos.given_to(made))


def _is_fetched(look: Look, function: memos.FunctionDef, made_of: list[ast.expr]) -> bool:
    """Whether the answer was asked for on the net, by the key: there is one for each that anybody asks for."""
    wanted = {ast.unparse(each) for each in made_of}
    return any(
        isinstance(each, ast.Call)
        and look.origin(each.func).startswith(FETCHING)
        and any(
            ast.unparse(part) in wanted
            for given in memos.given_to(each)
            for part in ast.walk(given)
            if isinstance(part, ast.expr)
        )
        for each in own_nodes(function)
    )


def _is_looked_for(look: Look, found: Added, function: memos.FunctionDef) -> bool:
    """Whether it is put there because it was not there yet."""
    for above in [found.node, *look.module.parents(found.node)]:
        if above is function:
            break
        if isinstance(above, ast.ExceptHandler) and above.type is not None and look.origin(above.type) == "KeyError":
            return True
        if isinstance(above, ast.If) and _asks(_looked(look, above.test), found.target, ast.NotIn, ast.Is):
            return True
    line = getattr(found.node, "lineno", 0)
    return any(
        isinstance(each, ast.If)
        and each.lineno < line
        and _asks(_looked(look, each.test), found.target, ast.In, ast.IsNot)
        and isinstance(each.body[-1], ast.Return | ast.Continue)
        for each in ast.walk(function)
    )


def _looked(look: Look, test: ast.expr) -> ast.expr:
    """A test, with what its name was bound to: `if answer is None` behind `answer = answers.get(key)`."""
    match test:
        case ast.Compare(left=ast.Name() as name, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            made = statements.bound_last(look, name)
            return ast.Compare(made, test.ops, test.comparators) if made is not None else test
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name() as name):
            made = statements.bound_last(look, name)
            return ast.Compare(made, [ast.Is()], [ast.Constant(None)]) if made is not None else test
        case ast.Name():
            made = statements.bound_last(look, test)
            return ast.Compare(made, [ast.IsNot()], [ast.Constant(None)]) if made is not None else test
    return test


def _is_connected(look: Look, node: ast.AST) -> bool:
    """Whether what is put there is made by something that is called as makers of connections, or of parts of programs, are."""
    made = node.value if isinstance(node, ast.Assign) else None
    if isinstance(made, ast.Name):
        made = statements.bound_last(look, made)
    while isinstance(made, ast.Await):
        made = made.value
    if not isinstance(made, ast.Call):
        return False
    name = ast.unparse(made.func).rpartition(".")[2]
    return wording.is_of_connections(name) or wording.is_of_parts(name)


def _is_listed(look: Look, node: ast.AST) -> bool:
    """Whether what it gives is added to: `hooks.setdefault(name, []).append(hook)` is a registry, and no memory of answers."""
    above = look.module.above.get(node)
    return isinstance(above, ast.Attribute) and above.attr in growing.ADDING


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
        if isinstance(each, ast.Assign):
            targets, value = each.targets, each.value
        elif isinstance(each, ast.For | ast.AsyncFor):
            targets, value = [each.target], each.iter
        else:
            continue
        if any(isinstance(t, ast.Name) and t.id in names for t in targets) and arguments & set(growing.names_in(value)):
            return True
    return False


def _is_decorated(function: memos.FunctionDef, found: Added) -> bool:
    """Whether what is put there is the function's first argument, which it gives back: a registry that decorators fill."""
    stored = found.node.value if isinstance(found.node, ast.Assign) else found.what
    if not isinstance(stored, ast.Name) or stored.id not in [each.arg for each in function.args.args]:
        return False
    return any(
        isinstance(each, ast.Return) and isinstance(each.value, ast.Name) and each.value.id == stored.id
        for each in own_nodes(function)
    ) and (found.how in {"[]", "setdefault"} or stored.id in {"cls", "func", "fn", "f", "function", "klass"})


def _is_decorator(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it takes a function or class and gives it back, which happens while modules are imported."""
    arguments = [each.arg for each in function.args.args if each.arg not in {"self", "cls"}]
    for each in ast.walk(function):
        if isinstance(each, ast.Return) and isinstance(each.value, ast.Name) and each.value.id in arguments[:1]:
            return True
        if isinstance(each, FUNCTIONS) and each is not function and not isinstance(each, ast.Lambda):
            return True
    return False


RULE = Rule("FW304", "only-added-to", "A collection of a module or a class is only ever added to.", _check)
