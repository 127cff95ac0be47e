"""Read a URL from any place in it: one request for each part that is asked for.

Covers:     what is read from its end (Parquet): http and https with ranges, s3, gs and az, what else fsspec can seek in.
Not here:   reading from the start on (`files.remote`), formats (`files.parquet_rows`).
Holds:      one part as it comes, see `Sought.held_bytes`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.source.files.opening import MAGIC_BYTES, Raw, compression_of
from flatwater.source.files.place import public_url
from flatwater.source.files.remote import failure, harmless, http_files, object_store, other_files, reached

if TYPE_CHECKING:
    from flatwater.source.files.place import Place


@final
class Sought(Raw):
    """The bytes of a URL, in any order.

    Args:
        url: with all its secrets; it is never shown.
        name: what is shown instead.
        size: of the whole, in bytes.
        take: gives the bytes from a place on, so many of them.
        leave: closes the connection.

    Attributes:
        buffer_bytes: worth asking for at once: a request takes as long as reading so many.
    """

    buffer_bytes = limits.FILES_CHUNK_BYTES
    held_bytes = 2 * limits.FILES_REMOTE_BYTES  # a part on its way, in pieces and put together

    def __init__(
        self, url: str, name: str, size: int, take: Callable[[int, int], Any], leave: Callable[[], None]
    ) -> None:
        super().__init__()
        self._url = url
        self._name = name
        self._size = size
        self._take = take
        self._leave = leave
        self._at = 0

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; nothing is asked for yet."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        """The place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """The bytes at the place: one request for at most `limits.FILES_REMOTE_BYTES`."""
        count = max(0, min(len(buffer), limits.FILES_REMOTE_BYTES, self._size - self._at))
        if not count:
            return 0
        try:
            data = memoryview(self._take(self._at, count)).cast("B")
        except Exception as error:  # noqa: BLE001 - the libraries have no error in common
            raise failure(self._url, self._name, error, self._at) from harmless(self._url, error)
        if len(data) != count:
            raise errors.BrokenError(
                f"{self._name}: {count} bytes from byte {self._at} on were asked for, and {len(data)} came.",
                hint="Perhaps it was written meanwhile: read it again.",
            )
        buffer[:count] = data
        self._at += count
        return count

    def readall(self) -> bytes:
        """Refused: what reads all of it does not mean to.

        Raises:
            UsageError: always.
        """
        raise errors.UsageError(f"{self._name} is read in parts.")

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            with contextlib.suppress(Exception):  # it may be gone already
                self._leave()
        super().close()


def open_sought(place: Place) -> Sought:
    """The bytes of a place's URL, in any order.

    Raises:
        BrokenError: it is missing, refused, or its server cannot be reached.
        UsageError: its server knows no ranges, or it is compressed.
        MissingExtra: the library for it is not installed.
    """
    name = place.name
    size, take, leave = reached(place, _object, _http, _other)
    sought = Sought(place.target, name, size, take, leave)
    try:
        kind = place.compression
        if kind == "auto":
            kind = compression_of(sought.read(MAGIC_BYTES) or b"")
            sought.seek(0)
        if kind != "none":
            raise errors.UsageError(  # noqa: TRY301 - the connection is closed below, whatever is raised
                f"{name} is {kind} data, in which no place can be sought.",
                hint="Copy it to a local file first, uncompressed.",
            )
    except BaseException:
        sought.close()
        raise
    return sought


Parts = tuple[int, Callable[[int, int], Any], Callable[[], None]]


def _object(url: str, options: dict[str, Any]) -> Parts:
    """An object of a store: each part is of the version that was there at first."""
    import obstore

    store, key = object_store(url, options)
    found = obstore.head(store, key)
    same = {"if_match": found["e_tag"]} if found.get("e_tag") else {}

    def take(start: int, count: int) -> Any:
        options: Any = {"range": (start, start + count), **same}
        return obstore.get(store, key, options=options).bytes()

    return int(found["size"]), take, lambda: None


def _http(url: str, options: dict[str, Any]) -> Parts:
    headers = {"Accept-Encoding": "identity"}  # the bytes as they are stored: a place counts those
    files = http_files(url, options)
    with files.open(url, "rb", block_size=0, size=1, headers={**headers, "Range": "bytes=0-0"}) as first:
        part, _, size = first.r.headers.get("Content-Range", "").partition("/")
    if part != "bytes 0-0" or not size.isdecimal():
        raise errors.UsageError(
            f"Parquet is read from its end, and the server of {public_url(url)} knows no ranges.",
            hint="Copy it to a local file first.",
        )
    file = files.open(
        url, "rb", block_size=limits.FILES_REMOTE_BYTES, size=int(size), cache_type="none", headers=headers
    )
    return int(size), _taking(file), file.close


def _other(url: str, options: dict[str, Any]) -> Parts:
    files, path = other_files(url, options)
    file = files.open(path, "rb", block_size=limits.FILES_REMOTE_BYTES, cache_type="none")
    return int(file.seek(0, os.SEEK_END)), _taking(file), file.close


def _taking(file: Any) -> Callable[[int, int], Any]:
    def take(start: int, count: int) -> Any:
        file.seek(start)
        return file.read(count)

    return take
