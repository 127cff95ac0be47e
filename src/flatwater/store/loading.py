"""Put a dump into a store: line by line, in batches that are all or nothing, and say which line is broken.

Covers:     broken lines, dumps that were cut off or filtered, several dumps in a row, loading again.
Not here:   what a line looks like (`store.dumping`), reading files (`cli.store_dump`).
Holds:      the entries of a batch; see `Loading.bytes_max`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, final
from uuid import UUID

import msgspec

from flatwater import errors, limits, units
from flatwater.budget.budget import Budget
from flatwater.store import keys
from flatwater.store.dumping import BATCH_BYTES, VERSION, Head, Line, decoder
from flatwater.store.keys import Key, Pair

if TYPE_CHECKING:
    from flatwater.store.partition import Partition
    from flatwater.store.store import Store

_ENTRY_BYTES = units.KIB // 2  # heap bytes of an entry beside its key and value, while it waits
_REASON_CHARS_MAX = 200  # of why a line is broken
_NO_LINE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def head_of(line: bytes) -> Head:
    """What the first line of a dump says.

    Raises:
        UsageError: it is no dump.
        BrokenError: it is one of a newer version.
    """
    try:
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise errors.UsageError(
            'this is no dump of a store: its first line is not {"flatwater_dump": 1}.',
            hint="Give what `flatwater store dump` wrote.",
        ) from None
    if head.flatwater_dump != VERSION:
        raise errors.BrokenError(
            f"the dump has version {head.flatwater_dump}, and this version of flatwater knows {VERSION}.",
            hint="Upgrade flatwater: pip install --upgrade flatwater.",
        )
    return head


class DumpBroken(errors.CorruptError):
    """A line of a dump is broken, or lines are missing. What stands in front of it is loaded, nothing behind it."""


class _Broken(Exception):  # noqa: N818 - never seen outside
    """What is wrong with a line."""


class _Incomplete(_Broken):
    """Lines are missing; those that are there are good."""


@final
class Loading:
    """Puts the entries of a dump into a store, in batches, each all or nothing.

    Entries of the store that the dump does not have stay. Loading the same dump again does no harm: it puts the same
    entries.

    Args:
        store: that is open for writing.
        lines: of the dump, with or without their ends.
        rows: of one batch, at most; its bytes are bounded, too.
        is_part: a dump that was filtered is good: its first or last line may be missing, and that one's count be another.

    Attributes:
        entries: that were written.
        line: the number of the last line that was read.
    """

    def __init__(
        self, store: Store, lines: Iterable[bytes], *, rows: int = limits.STORE_COMMIT_ROWS, is_part: bool = False
    ) -> None:
        self.entries = 0
        self.line = 0
        self._store = store
        self._lines = lines
        self._rows = rows
        self._is_part = is_part
        self._budget = Budget.current()
        self._seen = 0  # entries since the first line of this dump
        self._is_first = True  # nothing was read yet
        self._is_open = False  # the first line of a dump was there, its last one not yet
        self._waiting: dict[str, tuple[Partition, list[Pair]]] = {}
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._waiting_since = 0  # the line of the first one

    def bytes_max(self) -> int:
        """The most it holds at once, in bytes, beside the largest entry and the lines it is given; taken from the budget."""
        total = 0
        total += BATCH_BYTES  # entries that wait for their batch to be full
        total += BATCH_BYTES  # the same, as they are written
        return total

    def run(self) -> int:
        """Load everything; how many entries were written.

        Raises:
            UsageError: it is no dump.
            DumpBroken: a line is broken, or the end is missing; names the line. What stands in front of it is loaded.
            BrokenError: the disk is full or broken, or the dump of a newer version.
        """
        with self._budget.reserve(self.bytes_max(), "store.load"):
            try:
                for line in self._lines:
                    self.line += 1
                    if line.strip():
                        self._take(line)
                self._end()
            except _Broken as broken:
                self._write()
                hint = self._told_so_far(is_incomplete=isinstance(broken, _Incomplete))
                raise DumpBroken(f"line {self.line} {broken}.", hint=hint) from broken.__cause__
            except errors.FlatwaterError:  # of whoever reads the lines
                self._write()
                raise
        return self.entries

    def _told_so_far(self, *, is_incomplete: bool = False) -> str:
        entries = f"{self.entries:,} {'entry' if self.entries == 1 else 'entries'}"
        if is_incomplete:
            return f"What came is loaded, {entries}; if the dump was filtered, say so: --partial, is_part=True."
        return f"Loaded: {entries} in front of it, and nothing behind it." if self.entries else "Nothing is loaded."

    def _take(self, line: bytes) -> None:
        is_first, self._is_first = self._is_first, False
        if is_first and not self._is_part:
            head_of(line)
            self._is_open = True
            return
        try:
            found = decoder.decode(line)
        except _NO_LINE as error:
            raise _Broken(f"is broken ({_short(str(error))})") from error
        if found.flatwater_dump is not msgspec.UNSET:
            if self._is_open and not self._is_part:
                raise _Broken("begins a dump inside of another, which was cut off")
            head_of(line)
            self._is_open, self._seen = True, 0
        elif found.flatwater_dump_end is not msgspec.UNSET:
            self._close(found.flatwater_dump_end)
        elif not self._is_open and not self._is_part:
            raise _Broken("stands behind the end of the dump")
        else:
            self._add(found)

    def _close(self, count: int) -> None:
        if count != self._seen and not self._is_part:
            raise _Incomplete(f"says that the dump had {count:,} entries, and {self._seen:,} came: lines are missing")
        self._is_open = False

    def _end(self) -> None:
        if self._is_first and not self._is_part:
            head_of(b"")
        if self._is_open and not self._is_part:
            raise _Incomplete("is the last one, and does not say that the dump ends: it was cut off")
        self._write()

    def _add(self, found: Line) -> None:
        name = found.partition
        if name is msgspec.UNSET:
            raise _Broken("has no partition")
        key, value = _key_of(found.key), _value_of(found)
        try:
            length = len(keys.encode(b"", key))
            if length > limits.STORE_KEY_BYTES_MAX:  # here, where the line is known
                raise _Broken(f"has a key of {length} B, and {limits.STORE_KEY_BYTES_MAX} is the most")
            size = length + len(value) + _ENTRY_BYTES
            partition = self._waiting[name][0] if name in self._waiting else self._store.partition(name)
        except errors.UsageError as error:
            raise _Broken(f"is broken: {error.args[0].rstrip('.')}") from error
        if self._waiting_bytes + size > BATCH_BYTES or self._waiting_rows >= self._rows:
            self._write()
        _partition, pairs = self._waiting.setdefault(name, (partition, []))
        pairs.append((key, value))
        self._waiting_since = self._waiting_since or self.line
        self._waiting_rows += 1
        self._waiting_bytes += size
        self._seen += 1

    def _write(self) -> None:
        """One batch: all or nothing."""
        waiting, self._waiting = self._waiting, {}
        rows, self._waiting_rows, self._waiting_bytes = self._waiting_rows, 0, 0
        first, self._waiting_since = self._waiting_since, 0
        try:
            if rows == 1:  # of any size, as it once was put
                [(partition, [(key, value)])] = waiting.values()
                partition.put(key, value)
            elif rows:
                self._store.write_to(dict(waiting.values()))
        except errors.UsageError as error:  # such as a key that is too long for this store
            raise DumpBroken(
                f"lines {first} to {self.line} cannot be written: {error.args[0]}",
                hint=" ".join(filter(None, (error.hint, self._told_so_far()))),
            ) from error
        self.entries += rows


def _short(reason: str) -> str:
    """A reason in a line, without what a terminal would obey: it may have a name in it that stands in the dump."""
    reason = "".join(letter if letter.isprintable() else "?" for letter in reason[:_REASON_CHARS_MAX])
    return reason.rstrip(".")


def _value_of(found: Line) -> bytes:
    """The value's bytes, whichever form it is in."""
    values: list[bytes] = []
    try:
        if found.value_base64 is not msgspec.UNSET:
            values.append(found.value_base64)
        if found.value is not msgspec.UNSET:
            values.append(bytes(found.value))
            values[-1].decode()
        if found.value_text is not msgspec.UNSET:
            values.append(found.value_text.encode())
        if found.value_msgpack is not msgspec.UNSET:
            values.append(msgspec.msgpack.encode(found.value_msgpack))
    except (UnicodeError, OverflowError, ValueError, TypeError, RecursionError) as error:
        raise _Broken(f"has a value that is none: {_short(str(error))}") from error
    if len(values) != 1:
        raise _Broken("has no value" if not values else "has several values")
    return values[0]


def _key_of(elements: Any) -> Key:
    """The key that `told` told."""
    if not isinstance(elements, list):
        raise _Broken("has no key")
    if set(map(type, elements)) <= {str, int}:
        return tuple(elements)
    return tuple(_element_of(element) for element in elements)


def _element_of(element: Any) -> Any:
    if not isinstance(element, dict):
        return element
    if len(element) == 1:
        [(name, text)] = element.items()
        decode = _TAGS.get(name)
        if decode is not None and isinstance(text, str):
            try:
                return decode(text)
            except ValueError as error:
                raise _Broken(f"has {text!r:.80} in its key, which is no {name}: {error}") from error
    raise _Broken(f"has {element!r:.80} in its key; such an object has one of the names {', '.join(_TAGS)}, and a text")


def _surrogates(text: str) -> str:
    return _from_base64(text).decode("utf-8", "surrogatepass")


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_TAGS: dict[str, Callable[[str], Any]] = {
    "bytes": _from_base64,
    "datetime": datetime.fromisoformat,
    "float": float,  # "inf", "-inf"
    "surrogates": _surrogates,  # a text that is no valid Unicode
    "uuid": UUID,
}
