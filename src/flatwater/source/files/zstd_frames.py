"""Follow the frames of a zstd file from block to block, to know whether it ends where it may.

Covers:     frame and block headers, skippable frames, checksums; the window that the first frame needs.
Not here:   decompressing (`files.decoding`): the library does not tell of a file that was cut off.
Holds:      one header.

Source: RFC 8878, sections 3.1.1 and 3.1.2.
"""

from __future__ import annotations

from typing import final

_MAGIC = 0xFD2FB528
_SKIPPABLE_FIRST, _SKIPPABLE_LAST = 0x184D2A50, 0x184D2A5F
_BLOCK_HEADER_BYTES = 3
_RLE = 1  # a block of one byte that is repeated


@final
class Frames:
    """Fed with all bytes of a file; `is_between` tells whether a file may end here."""

    def __init__(self) -> None:
        self._head = b""  # of a header that is not complete yet
        self._skip = 0  # bytes until the next header
        self._in_frame = False
        self._has_checksum = False
        self._is_last = False

    @property
    def is_between(self) -> bool:
        """No frame is open."""
        return not self._in_frame and not self._head and not self._skip

    def feed(self, data: bytes) -> None:
        """Follow `data`. What is no zstd is not judged here: the decompressor refuses it."""
        position = 0
        end = len(data)
        while position < end:
            if self._skip:
                step = min(self._skip, end - position)
                self._skip -= step
                position += step
                if not self._skip and self._is_last:
                    self._is_last = self._in_frame = False
                continue
            needed = _BLOCK_HEADER_BYTES if self._in_frame else header_bytes(self._head)
            part = data[position : position + needed - len(self._head)]
            position += len(part)
            self._head += part
            if self._in_frame:
                if len(self._head) == _BLOCK_HEADER_BYTES:
                    self._block()
            elif len(self._head) == header_bytes(self._head):
                self._frame()

    def _block(self) -> None:
        header = int.from_bytes(self._head, "little")
        self._head = b""
        size = 1 if (header >> 1) & 3 == _RLE else header >> 3
        self._is_last = bool(header & 1)
        self._skip = size + (4 if self._is_last and self._has_checksum else 0)
        if self._is_last and not self._skip:
            self._is_last = self._in_frame = False

    def _frame(self) -> None:
        magic = int.from_bytes(self._head[:4], "little")
        if _SKIPPABLE_FIRST <= magic <= _SKIPPABLE_LAST:
            self._skip = int.from_bytes(self._head[4:8], "little")
        else:
            self._in_frame = True
            self._has_checksum = bool(self._head[4] & 4)
        self._head = b""


def header_bytes(head: bytes) -> int:
    """How long the header is that begins with `head`, as far as that can be told; at least one more than is known."""
    if len(head) < 5:  # noqa: PLR2004 - the magic number and the descriptor
        return 5
    if int.from_bytes(head[:4], "little") != _MAGIC:
        return 8  # a skippable frame: magic and length
    descriptor = head[4]
    is_single = bool(descriptor & 0x20)
    content = (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    return 5 + (not is_single) + (0, 1, 2, 4)[descriptor & 3] + content


def window_bytes(head: bytes) -> int:
    """The window that a frame needs, by its header; 0 where that cannot be told.

    >>> window_bytes(bytes.fromhex("28b52ffd0058"))
    2097152
    """
    if len(head) < 6 or int.from_bytes(head[:4], "little") != _MAGIC:  # noqa: PLR2004 - magic, descriptor, window
        return 0
    descriptor = head[4]
    if descriptor & 0x20:  # one segment: the window is the content
        start = 5 + (0, 1, 2, 4)[descriptor & 3]
        size_bytes = (1, 2, 4, 8)[descriptor >> 6]
        if len(head) < start + size_bytes:
            return 0
        return int.from_bytes(head[start : start + size_bytes], "little") + (256 if size_bytes == 2 else 0)  # noqa: PLR2004 - by the RFC
    base = 1 << (10 + (head[5] >> 3))
    return base + base // 8 * (head[5] & 7)
