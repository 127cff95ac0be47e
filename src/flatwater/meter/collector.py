"""Pauses of Python's garbage collector, by generation.

Covers:     how many collections ran, and for how long the program stood still, since anybody began to listen.
Not here:   forcing a collection.
Holds:      six numbers; one callback in `gc.callbacks` while anybody listens.
"""

from __future__ import annotations

import gc
import threading
import time

# One lock for all that measures share. A collection may end a measure (it closes a generator) inside any section that
# holds it, in the same thread, and so may a signal handler: hence one that a thread can take again. And one only: with
# several, two threads in which that happens could each hold one and wait for the other's.
lock = threading.RLock()

_GENERATIONS = 3
_listeners = 0
_counts = [0] * _GENERATIONS
_pauses_s = [0.0] * _GENERATIONS
_NEVER = -1.0  # no collection is under way
_began_s = _NEVER


def listen() -> None:
    """Begin to count; call `stop_listening` once for each."""
    global _listeners  # noqa: PLW0603 - there is one collector
    with lock:
        _listeners += 1
        _settle()


def stop_listening() -> None:
    """The last one takes the callback away."""
    global _listeners  # noqa: PLW0603 - there is one collector
    with lock:
        _listeners = max(0, _listeners - 1)
        _settle()


def seen() -> tuple[tuple[int, ...], tuple[float, ...]]:
    """`(collections, seconds)` by generation, since the first listener; take differences."""
    return tuple(_counts), tuple(_pauses_s)


def forget() -> None:
    """In the child of a fork: another thread may have held the lock."""
    global lock  # noqa: PLW0603 - there is one collector
    lock = threading.RLock()


def _settle() -> None:
    """The callback is there exactly while anybody listens, also if this is entered again between any two steps."""
    callbacks = gc.callbacks
    while (_listeners > 0) != (_on_collection in callbacks):
        if _listeners:
            callbacks.append(_on_collection)
        else:
            try:
                callbacks.remove(_on_collection)
            except ValueError:  # it was entered again
                continue


def _on_collection(phase: str, info: dict[str, int]) -> None:
    # Collections do not nest, and run with the interpreter's lock: no lock of ours is needed.
    global _began_s  # noqa: PLW0603 - there is one collector
    if phase == "start":
        _began_s = time.perf_counter()
        return
    began_s, _began_s = _began_s, _NEVER
    if began_s < 0:  # somebody began to listen inside this collection: in a finalizer
        return
    generation = min(info["generation"], _GENERATIONS - 1)
    _counts[generation] += 1
    _pauses_s[generation] += time.perf_counter() - began_s
