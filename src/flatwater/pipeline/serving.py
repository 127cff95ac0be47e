"""The worker's side of a pmap in processes: take some items, call the function for each, give back what came out.

Covers:     loading the function once, calling it for a part, which of its items failed, and how.
Not here:   the process and its limit (`worker.child`), the other side (`pipeline.processes`).
Holds:      the items of one part and their results, beside what the function holds.

It runs in a process that has imported next to nothing: keep it so.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, final

from flatwater import errors, limits
from flatwater.pipeline.arena import Arena, Message
from flatwater.pipeline.parts import shallow_bytes
from flatwater.pipeline.pieces import Piece, PieceReader
from flatwater.worker.child import pickled_error

RAISED, UNREADABLE, UNSENDABLE, BROKEN = "raised", "unreadable", "unsendable", "broken"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Told(NamedTuple):
    """An item that failed.

    Attributes:
        at: its place in the part; -1 for the part as a whole.
        kind: what failed: the function, reading the item, sending the result, the file that the item stands in.
        error: as `worker.child.pickled_error` has it.
    """

    at: int
    kind: str
    error: bytes


class Answer(NamedTuple):
    """What came out of a part.

    Attributes:
        message: where the results are.
        failures: items that have none.
        took_s: seconds in the function.
        done: items that were done, or have failed; the others were left.
    """

    message: tuple[Any, ...]
    failures: list[tuple[int, str, bytes]]
    took_s: float
    done: int = 0


@final
class _Server:
    def __init__(self, function: bytes, asks: int, answers: int) -> None:
        self.asks = Arena(asks)
        self.answers = Arena(answers)
        self.reader = PieceReader()
        self.function: Callable[[Any], Any] = pickle.loads(function)  # noqa: S301 - the parent's own


_servers: list[_Server] = []  # one, once it is prepared


def prepare(function: bytes, asks: int, answers: int) -> None:
    """Load the function, and know the shared memory by its descriptors.

    Libraries that would start a thread for each processor are told not to: there is a process for each.
    """
    for descriptor in (asks, answers):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's signature
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    _keep_freed_memory()
    _servers[:] = [_Server(function, asks, answers)]


def _keep_freed_memory() -> None:
    """What one part frees, the next one allocates: giving it back in between took an eighth of the time of compressing."""
    if sys.platform == "linux":
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # of glibc; others keep it anyway
        if mallopt is not None:
            mallopt(_M_TRIM_THRESHOLD, limits.FLOW_WORKER_KEPT_BYTES)
            mallopt(_M_MMAP_THRESHOLD, limits.FLOW_WORKER_KEPT_BYTES)


def asked(name: str) -> Callable[..., Any]:
    """One of the two functions here."""
    return prepare if name == "prepare" else serve


def serve(message: tuple[Any, ...], goes_on: bool, result_bytes: int) -> Answer | None:  # noqa: FBT001 - it comes through a pipe
    """Call the function for each item of a part; None if this process was not prepared.

    Args:
        message: where the items are.
        goes_on: whether items are called behind one that failed.
        result_bytes: of results, without what they refer to: with more, the other items are left.
    """
    if not _servers:
        return None
    it = _servers[0]
    try:
        items = it.asks.take(Message(*message))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an import or somebody's object does
        return Answer((), [Told(-1, UNREADABLE, pickled_error(error))], 0.0)
    begun = time.perf_counter()
    results, failures = _called(it, items, result_bytes, goes_on=goes_on)
    took_s = time.perf_counter() - begun
    del items
    count = len(results) + len(failures)
    return Answer(tuple(_put(it, results, failures)), failures, took_s, count)


def _called(
    it: _Server, items: list[Any], result_bytes: int, *, goes_on: bool
) -> tuple[list[Any], list[tuple[int, str, bytes]]]:
    """Results, in their order, of the items that have one; the first item is done in any case."""
    function = it.function
    results: list[Any] = []
    failures: list[tuple[int, str, bytes]] = []
    for at, each in enumerate(items):
        item, failed = each, RAISED
        try:
            if type(item) is Piece:
                failed = BROKEN
                item = it.reader.read(item)
                failed = RAISED
            result = function(item)
            result_bytes -= shallow_bytes(result)
            results.append(result)
        except MemoryError:
            raise
        except StopIteration:
            error: Exception = RuntimeError("the function raised StopIteration")
            failures.append(Told(at, failed, pickled_error(error)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent's policy decides
            failures.append(Told(at, failed, pickled_error(error)))
        if (failures and not goes_on) or result_bytes < 0:
            break
    return results, failures


def _put(it: _Server, results: list[Any], failures: list[tuple[int, str, bytes]]) -> Message:
    """The results where the parent finds them; those that cannot be sent have failed."""
    try:
        return it.answers.put(results)
    except (MemoryError, errors.BrokenError):
        raise
    except Exception:  # noqa: BLE001 - whatever somebody's __reduce__ raises
        failed = {at for at, _kind, _error in failures}
        places = [at for at in range(len(results) + len(failed)) if at not in failed]
        sent: list[Any] = []
        for at, result in zip(places, results, strict=True):
            try:
                it.answers.put([result])
                sent.append(result)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - the same
                failures.append(Told(at, UNSENDABLE, pickled_error(error)))
        failures.sort()
        return it.answers.put(sent)
