"""Work on a whole LMDB file: rewriting it in order, checking it, who reads it, and its errors in words.

Covers:     the new file of a compaction and putting it in place, the structure of pages, the table of readers.
Not here:   transactions (`engines.lmdb`), when to compact (`store.compacting`).
Holds:      one page of entries while it rewrites; while it checks, a few bytes for each page of the file.
"""

from __future__ import annotations

import errno
import os
import shutil
from itertools import islice

import lmdb
import lmdb.verify

from flatwater import errors, limits, units

MAKING = "compact.tmp"  # the directory of a compaction at work


def said(error: lmdb.Error, path: str) -> errors.FlatwaterError:
    """An error of LMDB in our words."""
    code = getattr(error, "code", 0) or 0
    if isinstance(error, (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError, lmdb.VersionMismatchError)):
        return errors.CorruptError(f"{path} is damaged, or no LMDB file: {error}.", hint="Restore it from a backup.")
    if isinstance(error, lmdb.BadValsizeError):
        return errors.UsageError(f"a key of this length does not fit into {path}: {error}.")
    if isinstance(error, lmdb.ReadonlyError):
        return errors.UsageError(f"the store {path} is open for reading.", hint="Open it without read_only.")
    if isinstance(error, lmdb.ReadersFullError):
        return errors.LimitReached(
            f"{limits.STORE_READERS_MAX} read transactions of {path} are open at once.",
            what="STORE_READERS_MAX", limit=limits.STORE_READERS_MAX, hint="Use fewer threads, or end those that hang.",
        )  # fmt: skip
    if code in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} or "No space left" in str(error):
        return errors.BrokenError(
            f"the disk of {path} is full: nothing of this transaction was written.", hint="Make room and try again."
        )
    if code in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return errors.BrokenError(f"{path} cannot be opened: {os.strerror(code).lower()}.", hint="Try read_only=True.")
    if "already open" in str(error):
        return errors.UsageError(
            f"{path} is open in this process already.", hint="Share that Store: it is thread-safe."
        )
    if "closed" in str(error):
        return errors.ClosedError(f"the store {path} was closed.", hint="Open it again.")
    return errors.BrokenError(f"{path}: {error}.")


def rewrite(env: lmdb.Environment, path: str) -> str:
    """All entries in their order, in a new file beside the old one; its directory.

    Raises:
        BrokenError: there is no room for it; the old file is as it was.
    """
    made = os.path.join(path, MAKING)
    shutil.rmtree(made, ignore_errors=True)
    info, stat = env.info(), env.stat()
    try:
        os.mkdir(made)
        with (
            env.begin(buffers=True) as source,
            lmdb.open(made, map_size=info["map_size"], sync=False, max_spare_txns=1) as new,
        ):
            turns = iter(source.cursor())
            rows = max(1, limits.STORE_REWRITE_BYTES // max(1, _mean_bytes(stat)))
            while True:
                with new.begin(write=True) as txn:
                    taken, _added = txn.cursor().putmulti(islice(turns, rows), append=True)
                if not taken:
                    break
            new.sync(True)  # noqa: FBT003 - lmdb's signature
    except (lmdb.Error, OSError) as error:
        shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, lmdb.Error):
            raise said(error, path) from error
        raise errors.BrokenError(f"{path} could not be rewritten: {(error.strerror or str(error)).lower()}.") from error
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made


def _mean_bytes(stat: dict[str, int]) -> int:
    pages = stat["leaf_pages"] + stat["overflow_pages"]
    return pages * stat["psize"] // max(1, stat["entries"])


def put_in_place(made: str, path: str) -> None:
    """The file of a compaction instead of the old one, all at once, whatever kills the process."""
    file = os.path.join(path, "data.mdb")
    mode = os.stat(file).st_mode & 0o777
    new = os.path.join(made, "data.mdb")
    os.chmod(new, mode)
    os.replace(new, file)
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    shutil.rmtree(made, ignore_errors=True)


def verify(path: str) -> list[str]:
    """What is wrong with the pages of a file that nobody writes to meanwhile."""
    file = os.path.join(path, "data.mdb")
    try:
        return [str(finding) for finding in lmdb.verify.verify(file, subdir=False)]
    except lmdb.verify.VerifyError as error:
        return [f"{file}: {error}"]
    except OSError as error:
        raise errors.BrokenError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}.") from error


def readers_of(table: str, last: int) -> dict[tuple[int, int], int]:
    """LMDB's table of readers: process and transaction, and how many commits came since."""
    found = {}
    for line in table.splitlines():
        words = line.split()
        if len(words) == 3 and words[0].isdigit() and words[2].isdigit():  # noqa: PLR2004 - process, thread, transaction
            found[int(words[0]), int(words[2])] = max(0, last - int(words[2]))
    return found


def free_bytes(path: str) -> str:
    """How much room the disk has, for people."""
    return units.format_bytes(shutil.disk_usage(path).free)
