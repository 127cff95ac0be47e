"""What is the same in each run."""

from __future__ import annotations

import pytest

from flatwater.lint.fixed import is_fixed
from flatwater.lint.module import Module
from flatwater.lint.rule import Look

FIXED = [
    "'a'", "[1, x]", "{'a': x}", "range(10)", "NAMES", "NAMES.items()", "enumerate(NAMES)", "__file__", "f'/proc/{x}/maps'",
    "HERE / 'names.txt'", "os.path.join(os.path.dirname(__file__), x)", "sys.prefix", "'a' + 'b'", "'a,b'.split(',')",
]  # fmt: skip
NOT = [
    "x",
    "[*x]",
    "{**x}",
    "range(x)",
    "range(1_000_000)",
    "x + 'a'",
    "f'{x}.txt'",
    "x.split()",
    "f(x)",
    "enumerate(x, 1)",
    "iter(x.read, b'')",
    "TWICE",
    "Path(x)",
    "ITSELF",
]
HEAD = "import os, sys\nfrom pathlib import Path\nNAMES = {'a': 1}\nHERE = Path(__file__).parent\nTWICE = 1\nTWICE = f()\nITSELF = ITSELF + 'a'\n"


def answer(text):
    module = Module(f"{HEAD}def g(x):\n    return {text}\n", "a.py")
    return is_fixed(Look(module), module.tree.body[-1].body[0].value)


@pytest.mark.parametrize("text", FIXED)
def test_written_down(text):
    """Literals, the package's own files, the system's, and names for them."""
    assert answer(text)


@pytest.mark.parametrize("text", NOT)
def test_given(text):
    """What comes from a caller or a call, or is bound to something else, too."""
    assert not answer(text)


def test_nothing():
    """No expression is not fixed."""
    assert not is_fixed(Look(Module("", "a.py")), None)
