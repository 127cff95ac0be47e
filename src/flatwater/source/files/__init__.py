"""Files of any size, local or remote, compressed or not: as chunks, as lines, as typed rows.

Covers:     the public names of this part.
Not here:   tables (`source.tables`), documents (`source.documents`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.source.files.bad_rows import BadRow as BadRow
    from flatwater.source.files.bad_rows import Report as Report
    from flatwater.source.files.chunks import FileChunks as FileChunks
    from flatwater.source.files.line_reader import Lines as Lines
    from flatwater.source.files.line_reader import lines as lines
    from flatwater.source.files.record_reader import Records as Records
    from flatwater.source.files.record_reader import records as records

_HOMES = {
    "BadRow": "flatwater.source.files.bad_rows",
    "Report": "flatwater.source.files.bad_rows",
    "FileChunks": "flatwater.source.files.chunks",
    "Lines": "flatwater.source.files.line_reader",
    "lines": "flatwater.source.files.line_reader",
    "Records": "flatwater.source.files.record_reader",
    "records": "flatwater.source.files.record_reader",
}
__all__ = [
    "BadRow",
    "FileChunks",
    "Lines",
    "Records",
    "Report",
    "lines",
    "records",
]

__getattr__, __dir__ = lazy.names("flatwater.source.files", _HOMES)
