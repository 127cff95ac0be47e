"""Engines of SQLAlchemy on each database, filled with the same people; what a program of Django's says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sqlalchemy_models import engine_of

KINDS = ("sqlite", "postgres", "mariadb")
DJANGO_PROGRAM = Path(__file__).with_name("django_tables_program.py")
collect_ignore = [DJANGO_PROGRAM.name]  # it sets Django up, which can be done once in a process


@pytest.fixture(scope="session", params=KINDS)
def engine(request, tmp_path_factory):
    """Each database in turn, for tests that leave it as it is."""
    with engine_of(request.param, tmp_path_factory.mktemp("people"), request) as made:
        yield made


@pytest.fixture(params=KINDS)
def fresh_engine(request, tmp_path):
    """Each database in turn, for tests that change it."""
    with engine_of(request.param, tmp_path, request) as made:
        yield made


@pytest.fixture
def sqlite_engine(request, tmp_path):
    """SQLite alone."""
    with engine_of("sqlite", tmp_path, request) as made:
        yield made


@pytest.fixture
def postgres_engine(request, tmp_path):
    """PostgreSQL alone."""
    with engine_of("postgres", tmp_path, request) as made:
        yield made


def django_says(settings):
    """What the program saw in a database."""
    command = [sys.executable, str(DJANGO_PROGRAM), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def django_sqlite(tmp_path_factory):
    """What it saw in SQLite."""
    path = tmp_path_factory.mktemp("django") / "people.db"
    return django_says({"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)})


@pytest.fixture(scope="session")
def django_postgres(postgres):
    """What it saw in PostgreSQL."""
    with postgres.database() as database:
        return django_says(database.django)
