"""tour.lab.sessions and its programs: all variants give the same answers; what the write-up says of contexts, tried."""

from __future__ import annotations

import threading

import datafusion
import pyarrow as pa
import pytest

import flatwater as fw
from flatwater.tour.lab import registry
from flatwater.tour.lab.programs import sessions

ROWS = {"user_id": ["ada", "bob"], "body": ["hers", "his"]}
NAME = "x' OR '1'='1"  # of a user


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(sessions, "FIRST", 3)
    monkeypatch.setattr(sessions, "USERS", 4)


def test_all_variants_give_the_same_answer(tmp_path, ended):
    """Ten queries, to users in turn; only a database and a shared context make no more than one context."""
    expected = sum(
        sum(40 * sum(row["cents"] for row in sessions.rows_of(user) if row["kind"] == kind) for kind in range(5))
        for number in range(10)
        for user in [number % 4]
    )
    for steps, contexts in (
        (sessions.kept(10), 10),
        (sessions.dropped(10), 10),
        (sessions.shared(10), 1),
        (sessions.database(str(tmp_path), 10), 1),
    ):
        assert ended(steps) == (["ready", ("all asked", contexts)], expected)
    assert list(tmp_path.iterdir()) != []  # a folder of its own, each time


def test_a_context_shows_its_tables_to_all_who_use_it():
    """Not to a thread or task alone, as the write-up has it: so names must differ, and a name is given once."""
    context = datafusion.SessionContext()
    batch = pa.RecordBatch.from_pydict(ROWS)
    context.register_record_batches("notes", [[batch]])
    seen = []
    thread = threading.Thread(target=lambda: seen.append(context.sql("SELECT count(*) AS n FROM notes").to_pylist()))
    thread.start()
    thread.join()
    assert seen == [[{"n": 2}]]
    with pytest.raises(Exception, match="notes already exists"):
        context.register_record_batches("notes", [[batch]])


def test_a_name_in_the_text_of_a_filter_is_no_fence(tmp_path):
    """The write-up's filter, made of a user's name, gives everybody's rows to one with such a name; a key gives him his own."""
    context = datafusion.SessionContext()
    context.register_record_batches("notes", [[pa.RecordBatch.from_pydict(ROWS)]])
    filtered = context.sql(f"SELECT body FROM notes WHERE user_id = '{NAME}'")
    assert filtered.to_pydict() == {"body": ["hers", "his"]}
    with fw.Database(tmp_path, sync="off") as db:
        db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        for user in ("ada", NAME):
            db.load("notes", [{"id": 1, "body": f"of {user}"}], user=user)
        assert list(db.sql("SELECT body FROM notes", user=NAME)) == [{"body": f"of {NAME}"}]


def test_the_write_ups_figures_stand_beside():
    """50 to 200 MB a second for contexts that are made, kept or not; less than 1 MB for one."""
    (experiment,) = registry.find(["sessions"])
    words = [figure.words for variant in experiment.variants for figure in variant.seed_figures]
    assert words == ["50-200 MB/s at 1,000/s"] * 2 + ["<1 MB total"] * 2
