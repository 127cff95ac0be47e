"""What only gives a value, and what is new."""

from __future__ import annotations

import ast
import importlib

import pytest

from flatwater.lint.fixes import quiet
from flatwater.lint.module import Module
from flatwater.lint.rule import Look


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("[]", True), ("{}", True), ("0", True), ("-1", True), ("{1: []}", True), ("set()", True), ("collections.defaultdict(list)", True),
        ("a", False), ("[a]", False), ("{**a}", False), ("list(a)", False), ("collections.defaultdict(a)", False), ("dict(a=b)", False), ("f()", False),
    ],
)  # fmt: skip
def test_what_is_new_is_nobody_elses(text, new):
    """Nothing in it was somebody's."""
    module = Module(f"import collections\nx = {text}\n", "")
    assign = module.of(ast.Assign)[0]
    assert quiet.is_new(Look(module), assign.value) is new


@pytest.mark.parametrize("name", sorted(each for each in quiet.FUNCTIONS | quiet.MAKERS if "." in each))
def test_functions_are_there(name):
    """The table has names of the standard library, as it has them."""
    parts = name.split(".")
    if parts[0] in {"int", "float", "bytes"}:
        import builtins as found
    else:
        for end in range(len(parts) - 1, 0, -1):
            try:
                found = importlib.import_module(".".join(parts[:end]))
            except ImportError:
                continue
            parts = parts[end:]
            break
    for part in parts:
        found = getattr(found, part)
    assert callable(found)


def test_a_pattern_is_what_was_compiled():
    """By its name, wherever it was made."""
    module = Module("import re\nP = re.compile('a')\nQ = f()\nP, Q\n", "")
    first, second = module.of(ast.Tuple)[0].elts
    assert quiet.is_pattern(Look(module), first)
    assert not quiet.is_pattern(Look(module), second)
