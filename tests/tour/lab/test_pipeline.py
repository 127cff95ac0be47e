"""tour.lab.pipeline and its programs: all variants do the same work."""

from __future__ import annotations

import tracemalloc

import pytest

from flatwater.tour.lab.programs import pipeline


@pytest.mark.parametrize("size", [0, 1, 1024, 5_000])
def test_lists_and_generators_agree(tmp_path, size):
    """Both read, clean and embed the same chunks."""
    path = tmp_path / "file"
    path.write_bytes(bytes(index % 251 for index in range(size)))
    assert pipeline.with_lists(str(path), 1024) == pipeline.with_generators(str(path), 1024)


def test_cleaning_cleans():
    """Other white space becomes spaces, and nothing else changes."""
    assert pipeline.clean(b"a\tb\r\nc\v\f\xff") == b"a b \nc  \xff"


def test_lists_hold_the_file_twice(tmp_path):
    """What was read and what was cleaned, and little for the numbers: the sentence of the experiment."""
    size = 1_000_000
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    tracemalloc.start()
    try:
        pipeline.with_lists(str(path), 1024)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 2 * size < peak < 2.2 * size
