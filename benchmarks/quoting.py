"""Figures of benchmarks that the pages quote: each is marked with where it comes from, and is what the newest result says.

A mark is a comment behind the figure, which a reader of the page does not see:

    costs 1.1 times<!-- bench: files/chunks; FileChunks, 256 KiB / readinto, 256 KiB; cpu --> what a bare loop does

It names the case, the row (or two, for a quotient) and the column of the case's table in docs/benchmarks.md: `cpu`, `wall`, `anon`, `file`, or the
heading of a figure. The figure is compared to the digits that it shows; zeros at the end of a whole number are none. A page may promise
less than was measured, with `; at most` or `; at least` at the end. `python -m benchmarks.page` brings figures up to date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.case import UNITS

from benchmarks import outcome
from flatwater import units

ROOT = Path(__file__).parent.parent
GENERATED = {"benchmarks.md", "limits.md"}
QUOTED = re.compile(
    r"(?P<shown>\d[\d,]*(?:\.\d+)?)(?P<between>[^\d\n|]{0,40})"
    r"<!-- bench: (?P<case>[\w/]+); (?P<rows>[^;]+); (?P<column>[^;]+?)(?:; (?P<bound>at most|at least))? -->"
)
PEAKS = {"anon": "anon_peak_bytes", "file": "file_peak_bytes"}


def pages() -> list[Path]:
    """Where figures may be quoted."""
    return [ROOT / "README.md", *(each for each in sorted((ROOT / "docs").glob("*.md")) if each.name not in GENERATED)]


def refreshed(text: str) -> str:
    """The text, with what the newest results say in place of figures that they do not back."""
    return QUOTED.sub(lambda match: _rounded(match, match["shown"]) + match[0].removeprefix(match["shown"]), text)


def broken(text: str) -> Iterator[str]:
    """Promises that the newest results do not keep."""
    for match in QUOTED.finditer(text):
        shown, value = float(match["shown"].replace(",", "")), _value(match)
        if (match["bound"] == "at most" and value > shown) or (match["bound"] == "at least" and value < shown):
            yield f"{match[0]}: it is {outcome.number(value)}"


def write() -> None:
    """Bring all pages up to date."""
    for path in pages():
        text = path.read_text(encoding="utf-8")
        if (new := refreshed(text)) != text:
            path.write_text(new, encoding="utf-8")


def _rounded(match: re.Match[str], shown: str) -> str:
    """The measured value with as many digits as are shown."""
    if match["bound"]:
        return shown
    whole, _, decimals = shown.replace(",", "").partition(".")
    zeros = 0 if decimals else len(whole) - len(whole.rstrip("0"))
    value = round(_value(match), len(decimals) - zeros)
    return f"{value:{',' if ',' in shown or value >= 10_000 else ''}.{len(decimals)}f}"


def _value(match: re.Match[str]) -> float:
    found = outcome.newest(match["case"])
    if found is None:
        raise ValueError(f"{match[0]}: this case was never measured")
    rows = match["rows"].split(" / ")
    if unknown := [row for row in rows if row not in found.rounds]:
        raise ValueError(f"{match[0]}: no row {unknown[0]!r}, but {', '.join(found.rounds)}")
    if len(rows) == 1:
        return _cell(found, rows[0], match["column"])
    one, other = rows
    if match["column"] == "cpu":
        return found.ratio(one, other)
    return _cell(found, one, match["column"]) / _cell(found, other, match["column"])


def _cell(found: outcome.Outcome, row: str, column: str) -> float:
    if column in {"cpu", "wall"}:
        return found.seconds(row, f"{column}_s") / UNITS[found.case.unit]
    if column in PEAKS:
        return median(each[PEAKS[column]] for each in found.rounds[row]) / units.MIB
    names = {heading: name for name, heading in found.case.figures.items()}
    if column not in names:
        raise ValueError(f"{found.name}: no column {column!r}, but cpu, wall, anon, file, {', '.join(names)}")
    return found.figure(row, names[column])
