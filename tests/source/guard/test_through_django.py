"""Django: whatever evaluates a QuerySet, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flatwater.source.guard.through_django import is_connections


@pytest.fixture(scope="module")
def both(postgres_database, tmp_path_factory):
    """What the program answers, for both databases."""
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path_factory.mktemp("django") / "things.db")}
    databases = {"default": sqlite, "postgres": postgres_database.django}
    program = Path(__file__).with_name("django_program.py")
    done = subprocess.run(
        [sys.executable, program, json.dumps(databases)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=["default", "postgres"])
def answers(request, both):
    return both[request.param]


@pytest.mark.parametrize("query", ["list", "values", "related", "prefetch", "iterator", "raw"])
def test_more_than_a_page_is_cut_off(answers, query):
    """Evaluated in whatever way, the 101st row is refused, and the connection goes on."""
    assert answers[query] == "cut after 101, usable"


def test_a_page_passes(answers):
    """Slices, aggregates and empty results come whole; changing more rows than a page is allowed."""
    assert {name: answers[name] for name in ("page", "none", "exists", "count", "update")} == {
        "page": 100, "none": 0, "exists": 1, "count": 300, "update": 300,
    }  # fmt: skip


def test_the_transaction_is_rolled_back(both):
    """Inside atomic the error leaves the block, as any other; PostgreSQL says that there is no other way."""
    assert both["default"]["atomic"] == "usable, 0"
    assert both["postgres"]["atomic"] == "aborted, 0"


def test_blocks_and_standing_limits(answers):
    """Outside of a block nothing is limited, unless the connections have limits of their own: in every thread."""
    assert answers["unguarded"] == answers["thread"] == answers["export"] == 300
    assert answers["standing"] == answers["standing in a thread"] == "cut after 51, usable"


def test_other_things_are_not_djangos():
    """What has nothing to do with Django is told apart without importing it."""
    assert not is_connections(object())


def test_a_connection_made_inside_of_another_wrapper(answers):
    """The guard stays where a connection is made inside of `execute_wrapper`, and takes nobody else's place."""
    assert answers["wrapped meanwhile"] == ["flatwater"]
