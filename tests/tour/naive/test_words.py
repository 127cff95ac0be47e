"""tour.naive.words: all words in a list."""

from __future__ import annotations

from flatwater.tour.naive import words


def test_it_counts_words(task_of):
    """Of all files, until it has read as much as the step."""
    assert words.run(task_of()) == 500 + 9  # html body p one amp two p body html
    assert words.run(task_of(size=10)) == 500
