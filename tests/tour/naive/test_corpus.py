"""tour.naive.corpus: chunks and vectors in lists."""

from __future__ import annotations

import pytest

corpus = pytest.importorskip("flatwater.tour.naive.corpus")


def test_it_makes_documents_searchable(task_of):
    """Those of the roots, until it has as much text as the step."""
    assert corpus.run(task_of()) == 2
    assert corpus.run(task_of(size=10)) == 1
