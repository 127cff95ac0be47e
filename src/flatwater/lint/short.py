"""Whether what is read is short by what it is for: a tag, settings, a digest that is known, words of a person.

Covers:     what stands around a place where a file or an answer is read.
Not here:   what is done with it (`lint.rules.fw102_read_whole`), names of files (`lint.lengths`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint import lengths, uses, wording
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Look
from flatwater.lint.values import Value

SIGNS = frozenset({"#", ";", "=", ":", "!", "//", b"#", b";", b"=", b":"})  # of comments and of assignments


def is_of_set_up(look: Look, node: ast.AST) -> bool:
    """Whether a tool is fetched there, and not data."""
    return any(
        wording.is_of_set_up(each.name)
        for each in look.module.parents(node)
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def is_of_an_installer(look: Look, node: ast.AST) -> bool:
    """Whether the file or the function installs something: it fetches programs, of a size that their authors decide."""
    names = [look.module.path.rpartition("/")[2]]
    names += [
        each.name for each in look.module.parents(node) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return any("install" in each.lower() for each in names)


def is_standard_input(look: Look, node: ast.expr) -> bool:
    """Whether standard input is read."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and look.origin(node.func.value).startswith("sys.stdin")
    )


def is_of_a_tag(look: Look, node: ast.AST, holder: Value) -> bool:
    """Whether a part of the digest is enough, or the file is read by its path: of sources and settings, to see whether they changed."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"read_text", "read_bytes"}
    ):
        return holder.kind != "path.entry" and not wording.is_of_lines(ast.unparse(node.func.value))
    return any(
        isinstance(above, ast.Subscript) and isinstance(above.slice, ast.Slice)
        for place in uses.places(look.module, node)
        for above in look.module.parents(place)
    )


def is_pinned(look: Look, node: ast.AST) -> bool:
    """Whether the function compares a digest with one that it knows: what is read is one file, of a size that its author knows."""
    return any(
        isinstance(each, ast.Compare) and isinstance(each.ops[0], ast.NotEq | ast.Eq)
        and any(is_digest(look, side) for side in (each.left, *each.comparators))
        for each in own_nodes(look.module.function_of(node) or look.module.tree)
    )  # fmt: skip


def is_digest(look: Look, node: ast.expr) -> bool:
    """Whether it is a digest that is computed."""
    made = look.values.resolved(node)
    return (
        isinstance(made, ast.Call)
        and isinstance(made.func, ast.Attribute)
        and made.func.attr in {"hexdigest", "digest"}
    )


def is_of_assignments(look: Look, node: ast.AST) -> bool:
    """Whether its lines are taken apart as those of settings are: comments are left out, names are followed by `=`."""
    loop = next(
        (
            each
            for each in look.module.parents(node)
            if isinstance(each, ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.stmt)
        ),
        None,
    )
    return isinstance(loop, ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp) and any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.args
        and each.func.attr in {"startswith", "split", "rsplit", "partition", "find"}
        and isinstance(each.args[0], ast.Constant) and each.args[0].value in SIGNS
        for each in ast.walk(loop)
    )  # fmt: skip


def is_of_settings(look: Look, node: ast.AST, holder: Value) -> bool:
    """Whether what it was opened with, or who opens it, is called as files are that people write, and keep short."""
    made = holder.call
    if made is not None and look.origin(made.func) in lengths.PACKED:
        return False
    named = [
        each.name
        for each in look.module.parents(node)
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    if any(map(wording.is_of_settings_read, named)):
        return True
    if holder.kind == "path.entry":
        return not is_entry_of_data(look, made)
    if holder.kind == "path" and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return not lengths.is_long_file(look, node.func.value)
    if holder.kind not in {"file", "path"} or made is None:
        return False
    if isinstance(made.func, ast.Attribute) and not made.args:
        return not lengths.is_long_file(look, made.func.value)
    return bool(made.args) and not lengths.is_long_file(look, made.args[0])


def is_entry_of_data(look: Look, walk: ast.Call | None) -> bool:
    """Whether a folder that is walked through has files of data in it: by the pattern that they match, else by its own name."""
    if walk is None or not isinstance(walk.func, ast.Attribute):
        return False
    pattern = ast.unparse(walk.args[0]) if walk.args else ""
    if wording.is_of_settings(pattern) or not (wording.is_of_lines(pattern) or wording.is_of_any_file(pattern)):
        return False
    return wording.is_of_lines(pattern) or lengths.is_long_file(look, walk.func.value)
