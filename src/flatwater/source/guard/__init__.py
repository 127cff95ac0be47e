"""Cut a query off before its rows are in memory, when it would return more than a page.

Covers:     the public names of the guard.
Not here:   reading a large table whole, in a bounded number of bytes (`source.tables`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.source.guard.guarding import page_guard as page_guard
    from flatwater.source.guard.page import Page as Page
    from flatwater.source.guard.too_large import PageTooLarge as PageTooLarge

_HOMES = {
    "Page": "flatwater.source.guard.page",
    "PageTooLarge": "flatwater.source.guard.too_large",
    "page_guard": "flatwater.source.guard.guarding",
}
__all__ = ["Page", "PageTooLarge", "page_guard"]

__getattr__, __dir__ = lazy.names("flatwater.source.guard", _HOMES)
