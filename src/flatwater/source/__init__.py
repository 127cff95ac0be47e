"""Where data enters: tables, files, documents, each read in a bounded number of bytes.

Covers:     the public names of this floor.
Not here:   where data rests (`store`) and where it changes (`pipeline`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.source.files.chunks import FileChunks as FileChunks
    from flatwater.source.files.line_reader import Lines as Lines
    from flatwater.source.files.line_reader import lines as lines
    from flatwater.source.files.record_reader import Records as Records
    from flatwater.source.files.record_reader import records as records

_HOMES = {
    "FileChunks": "flatwater.source.files.chunks",
    "Lines": "flatwater.source.files.line_reader",
    "lines": "flatwater.source.files.line_reader",
    "Records": "flatwater.source.files.record_reader",
    "records": "flatwater.source.files.record_reader",
}
__all__ = [
    "FileChunks",
    "Lines",
    "Records",
    "lines",
    "records",
]

__getattr__, __dir__ = lazy.names("flatwater.source", _HOMES)
