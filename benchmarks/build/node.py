"""A fluent build here and with UltraFastBuilder on Node, the library whose documentation this floor answers.

The npm package is put into a folder of the user's cache when the case is run for the first time, never into the tree.
A tiny run installs nothing: where the package is not there yet, it only sees that Node starts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.build.shapes import SlotsUser, StructUser, by_keyword, fluently, reused, timed
from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

PACKAGE, VERSION = "@noony-serverless/type-builder", "1.3.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flatwater-benchmarks" / f"node-{VERSION}"
NEEDS = () if shutil.which("node") and shutil.which("npm") else ("node",)
TINY = 100
FRESH, REUSED, MAKE = "builder, Struct", "builder, Struct, reused", "make, Struct"
INTERFACE = "UltraFastBuilder on Node, interface"
TIMES = 3.0
SCRIPT = """
const { builder } = require(process.argv[1]);
const count = Number(process.argv[2]);
const shapes = {
  interface: () => builder(['id', 'name', 'email', 'age', 'score']),
  class: () => builder(class User { id; name; email; age; score; constructor(data) { Object.assign(this, data || {}); } }),
};
const create = shapes[process.argv[3]]();
function run(count) {
  let last;
  for (let i = 0; i < count; i++)
    last = create().withId(i).withName('John').withEmail('john@example.org').withAge(30).withScore(1.5).build();
  return last;
}
run(20000);
const before = process.cpuUsage();
const last = run(count);
const used = process.cpuUsage(before);
if (last.id !== count - 1 || last.score !== 1.5) throw new Error(JSON.stringify(last));
console.log((used.user + used.system) * 1000 / count);
"""


def times_faster(name: str, outcome: Outcome) -> float:
    """Our share of Node's time: a third is three times as fast."""
    theirs = outcome.figure(INTERFACE, "build_ns")
    return outcome.figure(name, "build_ns") / theirs if theirs else float("nan")  # too few to be timed


case = Case(
    "Five setters and build. Compare the last column: Node's own start and warming up are in the CPU seconds, not in it.",
    size=200_000,
    tiny=TINY,
    per="object",
    unit="us",
    figures={"build_ns": "ns each"},
    bars=(
        Bar("a fluent build of a Struct takes at most a third of UltraFastBuilder's interface mode", 1 / TIMES, "x",
            lambda outcome: times_faster(FRESH, outcome)),
        Bar("the same on one reused builder", 1 / TIMES, "x", lambda outcome: times_faster(REUSED, outcome)),
        Bar("`make` with the same values", 1 / TIMES, "x", lambda outcome: times_faster(MAKE, outcome)),
    ),
)  # fmt: skip


def installed() -> Path:
    """Where the package is; it is fetched if it is not there."""
    folder = CACHE / "node_modules" / PACKAGE
    if not (folder / "package.json").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "package.json").write_text('{"private": true}', "utf-8")
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"{PACKAGE}@{VERSION}"]
        subprocess.run(command, cwd=CACHE, check=True, timeout=120)
    found = json.loads((folder / "package.json").read_text("utf-8"))["version"]
    assert found == VERSION, found
    return folder


def on_node(mode: str, size: int) -> Run:
    """So many builds in one Node process, which says what each took."""
    if size <= TINY and not (CACHE / "node_modules" / PACKAGE).exists():
        return lambda: {"build_ns": float(subprocess.run(["node", "-p", "0"], capture_output=True, check=True).stdout)}
    command = ["node", "-e", SCRIPT, "--", str(installed()), str(size), mode]

    def run() -> dict[str, float]:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return {"build_ns": float(done.stdout)}

    return run


@case.contestant(INTERFACE, needs=NEEDS)
def interface(size: int) -> Run:
    return on_node("interface", size)


@case.contestant("UltraFastBuilder on Node, class", needs=NEEDS)
def with_class(size: int) -> Run:
    return on_node("class", size)


@case.contestant(FRESH)
def fresh(size: int) -> Run:
    from flatwater.build import builder

    return timed(fluently(builder(StructUser).create), size)


@case.contestant(REUSED)
def one_builder(size: int) -> Run:
    from flatwater.build import builder

    return timed(reused(builder(StructUser).create), size)


@case.contestant(MAKE)
def made(size: int) -> Run:
    from flatwater.build import builder

    return timed(by_keyword(builder(StructUser).make), size)


@case.contestant("builder, slots dataclass")
def dataclass(size: int) -> Run:
    from flatwater.build import builder

    return timed(fluently(builder(SlotsUser).create), size)


@case.contestant("builder, dict")
def of_names(size: int) -> Run:
    from flatwater.build import builder

    return timed(fluently(builder(["id", "name", "email", "age", "score"]).create), size)
