"""`python -m flatwater` is the `flatwater` command.

Covers:     that.
Not here:   the commands (`cli`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.cli.entry import entry

if __name__ == "__main__":
    entry()
