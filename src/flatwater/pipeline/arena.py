"""Objects on their way between two processes: pickled, with large buffers beside the pickle in shared memory.

Covers:     putting a list there and taking it out again, on either side; giving back what a large one took.
Not here:   who talks to whom (`pipeline.processes`, `pipeline.serving`).
Holds:      `limits.FLOW_ARENA_BYTES` of shared memory between two lists; while one is on its way, as much as it needs.

The memory is a file without a name, written and read by offset. It is not mapped: what one side does to it cannot end the
other one, an item of any size fits, and it is never a part of what a process has resident.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pickle import PickleBuffer
from typing import Any, NamedTuple, Self, final

from flatwater import errors, limits

_APART_BYTES_MIN = 4_096  # a buffer that is smaller is part of the pickle
_STREAM_BYTES_MAX = 32_768  # a pickle that is larger goes through the memory, too
_STANDARD_FDS = 3
_BUFFERS = frozenset({bytes, bytearray, memoryview})
_MAIN = b"__main__"


class Message(NamedTuple):
    """What is said about a list that stands in the memory.

    Attributes:
        stream: its pickle; empty if that stands behind the buffers.
        stream_bytes: of the pickle there.
        buffers: for each one its bytes, and whether they may not be changed.
    """

    stream: bytes
    stream_bytes: int
    buffers: list[tuple[int, bool]]

    @property
    def bytes_used(self) -> int:
        """Of the memory."""
        return self.stream_bytes + sum(size for size, _is_readonly in self.buffers)


@final
class Arena:
    """Shared memory that one process writes and another one reads, in turn.

    Args:
        descriptor: of the memory, in this process.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def made(cls) -> Self:
        """New memory.

        Raises:
            OSError: the system has none.
        """
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("flatwater", os.MFD_CLOEXEC)
        else:
            import tempfile

            descriptor, path = tempfile.mkstemp(prefix="flatwater-")
            os.unlink(path)
        if descriptor < _STANDARD_FDS:  # those are replaced in a child
            import fcntl

            below, descriptor = descriptor, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _STANDARD_FDS)
            os.close(below)
        return cls(descriptor)

    def put(self, items: list[Any]) -> Message:
        """Write them, over what was there.

        Raises:
            Exception: what an object raises that cannot be pickled.
        """
        if not _BUFFERS.isdisjoint(map(type, items)):
            items = [_apart(item) for item in items]
        stream, buffers = _pickled(items)
        offset = 0
        sizes: list[tuple[int, bool]] = []
        for buffer in buffers:
            with buffer.raw() as view:
                sizes.append((view.nbytes, view.readonly))
                offset = self._write(view, offset)
            buffer.release()
        if len(stream) <= _STREAM_BYTES_MAX:
            return Message(stream, 0, sizes)
        self._write(memoryview(stream), offset)
        return Message(b"", len(stream), sizes)

    def take(self, message: Message) -> Any:
        """What was put. Bytes come as bytes; what may be changed comes as it was, in memory of its own.

        Raises:
            BrokenError: the memory is shorter than it was.
            Exception: what an object raises that cannot be unpickled here.
        """
        stream = message.stream
        if message.stream_bytes:
            stream = self._read(message.stream_bytes, message.bytes_used - message.stream_bytes, is_readonly=True)
        return pickle.loads(stream, buffers=self._buffers(message))  # noqa: S301 - our own other side's

    def trim(self, used: int) -> None:
        """Give back what a list of so many bytes took beyond what is kept."""
        if used > limits.FLOW_ARENA_BYTES:
            os.ftruncate(self.descriptor, limits.FLOW_ARENA_BYTES)

    def close(self) -> None:
        """Give all of it back, as far as this side is concerned."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _buffers(self, message: Message) -> Iterator[bytes | bytearray]:
        offset = 0
        for size, is_readonly in message.buffers:
            yield self._read(size, offset, is_readonly=is_readonly)
            offset += size

    def _write(self, view: memoryview, offset: int) -> int:
        while view:
            count = os.pwrite(self.descriptor, view, offset)
            view, offset = view[count:], offset + count
        return offset

    def _read(self, size: int, offset: int, *, is_readonly: bool) -> Any:
        if is_readonly:
            data = os.pread(self.descriptor, size, offset)
            if len(data) == size:
                return data
        buffer = bytearray(size)
        view = memoryview(buffer)
        while view:
            count = os.preadv(self.descriptor, [view], offset)
            if not count:
                raise errors.BrokenError("shared memory became shorter while it was used.", hint="Run it again.")
            view, offset = view[count:], offset + count
        return bytes(buffer) if is_readonly else buffer


def _apart(item: Any) -> Any:
    """An item that is a buffer, so that its bytes are not pickled; any other as it is."""
    kind = type(item)
    if kind is bytes or kind is bytearray:
        return PickleBuffer(item) if len(item) >= _APART_BYTES_MIN else item
    if kind is memoryview:
        return PickleBuffer(item) if item.contiguous else bytes(item)
    return item


def _pickled(items: list[Any]) -> tuple[bytes, list[PickleBuffer]]:
    """A pickle and what stands beside it; by value what belongs to this program alone: its main module, its functions."""
    buffers: list[PickleBuffer] = []

    def is_within(buffer: PickleBuffer) -> bool:
        if memoryview(buffer).nbytes < _APART_BYTES_MIN:
            return True
        buffers.append(buffer)
        return False

    try:
        stream = pickle.dumps(items, pickle.HIGHEST_PROTOCOL, buffer_callback=is_within)
        if _MAIN not in stream:
            return stream, buffers
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001, S110 - the next one may do better, and its error is the one to tell
        pass
    import cloudpickle

    buffers.clear()
    return cloudpickle.dumps(items, pickle.HIGHEST_PROTOCOL, buffer_callback=is_within), buffers
