"""What was made once and is kept while there is room: most recently used, bounded in bytes.

Covers:     looking up, keeping, forgetting.
Not here:   what is kept: schemas (`live.catalog`), statements (`live.statements`).
Holds:      what is kept, as many bytes as it was said to cost.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar, final

Value = TypeVar("Value")
_ENTRY_BYTES = 250  # of an entry of an OrderedDict and its tuple


@final
class Cache(Generic[Value]):
    """Values by key, of so many bytes together. Thread-safe.

    Args:
        bytes_max: what is kept costs at most; what costs more by itself is not kept.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self._held = 0
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """What is kept under `key`, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Value, cost: int) -> None:
        """Keep `value`, which takes `cost` bytes, in place of what was there; others go that were not used for longest."""
        cost += _ENTRY_BYTES
        with self._lock:
            self._drop(key)
            if cost > self.bytes_max:
                return
            self._kept[key] = value, cost
            self._held += cost
            while self._held > self.bytes_max:
                self._held -= self._kept.popitem(last=False)[1][1]

    def forget(self, key: Hashable) -> None:
        """Keep it no longer; if it is not there, nothing happens."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self._held = 0

    @property
    def held(self) -> int:
        """Bytes of what is kept."""
        return self._held

    def __len__(self) -> int:
        return len(self._kept)

    def _drop(self, key: Hashable) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._held -= found[1]
