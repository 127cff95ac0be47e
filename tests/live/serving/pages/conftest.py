"""A server of the pages, and a program in Node that uses their module."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[3] / "servers"))

from browser import CHROMIUM, Browser
from standin import Standin

from flatwater.live.database import Database

NODE = shutil.which("node")
USERS = {"ada": ("secret", "user"), "root": ("secret", "dba")}
TABLES = (
    "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT, n INT DEFAULT 0) WITH (TYPE = 'USER')",
    "CREATE TABLE rooms (id TEXT PRIMARY KEY, topic TEXT, size INT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')",
)


@pytest.fixture
def db(tmp_path):
    """With a few tables."""
    with Database(tmp_path / "data", sync="off") as database:
        for statement in TABLES:
            database.sql(statement)
        yield database


@pytest.fixture
def stand_in():
    """A function that starts a stand-in; all end with the test."""
    made = []

    def served(db, port=0, **options):
        made.append(Standin(db, port, users=USERS, **options))
        return made[-1]

    yield served
    for server in made:
        server.close()


@pytest.fixture
def server(db, stand_in):
    """A stand-in of the database."""
    return stand_in(db)


@pytest.fixture
def in_node():
    """A function that starts a scenario in Node: a process whose last line is its result."""
    if NODE is None:
        pytest.skip("NO NODE: flatwater.js is not run outside of browsers (install nodejs 22)")
    major = int(
        subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout[1:].split(".")[0]
    )
    if major < 20:
        pytest.skip(f"NODE {major} IS TOO OLD: flatwater.js is not run outside of browsers (install nodejs 22)")
    flags = ["--experimental-websocket", "--harmony-json-parse-with-source", "--no-warnings"] if major < 22 else []
    module = str(resources.files("flatwater.live").joinpath("serving", "pages", "flatwater.js"))
    made = []

    def started(name, url, *arguments, token=""):
        command = [NODE, *flags, str(Path(__file__).parent / "scenarios.mjs"), module, name, url, *map(str, arguments)]
        made.append(
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "FLATWATER_TOKEN": token},
            )
        )
        return made[-1]

    yield started
    for process in made:
        process.kill()
        process.communicate()


@pytest.fixture
def result():
    """A function that waits for a scenario: what its last line says."""

    def ended(process):
        out, err = process.communicate(timeout=40)
        assert process.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    return ended


@pytest.fixture
def run(in_node, result):
    """A function that runs a scenario to its end: its result."""

    def ran(name, url, *arguments, token=""):
        return result(in_node(name, url, *arguments, token=token))

    return ran


@pytest.fixture(params=["stand-in", "served"])
def either(request, db, stand_in):
    """A function that starts a server of the database, the stand-in or the real one, and a token for ada there."""
    made = []

    def started(port=0, tokens=None):
        if request.param == "stand-in":
            made.append(stand_in(db, port, tokens=tokens))
        else:
            made.append(db.serve(port=port))
        return made[-1], made[-1].token("ada")

    yield started
    for server in made:
        server.close()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A browser for all tests of a module."""
    if CHROMIUM is None:
        pytest.skip("NO BROWSER: the console is not looked at (install chromium)")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()
