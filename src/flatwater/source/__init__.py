"""Where data enters: tables, files, documents, each read in a bounded number of bytes.

Covers:     the public names of this floor.
Not here:   where data rests (`store`) and where it changes (`pipeline`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.source.documents.piece import Piece as Piece
    from flatwater.source.files.chunks import FileChunks as FileChunks
    from flatwater.source.files.line_reader import Lines as Lines
    from flatwater.source.files.line_reader import lines as lines
    from flatwater.source.files.record_reader import Records as Records
    from flatwater.source.files.record_reader import records as records
    from flatwater.source.guard.guarding import page_guard as page_guard
    from flatwater.source.guard.too_large import PageTooLarge as PageTooLarge
    from flatwater.source.tables.creating import Writer as Writer
    from flatwater.source.tables.forms import RowRefused as RowRefused
    from flatwater.source.tables.pages import Page as Page
    from flatwater.source.tables.ranges import Range as Range
    from flatwater.source.tables.readying import Created as Created
    from flatwater.source.tables.readying import NotCreated as NotCreated
    from flatwater.source.tables.table import Table as Table
    from flatwater.source.tables.tokens import TokenRefused as TokenRefused

_HOMES = {
    "Created": "flatwater.source.tables.readying",
    "FileChunks": "flatwater.source.files.chunks",
    "Lines": "flatwater.source.files.line_reader",
    "NotCreated": "flatwater.source.tables.readying",
    "Page": "flatwater.source.tables.pages",
    "PageTooLarge": "flatwater.source.guard.too_large",
    "Piece": "flatwater.source.documents.piece",
    "Range": "flatwater.source.tables.ranges",
    "Records": "flatwater.source.files.record_reader",
    "RowRefused": "flatwater.source.tables.forms",
    "Table": "flatwater.source.tables.table",
    "TokenRefused": "flatwater.source.tables.tokens",
    "Writer": "flatwater.source.tables.creating",
    "lines": "flatwater.source.files.line_reader",
    "page_guard": "flatwater.source.guard.guarding",
    "records": "flatwater.source.files.record_reader",
}
__all__ = [
    "Created",
    "FileChunks",
    "Lines",
    "NotCreated",
    "Page",
    "PageTooLarge",
    "Piece",
    "Range",
    "Records",
    "RowRefused",
    "Table",
    "TokenRefused",
    "Writer",
    "lines",
    "page_guard",
    "records",
]

__getattr__, __dir__ = lazy.names("flatwater.source", _HOMES)
