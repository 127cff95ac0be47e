"""Pauses of Python's garbage collector, by generation.

Covers:     how many collections ran, and for how long the program stood still, since anybody began to listen.
Not here:   forcing a collection.
Holds:      six numbers; one callback in `gc.callbacks` while anybody listens.
"""

from __future__ import annotations

import gc
import threading
import time

_GENERATIONS = 3
_lock = threading.Lock()
_listeners = 0
_counts = [0] * _GENERATIONS
_pauses_s = [0.0] * _GENERATIONS
_began_s = 0.0


def listen() -> None:
    """Begin to count; call `stop_listening` once for each."""
    global _listeners  # noqa: PLW0603 - there is one collector
    with _lock:
        if not _listeners:
            gc.callbacks.append(_on_collection)
        _listeners += 1


def stop_listening() -> None:
    """The last one takes the callback away."""
    global _listeners  # noqa: PLW0603 - there is one collector
    with _lock:
        _listeners = max(0, _listeners - 1)
        if not _listeners and _on_collection in gc.callbacks:
            gc.callbacks.remove(_on_collection)


def seen() -> tuple[tuple[int, ...], tuple[float, ...]]:
    """`(collections, seconds)` by generation, since the first listener; take differences."""
    return tuple(_counts), tuple(_pauses_s)


def _on_collection(phase: str, info: dict[str, int]) -> None:
    # Collections do not nest, and run with the interpreter's lock: no lock of ours is needed.
    global _began_s  # noqa: PLW0603 - there is one collector
    if phase == "start":
        _began_s = time.perf_counter()
        return
    generation = min(info["generation"], _GENERATIONS - 1)
    _counts[generation] += 1
    _pauses_s[generation] += time.perf_counter() - _began_s
