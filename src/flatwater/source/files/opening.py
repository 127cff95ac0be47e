"""Open whatever a place names as one stream of bytes, and tell what is wrong with it in words.

Covers:     paths, standard input, descriptors, file objects; compression by content; starting at an offset.
Not here:   URLs (`files.remote`), decompressors (`files.decoding`), growing files (`files.following`).
Holds:      the first bytes of what cannot be read twice, and a buffer to pass over bytes.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits, units
from flatwater.source.files.place import STANDARD_INPUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from flatwater.source.files.place import Place

MAGIC_BYTES = 48  # enough to know each kind, and what its decompressor needs
_BZ2_BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")  # a block, or the end of an empty file
_ZSTD_SKIPPABLE_FIRST, _ZSTD_SKIPPABLE_REST = range(0x50, 0x60), b"\x2a\x4d\x18"  # a frame that carries no data
_MAGICS = (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")


class Raw(io.RawIOBase):
    """Bytes in order: `readinto` fills a buffer as far as it can and returns 0 at the end.

    Attributes:
        held_bytes: what it holds at most beside the caller's buffer.
    """

    held_bytes = 0

    def check_end(self) -> None:
        """Called at the end.

        Raises:
            BrokenError: it is not the end that it ought to be.
        """

    def readable(self) -> bool:
        """It is."""
        return True


@final
class LocalFile(io.FileIO):
    """A file of this machine, without a buffer: `readinto` is the system call.

    Attributes:
        notes: what was seen of it that its reader should know.
    """

    held_bytes = 0

    def __init__(self, file: Any, name: str, *, closefd: bool = True) -> None:
        super().__init__(file, "rb", closefd=closefd)
        self.shown = name
        self.notes: list[str] = []
        found = os.fstat(self.fileno())
        self.is_regular = stat.S_ISREG(found.st_mode)
        self.size_bytes = found.st_size
        self._modified_ns = found.st_mtime_ns

    def check_end(self) -> None:
        """Compare the end with what the file was when it was opened.

        Raises:
            BrokenError: it has become shorter meanwhile.
        """
        if not self.is_regular:
            return
        position = self.tell()
        found = os.fstat(self.fileno())
        if position < self.size_bytes and not (
            # A file of /sys says 4096 bytes and has fewer.
            found.st_size == self.size_bytes and found.st_mtime_ns == self._modified_ns and not found.st_blocks
        ):
            raise errors.BrokenError(
                f"{self.shown} became shorter while it was read: it had {self.size_bytes} bytes, and ends at byte "
                f"{min(position, found.st_size)} now; reading had come to byte {position}.",
                hint="What was read so far is of the old file; read it again when nobody writes it.",
            )
        if not found.st_nlink:
            self.notes.append(f"{self.shown} was deleted while it was read; all {position} bytes of it were read.")
        elif found.st_mtime_ns != self._modified_ns:
            self.notes.append(f"{self.shown} was written while it was read, to byte {position}.")


@final
class Borrowed(Raw):
    """A binary file object of the caller's, which stays the caller's: it is never closed."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        if getattr(file, "closed", False) is True:
            raise errors.UsageError(
                f"{_shown(file)} is closed already.", hint="Open it, and read it before it is closed."
            )
        if isinstance(file, io.IOBase) and file.writable() and not file.readable():
            raise errors.UsageError(f"{_shown(file)} is not open for reading.", hint="Open it with mode 'rb'.")
        self._file = file
        # A buffered reader's readinto() waits until the buffer is full; readinto1() hands out what a pipe has.
        self._into: Callable[[Any], int | None] | None = getattr(file, "readinto1", None) or getattr(
            file, "readinto", None
        )
        self._left = b""
        self.held_bytes = 0 if self._into else limits.FILES_CHUNK_BYTES
        self._start = file.tell() if self._into and isinstance(file, io.IOBase) and file.seekable() else -1

    def seekable(self) -> bool:
        """As of the object."""
        return self._start >= 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of the object; places count from where it stood."""
        found: int = self._file.seek(offset + self._start if whence == os.SEEK_SET else offset, whence)
        return found - self._start

    def tell(self) -> int:
        """As of the object."""
        found: int = self._file.tell()
        return found - self._start

    def readinto(self, buffer: Any) -> int:
        """As of the object."""
        if self._into is not None:
            while (count := self._into(buffer)) is None:  # not blocking, and nothing there
                import select

                select.select([self._file], [], [])
            return count
        if not self._left:
            data = self._file.read(min(len(buffer), limits.FILES_CHUNK_BYTES))
            if not isinstance(data, bytes | bytearray | memoryview):
                raise errors.UsageError(
                    f"the file object gives {type(data).__name__}, and chunks are bytes.",
                    hint="Open it in binary mode.",
                )
            self._left = bytes(data)
        count = min(len(self._left), len(buffer))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


@final
class Peeked(Raw):
    """A stream whose first bytes were looked at already."""

    def __init__(self, first: bytes, inner: Any) -> None:
        super().__init__()
        self._first = first
        self._inner = inner
        self.held_bytes = inner.held_bytes

    def readinto(self, buffer: Any) -> int:
        """First the bytes that were looked at."""
        if self._first:
            count = min(len(self._first), len(buffer))
            buffer[:count] = self._first[:count]
            self._first = self._first[count:]
            return count
        count = self._inner.readinto(buffer)
        return int(count)

    def check_end(self) -> None:
        """As of the stream."""
        self._inner.check_end()

    def close(self) -> None:
        """Close the stream."""
        if not self.closed:
            self._inner.close()
        super().close()


@final
class Limited(Raw):
    """The next so many bytes of a stream."""

    def __init__(self, inner: Any, length: int) -> None:
        super().__init__()
        self._inner = inner
        self._left = length
        self.held_bytes = inner.held_bytes

    def readinto(self, buffer: Any) -> int:
        """Up to the length."""
        left = self._left
        if not left:
            return 0
        count: int = self._inner.readinto(memoryview(buffer)[:left] if len(buffer) > left else buffer)
        self._left = left - count
        return count

    def check_end(self) -> None:
        """As of the stream, where its end was reached before the length was."""
        if self._left:
            self._inner.check_end()

    def close(self) -> None:
        """Close the stream."""
        if not self.closed:
            self._inner.close()
        super().close()


def open_raw(place: Place) -> Any:
    """The bytes of a place: a `Raw` or a `LocalFile`, at its offset, for its length.

    Raises:
        UsageError: a folder, or an object that cannot be read.
        BrokenError: it is missing, or cannot be opened.
        MissingExtra: a library is not installed.
    """
    raw = _opened(place)
    try:
        return _inside(place, raw)
    except BaseException:
        raw.close()
        raise


def _opened(place: Place) -> Any:
    """The bytes as they are stored, from the start; remote and followed files from where they are to be read."""
    target = place.target
    if place.follow:
        from flatwater.source.files.following import Following

        return Following(target, place.name, start=place.offset, stop=place.stop, identity=place.identity)
    if place.is_url:
        from flatwater.source.files.remote import open_remote

        return open_remote(place)
    if target == STANDARD_INPUT:
        if sys.stdin is None:  # descriptor 0 is closed, or is some other file by now
            raise errors.BrokenError("standard input is closed.", hint="Give this program a file or a pipe to read.")
        buffered = getattr(sys.stdin, "buffer", None)  # what somebody read ahead from it is in there
        return Borrowed(buffered) if buffered is not None else LocalFile(0, place.name, closefd=False)
    if not isinstance(target, str | bytes | int):
        return Borrowed(target)
    try:
        return LocalFile(target, place.name, closefd=not isinstance(target, int))
    except OSError as error:
        raise not_opened(place.name, error) from error


def _inside(place: Place, raw: Any) -> Any:
    """Decompressed, at the offset, for the length."""
    if place.follow:
        return raw
    if place.size_expected >= 0 and isinstance(raw, LocalFile) and raw.size_bytes < place.size_expected:
        raise errors.BrokenError(
            f"{place.name} has become shorter since it was split: it had {place.size_expected} bytes, and has "
            f"{raw.size_bytes} now.",
            hint="Split it again.",
        )
    kind = place.compression
    if kind == "auto":
        raw, first = _peeked(raw)
        kind = compression_of(first)
    else:
        first = b""
    if kind != "none":
        from flatwater.source.files.decoding import decoded

        if not first:
            raw, first = _peeked(raw)
        raw = decoded(
            raw, kind, place.name, expansion_max=place.expansion_max, window_max=place.window_max, first=first
        )
    _pass_over(raw, place)
    return raw if place.length is None else Limited(raw, place.length)


def _peeked(raw: Any) -> tuple[Any, bytes]:
    """The stream, and its first bytes."""
    if raw.seekable() and (not isinstance(raw, LocalFile) or raw.is_regular):
        start = raw.tell()
        first = raw.read(MAGIC_BYTES)
        raw.seek(start)
        return raw, first
    head = b""
    buffer = bytearray(MAGIC_BYTES)
    # Whoever writes into a pipe may take its time: it is waited for only while what came may be a magic number.
    while len(head) < MAGIC_BYTES and may_be_compressed(head):
        part = memoryview(buffer)[: MAGIC_BYTES - len(head)]
        count = raw.readinto(part)
        if not count:
            break
        head += bytes(part[:count])
    return Peeked(head, raw), head


def may_be_compressed(first: bytes) -> bool:
    """Whether bytes begin, or may yet begin, like a compressed file.

    >>> may_be_compressed(b""), may_be_compressed(b"BZ"), may_be_compressed(b"id")
    (True, True, False)
    """
    if any(magic.startswith(first) or first.startswith(magic) for magic in _MAGICS):
        return True
    return first[0] in _ZSTD_SKIPPABLE_FIRST and _ZSTD_SKIPPABLE_REST.startswith(first[1:4])


def compression_of(first: bytes) -> str:
    r"""The kind of compression that a file's first bytes show; "none" if they show none.

    >>> compression_of(b"\x1f\x8b\x08 and so on"), compression_of(b"BZh90 is a name"), compression_of(b"id,name")
    ('gzip', 'none', 'none')
    """
    if first[:3] == b"\x1f\x8b\x08":
        return "gzip"
    if first[:4] == b"\x28\xb5\x2f\xfd" or (first[1:4] == _ZSTD_SKIPPABLE_REST and first[0] in _ZSTD_SKIPPABLE_FIRST):
        return "zstd"
    if first[:6] == b"\xfd7zXZ\x00":
        return "xz"
    if (
        first[:3] == b"BZh"
        and first[3:4] in b"123456789"
        and any(
            # Three bytes of a block are enough in a file that was cut off there.
            len(first) > 6 and block.startswith(first[4:10])  # noqa: PLR2004 - as said
            for block in _BZ2_BLOCKS
        )
    ):
        return "bz2"
    return "none"


def _pass_over(raw: Any, place: Place) -> None:
    """Go to the offset: by seeking where that is possible, else by reading."""
    offset = place.offset
    if not offset or (place.is_url and place.compression == "none"):  # asked of the server
        return
    if isinstance(raw, LocalFile) and raw.is_regular:
        start = raw.tell()
        if start + offset > raw.size_bytes and raw.size_bytes:  # a file of /proc says 0 and has more
            raise errors.BrokenError(
                f"{place.name} ends at byte {raw.size_bytes - start}, before the offset {offset}.",
                hint="An offset is at most the size.",
            )
        raw.seek(start + offset)
        return
    buffer = bytearray(min(offset, limits.FILES_CHUNK_BYTES))
    left = offset
    while left:
        with memoryview(buffer) as view:
            count = raw.readinto(view[:left])
        if not count:
            raw.check_end()
            raise errors.BrokenError(
                f"{place.name} ends at byte {offset - left}, before the offset {offset}.",
                hint="An offset is at most the size; of a compressed file, that of what is in it.",
            )
        left -= count


def not_opened(name: str, error: OSError) -> errors.FlatwaterError:
    """What to tell of a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        where = "" if os.path.isabs(name) else f" Relative paths start from {_folder()}."
        if name.startswith("~"):
            where += " A ~ is a part of the name here: os.path.expanduser() makes a path of it."
        return errors.BrokenError(f"{name} does not exist.", hint=f"Look at the path.{where}")
    if isinstance(error, IsADirectoryError):
        return errors.UsageError(f"{name} is a folder.", hint="Name a file in it.")
    if isinstance(error, PermissionError):
        return errors.BrokenError(
            f"{name} may not be read by this user.",
            hint=f"Have somebody allow it; this process runs as user {_user()}.",
        )
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return errors.BrokenError(
            f"{name} cannot be opened: too many files are open.", hint="Close some, or raise `ulimit -n`."
        )
    return errors.BrokenError(f"{name} cannot be opened: {error.strerror or error}.")


def not_read(name: str, position: int, error: OSError) -> errors.BrokenError:
    """What to tell of a read that failed."""
    at = f"at byte {position} ({units.format_bytes(position)})"
    if isinstance(error, IsADirectoryError):
        return errors.BrokenError(f"{name} is a folder.", hint="Name a file in it.")
    if error.errno == getattr(errno, "ESTALE", -1):
        return errors.BrokenError(f"{name} vanished from its server while it was read, {at}.")
    return errors.BrokenError(
        f"{name} could not be read {at}: {error.strerror or error}.",
        hint="What came before is right; start again at that offset.",
    )


def _shown(file: Any) -> str:
    name = getattr(file, "name", None)
    return repr(name) if isinstance(name, str) and name else f"the {type(file).__name__}"


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "a folder that was deleted"


def _user() -> str:
    return str(os.geteuid()) if hasattr(os, "geteuid") else "unknown"
