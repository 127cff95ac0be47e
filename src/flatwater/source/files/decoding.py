"""Decompress a stream in bounded memory, whatever it expands to.

Covers:     gzip, bz2, xz and zstd, of several members, streams and frames; cut off and broken data; the bounds on
            expansion and on the decompressor's own memory.
Not here:   knowing the kind (`files.opening.compression_of`).
Holds:      compressed bytes, decoded bytes that did not fit, the decompressor's window: see `Decoded.held_bytes`.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Protocol, final

from flatwater import errors, limits, units
from flatwater.source.files.opening import Raw
from flatwater.source.files.zstd_frames import Frames, window_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_GZIP_BYTES = 64 * units.KIB  # zlib's state and its window of 32 KiB
_BZ2_BYTES = 4 * units.MIB  # 100 KiB and four times its block of 900 kB
_SLACK_BYTES = units.MIB  # of xz and zstd, beside the window
_XZ_WINDOW_BYTES = 8 * units.MIB  # of xz -6, where the header does not tell
_XZ_LZMA2 = 0x21
_ZSTD_BLOCK_BYTES = 128 * units.KIB  # of one block, at most


class Codec(Protocol):
    """One member of a compressed file; the interface of `bz2.BZ2Decompressor`."""

    @property
    def eof(self) -> bool:
        """The member is over."""

    @property
    def needs_input(self) -> bool:
        """It can give nothing more without further bytes."""

    @property
    def unused_data(self) -> bytes:
        """Bytes behind the member."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """The next decoded bytes."""


@final
class _Gzip:
    """zlib with the interface of the others; the checksum and the length at the end of a member are checked."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        tail = self._inner.unconsumed_tail
        out = self._inner.decompress(tail + data if data else tail, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(out) < max_length
        return out


class Decoded(Raw):
    """What a compressed stream holds, decoded as it is read."""

    kind = ""

    def __init__(self, inner: Any, name: str, *, expansion_max: float, window_bytes_max: int) -> None:
        super().__init__()
        self.held_bytes = inner.held_bytes
        self.held_bytes += limits.FILES_INPUT_BYTES  # compressed bytes as they are read
        self.held_bytes += limits.FILES_INPUT_BYTES  # those that are not decoded yet
        self.held_bytes += window_bytes_max  # the decompressor
        self._inner = inner
        self._name = name
        self._expansion_max = expansion_max
        self._window_bytes_max = window_bytes_max
        self._taken = 0  # compressed bytes
        self._given = 0  # decoded bytes
        self._failed: Exception | None = None  # told when all that came before it was handed out

    def _take(self) -> bytes:
        """The next compressed bytes; none at the end."""
        data: bytes = self._inner.read(limits.FILES_INPUT_BYTES)
        self._taken += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer: what was decoded before a failure is handed out before it is raised."""
        if self._failed is not None:
            raise self._failed
        before = self._given
        try:
            self._fill(buffer)
        except (errors.FlatwaterError, OSError) as error:
            if self._given == before:
                raise
            self._failed = error
        self._check_expansion()
        return self._given - before

    def _fill(self, buffer: Any) -> None:
        """Decode into the buffer until it is full, and count in `_given`."""
        raise NotImplementedError

    def _check_expansion(self) -> None:
        """Compare what was decoded with what it was decoded from.

        Raises:
            LimitReached: it is too much.
        """
        if self._given > limits.FILES_EXPANSION_FLOOR_BYTES + self._expansion_max * self._taken:
            raise errors.LimitReached(
                f"{self._name} expands to more than {self._expansion_max:g} times its size: {self._taken} bytes of "
                f"{self.kind} were {self._given} bytes so far.",
                what="expansion_max", limit=self._expansion_max,
                hint="If it is no bomb, raise expansion_max; memory stays bounded either way.",
            )  # fmt: skip

    def _corrupt(self, reason: str) -> errors.CorruptError:
        return errors.CorruptError(
            f"{self._name}: {reason}, at about byte {self._taken} of the file, after {self._given} decoded bytes.",
            hint="What came before is right; get the file again.",
        )

    def _cut_off(self) -> errors.FlatwaterError:
        self._inner.check_end()  # a file that became shorter is said to have
        return self._corrupt(f"it ends in the middle of {self.kind} data")

    def _too_large(self) -> errors.LimitReached:
        return errors.LimitReached(
            f"{self._name} needs more than {units.format_bytes(self._window_bytes_max)} to decompress its {self.kind} "
            f"data, at about byte {self._taken}.",
            what="window_max", limit=self._window_bytes_max,
            hint="Raise window_max; the source reserves as much.",
        )  # fmt: skip

    def close(self) -> None:
        """Close the compressed stream."""
        if not self.closed:
            self._inner.close()
        super().close()


@final
class Members(Decoded):
    """gzip, bz2 or xz: one member after the other, with zeros allowed between them."""

    def __init__(self, inner: Any, kind: str, name: str, *, expansion_max: float, window_bytes_max: int) -> None:
        super().__init__(inner, name, expansion_max=expansion_max, window_bytes_max=window_bytes_max)
        self.kind = kind
        self.held_bytes += limits.FILES_INPUT_BYTES  # decoded bytes that did not fit into the caller's buffer
        self._failures = _failures_of(kind)
        self._codec: Codec | None = None
        self._input = b""
        self._left = memoryview(b"")

    def _fill(self, buffer: Any) -> None:
        filled = 0
        wanted = len(buffer)
        while filled < wanted:
            left = self._left
            if not left:
                data = self._more(max(wanted - filled, limits.FILES_INPUT_BYTES))
                if not data:
                    return
                left = memoryview(data)
            count = min(len(left), wanted - filled)
            buffer[filled : filled + count] = left[:count]
            filled += count
            self._given += count
            self._left = left[count:]

    def _more(self, count_max: int) -> bytes:
        """Some decoded bytes; none at the end."""
        while True:
            codec = self._codec or self._next_member()
            if codec is None:
                return b""
            if codec.needs_input and not self._input:
                self._input = self._take()
                if not self._input:
                    raise self._cut_off()
            data, self._input = self._input, b""
            try:
                out = codec.decompress(data, count_max)
            except self._failures as error:
                if "limit" in str(error).lower() and self.kind == "xz":
                    raise self._too_large() from error
                raise self._corrupt(f"its {self.kind} data is broken ({error})") from error
            if codec.eof:
                self._input = codec.unused_data
                self._codec = None
            if out:
                return out

    def _next_member(self) -> Codec | None:
        """The decompressor of the next member; None at the end."""
        while True:
            self._input = self._input.lstrip(b"\0") if self._taken else self._input
            if self._input:
                break
            self._input = self._take()
            if not self._input:
                return None
        self._codec = self._made()
        return self._codec

    def _made(self) -> Codec:
        if self.kind == "gzip":
            return _Gzip()
        if self.kind == "bz2":
            import bz2

            return bz2.BZ2Decompressor()
        import lzma

        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=self._window_bytes_max)


@final
class Zstd(Decoded):
    """zstd: one frame after the other."""

    kind = "zstd"

    def __init__(self, inner: Any, name: str, *, expansion_max: float, window_bytes_max: int) -> None:
        super().__init__(inner, name, expansion_max=expansion_max, window_bytes_max=window_bytes_max)
        try:
            import zstandard
        except ImportError:
            raise errors.MissingExtra("files", "zstandard") from None
        self._error = zstandard.ZstdError
        self._frames = Frames()
        largest = 1 << max(10, (window_bytes_max - _SLACK_BYTES).bit_length() - 1)
        feed: Any = _Feed(self._fed)
        self._reader = zstandard.ZstdDecompressor(max_window_size=max(largest, 1 << 20)).stream_reader(
            feed, read_size=limits.FILES_INPUT_BYTES, read_across_frames=True, closefd=False
        )

    def _fed(self) -> bytes:
        data = self._take()
        self._frames.feed(data)
        return data

    def _fill(self, buffer: Any) -> None:
        filled = 0
        with memoryview(buffer) as view:
            while filled < len(view):
                try:
                    # Of what one call decodes before it fails nothing is known: so no call decodes more than a block.
                    count = self._reader.readinto1(view[filled : filled + _ZSTD_BLOCK_BYTES])
                except self._error as error:
                    if "memory" in str(error).lower() or "too large" in str(error).lower():
                        raise self._too_large() from error
                    raise self._corrupt(f"its zstd data is broken ({error})") from error
                if not count:
                    break
                filled += count
                self._given += count
        if not filled and not self._frames.is_between:
            raise self._cut_off()


@final
class _Feed:
    """What the library reads from."""

    def __init__(self, take: Callable[[], bytes]) -> None:
        self._take = take

    def read(self, _size: int = -1) -> bytes:
        return self._take()


def decoded(raw: Any, kind: str, name: str, *, expansion_max: float, window_max: int | None, first: bytes) -> Decoded:
    """The stream's content.

    Args:
        raw: the compressed bytes.
        kind: of compression.
        name: for errors.
        expansion_max: decoded bytes for each compressed one.
        window_max: bytes that the decompressor may take; None for what the file's first header asks for.
        first: the first bytes of it, which tell what it needs.

    Raises:
        LimitReached: it needs more than `window_max`.
        MissingExtra: zstandard is not installed.
    """
    needed = decoder_bytes(kind, first)
    most = limits.FILES_WINDOW_BYTES_MAX + _SLACK_BYTES if window_max is None else window_max
    if needed > most:
        raise errors.LimitReached(
            f"{name} needs {units.format_bytes(needed)} to decompress its {kind} data.",
            what="window_max", limit=most, hint=f"Pass window_max={units.format_bytes(needed)!r}; the source reserves as much.",
        )  # fmt: skip
    if window_max is not None and kind in {"xz", "zstd"}:
        needed = window_max  # later parts may need more than the first one
    if kind == "zstd":
        return Zstd(raw, name, expansion_max=expansion_max, window_bytes_max=needed)
    return Members(raw, kind, name, expansion_max=expansion_max, window_bytes_max=needed)


def decoder_bytes(kind: str, first: bytes) -> int:
    """What the decompressor takes for a file that begins with `first`."""
    if kind == "gzip":
        return _GZIP_BYTES
    if kind == "bz2":
        return _BZ2_BYTES
    if kind == "zstd":
        # The library keeps a window that is a power of two at least, and blocks of 128 KiB.
        window = window_bytes(first) or 8 * units.MIB
        return (1 << (window - 1).bit_length() if window > units.MIB else units.MIB) + _SLACK_BYTES
    return (xz_window_bytes(first) or _XZ_WINDOW_BYTES) + _SLACK_BYTES


def xz_window_bytes(first: bytes) -> int:
    """The dictionary of the first block of an xz file that begins with `first`; 0 where that cannot be told.

    Source: the .xz file format 1.2.1, sections 3.1 and 5.3.1.
    """
    block = first[12:]  # behind the stream's header
    if len(block) < 2 or not block[0]:  # noqa: PLR2004 - a size and flags; a size of 0 is the index of an empty file
        return 0
    at = 2
    for _ in range((block[1] >> 6 & 1) + (block[1] >> 7 & 1)):  # two sizes that may stand there
        while at < len(block) and block[at] & 0x80:
            at += 1
        at += 1
    if block[1] & 3 or len(block) < at + 3 or block[at] != _XZ_LZMA2:  # other filters come before it
        return 0
    bits = block[at + 2] & 63
    return int((2 | (bits & 1)) << (bits // 2 + 11))


def _failures_of(kind: str) -> tuple[type[Exception], ...]:
    if kind == "gzip":
        return (zlib.error,)
    if kind == "bz2":
        return (OSError, ValueError, EOFError)
    import lzma

    return (lzma.LZMAError, EOFError)
