"""The directory of a corpus: what it is, which version of flatwater can read it, and who writes to it.

Covers:     creating and recognising one, foreign directories and newer formats, the writer's lock.
Not here:   the files in it (`manifest`, `vectors`).
Holds:      one open file while somebody writes: the lock.

    corpus.json       what it is
    corpus.lock       locked by the one who writes
    manifest.sqlite   documents, chunks, words
    vectors/          a directory for each generation of vectors
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from typing import Final

import msgspec

from flatwater import errors, limits
from flatwater.store.directory import full, sync_directory, write_whole

FORMAT: Final = 1
DESCRIPTION: Final = "corpus.json"
LOCK: Final = "corpus.lock"
MANIFEST: Final = "manifest.sqlite"
VECTORS: Final = "vectors"
_OURS = {DESCRIPTION, f"{DESCRIPTION}.tmp", LOCK, MANIFEST, f"{MANIFEST}-wal", f"{MANIFEST}-shm", VECTORS, "lost+found"}


class Description(msgspec.Struct, frozen=True):
    """What `corpus.json` says."""

    format: int = 0
    corpus: str = ""


def path_of(path: str | os.PathLike[str]) -> str:
    """From the root on.

    Raises:
        UsageError: it is no path.
    """
    try:
        return full(path)
    except errors.UsageError:
        raise errors.UsageError(f"{path!r} is no path.", hint="Give the directory of the corpus.") from None


def exists(path: str) -> bool:
    """Whether there is a corpus, of a version that can be read here.

    Raises:
        UsageError: something else is there.
        BrokenError: it is of a newer version, or cannot be looked at.
        CorruptError: its description cannot be read, or its manifest is gone.
    """
    try:
        names = set(os.listdir(path))
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        raise errors.UsageError(f"{path} is a file, and a corpus is a directory.", hint="Give another path.") from None
    except OSError as error:
        raise said(error, path) from error
    if DESCRIPTION not in names:
        if foreign := sorted(names - _OURS):
            raise errors.UsageError(
                f"{path} is no corpus, and has other files in it, such as {foreign[0]!r}.",
                hint="Give a path that does not exist, or an empty directory.",
            )
        return False
    _check(path)
    if MANIFEST not in names:
        raise errors.CorruptError(
            f"{os.path.join(path, MANIFEST)} is gone, and so is what was in the corpus.",
            hint="Restore it from a backup, or remove the directory and ingest again.",
        )
    return True


def _check(path: str) -> None:
    file = os.path.join(path, DESCRIPTION)
    try:
        with open(file, "rb") as stream:
            found = msgspec.json.decode(stream.read(limits.INGEST_DESCRIPTION_BYTES_MAX), type=Description)
    except OSError as error:
        raise said(error, path) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise errors.CorruptError(f"{file} cannot be read: {error}.", hint="Restore it from a backup.") from error
    if found.corpus != "flatwater" or found.format < 1:
        raise errors.UsageError(f"{path} is no corpus of flatwater.", hint=f"Look into {file}.")
    if found.format > FORMAT:
        raise errors.BrokenError(
            f"{path} has format {found.format}, and this version of flatwater knows formats up to {FORMAT}.",
            hint="Upgrade flatwater: pip install --upgrade flatwater.",
        )


def describe(path: str) -> None:
    """Say that this is a corpus; the last step of making one."""
    write_whole(os.path.join(path, DESCRIPTION), msgspec.json.encode(Description(FORMAT, "flatwater")) + b"\n")
    sync_directory(path)


@contextlib.contextmanager
def writing(path: str) -> Iterator[None]:
    """While nobody else writes. The directory is made if it is not there.

    Raises:
        BrokenError: somebody else writes, or the system does not let us.
    """
    try:
        os.makedirs(path, exist_ok=True)
        lock = os.open(os.path.join(path, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise said(error, path) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise errors.BrokenError(
                f"somebody else writes to the corpus {path}.",
                hint="Searching goes on; wait for the other, and try again.",
            ) from None
        yield
    finally:
        os.close(lock)


def said(error: OSError, path: str) -> errors.FlatwaterError:
    """An error of the operating system in our words."""
    reason = (error.strerror or str(error)).lower()
    return errors.BrokenError(f"the corpus {path} cannot be used: {reason}.", hint="Check who owns it, and the disk.")
