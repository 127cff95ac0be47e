from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors
from flatwater.ingest.embedders import answers


@given(st.binary(max_size=200))
def test_any_bytes(content):
    """Whatever a server sends is vectors or an error of the house."""
    with pytest.raises(errors.BrokenError):
        answers.vectors(content, 2, "it")


@given(st.binary(max_size=200))
def test_any_complaint(content):
    """Whatever a server says of a refusal becomes a text."""
    assert isinstance(answers.complaint(content), str)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"error": {"message": "no such model", "code": 3}}', "no such model"),
        (b'{"error": "away"}', "away"),
        (b'{"message": "hello"}', "hello"),
        (b'{"detail": [1]}', "[1]"),
        (b"<p>\nBad\x00 gateway</p>", "<p> Bad gateway</p>"),
        (b"", ""),
    ],
)
def test_complaints(content, told):
    """What a server says is found in the forms that servers use."""
    assert answers.complaint(content) == told


def test_the_bound_grows_with_vectors():
    """Twice as many vectors need at most twice as much."""
    assert answers.bytes_max(64, 384) < answers.bytes_max(128, 384) <= 2 * answers.bytes_max(64, 384)
