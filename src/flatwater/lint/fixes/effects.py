"""Whether a loop can go over a stream in place of a list of it: what it does then is seen by nobody before the stream has ended.

Covers:     loops whose bodies only make and fill what is the function's own, and comprehensions of what only gives a value.
Not here:   which expressions are streams (its siblings), what a value is (`lint.values`).
Holds:      the names of one loop.

A list is complete before the loop begins: a fault of the stream comes first, and what the loop does cannot change what the stream
gives. So nothing in the loop may write, call what is not known, end the loop early, or fill what others hold already; and
nothing around it may catch an error and look. Names are *own* (made empty in this function, and not yet handed on), *data*
(made of the elements alone) or foreign; methods are called of the first two only, since `replace` renames files, too.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable
from typing import final

from flatwater.lint.fixes import quiet
from flatwater.lint.rule import Look
from flatwater.lint.scopes import COMPREHENSIONS, FUNCTIONS, LOOPS, Binding

Listed = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def is_unseen(look: Look, place: ast.For | Listed, element: str, stream: str = "", never_fails: bool = False) -> bool:  # noqa: FBT001, FBT002 - named by all that call it
    """Whether the loop does nothing that is seen before it has ended.

    Args:
        look: the file.
        place: a loop, or a comprehension whose first `for` goes over the stream.
        element: "data", or "path" where the stream gives paths or entries of folders.
        stream: the name of the stream, which must not be used inside.
        never_fails: whether an error inside must be ruled out, too.
    """
    try:
        return _Loop(look, place, element, stream, never_fails=never_fails).is_unseen()
    except RecursionError:
        return False


@final
class _Loop:
    def __init__(self, look: Look, place: ast.For | Listed, element: str, stream: str, *, never_fails: bool) -> None:
        self._look, self._place, self._element, self._stream = look, place, element, stream
        self._never_fails = never_fails
        self._inside = set(ast.walk(place))
        self._function: ast.AST = look.module.function_of(place) or look.module.tree
        self._doing: set[str] = set()
        self._owned: dict[str, bool] = {}
        self._takes_out = self._puts_foreign = False
        self._loops = 0  # those inside the place that a `break` ends

    def is_unseen(self) -> bool:
        place = self._place
        if isinstance(place, ast.For):
            good = self._stands_free() and self._binds(place.target) and self._block(place.body) and not place.orelse
        else:
            good = self._comprehended(place)
        return good and not (self._takes_out and self._puts_foreign)

    # --- around it ----------------------------------------------------------------------------------------------------

    def _stands_free(self) -> bool:
        """Whether nobody around it catches an error and goes on: then what was filled up to there would be seen."""
        for each in self._look.module.parents(self._place):
            if isinstance(each, FUNCTIONS):
                return True
            if isinstance(each, ast.ClassDef | ast.Try | ast.AsyncWith | ast.TryStar):
                return False
            if isinstance(each, ast.With) and not all(self._lets_errors_through(item) for item in each.items):
                return False
        return True

    def _lets_errors_through(self, item: ast.withitem) -> bool:
        value = self._look.value(item.context_expr)
        return value is not None and value.kind in {
            "file",
            "file.written",
            "zip",
            "tar",
            "db.connection",
            "db.cursor",
            "fs.entries",
        }

    # --- statements ---------------------------------------------------------------------------------------------------

    def _block(self, body: Iterable[ast.stmt]) -> bool:
        return all(self._statement(each) for each in body)

    def _statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Pass() | ast.Continue():
                return True
            case ast.Break():
                return self._loops > 0
            case ast.Expr(value=value):
                return self._pure(value)
            case ast.Assign(targets=targets, value=value):
                return self._pure(value) and all(self._binds(each, value) for each in targets)
            case ast.AnnAssign(target=ast.Name() as target, value=value):
                return value is None or (self._pure(value) and self._binds(target, value))
            case ast.AugAssign(target=target, op=op, value=value):
                return self._pure(value) and self._augments(target, op, value)
            case ast.If(test=test, body=body, orelse=orelse):
                return self._pure(test) and self._block(body) and self._block(orelse)
            case ast.For(target=target, iter=over, body=body, orelse=orelse):
                if not (self._consumed(over) and self._binds(target)):
                    return False
                self._loops += 1
                good = self._block(body)
                self._loops -= 1
                return good and self._block(orelse)
        return False

    def _binds(self, target: ast.expr, value: ast.expr | None = None) -> bool:
        """Whether giving this a value is seen by nobody."""
        match target:
            case ast.Name():
                return self._is_local(target) and target.id != self._stream
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return not self._fails(value is not None) and all(self._binds(each) for each in parts)
            case ast.Starred(value=inner):
                return self._binds(inner)
            case ast.Subscript(value=held, slice=key):
                self._put(value)
                return self._is_held(held) and self._pure(key)
        return False

    def _augments(self, target: ast.expr, op: ast.operator, value: ast.expr) -> bool:
        self._put(value)
        if isinstance(op, ast.LShift | ast.RShift | ast.MatMult) or self._fails(not quiet.is_counted(op, value)):
            return False
        match target:
            case ast.Name():
                return self._is_local(target) and (self._is_own(target) or self._is_data(target))
            case ast.Subscript(value=held, slice=key):
                return self._is_held(held) and self._pure(key) and not self._fails(failing=True)
        return False

    # --- expressions --------------------------------------------------------------------------------------------------

    def _pure(self, node: ast.expr | None) -> bool:
        """Whether it gives a value, and does nothing else that is seen."""
        match node:
            case None | ast.Constant():
                return True
            case ast.Name():
                return node.id != self._stream
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return all(
                    self._consumed(each.value) if isinstance(each, ast.Starred) else self._pure(each) for each in parts
                )
            case ast.Dict(keys=keys, values=values):
                return all(
                    self._consumed(value) if key is None else self._pure(key) and self._pure(value)
                    for key, value in zip(keys, values, strict=True)
                )
            case ast.JoinedStr(values=values) | ast.BoolOp(values=values):
                return all(self._pure(each) for each in values)
            case ast.FormattedValue(value=value, format_spec=spec):
                return self._pure(value) and self._pure(spec) and not self._fails(failing=spec is not None)
            case ast.BinOp(left=left, op=op, right=right):
                if isinstance(op, ast.LShift | ast.RShift | ast.MatMult) and not (
                    self._is_data(left) and self._is_data(right)
                ):
                    return False
                return self._pure(left) and self._pure(right) and not self._fails(failing=True)
            case ast.UnaryOp(operand=operand, op=op):
                return self._pure(operand) and not self._fails(not isinstance(op, ast.Not | ast.USub))
            case ast.Compare(left=left, comparators=others, ops=ops):
                safe = all(isinstance(each, ast.Eq | ast.NotEq | ast.Is | ast.IsNot) for each in ops)
                return all(self._pure(each) for each in (left, *others)) and not self._fails(not safe)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._pure(test) and self._pure(body) and self._pure(orelse)
            case ast.Subscript(value=value, slice=part):
                named = isinstance(part, ast.Constant) and isinstance(value, ast.Name) and self._is_data(value)
                return self._is_readable(value) and self._pure(part) and not self._fails(not named)
            case ast.Slice(lower=lower, upper=upper, step=step):
                return self._pure(lower) and self._pure(upper) and self._pure(step)
            case ast.Attribute(value=value, attr=name):
                return (self._is_path(value) and name in quiet.PATH_PARTS) or quiet.is_status(self._is_path, node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._comprehended(node)
            case ast.Call():
                return self._called(node)
        return False

    def _comprehended(self, node: Listed) -> bool:
        if any(isinstance(each, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom) for each in ast.walk(node)):
            return False
        for each in node.generators:
            is_ours = node is self._place and each is node.generators[0]
            if (
                each.is_async
                or not (is_ours or self._consumed(each.iter))
                or not all(self._pure(one) for one in each.ifs)
            ):
                return False
            if not isinstance(each.target, ast.Name) and not self._binds(each.target):
                return False
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return all(self._pure(each) for each in parts)

    def _called(self, node: ast.Call) -> bool:
        look = self._look
        if any(isinstance(each, ast.Starred) for each in node.args) or any(each.arg is None for each in node.keywords):
            return False
        name = look.origin(node.func)
        if any(
            each.arg in {"key", "default_factory"} and look.origin(each.value) not in quiet.ONE_VALUE
            for each in node.keywords
        ):
            return False
        named = [each.value for each in node.keywords if each.arg not in {"key", "default_factory"}]
        if name in quiet.ITERATING:
            return all(self._consumed(each) for each in [*node.args, *named]) and not self._fails(
                name not in quiet.NEVER_FAILING
            )
        if name in quiet.MAKERS:
            return all(look.origin(each) in quiet.MAKERS or self._consumed(each) for each in node.args) and not named
        if name in quiet.ONE_VALUE:
            return all(self._pure(each) for each in [*node.args, *named]) and not self._fails(
                name not in quiet.NEVER_FAILING
            )
        if self._fails(failing=not isinstance(node.func, ast.Attribute)):
            return False
        if name in quiet.FUNCTIONS:
            return all(self._is_data(each) and self._pure(each) for each in node.args) and all(
                isinstance(each, ast.Constant) for each in named
            )
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func, named)
        return False

    def _method(self, node: ast.Call, func: ast.Attribute, named: list[ast.expr]) -> bool:
        held, name = func.value, func.attr
        if not all(self._pure(each) for each in [*node.args, *named]):
            return False
        if self._is_path(held):
            return name in quiet.PATH_METHODS and not self._fails(failing=True)
        if isinstance(held, ast.Name) and quiet.is_pattern(self._look, held):
            return (
                name in quiet.PATTERN_METHODS
                and all(self._is_data(each) for each in node.args)
                and not self._fails(failing=True)
            )
        if not self._is_held(held):
            return False
        if name in quiet.FILLING:
            for each in node.args:
                self._put(each)
            return (
                name not in quiet.FILLING_WITH_ALL or all(self._consumed(each) for each in node.args)
            ) and not self._fails(name not in quiet.NEVER_FAILING)
        if name not in quiet.METHODS or self._fails(failing=True):
            return False
        return name not in {"join", "union", "update", "format_map", "intersection", "difference"} or all(
            self._consumed(each) for each in node.args
        )

    def _consumed(self, node: ast.expr) -> bool:
        """Whether it may be gone over: an iterator of somebody else's would be further on when an error comes."""
        if isinstance(node, ast.Name):
            return node.id != self._stream and (
                self._is_own(node) or self._is_data(node) or quiet.is_literal(self._look, node)
            )
        return self._pure(node)

    def _fails(self, failing: bool = False) -> bool:  # noqa: FBT001, FBT002 - a question about one place
        return self._never_fails and failing

    def _put(self, value: ast.expr | None) -> None:
        if value is None or not self._is_data(value):
            self._puts_foreign = True

    # --- names ----------------------------------------------------------------------------------------------------------

    def _is_held(self, node: ast.expr) -> bool:
        """Whether nobody else has it: own, or data, or a part of them."""
        return self._is_own(node) if isinstance(node, ast.Name) and self._is_own(node) else self._is_data(node)

    def _is_readable(self, node: ast.expr) -> bool:
        """Whether a part of it can be had: of a dict of somebody else's, this may make the part."""
        return (self._is_held(node) and self._pure(node)) or (
            isinstance(node, ast.Name) and quiet.is_literal(self._look, node)
        )

    def _is_local(self, node: ast.Name) -> bool:
        scope = self._look.module.scope_of(node).holding(node.id)
        return scope is not None and (scope.node is self._function or scope.node in self._inside)

    def _is_own(self, node: ast.Name) -> bool:
        """Whether it was made in this function, of nothing of others, and nobody has been given it before the loop."""
        if node.id not in self._owned:
            self._owned[node.id] = False
            scope = self._look.module.scope_of(node).holding(node.id)
            bindings = (
                self._before_its_end(scope.names[node.id]) if scope is not None and scope.node is self._function else []
            )
            self._owned[node.id] = (
                any(each.node not in self._inside for each in bindings) and all(self._is_fresh(each) for each in bindings)
                and not self._is_known_before(node.id, bindings)
            )  # fmt: skip
        return self._owned[node.id]

    def _before_its_end(self, bindings: list[Binding]) -> list[Binding]:
        """Those that the loop can see; all, where another loop is around it."""
        above = self._look.module.parents(self._place)
        if any(isinstance(each, LOOPS) for each in itertools.takewhile(lambda each: each is not self._function, above)):
            return bindings
        end = self._place.end_lineno or self._place.lineno
        return [each for each in bindings if getattr(each.node, "lineno", 0) <= end]

    def _is_fresh(self, binding: Binding) -> bool:
        if binding.how == "aug":
            return True
        made = binding.node
        if binding.how != "is" or binding.value is None or isinstance(made, ast.NamedExpr):
            return False
        if isinstance(made, ast.Assign) and len(made.targets) > 1:  # `self.rows = rows = []`
            return False
        return quiet.is_new(self._look, binding.value) or (
            binding.node in self._inside and self._is_data(binding.value)
        )

    def _is_known_before(self, name: str, bindings: list[Binding]) -> bool:
        place, module = self._place, self._look.module
        above = list(module.parents(place))
        if self._function in above:
            above = above[: above.index(self._function)]
        loops = [each for each in above if isinstance(each, LOOPS)]
        begins = 0
        if loops and all(
            each.node in self._inside or self._is_made_anew(each.node, loops[0], above) for each in bindings
        ):
            begins = next(each.node.lineno for each in bindings if each.node not in self._inside)  # type: ignore[attr-defined]
            loops = []
        around = set(ast.walk(loops[-1])) if loops else set()
        return any(
            isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load) and each not in self._inside
            and (self._first(each, begins) <= each.lineno < place.lineno or each in around)
            for each in ast.walk(self._function)
        )  # fmt: skip

    def _first(self, node: ast.Name, begins: int) -> int:
        """The line from which on a use counts; a function inside this one may be called at any time."""
        return begins if (self._look.module.function_of(node) or self._look.module.tree) is self._function else 0

    def _is_made_anew(self, node: ast.AST, loop: ast.AST, above: list[ast.AST]) -> bool:
        """Whether each round of the loop around it makes this one again, always."""
        holder = self._look.module.above.get(node)
        return holder is loop or (
            isinstance(holder, ast.With) and holder in above and loop in self._look.module.parents(holder)
        )

    def _is_data(self, node: ast.expr) -> bool:
        """Whether it is made of the stream's elements and of what is written down: nobody else has it."""
        match node:
            case ast.Constant() | ast.JoinedStr() | ast.Compare():
                return True
            case ast.Name():
                return self._is_data_name(node)
            case ast.Subscript(value=value):
                return self._is_data(value)
            case ast.UnaryOp(operand=operand):
                return self._is_data(operand)
            case ast.BinOp(left=left, right=right):
                return self._is_data(left) and self._is_data(right)
            case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return all(self._is_data(each.value if isinstance(each, ast.Starred) else each) for each in parts)
            case ast.Dict(keys=keys, values=values):
                return all(self._is_data(each) for each in [*keys, *values] if each is not None)
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_data(body) and self._is_data(orelse)
            case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
                return self._is_data(elt)
            case ast.DictComp(key=key, value=value):
                return self._is_data(key) and self._is_data(value)
            case ast.Attribute(value=value, attr=name):
                return (self._is_path(value) and name in quiet.PATH_TEXTS) or quiet.is_status(self._is_path, node)
            case ast.Call():
                return self._is_data_call(node)
        return False

    def _is_data_call(self, node: ast.Call) -> bool:
        name = self._look.origin(node.func)
        if name in quiet.ONE_VALUE or name in quiet.FUNCTIONS:
            return True
        if name in quiet.ITERATING or name in quiet.MAKERS:
            return all(self._is_data(each) or self._look.origin(each) in quiet.MAKERS for each in node.args)
        if isinstance(node.func, ast.Attribute):
            held = node.func.value
            if isinstance(held, ast.Name) and quiet.is_pattern(self._look, held):
                return True
            if self._is_path(held):
                return node.func.attr in {"is_file", "is_dir", "is_symlink", "exists", "as_posix"}
            return self._is_data(held)
        return False

    def _is_data_name(self, node: ast.Name) -> bool:
        if self._is_own(node):
            self._takes_out = True
            return True
        key = node.id
        if key in self._doing:
            return True
        scope = self._look.module.scope_of(node).holding(node.id)
        if scope is None or (scope.node is not self._function and scope.node not in self._inside):
            return False
        self._doing.add(key)
        try:
            return all(self._gives_data(each) for each in scope.names[node.id])
        finally:
            self._doing.discard(key)

    def _gives_data(self, binding: Binding) -> bool:
        if binding.node not in self._inside:
            return binding.how == "is" and isinstance(binding.value, ast.Constant)
        if binding.how in {"each", "part"} and self._is_the_stream(binding.node):
            return self._element == "data"
        return (
            binding.how in {"is", "each", "part", "aug"} and binding.value is not None and self._is_data(binding.value)
        )

    def _is_the_stream(self, node: ast.AST) -> bool:
        return node is self._place or (isinstance(self._place, COMPREHENSIONS) and node is self._place.generators[0])

    def _is_path(self, node: ast.expr) -> bool:
        """Whether it is an element of a stream of paths, or the folder of one."""
        if self._element != "path":
            return False
        if isinstance(node, ast.Attribute):
            return node.attr == "parent" and self._is_path(node.value)
        if not isinstance(node, ast.Name):
            return False
        scope = self._look.module.scope_of(node).holding(node.id)
        return scope is not None and all(
            each.how == "each" and self._is_the_stream(each.node) for each in scope.names[node.id]
        )
