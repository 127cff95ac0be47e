"""Iterate over a file in chunks that never exceed a reserved number of bytes.

Covers:     plain and compressed files, local and remote ones, pipes, growing logs; borrowed and owned chunks; ranges.
Not here:   lines (`files.line_reader`), rows (`files.record_reader`), listing remote folders.
Holds:      one chunk, and what its stream needs; see `FileChunks.bytes_max`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, final, overload

from flatwater import errors, limits
from flatwater.source.files.one_pass import Body, OnePass
from flatwater.source.files.place import Mark, Place, known_options
from flatwater.source.files.stream import Stream

if TYPE_CHECKING:
    import threading

Chunk = TypeVar("Chunk", memoryview, bytes)


@final
class FileChunks(OnePass[Chunk]):
    """The bytes of a file, a chunk at a time: an iterator and a context manager, good for one pass.

    A chunk is a `memoryview` that is borrowed until the next turn or `close`: then it is released, and using it raises
    ValueError.
    Whatever else still points into the buffer (a slice of the view, an array over it) keeps that buffer as it is, and
    reading goes on in a new one; `pinned` counts those. `copy=True` gives `bytes` of your own instead.

    A chunk is `size` bytes, less at the end, and less where a pipe or a growing file has no more yet; never empty.
    Compressed files are known by their first bytes, not by their names, and are decoded; `offset`, `length` and
    `position` count decoded bytes. The file is opened on entering or with the first chunk, and closed on leaving, at the
    end, on an error, when the loop is left, and when it is collected (with a ResourceWarning, as files do).

    Args:
        source: a path, a URL (http, https, s3, gs, az and what else fsspec knows), "-" for standard input, an open
            binary file or its descriptor; the last two stay open, and are read from where they stand.
        size: bytes of a chunk, or a text such as "256 KiB".
        copy: give `bytes` instead of borrowed views.
        offset: bytes to pass over; on plain files and servers with ranges they are not read.
        length: bytes at most.
        compression: "auto", "none", "gzip", "zstd", "bz2" or "xz".
        expansion_max: decoded bytes for each compressed one, beyond the first MiB.
        window_max: bytes that the decompressor may need; by default what the file's first header asks for, up to 128 MiB.
        follow: at the end of a local file wait for more, through rotations and truncations (see `notes`), until `close()`
            or `stop`.
        stop: an event that ends the following.
        storage_options: for the library that opens URLs: credentials, an endpoint.

    Raises:
        UsageError: arguments that make no sense, or a folder.
        BrokenError: it is missing or unreadable, became shorter meanwhile, or the connection broke; with the offset.
        CorruptError: compressed data that is broken or cut off; with the offset.
        LimitReached: it expands too much, its decompressor needs too much, or the budget's gate stayed closed.
        BudgetExceeded: `bytes_max()` does not fit into the ambient budget.
        MissingExtra: a library is not installed.

    Memory: see `bytes_max`; it is reserved in the budget around the constructor while it is open. Not thread-safe, but
    `close` may be called from any thread. Can be pickled before it is started, so that a worker reads one of `ranges`.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(b"so many bytes")
    ...     file.flush()
    ...     with FileChunks(file.name, size=5) as chunks:
    ...         print([bytes(chunk) for chunk in chunks], chunks.position)
    [b'so ma', b'ny by', b'tes'] 13
    """

    __slots__ = ("_is_copy", "_run", "_size")

    @overload
    def __init__(
        self: FileChunks[memoryview],
        source: Any,
        size: str | int = ...,
        *,
        copy: Literal[False] = ...,
        offset: str | int = ...,
        length: str | int | None = ...,
        compression: str = ...,
        expansion_max: float = ...,
        window_max: str | int | None = ...,
        follow: bool = ...,
        stop: threading.Event | None = ...,
        storage_options: Mapping[str, Any] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: FileChunks[bytes],
        source: Any,
        size: str | int = ...,
        *,
        copy: Literal[True],
        offset: str | int = ...,
        length: str | int | None = ...,
        compression: str = ...,
        expansion_max: float = ...,
        window_max: str | int | None = ...,
        follow: bool = ...,
        stop: threading.Event | None = ...,
        storage_options: Mapping[str, Any] | None = ...,
    ) -> None: ...
    def __init__(
        self, source: Any, size: str | int = limits.FILES_CHUNK_BYTES, *, copy: bool = False, **options: Any
    ) -> None:
        self._open_books(
            Place(source, **known_options(options)), errors.bytes_of(size, what="size", least=1), is_copy=copy
        )

    def _open_books(self, place: Place, size: int, *, is_copy: bool) -> None:
        if size > limits.FILES_CHUNK_BYTES_MAX:
            raise errors.UsageError(
                f"size={size}: a chunk is at most {limits.FILES_CHUNK_BYTES_MAX} bytes.",
                hint="256 KiB are as fast as larger ones.",
            )
        self._size = size
        self._is_copy = is_copy
        self._run = _Run(Stream(place, "source.file_chunks"), size, is_copy=is_copy)
        super().__init__(self._run)

    @property
    def position(self) -> int:
        """The byte after the chunk that was handed out last: an `offset` to go on from. Counts decoded bytes."""
        return self._run.stream.position

    @property
    def pinned(self) -> int:
        """Buffers that were left to whoever still looked into them after their turn: `size` bytes each, yours."""
        return self._run.pinned

    def since(self, position: Mark) -> FileChunks[Chunk]:
        """Another source of the same bytes, from a `position` or `mark` on."""
        return _made(self._run.stream.place.since(position), self._size, self._is_copy)

    def ranges(self, count: int) -> list[FileChunks[Chunk]]:
        """About `count` sources that together read the same bytes, for parallel workers; they can be pickled.

        Raises:
            UsageError: it is no plain local file.
            BrokenError: it cannot be opened.
        """
        parts: list[FileChunks[Chunk]] = []
        for place in self._run.stream.place.ranges(count):
            part: FileChunks[Chunk] = FileChunks.__new__(FileChunks)
            part._open_books(place, self._size, is_copy=self._is_copy)
            parts.append(part)
        return parts

    @property
    def size(self) -> int:
        """Bytes of a chunk."""
        return self._size

    @property
    def extent(self) -> tuple[int, int]:
        """First byte and length of one of `ranges`; of another source, a length of 0 says no more."""
        place = self._run.stream.place
        return place.offset, place.length or 0

    def part(self, offset: int, length: int) -> FileChunks[Chunk]:
        """These bytes of one of `ranges`."""
        return _made(self._run.stream.place.part(offset=offset, length=length), self._size, self._is_copy)

    def reference(self) -> tuple[str, int, int, int] | None:
        """Path, first byte, bytes in all and bytes of a chunk, if others can read them by that; else None.

        They can in a plain local file that is not compressed, while this source has not begun.
        """
        stream = self._run.stream
        if stream.raw is not None or stream.is_done:
            return None
        try:
            parts = stream.place.ranges(1)
        except errors.FlatwaterError:  # who reads it tells what is wrong with it
            return None
        if not parts:
            return None
        return os.fsdecode(parts[0].target), parts[0].offset, parts[0].length or 0, self._size

    def __reduce__(self) -> tuple[Any, ...]:
        self._refuse_started()
        return _made, (self._run.stream.place, self._size, self._is_copy)


@final
class _Run(Body):
    """One pass over chunks."""

    __slots__ = ("is_copy", "pinned", "size")

    def __init__(self, stream: Stream, size: int, *, is_copy: bool) -> None:
        super().__init__(stream)
        self.size = size
        self.is_copy = is_copy
        self.pinned = 0

    def turns(self) -> Generator[Any, None, None]:
        return _owned(self) if self.is_copy else _borrowed(self)

    def items(self, turns: Generator[Any, None, None]) -> Iterator[Any]:
        return turns

    def bytes_max(self) -> int:
        total = 0
        total += self.size if self.is_copy else self.block_bytes  # the chunk that the caller looks at, or a few of them
        if self.is_copy:
            total += self.size  # the one that is read while the caller still has the last
            if self.stream.raw is None or not hasattr(self.stream.raw, "is_regular"):
                total += self.size  # what a stream other than a plain file is copied from
        total += self.stream.held_bytes  # compressed bytes, the decompressor, what is under way from a server
        return total

    def end_borrowing(self, view: memoryview | None) -> None:
        """The source ends while a view is out: if it was closed, the view's bytes go back to the budget."""
        if self.stream.is_closing and view is not None:
            with contextlib.suppress(BufferError):  # somebody looks into it: that is theirs
                view.release()

    @property
    def block_bytes(self) -> int:
        """Of the buffer that views are handed out of: one chunk, or as many small ones as fit."""
        return self.size * max(1, limits.FILES_BLOCK_BYTES // self.size)


def _borrowed(run: _Run) -> Generator[memoryview, None, None]:
    """Views of one buffer."""
    stream = run.stream
    size = run.size
    view: memoryview | None = None
    try:
        readinto = run.begin().readinto
        buffer = bytearray(run.block_bytes)
        is_one = len(buffer) == size
        while stream.pass_gate() and (count := stream.counted(readinto(buffer))):
            view = whole = memoryview(buffer)
            try:
                if is_one:
                    if count != size:
                        view = whole[:count]
                        whole.release()
                    stream.position += count
                    yield view
                else:
                    # One read for many small chunks: a system call costs more than all else here.
                    for start in range(0, count, size):
                        view = whole[start : start + size] if count - start >= size else whole[start:count]
                        stream.position += len(view)
                        yield view
                        try:
                            view.release()
                        except BufferError:
                            continue  # somebody looks into it: seen again below, when the buffer is to be filled
                    whole.release()
                    view = whole
                view.release()
                # A buffer that somebody still looks into cannot change its length: that is how it is known.
                buffer.append(buffer.pop())
            except BufferError:
                run.pinned += 1
                buffer = bytearray(run.block_bytes)
        if not stream.is_closing:
            stream.check_end()
    except GeneratorExit:
        run.end_borrowing(view)
        run.warn_unclosed()
        raise
    except OSError as error:
        raise stream.failed(error) from error
    finally:
        run.close()


def _owned(run: _Run) -> Generator[bytes, None, None]:
    """Bytes of the caller's own."""
    stream = run.stream
    size = run.size
    chunks_per_look = max(1, limits.FILES_BLOCK_BYTES // size)
    try:
        read = run.begin().read
        follow = stream.place.follow
        chunk = b"-"
        while chunk and stream.pass_gate():
            for _ in range(chunks_per_look):
                chunk = b""  # the last one goes before the next one comes
                chunk = read(size)
                if not chunk:
                    break
                if follow:
                    stream.counted(len(chunk))
                stream.position += len(chunk)
                yield chunk
        if not chunk:
            stream.check_end()
    except GeneratorExit:
        run.warn_unclosed()
        raise
    except OSError as error:
        raise stream.failed(error) from error
    finally:
        run.close()


def _made(place: Place, size: int, is_copy: bool) -> FileChunks[Any]:  # noqa: FBT001 - an argument of pickle's
    chunks: FileChunks[Any] = FileChunks.__new__(FileChunks)
    chunks._open_books(place, size, is_copy=is_copy)  # noqa: SLF001 - its own kind
    return chunks
