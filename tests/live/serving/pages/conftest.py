"""A server of the pages, and a program in Node that uses their module."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[2] / "servers"))

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
    major = int(subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout[1:].split(".")[0])
    if major < 20:
        pytest.skip(f"NODE {major} IS TOO OLD: flatwater.js is not run outside of browsers (install nodejs 22)")
    flags = ["--experimental-websocket", "--harmony-json-parse-with-source", "--no-warnings"] if major < 22 else []
    module = str(resources.files("flatwater.live").joinpath("serving", "pages", "flatwater.js"))
    made = []

    def started(name, url, *arguments):
        command = [NODE, *flags, str(HERE / "scenarios.mjs"), module, name, url, *map(str, arguments)]
        made.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return made[-1]

    yield started
    for process in made:
        process.kill()
        process.communicate()


@pytest.fixture
def run(in_node):
    """A function that runs a scenario to its end: its result."""

    def ran(name, url, *arguments):
        return result(in_node(name, url, *arguments))

    return ran


def result(process):
    out, err = process.communicate(timeout=12)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A browser for all tests of a module."""
    if CHROMIUM is None:
        pytest.skip("NO BROWSER: the console is not looked at (install chromium)")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()
