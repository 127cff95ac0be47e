"""Bring a store of an older format to this one, in place, whatever kills the process meanwhile.

Covers:     format 1, in which LMDB had keys of up to 511 bytes as they are: since format 2 those beyond 480 go through links.
Not here:   refusing formats that are newer (`store.directory`), links (`engines.long_keys`).
Holds:      a batch of entries; on disk a second file until it takes the place of the first.

A step makes a new file beside the old one, says in it which format it has, and puts it in place all at once. The description
follows. Killed before, the old file is whole; killed between the two, the file itself says that nothing is left to do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from itertools import groupby

from flatwater import errors, limits
from flatwater.store.directory import FORMAT, Description, Directory
from flatwater.store.engines import base

_NOTE = base.SYSTEM + b"\x01format"


def upgrade(directory: Directory) -> None:
    """Do what lies between the store's format and this one. Nothing, for a store of this format.

    Raises:
        BrokenError: another process has it open, or the disk is full; the store is as it was.
    """
    while directory.description.format < FORMAT:
        if directory.read_only:
            raise errors.BrokenError(
                f"{directory.path} has format {directory.description.format}, and this version of flatwater reads {FORMAT}.",
                hint="Open it once for writing, which upgrades it.",
            )
        with directory.exclusive("upgrade it"):
            now = directory.description
            step = _STEPS.get((now.format, now.backend))
            if step is not None:
                step(directory.engine_path)
            directory.describe(Description(format=now.format + 1, backend=now.backend))


def _link_long_keys(path: str) -> None:
    """Format 1 to 2 of LMDB: all entries in a new file, the long keys among them through links."""
    from flatwater.store.engines import lmdb_upkeep
    from flatwater.store.engines.lmdb import LmdbEngine
    from flatwater.store.engines.lmdb_counts import note_key
    from flatwater.store.engines.long_keys import LongKeys

    old = LmdbEngine(path, sync="off")
    made = os.path.join(path, lmdb_upkeep.MAKING)
    try:
        if old.get(_NOTE) is not None:
            return
        shutil.rmtree(made, ignore_errors=True)
        os.mkdir(made)
        lmdb_upkeep.create(made)
        new = LongKeys(LmdbEngine(made, sync="off"))
        try:
            low, high = b"\x00", base.ABOVE
            counts = note_key(b"")  # in front of all of them: the new file counts for itself
            while True:
                page = old.page(
                    low, high, rows=limits.STORE_BATCH_ROWS, bytes_max=limits.STORE_REWRITE_BYTES, reverse=False
                )
                entries = [entry for entry in page.entries if not entry[0].startswith(counts)]
                groups = groupby(entries, lambda entry: entry[0][: base.HEAD_BYTES])
                new.write([(head, list(pairs)) for head, pairs in groups])
                if page.is_last:
                    break
                low = page.entries[-1][0] + b"\x00"
            new.write([(base.SYSTEM, [(_NOTE, b"2")])])
            new.sync()
        finally:
            new.close()
    except BaseException as error:
        shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError):
            raise lmdb_upkeep.broken(error, path, "upgraded") from error
        raise
    finally:
        old.close()
    lmdb_upkeep.put_in_place(made, path)


_STEPS: dict[tuple[int, str], Callable[[str], None]] = {(1, "lmdb"): _link_long_keys}
