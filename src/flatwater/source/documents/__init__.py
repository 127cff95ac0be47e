"""Documents of any size and kind as a stream of pieces of text, whatever is wrong with them.

Covers:     the public names of this part.
Not here:   splitting for a model, embedding (`ingest`); files without text in them (`source.files`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.source.documents.piece import Piece as Piece
    from flatwater.source.documents.piece import Position as Position
    from flatwater.source.documents.reader import DocumentError as DocumentError
    from flatwater.source.documents.reader import Documents as Documents
    from flatwater.source.documents.reader import documents as documents
    from flatwater.source.documents.report import Problem as Problem
    from flatwater.source.documents.report import Report as Report

_HOMES = {
    "DocumentError": "flatwater.source.documents.reader",
    "Documents": "flatwater.source.documents.reader",
    "Piece": "flatwater.source.documents.piece",
    "Position": "flatwater.source.documents.piece",
    "Problem": "flatwater.source.documents.report",
    "Report": "flatwater.source.documents.report",
    "documents": "flatwater.source.documents.reader",
}
__all__ = [
    "DocumentError",
    "Documents",
    "Piece",
    "Position",
    "Problem",
    "Report",
    "documents",
]

__getattr__, __dir__ = lazy.names("flatwater.source.documents", _HOMES)
