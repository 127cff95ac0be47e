"""Count the tests by part and by kind, and write the counts to docs/tested.md: `make api`. Nothing is run: pytest only collects.

A count on the page is rounded down to two figures, so that a new test does not make it stale; `stale` says when one is.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "tested.md"
BEGIN, END = "<!-- counts: written by `make api` -->\n", "<!-- end of counts -->"
NUMBER = re.compile(r"(?<=\| )[\d,]+(?= \|)")
GROWN_MAX, GROWN_LEAST = 1.25, 5  # a page that says so much less than there is, is stale
PARTS = {
    "budget": "budget", "meter": "meter", "worker": "worker", "sizing": "sizing", "proof": "proof", "watch": "watch", "lint": "lint",
    "build": "build", "source": "source", "store": "store", "pipeline": "pipeline", "sync": "sync", "ingest": "ingest",
    "live": "live", "adapters": "adapters", "testing": "testing", "tour": "tour", "cli": "cli",
    "proofs": "proofs in fresh processes", "faults": "faults", "models": "models",
    "docs": "pages and their programs", "benchmarks": "benchmarks, at their smallest",
    "examples": "jobs to copy, each below its budget", "servers": "the servers that tests start", "frozen": "pinned costs",
}  # fmt: skip
EXAMPLES, STYLE, HOUSE = (
    "examples in docstrings",
    "style of each file",
    "units, lazy names, the public interface, packages",
)
SERVERS = {  # by the fixtures that start them
    "PostgreSQL": "postgres",
    "MariaDB": "mariadb",
    "Redis": "redis_server",
    "OpenSSH": "sshd",
    "FTP and FTPS (pyftpdlib)": "ftp_server",
    "S3 (rclone)": "rclone",
    "S3 (moto), whose answers can be made to fail": "moto_server",
    "Chromium": "chromium browse",
    "Node.js": "in_node",
}


def counts() -> dict[str, dict[str, int]]:
    """All counts, by table and row."""
    # Imported here: what pytest collects are modules of this process.
    sys.path.insert(0, str(ROOT))
    from benchmarks import page
    from flatwater.lint import rules

    items = _collected()
    parts: dict[str, Counter[str]] = {"quick": Counter(), "slow": Counter()}
    for item in items:
        parts["slow" if _is_slow(item) else "quick"][_part(item)] += 1
    kept = [is_kept for *_promise, is_kept in page.bars()]
    return {
        "all": {"tests": len(items), "quick": parts["quick"].total(), "slow": parts["slow"].total()},
        "quick": dict(parts["quick"]),
        "slow": dict(parts["slow"]),
        "kinds": {name: sum(map(bool, map(counted, items))) for name, (counted, _how) in KINDS.items()},
        "servers": {name: sum(_uses(item, fixture) for item in items) for name, fixture in SERVERS.items()},
        "bars": {"held": sum(kept), "missed": len(kept) - sum(kept)},
        "rules": {"rules": len(rules.RULES)},
    }


def _collected() -> list[pytest.Item]:
    class Collected:
        items: tuple[pytest.Item, ...] = ()

        def pytest_collection_finish(self, session: pytest.Session) -> None:
            self.items = tuple(session.items)

    found, said = Collected(), io.StringIO()
    before = Path.cwd()
    os.chdir(ROOT)
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider"], plugins=[found])
    os.chdir(before)
    if code:
        raise SystemExit(said.getvalue())
    return list(found.items)


def _part(item: pytest.Item) -> str:
    folders = item.path.relative_to(ROOT).parts
    if folders[0] == "src":
        return EXAMPLES
    if not folders[2:]:
        return STYLE if item.path.name == "test_tidy.py" else HOUSE
    return PARTS[folders[1]]


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def _function(item: pytest.Item) -> object:
    return getattr(item, "obj", None) if _part(item) != EXAMPLES else None


def _said(item: pytest.Item) -> str:
    """Name and docstring, which says what is expected."""
    return f"{item.name} {getattr(_function(item), '__doc__', '') or ''}".lower()


def _uses(item: pytest.Item, fixture: str) -> bool:
    """Whether it asks for that server, by itself, through another fixture, or as one of those that it is tried with."""
    given = getattr(item, "callspec", None)
    values = given.params.values() if given else ()
    names = [*getattr(item, "fixturenames", ()), *(value for value in values if isinstance(value, str))]
    return any(name == one or name.startswith(f"{one}_") for name in names for one in fixture.split())


def _is_property(item: pytest.Item) -> bool:
    function = _function(item)
    return bool(getattr(getattr(function, "__func__", function), "is_hypothesis_test", False))


def _is_hostile(item: pytest.Item) -> bool:
    return "hostile" in _said(item) or bool(re.search("hostile|attack", item.path.name))


KINDS: dict[str, tuple[Callable[[pytest.Item], bool], str]] = {
    "property tests": (_is_property, "Hypothesis makes the examples, or the runs of a state machine"),
    "proofs in fresh processes": (
        lambda item: _part(item) == PARTS["proofs"],
        "in `tests/proofs`: growth at five sizes or more, peaks below a kernel limit, charged beside seen",
    ),
    "twins": (
        lambda item: _part(item) == PARTS["proofs"] and "twin" in _said(item),
        "of these, the same work made to leak: the proof must reject it",
    ),
    "faults": (
        lambda item: _part(item) == PARTS["faults"],
        "in `tests/faults`: kills, full and failing disks, cut connections, damaged files, rights",
    ),
    "kills": (
        lambda item: _part(item) == PARTS["faults"] and "kill" in _said(item),
        "of these, processes ended by SIGKILL at a chosen step or at any moment; one test is up to 54 kills",
    ),
    "hostile inputs": (
        _is_hostile,
        "what an attacker or a broken program would send; they say so in file, name or docstring",
    ),
}


def rounded(count: int) -> int:
    """Down to two figures."""
    unit = 10 ** max(len(str(count)) - 2, 0)
    return count // unit * unit


def stale(shown: int, now: int) -> bool:
    """Whether a rounded count on the page is not to be believed any more: it is more than there is, or much less."""
    return not shown <= now <= max(shown * GROWN_MAX, shown + GROWN_LEAST)


def numbers(text: str) -> list[int]:
    """The counts of the page, in order."""
    part = text.partition(BEGIN)[2].partition(END)[0]
    return [int(each.replace(",", "")) for each in NUMBER.findall(part)]


def rendered(found: dict[str, dict[str, int]], *, exact: bool = False) -> str:
    """The part of the page that has the counts."""
    parts = (*PARTS.values(), EXAMPLES, STYLE, HOUSE)
    kept = {"bars of benchmarks that hold": "held", "bars that are missed": "missed"}
    tables: list[tuple[tuple[str, ...], list[tuple[str | int, ...]]]] = [
        (("", "all", "quick", "slow"), [("tests", *found["all"].values())]),
        (
            ("part", "quick", "slow"),
            [(name, found["quick"].get(name, 0), found["slow"].get(name, 0)) for name in parts],
        ),
        (
            ("kind", "tests", "how they are counted"),
            [(name, found["kinds"][name], how) for name, (_, how) in KINDS.items()],
        ),
        (("server or program", "tests that use it"), list(found["servers"].items())),
        (
            ("promises", ""),
            [
                *((name, found["bars"][key]) for name, key in kept.items()),
                (
                    "rules of the linter, each with a page",
                    found["rules"]["rules"],
                ),
            ],
        ),
    ]
    return "\n" + "\n".join(_table(head, rows, exact=exact) for head, rows in tables) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str | int, ...]], *, exact: bool) -> str:
    rules = ["---:" if isinstance(cell, int) else "---" for cell in rows[0]]
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(rules)}|"]
    for row in rows:
        cells = [f"{cell if exact else rounded(cell):,}" if isinstance(cell, int) else cell for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def text(found: dict[str, dict[str, int]]) -> str:
    """The page with these counts; the rest is written by hand."""
    before, begin, rest = TARGET.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit("docs/tested.md has lost the comments between which counts are written")
    return f"{before}{begin}{rendered(found)}{end}{after}"


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(json.dumps(counts(), indent=1))
    else:
        TARGET.write_text(text(counts()), encoding="utf-8")
