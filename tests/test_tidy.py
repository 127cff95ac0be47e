"""Style is a test: sizes, headers, twins, leftovers, and what must not stand in a public tree."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "flatwater"
LINES_MAX = 450
TWINLESS = {"__init__.py", "__main__.py", "errors.py"}  # names only, or exercised by every test


def tracked(*patterns):
    """Files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout: what is tracked is not known")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def sources():
    return sorted(path for path in SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_says_what_it_is(path):
    """Each module opens with one sentence, what it covers, what not, and what it holds."""
    header = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    first = header.split("\n\n")[0]
    assert first.endswith((".", "!"))
    for part in ("Covers:", "Not here:", "Holds:"):
        assert f"\n{part}" in header, f"{part} is missing in the header"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_is_one_noun(path):
    """No source file is longer than 450 lines."""
    assert len(path.read_text("utf-8").splitlines()) <= LINES_MAX


def test_every_source_file_has_its_twin():
    """src/flatwater/<floor>/<file>.py is tested by tests/<floor>/test_<file>.py."""
    missing = []
    for path in sources():
        relative = path.relative_to(SOURCE)
        if path.name in TWINLESS or {"hook", "limits"} & set(relative.parts):
            continue
        folder = ROOT / "tests" / relative.parent
        if not (folder / f"test_{path.stem}.py").exists() and not list(ROOT.glob(f"tests/**/test_{path.stem}.py")):
            missing.append(str(relative))
    assert missing == []


def test_nothing_is_left_over():
    """No note to self stands in code that is called done."""
    leftover = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
    found = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py", "*.md", "*.toml", "*.j2")
        if leftover.search(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_machine_is_named():
    """Neither a path of one machine nor a package index stands in the tree."""
    banned = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "/ho" + r"me/\w", "file:/" + "//", r"index-" + "url"]))
    allowed = {"Makefile"}  # switches the index's address off in lock files
    found = []
    for path in tracked():
        if path.name in allowed or path.suffix in {".png", ".gz"} or path == Path(__file__):
            continue
        found += [
            f"{path.relative_to(ROOT)}: {match[0]}" for match in banned.finditer(path.read_text("utf-8", "replace"))
        ]
    assert found == []


def test_every_limit_says_what_it_costs():
    """Each named limit has a comment on its line, and is used."""
    text = "".join(path.read_text("utf-8") for path in (SOURCE / "limits").glob("*.py"))
    names = re.findall(r"^([A-Z][A-Z0-9_]+) = .*$", text, re.MULTILINE)
    bare = [line for line in text.splitlines() if re.match(r"[A-Z][A-Z0-9_]+ = ", line) and "#" not in line]
    assert bare == []
    everything = "\n".join(path.read_text("utf-8") for path in sources() if path.parent.name != "limits")
    assert [name for name in names if name not in everything] == []


def test_public_names_are_documented():
    """Every public name and every command is in docs/reference.md."""
    import flatwater
    from flatwater.cli.main import COMMANDS

    reference = (ROOT / "docs" / "reference.md").read_text("utf-8")
    names = [name for name in flatwater.__all__ if name != "__version__"]
    assert [name for name in names if f"`fw.{name}" not in reference] == []
    assert [name for name in COMMANDS if f"`flatwater {name}" not in reference] == []


def test_public_names_exist():
    """Each name the package promises can be imported, and dir() shows exactly them."""
    import flatwater

    assert dir(flatwater) == sorted(flatwater.__all__)
    for name in flatwater.__all__:
        assert getattr(flatwater, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = flatwater.nothing
