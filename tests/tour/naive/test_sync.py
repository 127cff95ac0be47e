"""tour.naive.sync: listings in dicts, files read whole."""

from __future__ import annotations

import os

from flatwater.tour.naive import sync


def test_it_copies_what_the_step_copied(task_of):
    """The tour's own files and the documents, once."""
    task = task_of()
    assert sync.run(task) == 4
    assert sorted(os.listdir(f"{task.folder}/target/0")) == ["table.db", "users.html"]
    assert sorted(os.listdir(f"{task.folder}/target/1")) == ["a.md", "b.html"]
    assert sync.listed(sync.Path(f"{task.folder}/target/0")) == sync.listed(sync.Path(task.made))
