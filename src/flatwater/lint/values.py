"""What an expression is, with the reason to believe it: an import, an annotation, a base class, an assignment, a `with`, the way it is used.

Covers:     following names, attributes of `self`, calls, methods, slices, `await`, `with`, loops, and functions of the same file.
Not here:   which calls give what (`lint.known`), scopes (`lint.module`).
Holds:      a value for each name and function that was asked for, of one file.

A name that is bound several times is what all its bindings agree on; where one of them is not known, it is only likely.
"""

from __future__ import annotations

import ast
from typing import NamedTuple, final

from flatwater.lint import known
from flatwater.lint.asked import Asked
from flatwater.lint.finding import Confidence
from flatwater.lint.models import Models
from flatwater.lint.module import Module
from flatwater.lint.nodes import is_none, own_nodes
from flatwater.lint.scopes import Binding

STEPS_MAX = 24  # of names and calls that are followed for one value; a chain of methods is as long as that


class Value(NamedTuple):
    """What an expression gives.

    Attributes:
        kind: as in `lint.known`, such as "db.cursor".
        confidence: how much reason there is to believe it.
        call: the call that made it, where there is one.
        model: of a query of Django, the model's name.
    """

    kind: str
    confidence: Confidence = Confidence.SURE
    call: ast.Call | None = None
    model: str = ""

    def less(self, confidence: Confidence) -> Value:
        """The same, with no more than this confidence."""
        return self if self.confidence <= confidence else self._replace(confidence=confidence)


