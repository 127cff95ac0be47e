"""Forms of a result: which one is meant, and its pieces."""

import pytest

from flatwater import limits
from flatwater.live.serving.answers import ARROW, JSON, LINES, form_of, pieces


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("Application/X-NDJSON", LINES),
        ("text/html, application/x-ndjson", LINES),
        ("application/json;q=0.5, application/vnd.apache.arrow.stream", ARROW),
        ("application/x-ndjson;q=0.5, application/json;q=0.5", LINES),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
        ("text/html", None),
        (",;,=", None),
    ],
)
def test_forms(accept, form):
    """The form that is liked best, the first of equals; none where none is known."""
    assert form_of(accept) == form


@pytest.mark.parametrize("form", [JSON, LINES, ARROW])
def test_pieces_are_bounded(database, form):
    """Pieces of a large result have their bound and a row, or a batch."""
    database.load("notes", ({"id": number, "body": "x" * 1_000} for number in range(2_000)), user="ada")
    with database.sql("SELECT * FROM notes", user="ada") as result:
        sizes = [len(piece) for piece in pieces(result, form)]
    most = limits.SERVE_CHUNK_BYTES + 2_000 if form != ARROW else 2 * limits.LIVE_BATCH_BYTES
    assert max(sizes) <= most
    assert sum(sizes) > 2_000_000
