"""Findings in the code cells of a notebook.

Covers:     nbformat 4 (and the cells of 3), IPython's magics and shell lines, cells in other languages; names that go from cell to cell.
Not here:   rules (`lint.rules`), reading files (`lint.files`).
Holds:      the notebook's text, parsed, and one text of all its code.

Cells are looked at as one text, in their order: what one imports, the next uses. A finding names the cell, counted from 1
over all of the notebook as people see it, and the line in the cell.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from flatwater import limits
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.settings import NOT_LOOKED_AT

PYTHON_MAGICS = frozenset({"capture", "prun", "time", "timeit", "memit"})  # of which the rest of the cell is Python
END = "pass"  # of a cell: a comment at its end, which is about the next line of code, says nothing of the next cell
NOT_HERE = frozenset({"FW303"})  # names of a notebook are meant to stay
INDENT = re.compile(r"[ \t]+")
LINE_MAGIC = re.compile(r"^(?P<indent>\s*)(?:[%!?].*|[/;,]\s*[A-Za-z_][\w.]*(?:\s.*)?|[^#'\"]*\?{1,2}\s*)$")
ASSIGNED_MAGIC = re.compile(r"^(?P<left>\s*[\w.,\s\[\]'\"]+=\s*)[%!].*$")


class Cell(NamedTuple):
    """A cell of Python code.

    Attributes:
        number: in the notebook, from 1 on.
        text: its code, with magics replaced by what takes no memory; as many lines as it had.
    """

    number: int
    text: str


def lint_notebook(data: bytes, path: str) -> list[Finding]:
    """The findings of a notebook's code cells."""
    from flatwater.lint.linter import lint_text
    from flatwater.lint.rules import RULES

    try:
        all_cells = _all(json.loads(data))
        cells = list(_cells(all_cells[: limits.LINT_NOTEBOOK_CELLS_MAX]))
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError) as error:
        return [_not_looked_at(path, 0, f"is no notebook: {type(error).__name__}: {str(error)[:200]}")]
    found: list[Finding] = []
    if len(all_cells) > limits.LINT_NOTEBOOK_CELLS_MAX:
        more = f"has {len(all_cells)} cells, of which the first {limits.LINT_NOTEBOOK_CELLS_MAX} are looked at"
        found.append(_not_looked_at(path, 0, more))
    parts: list[str] = []
    starts: list[int] = []
    numbers: list[int] = []
    line = 1
    for cell in cells:
        if trouble := _trouble(cell.text):
            found.append(_not_looked_at(path, cell.number, f"has a cell that cannot be parsed: {trouble}"))
            continue
        starts.append(line)
        numbers.append(cell.number)
        parts += [cell.text, END]
        line += cell.text.count("\n") + 2
    wanted = [each for each in RULES if each.code not in NOT_HERE]
    for each in lint_text("\n".join(parts), path, wanted, Confidence.MAYBE):
        at = max(bisect_right(starts, each.line) - 1, 0)
        if not starts:
            found.append(each)
            continue
        above = starts[at] - 1
        body_end = max(each.body_end - above, 0)
        found.append(
            replace(each, line=each.line - above, end_line=each.end_line - above, body_end=body_end, cell=numbers[at])
        )
    return sorted(found, key=lambda each: (each.cell, each.line, each.column, each.code))


def _all(notebook: object) -> list[object]:
    """The cells of a notebook in Python, of all kinds."""
    if not isinstance(notebook, dict):
        raise ValueError("it is no JSON object")
    if not _is_python(notebook.get("metadata")):
        return []
    cells = notebook.get("cells")
    if cells is None:  # nbformat 3
        cells = [cell for sheet in notebook.get("worksheets") or [{}] for cell in sheet.get("cells", [])]
    if not isinstance(cells, list):
        raise ValueError("its cells are no list")
    return cells


def _cells(cells: list[object]) -> Iterator[Cell]:
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", cell.get("input", ""))
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        text = _python(re.sub(r"\r\n?", "\n", text))
        if text.strip():
            yield Cell(number, text)


def _is_python(metadata: object) -> bool:
    """Whether the notebook's language is Python, or is not said."""
    said = metadata if isinstance(metadata, dict) else {}
    for part, name in (("language_info", "name"), ("kernelspec", "language")):
        value = said.get(part)
        if isinstance(value, dict) and isinstance(value.get(name), str):
            return bool(value[name].lower() in {"python", "ipython", "python3"})
    return True


def _python(text: str) -> str:
    """A cell's code as Python reads it, with as many lines."""
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if lines[first][2:].split(None, 1)[:1] and lines[first][2:].split(None, 1)[0] not in PYTHON_MAGICS:
            return ""
        lines[first] = "pass"
        text = "\n".join(lines)
    if not _trouble(text):
        return text
    if indent := INDENT.match(lines[first]):  # IPython takes the first line's away from all
        lines = [line.removeprefix(indent[0]) for line in lines]
    return "\n".join(_without_magic(lines))


def _without_magic(lines: list[str]) -> Iterator[str]:
    goes_on = False
    for line in lines:
        if goes_on:
            made = ""
        elif assigned := ASSIGNED_MAGIC.match(line):
            made = f"{assigned['left']}None"
        elif magic := LINE_MAGIC.match(line):
            made = f"{magic['indent']}pass"
        else:
            made = line
        goes_on = (goes_on or made != line) and line.endswith("\\")
        yield made


def _trouble(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno or 1}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or "too deep"
    return ""


def _not_looked_at(path: str, cell: int, why: str) -> Finding:
    return Finding(path, 1, 1, NOT_LOOKED_AT, f"The file {why}.", Confidence.SURE, 1, 1, "", cell=cell)
