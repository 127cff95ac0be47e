"""Read a corpus in one snapshot, whatever a writer does meanwhile.

Covers:     opening the manifest, looking again where what was read is no snapshot or its vectors were replaced.
Not here:   what is read (`searching`, `checking`).
Holds:      one open manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from flatwater import errors
from flatwater.ingest.manifest import Manifest
from flatwater.ingest.vectors import GenerationGone

Found = TypeVar("Found")

_LOOKS: Final = 5  # a writer replaces vectors or settles the manifest once in a run: hardly ever twice during one look


def read(path: str, work: Callable[[Manifest], Found]) -> Found:
    """What `work` finds; it is called again with another snapshot where this one came to nothing.

    A manifest that nobody writes to is read without any lock, so that a read-only directory will do. If it changes
    meanwhile, what was read may be half of the old and half of the new, and is dropped.

    Args:
        path: of the corpus.
        work: reads, and keeps nothing of what it was given.

    Raises:
        CorruptError: a file of it is damaged.
        BrokenError: the system does not let us; it changed during each of some looks.
    """
    for look in range(_LOOKS):
        table = Manifest(path, read_only=True)
        try:
            with table.errors(reads=True):
                table.run("BEGIN")
                found = work(table)
            if not table.is_stale:
                return found
        except GenerationGone:
            if look == _LOOKS - 1:
                raise
        except Exception:  # half of the old and half of the new may look like anything
            if not table.is_stale:
                raise
        finally:
            table.close()
    raise errors.BrokenError(f"{path} changed during each of {_LOOKS} looks.", hint="Try again.")
