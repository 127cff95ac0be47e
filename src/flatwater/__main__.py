"""`python -m flatwater` is the `flatwater` command.

Covers:     that.
Not here:   the commands (`cli`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.cli.main import main

if __name__ == "__main__":
    main()
