"""Comments that allow a finding."""

from __future__ import annotations

import pytest

from flatwater.lint.suppressions import Suppressions

LINES = {
    "a code": ("x = f()  # noqa: FW101", "FW101", True),
    "another code": ("x = f()  # noqa: E501", "FW101", False),
    "several codes": ("x = f()  # noqa: E501, FW101", "FW101", True),
    "several codes without a comma": ("x = f()  # noqa: E501 FW101", "FW101", True),
    "the beginning of a code": ("x = f()  # noqa: FW1", "FW101", True),
    "everything": ("x = f()  # noqa", "FW101", True),
    "everything, with a reason": ("x = f()  # noqa - as it must be", "FW101", True),
    "small letters": ("x = f()  # NoQA: fw101", "FW101", True),
    "with a reason": ("x = f()  # flatwater: allow FW101 — few rows", "FW101", True),
    "with a plain reason": ("x = f()  # flatwater: allow FW101, FW102: few rows", "FW102", True),
    "a family": ("x = f()  # flatwater: allow FW1xx — few rows", "FW101", True),
    "allowing another": ("x = f()  # flatwater: allow FW201 — few rows", "FW101", False),
    "in a text": ("x = f('# noqa: FW101')", "FW101", False),
    "a word that begins so": ("x = f()  # noqathing", "FW101", False),
}


@pytest.mark.parametrize(("line", "code", "allowed"), LINES.values(), ids=LINES)
def test_a_comment_behind_a_line(line, code, allowed):
    """It allows the codes that it names on its line, and no others."""
    assert Suppressions(f"import a\n{line}\n").allows(code, 2, 2) == allowed


def test_other_lines():
    """A comment says nothing of the line below it."""
    assert not Suppressions("a = 1  # noqa\nb = 2\n").allows("FW101", 2, 2)


def test_a_comment_of_its_own():
    """It is about the next line of code, whatever comments and empty lines are between."""
    text = "def f():\n    # flatwater: allow FW101 — few rows\n    # which nobody adds to\n\n    return g()\n"
    found = Suppressions(text)
    assert [line for line in range(1, 7) if found.allows("FW101", line, line)] == [5]


def test_a_statement_of_several_lines():
    """A comment at its first or last line is enough."""
    first, last = "x = f(  # noqa: FW101\n    1,\n)\n", "x = f(\n    1,\n)  # noqa: FW101\n"
    assert Suppressions(first).allows("FW101", 1, 3)
    assert Suppressions(last).allows("FW101", 1, 3)


STATEMENT = "x = f(\n    g(),\n    h(),\n)\ny = 1\n"


@pytest.mark.parametrize(
    "line", [(1, "x = f(  # noqa: FW101"), (4, ")  # noqa: FW101"), (1, "# flatwater: allow FW101 — few\nx = f(")]
)
def test_all_of_a_statement(line):
    """A comment at its first or last line, or above it, is about what is found within, and ends with it."""
    number, text = line
    lines = STATEMENT.splitlines()
    lines[number - 1] = text
    found = Suppressions("\n".join(lines) + "\n")
    shift = text.count("\n")
    assert [each for each in range(1, 6) if found.allows("FW101", each + shift, each + shift)] == [1, 2, 3, 4]
    assert not found.allows("FW102", 2 + shift, 2 + shift)


def test_a_line_of_a_statement():
    """A comment within it is about its own line only."""
    found = Suppressions(STATEMENT.replace("g(),", "g(),  # noqa: FW101"))
    assert [each for each in range(1, 6) if found.allows("FW101", each, each)] == [2]


def test_the_head_of_a_loop():
    """A comment at its end says nothing of the body."""
    found = Suppressions("for x in f(\n    1\n):  # noqa: FW101\n    g()\n")
    assert [each for each in range(1, 5) if found.allows("FW101", each, each)] == [1, 2, 3]


def test_a_whole_file():
    """One comment allows a rule in all of a file."""
    found = Suppressions("# flatwater: allow-file FW2xx — a table in memory\nx = 1\n")
    assert found.allows("FW201", 99, 99)
    assert not found.allows("FW101", 99, 99)


def test_a_text_that_is_cut_off():
    """What stands before the place where tokens end counts."""
    assert Suppressions("x = f()  # noqa: FW101\ny = (").allows("FW101", 1, 1)


def test_a_comment_at_the_end():
    """It is about nothing."""
    assert not Suppressions("x = 1\n# noqa: FW101\n").allows("FW101", 1, 1)


def test_noqa_on_a_line_of_its_own():
    """It says nothing, as in other linters."""
    assert not Suppressions("# noqa: FW101\nx = f()\n").allows("FW101", 2, 2)