@final
class Values:
    """The values of one file."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._names: dict[tuple[ast.AST, str], Value | None] = {}
        self._returns: dict[ast.AST, Value | None] = {}
        self.models = Models(module, self.origin)
        self._doing: set[object] = set()
        self._selves: dict[ast.ClassDef, dict[str, list[Binding]]] = {}
        self._origins: dict[ast.expr, str] = {}
        self._bound_to_selves: dict[ast.AST, list[tuple[str, Binding]]] | None = None
        self._asked = Asked(module, self.resolved)

    # --- names ------------------------------------------------------------------------------------------------------

    def origin(self, node: ast.expr | None) -> str:
        """The dotted name of what is imported, with the built-ins' as they are; "" for anything else."""
        if node is not None and node not in self._origins:
            self._origins[node] = self._origin_of(node)
        return self._origins[node] if node is not None else ""

    def _origin_of(self, node: ast.expr | None) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        bindings = self.module.scope_of(node).lookup(node.id)
        if not bindings:
            if self.module.stars and not known.is_builtin(node.id):
                return ""
            top = node.id
        else:
            origins = {each.origin for each in bindings if each.how == "import"}
            if len(origins) != 1 and not (origins and any(known.is_same(origins, each) for each in origins)):
                return ""
            if any(each.how not in {"import", "except", "class"} and not is_none(each.value) for each in bindings):
                return ""
            top = min(origins)
        return known.alias(".".join([top, *reversed(parts)]))

    def of(self, node: ast.expr | None, steps: int = STEPS_MAX) -> Value | None:
        """What it is; None where there is no reason to believe anything."""
        if node is None or steps <= 0:
            return None
        match node:
            case ast.Name():
                return self._of_name(node, steps)
            case ast.Call():
                return self._of_call(node, steps)
            case ast.Attribute():
                return self._of_attribute(node, steps)
            case ast.Await():
                return self.of(node.value, steps - 1)
            case ast.NamedExpr():
                return self.of(node.value, steps - 1)
            case ast.Subscript():
                return self._of_part(node, steps)
            case ast.IfExp():
                return self._agreed([self.of(node.body, steps - 1), self.of(node.orelse, steps - 1)])
            case ast.BoolOp():
                return self._agreed([self.of(each, steps - 1) for each in node.values])
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.Constant() | ast.JoinedStr():
                return Value("literal")
            case ast.GeneratorExp():
                inner = self.of(node.generators[0].iter, steps - 1)
                return inner and Value(known.STREAM_OF.get(inner.kind, ""), inner.confidence, inner.call)
            case _:
                return None

    def element(self, node: ast.expr | None, steps: int = STEPS_MAX) -> Value | None:
        """What a loop over it gives."""
        if isinstance(node, ast.Call) and len(node.args) == 1 and self.origin(node.func) in {"sorted", "list", "tuple"}:
            return self.element(node.args[0], steps - 1)  # the same, in an order
        over = self.of(node, steps - 1)
        if over is None:
            return None
        kind = known.EACH.get(over.kind, "")
        return Value(kind, over.confidence, over.call, over.model) if kind else None

    def _of_name(self, node: ast.Name, steps: int) -> Value | None:
        scope = self.module.scope_of(node).holding(node.id)
        if scope is None:
            return None
        key = (scope.node, node.id)
        if key in self._names:
            return self._names[key]
        if key in self._doing:
            return None
        self._doing.add(key)
        try:
            found = self._bound(scope.names[node.id], steps)
            if found is None and self._asked.is_executed(node):
                found = Value("db.cursor", Confidence.LIKELY)
            self._names[key] = found
        finally:
            self._doing.discard(key)
        return found

    def _bound(self, bindings: list[Binding], steps: int) -> Value | None:
        said: list[Value | None] = []
        for each in bindings:
            if each.how in {"del", "aug"} or (each.how == "is" and is_none(each.value) and each.annotation is None):
                continue
            said.append(self._of_binding(each, steps - 1))
        return self._agreed(said)

    def _of_binding(self, binding: Binding, steps: int) -> Value | None:
        if binding.annotation is not None and (found := self._of_annotation(binding.annotation)):
            return found
        match binding.how:
            case "is" | "param":
                return self.of(binding.value, steps)
            case "enters":
                context = self.of(binding.value, steps)
                if context is None:
                    return None
                kind = known.ENTERS.get(context.kind, context.kind)
                return context._replace(kind=kind) if kind else None
            case "each":
                return self.element(binding.value, steps)
            case "import":
                kind = known.VALUES.get(binding.origin, "")
                return Value(kind) if kind else None
            case "class":
                return None
            case _:
                return None

    @staticmethod
    def _agreed(values: list[Value | None]) -> Value | None:
        known_ones = [each for each in values if each is not None and each.kind not in {"", "literal"}]
        if not known_ones:
            return next((each for each in values if each is not None), None)
        kinds = {each.kind for each in known_ones}
        if len(kinds) > 1:
            bounded = {known.UNBOUNDED.get(kind, kind) for kind in kinds}
            if len(bounded) > 1:
                return None
            return min(known_ones, key=lambda each: each.kind in known.UNBOUNDED).less(Confidence.LIKELY)
        least = min(known_ones, key=lambda each: each.confidence)
        return least if len(known_ones) == len(values) else least.less(Confidence.LIKELY)

    # --- annotations ------------------------------------------------------------------------------------------------

    def _of_annotation(self, node: ast.expr) -> Value | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                parsed = ast.parse(node.value, mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
            self.module.above[parsed] = node
            for each in ast.walk(parsed):
                for child in ast.iter_child_nodes(each):
                    self.module.above[child] = each
            return self._of_annotation(parsed)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._agreed(
                [
                    found
                    for side in (node.left, node.right)
                    if not is_none(side)
                    for found in [self._of_annotation(side)]
                ]
            )
        if isinstance(node, ast.Subscript):
            name = self.origin(node.value)
            if name in {"typing.Optional", "typing.Annotated", "typing.Final", "typing.ClassVar"}:
                inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
                return self._of_annotation(inner)
            node = node.value
        name = self.origin(node)
        kind = known.CLASSES.get(name, "") or known.MADE.get(name, "")
        return Value(kind) if kind else None

    # --- calls ------------------------------------------------------------------------------------------------------

    def _of_call(self, node: ast.Call, steps: int) -> Value | None:
        name = self.origin(node.func)
        if name:
            if found := self._of_known(name, node, steps):
                return found
            if name in known.PASSES and node.args:
                return self.of(node.args[0], steps - 1)
        if isinstance(node.func, ast.Attribute) and (found := self._of_method(node.func, node, steps)):
            return found
        if isinstance(node.func, ast.Name) and (maker := self.of(node.func, steps - 1)) is not None:
            kind = known.METHODS.get((maker.kind, "__call__"))
            if isinstance(kind, str):
                return Value(kind, maker.confidence, node)
        if (made := self.function(node.func)) is not None:
            return self._returned(made, steps)
        return None

    def _of_known(self, name: str, node: ast.Call, steps: int) -> Value | None:
        if name in known.BY_ARGUMENT:
            kind = known.BY_ARGUMENT[name](node)
            return Value(kind, Confidence.SURE, node) if kind else None
        if kind := known.MADE.get(name, ""):
            return Value(kind, Confidence.SURE, node)
        if name == "iter" and len(node.args) == 2:  # noqa: PLR2004 - until a mark comes
            return self._until(node.args[0], steps)
        if name in {"iter", "enumerate", "reversed", "tqdm.tqdm", "tqdm.auto.tqdm"} and node.args:
            return self.of(node.args[0], steps - 1)
        return None

    def _until(self, asked: ast.expr, steps: int) -> Value | None:
        """What `iter(lambda: cursor.fetchmany(100), [])` goes over: parts of what it asks again and again."""
        call = asked.body if isinstance(asked, ast.Lambda) else asked
        func = call.func if isinstance(call, ast.Call) else None
        if isinstance(call, ast.Call) and self.origin(func) == "functools.partial" and call.args:
            func = call.args[0]
        if not isinstance(func, ast.Attribute) or (holder := self.of(func.value, steps - 1)) is None:
            return None
        if func.attr in {"fetchmany", "fetch_many"} and holder.kind.startswith(("db.", "sa.")):
            return holder._replace(kind="batches")
        return holder if func.attr in {"read", "read1", "readline", "poll", "consume"} else None

    def _of_method(self, func: ast.Attribute, node: ast.Call, steps: int) -> Value | None:
        if func.attr == "select" and self.models.is_of_peewee(func.value):
            return Value("peewee.query", Confidence.SURE, node, ast.unparse(func.value))
        holder = self.of(func.value, steps - 1) or self._of_use(func, node, steps)
        if holder is None:
            named = known.by_name(func)
            return Value(named, Confidence.LIKELY, node) if named else None
        kind = known.METHODS.get((holder.kind, func.attr))
        if kind is None:
            family = known.FAMILY.get(holder.kind)
            kind = known.METHODS.get((family, func.attr)) if family else None
        if callable(kind):
            kind = kind(node)
        if not kind and (named := known.by_name(func)):
            return Value(named, min(holder.confidence, Confidence.LIKELY), node)
        if not kind:
            return None
        if kind == "same":
            return holder._replace(call=node)
        return Value(kind, holder.confidence, node, holder.model)

    def _of_use(self, func: ast.Attribute, node: ast.Call, steps: int) -> Value | None:
        """What somebody else's name must be, by what this call asks of it."""
        first = self.of(node.args[0], steps - 1) if node.args and func.attr in known.TAKES_SELECT else None
        kind = self._asked.of_call(func, node, first.kind if first else "")
        return Value(kind, Confidence.LIKELY) if kind else None

    def function(self, node: ast.expr) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function of this file that a call goes to: by its name, or by `self`."""
        if isinstance(node, ast.Name):
            bindings = self.module.scope_of(node).lookup(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
            owner = self.module.class_of(node)
            bindings = self.module.own_scope(owner).names.get(node.attr, []) if owner else []
        else:
            return None
        made = [each.node for each in bindings]
        if len(made) == 1 and isinstance(made[0], ast.FunctionDef | ast.AsyncFunctionDef):
            return made[0]
        return None

    def _returned(self, function: ast.FunctionDef | ast.AsyncFunctionDef, steps: int) -> Value | None:
        if function in self._returns:
            return self._returns[function]
        if function in self._doing:
            return None
        self._doing.add(function)
        try:
            found = None
            if function.returns is not None:
                found = self._of_annotation(function.returns)
            if found is None:
                results, streams = [], False
                for each in own_nodes(function):
                    if isinstance(each, ast.Return) and each.value is not None and not is_none(each.value):
                        results.append(self.of(each.value, steps - 1))
                    streams = streams or isinstance(each, ast.Yield | ast.YieldFrom)
                if streams:
                    found = Value("own.stream")
                elif results:
                    found = self._agreed(results)
            self._returns[function] = found
        finally:
            self._doing.discard(function)
        return found

    def gone_over(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Value | None:
        """What a generator goes over: of the loop around its first `yield`, or of `yield from`."""
        for each in own_nodes(function):
            if isinstance(each, ast.Yield | ast.YieldFrom):
                loops = [loop for loop in self.module.loops_of(each) if isinstance(loop, ast.For | ast.AsyncFor)]
                return self.of(loops[-1].iter if loops else each.value if isinstance(each, ast.YieldFrom) else None)
        return None

    # --- attributes ---------------------------------------------------------------------------------------------------

    def _of_attribute(self, node: ast.Attribute, steps: int) -> Value | None:
        name = self.origin(node)
        if name and (kind := known.VALUES.get(name, "")):
            return Value(kind)
        if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
            owner = self.module.class_of(node)
            if owner is not None:
                found = self._of_self(owner, node.attr, steps)
                return (
                    Value("db.cursor", Confidence.LIKELY) if found is None and self._asked.is_executed(node) else found
                )
        if node.attr in {"objects", "_default_manager", "_base_manager"} and (
            model := self.models.of_django(node.value)
        ):
            return Value("django.manager", model[1], model=model[0])
        if self.models.is_reverse_manager(node):
            return Value("django.manager", Confidence.LIKELY, model=node.attr.removesuffix("_set"))
        holder = self.of(node.value, steps - 1)
        if holder is None:
            kind = self._asked.of_attribute(node)
            return Value(kind, Confidence.LIKELY) if kind else None
        kind = known.ATTRIBUTES.get((holder.kind, node.attr), "")
        if holder.kind.startswith("mongo"):
            kind = known.PARTS.get((holder.kind, None), "")  # `client.shop.orders`
        if kind == "same":
            return holder
        return Value(kind, holder.confidence, holder.call, holder.model) if kind else None

    def selves(self, owner: ast.ClassDef) -> dict[str, list[Binding]]:
        """What the methods of a class bind to attributes of `self`, and its body to names."""
        if owner not in self._selves:
            found: dict[str, list[Binding]] = {}
            for name, bindings in self.module.own_scope(owner).names.items():
                found.setdefault(name, []).extend(each for each in bindings if each.how == "is")
            for name, binding in self._of_selves().get(owner, []):
                found.setdefault(name, []).append(binding)
            self._selves[owner] = found
        return self._selves[owner]

    def _of_selves(self) -> dict[ast.AST, list[tuple[str, Binding]]]:
        """What is bound to attributes of `self`, by the classes around it; looked for once in a file."""
        if self._bound_to_selves is None:
            found: dict[ast.AST, list[tuple[str, Binding]]] = {}
            self._bound_to_selves = found
            module = self.module
            bound: list[tuple[ast.AST, ast.expr, ast.expr | None, ast.expr | None, str]] = [
                *((each, target, each.value, None, "is") for each in module.of(ast.Assign) for target in each.targets),
                *((each, each.target, each.value, each.annotation, "is") for each in module.of(ast.AnnAssign)),
                *(
                    (each, each.optional_vars, each.context_expr, None, "enters")
                    for each in module.of(ast.withitem)
                    if each.optional_vars is not None
                ),
            ]
            for node, target, value, annotation, how in bound:
                if (
                    isinstance(target, ast.Attribute)
                    and isinstance(target.value, ast.Name)
                    and target.value.id in {"self", "cls"}
                ):
                    binding = Binding(how, node, value, annotation)
                    for above in module.parents(node):
                        if isinstance(above, ast.ClassDef):
                            found.setdefault(above, []).append((target.attr, binding))
        return self._bound_to_selves

    def _of_self(self, owner: ast.ClassDef, name: str, steps: int) -> Value | None:
        key = (owner, name)
        if key in self._names:
            return self._names[key]
        if key in self._doing:
            return None
        self._doing.add(key)
        try:
            self._names[key] = found = self._bound(self.selves(owner).get(name, []), steps)
        finally:
            self._doing.discard(key)
        return found

    # --- slices, models, use ------------------------------------------------------------------------------------------

    def _of_part(self, node: ast.Subscript, steps: int) -> Value | None:
        holder = self.of(node.value, steps - 1)
        if holder is None:
            return None
        if not isinstance(node.slice, ast.Slice):
            said = node.slice.value if isinstance(node.slice, ast.Constant) else None
            kind = known.PARTS.get((holder.kind, said), "") or known.PARTS.get((holder.kind, None), "")
        elif node.slice.upper is None and isinstance(node.slice.lower, ast.Constant):
            return holder  # all but the first few; what is computed may leave the last few
        else:
            kind = known.BOUNDED.get(holder.kind, "")
        return holder._replace(kind=kind) if kind else None

    def resolved(self, node: ast.expr | None) -> ast.expr | None:
        """The expression that a name stands for, where it is bound once; else the node itself."""
        for _ in range(STEPS_MAX):
            if not isinstance(node, ast.Name):
                break
            bindings = self.module.scope_of(node).lookup(node.id)
            if len(bindings) != 1 or bindings[0].how != "is" or bindings[0].value is None:
                break
            node = bindings[0].value
        return node
