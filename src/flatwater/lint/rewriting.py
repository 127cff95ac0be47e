"""Changes made in a text: each expression is written anew, with its comments and spaces, and all else stays to the byte.

Covers:     expressions by their places, what must be imported for them.
Not here:   which changes (`lint.fixes`), reading and checking (`lint.fixing`).
Holds:      the text, and the tree of one expression: about 2 KB for each of its words.
"""

from __future__ import annotations

import ast
import re
import warnings

import libcst

from flatwater import limits
from flatwater.lint.fixes.change import Change, span
from flatwater.lint.module import LINE_END, Module


def rewritten(module: Module, changes: list[Change]) -> tuple[str, list[Change]]:
    """The text of a file with these changes, which must not overlap, and those that were made."""
    text = module.text
    starts = [0, *(each.end() for each in LINE_END.finditer(text))]
    done: list[Change] = []
    edits: list[tuple[int, int, str]] = []
    for change in changes:
        place = span(module.lines, change.node)
        first, last = starts[place.line - 1] + place.column, starts[place.end_line - 1] + place.end_column
        new = _expression(text[first:last], change)
        if new is not None:
            is_joined = _is_of_a_word(new[-1:]) and _is_of_a_word(text[last : last + 1])  # `readlines()if`
            edits.append((first, last, f"{new} " if is_joined else new))
            done.append(change)
    for name in sorted({each.needs for each in done if each.needs}):
        edit = _import(module, starts, name)
        if edit is None:
            return text, []
        edits.append(edit)
    for first, last, new in sorted(edits, reverse=True):
        text = text[:first] + new + text[last:]
    return text, done


def _expression(old: str, change: Change) -> str | None:
    """The expression's new text; None where it is not to be changed."""
    if len(old) > limits.LINT_FIX_CHARS_MAX or re.search(r"\r(?!\n)", old):  # libcst takes a single \r for no line end
        return None
    whole = f"(\n{old}\n)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(whole, mode="eval")
    if ast.dump(tree.body) != ast.dump(change.node):
        return None
    node = libcst.parse_expression(whole)
    plain = libcst.Module([])
    if f"(\n{plain.code_for_node(node.with_changes(lpar=node.lpar[1:], rpar=node.rpar[:-1]))}\n)" != whole:
        return None
    new = change.rewrite(node.with_changes(lpar=(), rpar=()))
    return None if new is None else plain.code_for_node(new)


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _import(module: Module, starts: list[int], name: str) -> tuple[int, int, str] | None:
    """An import behind those at the top of the file, or in front of all else; None where no line is free for it."""
    body = module.tree.body
    top = 0
    if (
        body
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        top = 1
    imports = top
    while imports < len(body) and isinstance(body[imports], ast.Import | ast.ImportFrom):
        imports += 1
    if imports == len(body):
        return None
    following = body[imports]
    first_line = min([following.lineno, *(each.lineno for each in getattr(following, "decorator_list", []))])
    end = LINE_END.search(module.text)
    line_end = end[0] if end else "\n"
    if imports == 0:
        at = starts[first_line - 1]
        return at, at, f"import {name}{line_end}"
    before = body[imports - 1].end_lineno or 0
    if before >= first_line:
        return None
    at = starts[before]
    return at, at, f"import {name}{line_end}" if imports > top else f"{line_end}import {name}{line_end}"
