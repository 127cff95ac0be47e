"""source.documents.piece: records, and places that survive JSON and pickle."""

from __future__ import annotations

import json
import pickle

import pytest

from flatwater import errors
from flatwater.source.documents.piece import Piece, Position, position_of

PLACE = Position(1, "docs/\udce9.pdf", 7, 120, 4096, 17)


def test_a_position_survives_json_and_pickle():
    """What is read back is the same place, also where the path is no valid text."""
    assert position_of(json.loads(json.dumps(PLACE))) == PLACE
    assert position_of(pickle.loads(pickle.dumps(PLACE))) == PLACE


@pytest.mark.parametrize(
    "value",
    [
        [],
        "x",
        7,
        {"page": 1},
        [0, 1, 2, 3, 4, 5],
        [0, "a", "1", 0, 0, 0],
        [-1, "a", 0, 0, 0, 0],
        [0, "a", True, 0, 0, 0],
    ],
)
def test_what_is_no_position_is_refused(value):
    """Anything else is a mistake, and says what to pass."""
    with pytest.raises(errors.UsageError, match="position"):
        position_of(value)


def test_a_piece_names_its_fields():
    """A piece is a tuple with names."""
    piece = Piece("a.txt", 0, 3, 7, "text")
    assert (piece.source, piece.page, piece.start, piece.stop, piece.text) == tuple(piece)
