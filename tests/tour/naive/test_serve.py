"""tour.naive.serve: a queue for each connection."""

from __future__ import annotations

import pytest

serve = pytest.importorskip("flatwater.tour.naive.serve")


def test_everybody_is_given_all_changes(task_of):
    """The step's own subscribers follow it: each gets an event for each row written, changed and deleted, and the end."""
    assert serve.run(task_of(connections=5, written=100)) == 5 * (100 + 33 + 10 + 1)
