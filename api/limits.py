"""Write every default bound with its cost to docs/limits.md, from the comments beside them: `make api`."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from flatwater import limits, units

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "flatwater" / "limits"
TARGET = ROOT / "docs" / "limits.md"
SECTION = re.compile(r"# --- (?P<name>[^-]+?) -+$")
HEAD = """# Limits

Every default bound, by floor, with what it costs or why it is what it is. `flatwater.limits` has them by these names. Nothing is unbounded: a bound that
cannot be named is not a bound. This page is written by `make api` from the comments in `src/flatwater/limits/`.
"""


def text() -> str:
    """The page."""
    parts = [HEAD]
    for path in [SOURCES / "__init__.py", *sorted(each for each in SOURCES.glob("*.py") if each.name != "__init__.py")]:
        title = "" if path.name == "__init__.py" else path.stem
        for name, rows in _sections(path, title):
            table = "\n".join(f"| `{limit}` | {shown} | {why} |" for limit, shown, why in rows)
            parts.append(f"\n## {name}\n\n| limit | value | |\n|---|---|---|\n{table}\n")
    return "".join(parts)


def _sections(path: Path, title: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    comments: dict[int, str] = {}
    heads: dict[int, str] = {}
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type != tokenize.COMMENT:
                continue
            if head := SECTION.match(token.string):
                heads[token.start[0]] = head["name"].strip()
            else:
                comments[token.start[0]] = token.string.lstrip("# ")
    name, rows = title, []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        target = (
            node.targets[0]
            if isinstance(node, ast.Assign)
            else node.target
            if isinstance(node, ast.AnnAssign)
            else None
        )
        if not isinstance(target, ast.Name) or not target.id.isupper() or target.id.startswith("_"):
            continue
        for line in sorted(each for each in heads if each < node.lineno):
            if rows:
                yield name, rows
            name, rows = heads.pop(line), []
        why = comments.get(node.end_lineno or node.lineno, "").partition("noqa")[0].strip(" :#-")
        rows.append((target.id, _shown(target.id), why.replace("|", "\\|")))
    if rows:
        yield name, rows


def _shown(name: str) -> str:
    value = getattr(limits, name)
    if isinstance(value, int) and not isinstance(value, bool) and "BYTES" in name:
        return units.format_bytes(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return f"`{value!r}`".replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
