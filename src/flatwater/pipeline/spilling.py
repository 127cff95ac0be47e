"""A file without a name, for what does not fit into memory: it is gone when it is closed, and when the process is killed.

Covers:     blocks of keys and items, written one behind the other and read back; a full disk.
Not here:   what is written (`pipeline.sorting`, `pipeline.remembering`).
Holds:      one block as bytes, while it is written or read.
"""

from __future__ import annotations

import errno
import marshal
import mmap
import os
import pickle
import tempfile
from typing import Any, Final, final

from flatwater import errors

_HEAD_BYTES = 8  # in front of each block: how long it is
_PLAIN: Final = frozenset({bytes, str, int, float, bool, type(None)})  # that `marshal` gives back as they are
_MARSHAL_VERSION = (
    4  # text that is ASCII as it stands, in a fifth of the time; objects that nobody shares are not looked up
)
_MANY: Final = frozenset({errno.EMFILE, errno.ENFILE})
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@final
class SpillFile:
    """Blocks in a temporary file, which no other process can see. For one thread at a time.

    Args:
        folder: in which it is; "" for that of `tempfile`, which TMPDIR names.
        verb: that needs it, for people.

    Attributes:
        size: bytes that were written.

    Raises:
        UsageError: there is no such folder.
        BrokenError: it cannot be made there.
    """

    def __init__(self, folder: str, verb: str) -> None:
        self.size = 0
        self._verb = verb
        self._folder = os.fsdecode(folder) or tempfile.gettempdir()
        try:
            self._file = tempfile.TemporaryFile(buffering=0, dir=self._folder, prefix="flatwater-")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            if not os.path.isdir(self._folder):
                raise errors.UsageError(
                    f"{verb}: there is no folder {self._folder}.", hint="Make it, or name another: folder=..."
                ) from error
            raise self._failed("made", error) from error

    def fileno(self) -> int:
        """Of the file."""
        return self._file.fileno()

    def write(self, data: bytes | memoryview) -> None:
        """All of it, behind what was written.

        Raises:
            BrokenError: the disk is full, or broken.
        """
        view = memoryview(data)
        try:
            while view:
                done = os.pwrite(self._file.fileno(), view, self.size)
                self.size += done
                view = view[done:]
        except OSError as error:
            raise self._failed("written", error) from error

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes.

        Raises:
            BrokenError: they cannot be read.
        """
        parts: list[bytes] = []
        try:
            while size:
                part = os.pread(self._file.fileno(), size, offset)
                if not part:
                    raise OSError(errno.EIO, "it is shorter than what was written")  # noqa: TRY301 - said as others
                parts.append(part)
                size -= len(part)
                offset += len(part)
        except OSError as error:
            raise self._failed("read", error) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write_block(self, keys: list[Any], items: list[Any]) -> None:
        """Keys and items, which are the same list where the items are their own keys.

        Raises:
            TypeError: an item cannot be pickled.
            BrokenError: as `write`.
        """
        data = packed(keys, items)
        self.write(len(data).to_bytes(_HEAD_BYTES, "little"))
        self.write(data)

    def read_block(self, offset: int) -> tuple[list[Any], list[Any], int]:
        """Keys and items of the block there, and where the next one begins."""
        size = int.from_bytes(self.read(offset, _HEAD_BYTES), "little")
        keys, items = unpacked(self.read(offset + _HEAD_BYTES, size))
        return keys, items, offset + _HEAD_BYTES + size

    def mapped(self) -> mmap.mmap:
        """All of it, to be read; it stays when the file is closed, and is a file that is open.

        Raises:
            BrokenError: it cannot be: too many files are open.
        """
        try:
            return mmap.mmap(self._file.fileno(), self.size, prot=mmap.PROT_READ)
        except OSError as error:
            raise self._failed("mapped", error) from error

    def clear(self) -> None:
        """Give its room on the disk back."""
        self._file.truncate(0)
        self.size = 0

    def close(self) -> None:
        """It is gone."""
        self._file.close()

    def _failed(self, done: str, error: OSError) -> errors.BrokenError:
        hint = "Name another folder."
        if error.errno in _FULL:
            hint = "Name a folder with more room: folder=..., or TMPDIR."
        elif error.errno in _MANY:
            hint = "Raise the limit of open files (ulimit -n), or give it more bytes, which need fewer files."
        return errors.BrokenError(
            f"{self._verb}: the temporary file in {self._folder} could not be {done}: {error.strerror} "
            f"(it has {self.size:,} bytes).",
            hint=hint,
        )


def packed(keys: list[Any], items: list[Any]) -> bytes:
    """Both as bytes; numbers and texts in less than half of the time that a pickle takes.

    Raises:
        TypeError: something in them cannot be pickled; a note says which.
    """
    is_one = keys is items
    if _PLAIN.issuperset(map(type, items)) and (is_one or _PLAIN.issuperset(map(type, keys))):
        return b"m" + marshal.dumps(items if is_one else (keys, items), _MARSHAL_VERSION)
    try:
        return b"p" + pickle.dumps(items if is_one else (keys, items), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        _blame(items if is_one else [*items, *keys], error)
        raise


def unpacked(data: bytes) -> tuple[list[Any], list[Any]]:
    """What `packed` was given."""
    view = memoryview(data)[1:]
    try:  # it is this process's own file, which has no name: nobody else can have written it
        found = marshal.loads(view) if data[:1] == b"m" else pickle.loads(view)  # noqa: S301, S302
    except Exception as error:
        error.add_note(
            "flatwater: sort wrote items that did not fit into its bytes to disk, and their class cannot be read back from its "
            "pickle. Sort what can be, such as tuples of its values, or give it more bytes."
        )
        raise
    return (found, found) if isinstance(found, list) else found


def _blame(values: list[Any], error: Exception) -> None:
    """Say which of them it is."""
    from flatwater.pipeline.policy import shown

    for value in values:
        try:
            pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except Exception:  # noqa: BLE001 - this one
            error.add_note(
                f"flatwater: sort writes what does not fit into its bytes to disk, and {shown(value)} cannot be pickled. "
                "Sort what can be, such as tuples of its values, or give it more bytes."
            )
            return
