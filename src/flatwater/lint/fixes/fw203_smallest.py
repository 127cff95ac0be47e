"""FW203: `sorted(x)[:10]` becomes `heapq.nsmallest(10, x)`, and with `reverse=True` `heapq.nlargest(10, x)`.

Covers:     a number of at least 1 that is written down, and elements or keys whose order is total: texts, paths, lengths, sizes, times of files.
Not here:   `sorted(x)[0]`, whose `min(x)` raises another error for nothing. Numbers of any kind: NaN has no place in an order, and is sorted
            by chance. Classes of the program: with `__lt__` alone, `heapq` gives those that are equal in another order.
Holds:      nothing.

Python's documentation calls both the same as `sorted(x, key=key)[:n]`. They are where the order is total: equal elements stay in their order.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flatwater.lint.finding import Confidence
from flatwater.lint.fixes.change import Change
from flatwater.lint.rule import Look
from flatwater.lint.scopes import Binding

if TYPE_CHECKING:
    import libcst

KEYS = frozenset({"len", "str", "repr", "ascii"})  # of anything
KEYS_OF_TEXT = frozenset(
    {
        "str.lower",
        "str.upper",
        "str.casefold",
        "os.path.getsize",
        "os.path.getmtime",
        "os.path.getctime",
        "os.path.basename",
    }
)
TEXT_METHODS = frozenset({"lower", "upper", "casefold", "strip", "lstrip", "rstrip", "title", "swapcase", "split"})
NAMES = frozenset({"os.listdir", "glob.glob", "glob.iglob"})
STATUS = frozenset({"st_size", "st_mtime", "st_ctime", "st_mtime_ns", "st_ino"})


def propose(look: Look) -> Iterator[Change]:
    """The changes of a file."""
    for call in look.module.of(ast.Call):
        if look.origin(call.func) != "sorted" or len(call.args) != 1 or isinstance(call.args[0], ast.Starred):
            continue
        above = look.module.above.get(call)
        if not isinstance(above, ast.Subscript) or above.value is not call or not isinstance(above.ctx, ast.Load):
            continue
        given = {each.arg: each.value for each in call.keywords}
        reverse = given.pop("reverse", ast.Constant(value=False))
        if set(given) - {"key"} or not isinstance(reverse, ast.Constant) or not isinstance(reverse.value, bool):
            continue
        if (
            _is_count(above.slice)
            and _is_total(look, call.args[0], given.get("key"))
            and (needs := _needs(look, call)) is not None
        ):
            yield Change(call, above, _of_largest if reverse.value else _of_smallest, needs)


def _is_count(part: ast.expr) -> bool:
    match part:
        case ast.Slice(lower=None, upper=ast.Constant(value=count), step=None):
            return type(count) is int and count >= 1
    return False


def _is_total(look: Look, source: ast.expr, key: ast.expr | None) -> bool:
    """Whether all that is compared is of one order."""
    element = _element(look, source)
    if not element:
        return False
    if key is None or (isinstance(key, ast.Constant) and key.value is None):
        return element in {"text", "path", "number"}
    name = look.origin(key)
    if name in KEYS:
        return True
    if name in KEYS_OF_TEXT:
        return element == "text" or (element in {"path", "entry"} and name.startswith("os.path.get"))
    match key:
        case ast.Lambda(
            args=ast.arguments(posonlyargs=[], args=[one], kwonlyargs=[], vararg=None, kwarg=None, defaults=[]),
            body=body,
        ):
            return _is_total_key(look, body, one.arg, element)
    return False


def _element(look: Look, source: ast.expr) -> str:
    """What it gives, of which nothing changes while the others are fetched."""
    if isinstance(source, ast.ListComp | ast.GeneratorExp | ast.SetComp) and isinstance(source.elt, ast.Call):
        is_plain = not any(isinstance(each, ast.Await | ast.NamedExpr) for each in ast.walk(source))
        name = look.origin(source.elt.func)
        return {"len": "number", "int": "number", "str": "text", "repr": "text"}.get(name, "") if is_plain else ""
    if isinstance(source, ast.Call):
        name = look.origin(source.func)
        if name in NAMES:
            return "text" if source.args or name == "os.listdir" else ""
        if name == "os.scandir":
            return "entry"
        if isinstance(source.func, ast.Attribute):
            holder = look.value(source.func.value)
            if holder is not None and holder.kind == "path" and source.func.attr in {"iterdir", "glob", "rglob"}:
                return "path" if holder.confidence is Confidence.SURE else ""
            if source.func.attr in {"items", "keys", "values"} and not source.args and not source.keywords:
                return "any"
        if name == "open":
            return "text"
    if isinstance(source, ast.Name):
        value = look.value(source)
        if (
            value is not None
            and value.kind == "file"
            and value.call is not None
            and look.origin(value.call.func) in {"open", "gzip.open"}
        ):
            return "text" if value.confidence is Confidence.SURE else ""
    return ""


def _is_total_key(look: Look, body: ast.expr, name: str, element: str) -> bool:
    match body:
        case ast.Call(func=func, args=[_one], keywords=[]) if look.origin(func) in KEYS:
            return all(
                isinstance(each, ast.Name | ast.Call | ast.Subscript | ast.Constant | ast.Load)
                for each in ast.walk(body)
            ) and _calls_only(look, body)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Call(func=func) as operand) if look.origin(func) == "len":
            return _is_total_key(look, operand, name, element)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Attribute() as operand):
            return _is_total_key(look, operand, name, element)
        case ast.Tuple(elts=parts):
            return bool(parts) and all(_is_total_key(look, each, name, element) for each in parts)
        case ast.Name(id=found):
            return found == name and element in {"text", "path", "number"}
        case ast.Attribute(value=ast.Name(id=found), attr="name" | "path" | "suffix" | "stem" as part):
            return found == name and (
                (element == "path" and part != "path") or (element == "entry" and part in {"name", "path"})
            )
        case ast.Attribute(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr="stat"), args=[], keywords=[]), attr=part
        ):
            return found == name and element in {"path", "entry"} and part in STATUS
        case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr=method), args=args, keywords=[]) if (
            method in TEXT_METHODS
        ):
            return found == name and element == "text" and all(isinstance(each, ast.Constant) for each in args)
        case ast.Call(func=func, args=[ast.Name(id=found)], keywords=[]) if look.origin(func) in KEYS_OF_TEXT:
            return found == name and element == "text"
    return False


def _calls_only(look: Look, body: ast.expr) -> bool:
    return all(look.origin(each.func) in KEYS for each in ast.walk(body) if isinstance(each, ast.Call))


def _needs(look: Look, node: ast.expr) -> str | None:
    """The module that is to be imported; "" if it is already, None if its name means something else here."""
    if look.module.stars:
        return None
    bindings = look.module.scope_of(node).lookup("heapq")
    if not bindings:
        return "heapq"
    return "" if all(_is_import_above(look, each, node) for each in bindings) else None


def _is_import_above(look: Look, binding: Binding, node: ast.expr) -> bool:
    made = binding.node
    return (
        binding.how == "import" and binding.origin == "heapq" and isinstance(made, ast.Import)
        and look.module.above.get(made) is look.module.tree and made.lineno < node.lineno
    )  # fmt: skip


def _of_smallest(node: libcst.BaseExpression) -> libcst.BaseExpression | None:
    return _with(node, "nsmallest")


def _of_largest(node: libcst.BaseExpression) -> libcst.BaseExpression | None:
    return _with(node, "nlargest")


def _with(node: libcst.BaseExpression, name: str) -> libcst.BaseExpression | None:
    import libcst

    if not isinstance(node, libcst.Subscript) or not isinstance(node.value, libcst.Call) or len(node.slice) != 1:
        return None
    call, part = node.value, node.slice[0].slice
    if not isinstance(part, libcst.Slice) or part.upper is None or call.lpar:
        return None
    left_out = [each for each in call.args if each.keyword is not None and each.keyword.value == "reverse"]
    module = libcst.Module([])
    gone = module.code_for_node(node.with_changes(value=libcst.Name("x"))) + "".join(
        map(module.code_for_node, left_out)
    )
    if "#" in gone:
        return None
    args = [each for each in call.args if each not in left_out]
    if left_out and call.args[-1] is left_out[0] and args:
        args[-1] = args[-1].with_changes(comma=left_out[0].comma, whitespace_after_arg=left_out[0].whitespace_after_arg)
    count = libcst.Arg(part.upper, comma=libcst.Comma(whitespace_after=libcst.SimpleWhitespace(" ")))
    func = libcst.Attribute(libcst.Name("heapq"), libcst.Name(name))
    return call.with_changes(func=func, args=[count, *args], lpar=node.lpar, rpar=node.rpar)
