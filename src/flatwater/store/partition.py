"""Entries under one name: get, put, delete, write, and walk over them while they change.

Covers:     one partition's methods, and the store's own, whose entries are a partition, too.
Not here:   opening (`store.store`), the walk (`store.batches`), changing every entry (`store.updating`).
Holds:      nothing of the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple, NoReturn

from flatwater import errors, limits
from flatwater.store import keys, updating
from flatwater.store.batches import Batches
from flatwater.store.engines import base
from flatwater.store.keys import Key
from flatwater.store.space import Space, check_key, check_size
from flatwater.store.values import Values


class Range(NamedTuple):
    """Keys from `start` on, up to and without `stop`; None is open. Good for `batches(start=..., stop=...)`."""

    start: Key | None
    stop: Key | None


class Partition:
    """Ordered entries under one name. All partitions of a store share its files and its memory. Thread-safe.

    Keys are tuples of str, bytes, int, float, bool, None, UUID and datetime. They sort element by element, a key in front
    of those that continue it; elements of several types sort as None, bool, int, float, str, bytes, naive datetime, aware
    datetime, UUID. 1, 1.0 and True are three keys. Values are bytes, unless a type was named.
    """

    DELETE = updating.DELETE

    def __init__(self, space: Space, name: str, values: Values) -> None:
        self._space = space
        self.name = name
        self._values = values
        self._head: bytes | None = None

    # --- one entry ----------------------------------------------------------------------------------------------------

    def get(self, key: Key, default: Any = None) -> Any:
        """The value of `key`, or `default`.

        Raises:
            UsageError: `key` is no key.
            CorruptError: its value is not of the partition's type.
        """
        head = self._head
        if head is None and (head := self._find_head()) is None:
            keys.encode(b"", key)  # refuses what is no key
            return default
        stored = self._space.engine.get(keys.encode(head, key))
        if stored is None:
            return default
        return stored if self._values.decoder is None else self._values.decode(stored, key)

    def __contains__(self, key: Key) -> bool:
        missing = object()
        return self.get(key, missing) is not missing

    def put(self, key: Key, value: Any) -> None:
        """Write one entry, in place of what stood there.

        Raises:
            UsageError: `key` is no key, or `value` not of the partition's type.
            BrokenError: the disk is full or broken; nothing was written.
        """
        raw = keys.encode(b"", key)  # refuses before the partition is made
        check_key(len(raw))
        stored = self._values.encode(value)
        head = self._head or self._made_head()
        self._space.write([(head, [(head + raw, stored)])], len(raw) + len(stored))

    def delete(self, key: Key) -> None:
        """Delete one entry; if it is not there, nothing happens."""
        head = self._head or self._find_head()
        raw = keys.encode(head or b"", key)
        if head is not None:
            self._space.write([(head, [(raw, None)])], len(raw))

    # --- several ------------------------------------------------------------------------------------------------------

    def get_many(self, wanted: Iterable[Key]) -> list[Any]:
        """The values of several keys, in their order, all of one moment; None for those that are not there.

        Faster than one by one: one transaction, and keys in order cost less than others. Holds the values.
        """
        wanted = list(wanted)
        head = self._head or self._find_head()
        raw = keys.encode_many(head or b"", wanted)
        if head is None:
            return [None] * len(raw)
        stored = self._space.engine.get_many(raw)
        if self._values.is_raw:
            return stored
        decode = self._values.decode
        return [None if each is None else decode(each, key) for key, each in zip(wanted, stored, strict=True)]

    def write(self, pairs: Iterable[tuple[Key, Any]] | Mapping[Key, Any]) -> None:
        """Put and delete several entries: all of them or, whatever happens, none.

        Args:
            pairs: keys and values; the value None deletes. Of several for one key, the last one holds.

        Raises:
            UsageError: a key or value is none; or they are more than limits.STORE_WRITE_BYTES_MAX in all.
            BudgetExceeded: the transaction does not fit into the budget.
            BrokenError: the disk is full or broken; nothing was written.
        """
        group, size = self.encoded(pairs)
        group = self.placed(group)
        if group[1]:
            self._space.write([group], size)

    def encoded(self, pairs: Iterable[tuple[Key, Any]] | Mapping[Key, Any]) -> tuple[base.Group, int]:
        """`pairs` as bytes, for `placed`, and how many bytes. Refuses what is wrong before any partition is made."""
        try:
            turns = iter(pairs.items() if isinstance(pairs, Mapping) else pairs)
        except TypeError:
            raise _no_pairs() from None
        front = self._head or b""
        raw: list[bytes] = []
        stored: list[bytes | None] = []
        size = 0
        while part := list(islice(turns, limits.STORE_COMMIT_ROWS)):
            try:
                wanted = [key for key, _value in part]
                values = [value for _key, value in part]
            except (TypeError, ValueError):
                raise _no_pairs() from None
            new_keys, new_values = keys.encode_many(front, wanted), self._values.encode_many(values)
            lengths = list(map(len, new_keys))
            size += sum(lengths) + sum(map(len, filter(None, new_values)))
            check_key(max(lengths) - len(front))
            check_size(size)
            raw += new_keys
            stored += new_values
        return (front, list(zip(raw, stored, strict=True))), size

    def placed(self, group: base.Group) -> base.Group:
        """`group` behind the head of this partition, which is made now if it has none; empty if there is nothing to do."""
        front, pairs = group
        if front:
            return group
        head = self._find_head()
        if head is None:
            if not any(stored is not None for _key, stored in pairs):
                return base.SYSTEM, []  # nothing to be written, and nothing that could be deleted
            head = self._made_head()
        return head, [(head + key, stored) for key, stored in pairs]

    # --- walks --------------------------------------------------------------------------------------------------------

    def batches(
        self,
        prefix: Key = (),
        *,
        bytes: str | int = limits.STORE_BATCH_BYTES,  # noqa: A002 - what it bounds
        rows: int = limits.STORE_BATCH_ROWS,
        start: Key | None = None,
        stop: Key | None = None,
        reverse: bool = False,
    ) -> Batches:
        """Walk over the entries in the order of their keys: lists of (key, value), each read in a transaction of its own.

        Others write meanwhile, and so may you: nothing waits, and nothing is held between two batches. An entry that is
        there all the time comes once; one that is written or deleted during the walk comes if it is there when the walk
        passes.

        Args:
            prefix: only keys that begin with these elements.
            bytes: heap bytes of one batch; one entry that is larger comes alone.
            rows: entries of one batch, at most.
            start: the first key, whether it exists or not.
            stop: the key behind the last one, whether it exists or not.
            reverse: from the last key to the first.

        Returns:
            An iterator, an async iterator and a context manager. Its `resume_key` goes on in another walk, or after a
            restart: `batches(start=resume_key)`, in reverse `batches(stop=resume_key, reverse=True)`.

        Raises:
            UsageError: an argument is out of range.
            BudgetExceeded: at the first batch, if two batches do not fit into the budget.
        """
        return Batches(
            self._space, self._bounds(prefix, start, stop), self._values,
            name=f"store.batches {self.name}", batch_bytes=errors.bytes_of(bytes, what="bytes", least=1),
            rows=errors.count_of(rows, what="rows", most=limits.STORE_BATCH_ROWS_MAX), reverse=reverse,
        )  # fmt: skip

    def _bounds(self, prefix: Key, start: Key | None, stop: Key | None) -> Callable[[], tuple[bytes, bytes] | None]:
        """Where a walk begins and ends, asked for when it starts; None if there is no such partition."""
        if prefix != ():
            keys.encode(b"", prefix)  # refuses what is no key, before the walk
        for key in (start, stop):
            if key is not None and key != ():
                keys.encode(b"", key)

        def bounds() -> tuple[bytes, bytes] | None:
            head = self._head or self._find_head()
            if head is None:
                return None
            low, high = keys.prefix_range(head, prefix)
            if start:
                low = max(low, keys.encode(head, start))
            if stop is not None:
                high = min(high, keys.encode(head, stop) if stop else head)
            return low, high

        return bounds

    def ranges(self, count: int, prefix: Key = ()) -> list[Range]:
        """Divide the entries into `count` ranges of about the same number, for walks side by side.

        Walks over all keys once, and reads no values. Fewer ranges come back where there are fewer entries. Together they have every key, also those that come later.
        """
        errors.count_of(count, what="count", most=limits.STORE_RANGES_MAX)
        bounds = self._bounds(prefix, None, None)()
        borders: list[Key] = []
        if bounds is not None and count > 1:
            borders = [keys.decode(key, base.HEAD_BYTES) for key in self._space.engine.borders(*bounds, count)]
        return [Range(start, stop) for start, stop in zip([None, *borders], [*borders, None], strict=True)]

    def update_each(
        self,
        function: Callable[[Key, Any], Any],
        *,
        prefix: Key = (),
        start: Key | None = None,
        stop: Key | None = None,
        write_rows: int = limits.STORE_COMMIT_ROWS,
        rows: int = limits.STORE_BATCH_ROWS,
        bytes: str | int = limits.STORE_BATCH_BYTES,  # noqa: A002 - what it bounds
    ) -> updating.Updated:
        """Call `function(key, value)` for each entry, and write what it returns, in short transactions.

        `function` returns the new value, None to leave the entry as it is, or `Store.DELETE`. Changes are gathered until
        there are `write_rows` of them; a value that equals the old one is not written. An entry that others changed
        between reading and writing is read again, and `function` is called again with what is there now: nobody's write
        is lost. After a crash, what was written stays; call it again, with a function that leaves alone what it has
        changed before.

        Args:
            function: takes a key and a value.
            prefix: only keys that begin with these elements.
            start: the first key.
            stop: the key behind the last one.
            write_rows: changes of one transaction.
            rows: entries read at a time.
            bytes: heap bytes of those, at most.

        Returns:
            Counts: seen, changed, deleted, repeated.

        Raises:
            Exception: what `function` raises; changes gathered until then are not written.
        """
        errors.count_of(write_rows, what="write_rows", most=limits.STORE_BATCH_ROWS_MAX)
        walk = self.batches(prefix, bytes=bytes, rows=rows, start=start, stop=stop)
        return updating.Job(self._space, walk, self._values, function, write_rows).run()

    def count_estimate(self, prefix: Key = ()) -> int:
        """About how many entries there are; exact in most cases, less so after a crash.

        Of a whole partition it costs one read; with a prefix, a walk over its keys.
        """
        bounds = self._bounds(prefix, None, None)()
        if bounds is None:
            return 0
        return self._space.engine.count(bounds[0][: base.HEAD_BYTES], *bounds)

    def sync(self) -> None:
        """Make everything durable that was written to the store, at any level."""
        self._space.engine.sync()

    def clear(self) -> int:
        """Delete all entries, in short transactions; how many there were. Those written meanwhile may stay."""
        return self.update_each(lambda _key, _value: updating.DELETE, bytes=limits.STORE_CLEAR_BYTES).deleted

    # --- where it is --------------------------------------------------------------------------------------------------

    @property
    def space(self) -> Space:
        """The inside of its store, for what is built on it: reads of one version, writes that read."""
        return self._space

    def head(self) -> bytes:
        """What all its keys begin with in there; the partition is made if it was not."""
        return self._head or self._made_head()

    def _find_head(self) -> bytes | None:
        head = self._space.head_of(self.name)
        if head is not None:  # another thread may have found it meanwhile
            self._head = head
        return head

    def _made_head(self) -> bytes:
        self._head = self._space.made_head_of(self.name)
        return self._head

    def __reduce__(self) -> NoReturn:
        raise errors.UsageError(
            f"{self!r} cannot be pickled: it is open in this process.", hint="Send its path, and open it there."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {self._space.path!r}>"


def _no_pairs() -> errors.UsageError:
    return errors.UsageError(
        "write takes pairs of a key and a value.", hint="Pass a list such as [(('a', 1), b'value')]."
    )
