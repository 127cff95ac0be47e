"""Texts and counts of live queries, on disk."""

import os

from flatwater.live.queries import Queries


def test_a_query_from_its_begin_to_its_end(tmp_path):
    """It has its text and its events until it leaves, and nothing is left in the directory at the end."""
    queries = Queries(str(tmp_path))
    queries.enter(7, "ada", "SELECT 1")
    queries.count(7, 3)
    queries.count(7, 2)
    queries.count(8, 2)
    (row,) = queries.rows()
    assert (row["number"], row["user"], row["query"], row["events"]) == (7, "ada", "SELECT 1", 5)
    queries.leave(7)
    assert list(queries.rows()) == []
    queries.close()
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_left_is_removed(tmp_path):
    """A file that stands there from before does no harm."""
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "left").write_text("x")
    queries = Queries(str(tmp_path))
    assert list(queries.rows()) == []
    queries.close()
