"""The garbage collector during a hunt: what it frees is counted, and it is left as it was found.

Covers:     whether it is on, its thresholds, its debug flags and what is set apart; how many objects it had to free.
Not here:   which objects those were (`cycles`).
Holds:      some numbers, one callback in `gc.callbacks`.
"""

from __future__ import annotations

import gc
from typing import Self, final

COLLECTIONS_MAX = (
    4  # after a round: a finalizer may let go of what the next collection frees; each goes through the heap
)


@final
class Collecting:
    """Counts what the collector frees while it is open, and restores the collector when it closes. For one thread."""

    __slots__ = ("_debug", "_freed", "_frozen", "_is_enabled", "_on_collection_bound", "_thresholds")

    def __init__(self) -> None:
        self._freed = 0

    def __enter__(self) -> Self:
        self._on_collection_bound = self._on_collection  # one object, so that it can be taken away again
        self._is_enabled = gc.isenabled()
        self._thresholds = gc.get_threshold()
        self._debug = gc.get_debug()
        self._frozen = gc.get_freeze_count()
        gc.callbacks.append(self._on_collection_bound)
        return self

    def __exit__(self, *_: object) -> None:
        if self._on_collection_bound in gc.callbacks:
            gc.callbacks.remove(self._on_collection_bound)
        del self._on_collection_bound  # which refers to this object: only a collection would free the two
        gc.set_debug(self._debug)
        gc.set_threshold(*self._thresholds)
        if self._is_enabled:
            gc.enable()
        else:
            gc.disable()
        if not self._frozen and gc.get_freeze_count():  # the action did it; what was set apart before it stays so
            gc.unfreeze()

    def start_round(self) -> None:
        """Count from nothing."""
        self._freed = 0

    def finish_round(self) -> int:
        """Collect until nothing is left to collect; how many objects the collector freed since `start_round`."""
        settle()
        return self._freed

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            self._freed += info.get("collected", 0) + info.get("uncollectable", 0)


def settle() -> None:
    """Collect until nothing is left to collect."""
    for _ in range(COLLECTIONS_MAX):
        if not gc.collect():
            return
