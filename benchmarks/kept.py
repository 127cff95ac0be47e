"""Files that benchmarks make once and use again, and the temporary files of a round, which go with it.

All are below one folder of the system's temporary files, whose cleaning removes it; and so does `rm -r`, at any time.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

_SETTING = "FLATWATER_BENCHMARKS_KEPT"  # in a round: where that folder is, as its own TMPDIR is another one
_MODE = 0o711  # a database server of ours that runs as another user opens its own folder below, and sees no other


def _root() -> Path:
    found = Path(os.environ.get(_SETTING) or Path(tempfile.gettempdir(), f"flatwater-benchmarks-{os.getuid()}"))
    found.mkdir(mode=_MODE, exist_ok=True)
    return found


def folder(name: str, version: int = 1) -> Path:
    """Where files of this kind are kept; another version of what is in them is another folder."""
    found = _root() / f"{name}-{version}"
    found.mkdir(exist_ok=True)
    return found


@contextlib.contextmanager
def a_round() -> Iterator[dict[str, str]]:
    """Settings for a process whose temporary files are removed behind it, however it ended.

    They are on the same file system as what is kept: hard links to it work.
    """
    root = _root()
    with tempfile.TemporaryDirectory(prefix="round-", dir=root, ignore_cleanup_errors=True) as temporary:
        os.chmod(temporary, _MODE)
        yield {_SETTING: str(root), "TMPDIR": temporary}
