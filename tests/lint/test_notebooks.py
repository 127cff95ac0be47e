"""Findings in notebooks."""

from __future__ import annotations

import json

import pytest

from flatwater import limits
from flatwater.lint.finding import Confidence
from flatwater.lint.notebooks import lint_notebook

OPEN = "import sqlite3\ndb = sqlite3.connect('a')\n"
ROWS = "rows = db.execute('SELECT * FROM t').fetchall()\nfor row in rows:\n    print(row)\n"


def code(*lines):
    """A cell as nbformat 4 has it."""
    return {"cell_type": "code", "source": [each + "\n" for each in "\n".join(lines).split("\n")], "outputs": []}


def notebook(*cells, **metadata):
    """The bytes of a file."""
    return json.dumps({"nbformat": 4, "metadata": metadata, "cells": list(cells)}).encode()


def found(data):
    """`(cell, line, column, code)` of what is told by default."""
    told = (each for each in lint_notebook(data, "a.ipynb") if each.confidence >= Confidence.LIKELY)
    return [(each.cell, each.line, each.column, each.code) for each in told]


def test_cells_and_lines():
    """A finding names the cell, counted with those of text, and the line in it; names go from cell to cell."""
    data = notebook(code(OPEN), {"cell_type": "markdown", "source": ["# rows"]}, code("# here", ROWS))
    assert found(data) == [(3, 2, 8, "FW101")]


MAGICS = {
    "a line": "%matplotlib inline",
    "a shell": "!pip install this",
    "help": "db.execute?",
    "help before": "?db",
    "indented": "if db:\n    !ls\n    %time x = 1",
    "assigned": "files = !ls\nhere = %pwd",
    "a timed cell": "%%time\nx = 1",
    "a shell that goes on": "!pip install \\\n    pandas \\\n    numpy",
    "a line magic that goes on": "%run job.py \\\n  --n 3",
    "assigned, and goes on": "files = !ls \\\n  -la",
    "called by a slash": "/print 1",
    "called with its words": "; print 1",
}


@pytest.mark.parametrize("magic", MAGICS.values(), ids=MAGICS)
def test_magics(magic):
    """What only IPython reads is left out, and lines keep their numbers."""
    data = notebook(code(OPEN), code(magic), code(magic, ROWS))
    assert found(data) == [(3, magic.count("\n") + 2, 8, "FW101")]


def test_indented_as_a_whole():
    """IPython takes the first line's indentation away from all."""
    data = notebook(code(OPEN), code(*(f"    {line}" for line in ROWS.splitlines())))
    assert found(data) == [(2, 1, 8, "FW101")]


def test_what_only_looks_like_one():
    """A line of a longer expression that begins with a per cent stays Python."""
    data = notebook(code(OPEN), code("x = (5\n% 3)", ROWS))
    assert found(data) == [(2, 3, 8, "FW101")]


def test_other_languages():
    """A cell in another language is left out, and so is a notebook in one."""
    other = code("%%bash\nfor file in *; do echo $file; done")
    assert found(notebook(other, code(OPEN + ROWS))) == [(2, 3, 8, "FW101")]
    assert found(notebook(code("fn main() {}"), language_info={"name": "rust"})) == []
    assert found(notebook(code("x <- 1"), kernelspec={"language": "R"})) == []


def test_a_cell_that_cannot_be_parsed():
    """It is told, and the others are looked at."""
    data = notebook(code("x = = 1"), code(OPEN + ROWS))
    assert found(data) == [(1, 1, 1, "FW000"), (2, 3, 8, "FW101")]


def test_allowed():
    """Comments count as in other files."""
    data = notebook(code(OPEN), code(ROWS.replace("\n", "  # noqa: FW101\n", 1)))
    assert found(data) == []


def test_allowed_at_the_end_of_a_cell():
    """A comment of its own there says nothing of the next cell."""
    assert found(notebook(code(OPEN), code("x = 1\n# flatwater: allow FW101 — few"), code(ROWS))) == [
        (3, 1, 8, "FW101")
    ]


def test_too_many_cells(monkeypatch):
    """Those behind the bound are told as such, not passed by."""
    monkeypatch.setattr(limits, "LINT_NOTEBOOK_CELLS_MAX", 2)
    (first,) = lint_notebook(notebook(code(OPEN), code("x = 1"), code(ROWS)), "a.ipynb")
    assert (first.code, first.cell) == ("FW000", 0)
    assert first.message == "The file has 3 cells, of which the first 2 are looked at."


def test_what_waits():
    """A cell may wait at its top level."""
    data = notebook(
        code("import asyncpg"),
        code("db = await asyncpg.connect()\nrows = await db.fetch('SELECT * FROM t')\nfor r in rows: print(r)"),
    )
    assert [each[:2] for each in found(data)] == [(2, 2)]


def test_an_older_one():
    """Cells of nbformat 3 are in sheets, and their code is called input."""
    data = json.dumps(
        {"worksheets": [{"cells": [{"cell_type": "code", "input": [OPEN, *ROWS.splitlines(keepends=True)]}]}]}
    )
    assert found(data.encode()) == [(1, 3, 8, "FW101")]


BROKEN = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "no text": b'{"cells": [\xff]}',
    "cells that are no list": b'{"cells": 3}',
    "sheets that are numbers": b'{"worksheets": [3]}',
    "deep": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_notebook(data):
    """It is told as a file that cannot be looked at."""
    (only,) = lint_notebook(data, "a.ipynb")
    assert (only.code, only.line) == ("FW000", 1)
    assert "is no notebook" in only.message


ODD = {
    "cells of other kinds": b'{"cells": [1, null, "x", {"cell_type": 3}, {"cell_type": "code", "source": 5}]}',
    "metadata of another kind": b'{"metadata": [1], "cells": []}',
    "no cells": b"{}",
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_what_has_nothing(data):
    """What is no cell of code is passed by."""
    assert lint_notebook(data, "a.ipynb") == []


def test_names_stay():
    """That a name holds rows for as long as the notebook runs is what names of notebooks are for."""
    assert "FW303" not in [each.code for each in lint_notebook(notebook(code(OPEN + ROWS)), "a.ipynb")]
