"""The child's side of a worker: take calls from one pipe, put results into another. Run as a script.

Covers:     the memory limit, dying with the parent, running a call, every way in which its result can fail.
Not here:   the parent's side (`worker.process`), making the limit (`worker.limit`).
Holds:      a bare interpreter, one call and its result, and 1 MiB to report from when memory is spent.

It imports neither Flatwater nor anything that its calls do not need. Started as
`python -P child.py REQUESTS RESULTS LIFELINE DATA_LIMIT PROCS_FILE`.

Frames both ways are eight bytes of length and that many bytes of pickle. A request is `(function, args, kwargs)`; the
first one is the parent's `sys.path`. An answer is two frames: a dict of what it is and what it cost, then its payload.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import time

HEADER = struct.Struct("!Q")
VALUE, RAISED, UNPICKLABLE, UNREADABLE, OVER_LIMIT, EXITED, READY = (
    "value", "raised", "unpicklable", "unreadable", "over limit", "exited", "ready",
)  # fmt: skip
_EMERGENCY_BYTES = 1 << 20
_F_SETSIG = 10  # fcntl(2), Linux
_CHUNK_BYTES = 1 << 20
_LINE_CHARS_MAX = 2_000  # of an error, as one line
_SMALL_BYTES = 1 << 16


def read_frame(descriptor: int) -> bytes | None:
    """One frame, or None at the end of the pipe."""
    header = _read_exactly(descriptor, HEADER.size)
    return None if header is None else _read_exactly(descriptor, HEADER.unpack(header)[0])


def write_frames(descriptor: int, *payloads: bytes) -> None:
    """A frame for each. Small ones are written together: each write may wake who reads."""
    waiting = b""
    for payload in payloads:
        waiting += HEADER.pack(len(payload))
        if len(payload) < _SMALL_BYTES:
            waiting += payload
            continue
        for part in (waiting, payload):
            _write(descriptor, part)
        waiting = b""
    _write(descriptor, waiting)


def _write(descriptor: int, part: bytes) -> None:
    view = memoryview(part)
    while view:
        view = view[os.write(descriptor, view[:_CHUNK_BYTES]) :]


def main(arguments: list[str]) -> int:
    """Serve until the parent closes the pipe."""
    requests, results, lifeline, data_limit = map(int, arguments[:4])
    for descriptor in (requests, results, lifeline):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's signature
    _die_with_the_parent(lifeline)
    _limit_memory(data_limit, arguments[4])
    first = read_frame(requests)
    if first is None:
        return 0
    sys.path[:] = pickle.loads(first)  # noqa: S301 - the parent's own
    emergency = [bytearray(_EMERGENCY_BYTES)]  # before it is ready: without this there is no room for a call either
    _answer(results, {"kind": READY, "rss": _status("VmRSS:")}, b"")
    while (request := read_frame(requests)) is not None:
        _serve(request, results, emergency)
        request = None
        if not emergency:
            emergency.append(bytearray(_EMERGENCY_BYTES))
    return 0


def _serve(request: bytes, results: int, emergency: list[bytearray]) -> None:
    _reset_peak()
    began_s, cpu_s = time.perf_counter(), time.process_time()
    try:
        kind, payload = _run(request)
    except MemoryError:
        emergency.clear()
        kind, payload = OVER_LIMIT, b""
    cost = {
        "kind": kind,
        "peak_rss": _status("VmHWM:"),
        "cpu_s": time.process_time() - cpu_s,
        "wall_s": time.perf_counter() - began_s,
    }
    _answer(results, cost, payload)


def _run(request: bytes) -> tuple[str, bytes]:
    """What came out, pickled. Raises MemoryError where memory was spent, wherever that showed."""
    try:
        function, args, kwargs = pickle.loads(request)  # noqa: S301 - the parent's own
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever an import does must reach the parent
        return UNREADABLE, pickled_error(error)
    try:
        value = function(*args, **kwargs)
    except MemoryError:
        raise
    except SystemExit as error:
        return EXITED, pickle.dumps(str(error.code))
    except BaseException as error:  # noqa: BLE001 - whatever a call raises must reach the parent
        return RAISED, pickled_error(error)
    try:
        return VALUE, dumps(value)
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever somebody's __reduce__ raises
        return UNPICKLABLE, pickle.dumps(f"{type(value).__qualname__}: {_one_line(error)}")


def pickled_error(error: BaseException) -> bytes:
    """`(the exception pickled, or b"" if it cannot be; one line about it; its traceback as text)`."""
    import traceback

    text = "".join(traceback.format_exception(error))
    try:
        pickled = dumps(error)
        pickle.loads(pickled)  # noqa: S301 - our own; many exceptions can be dumped but not loaded
    except MemoryError:
        raise
    except BaseException:  # noqa: BLE001 - then its text must do
        pickled = b""
    return pickle.dumps((pickled, _one_line(error), text))


def dumps(value: object) -> bytes:
    """Plain pickle where that does, cloudpickle for what was defined in the parent's main module or in the call."""
    kind = type(value)
    if kind.__module__ not in {"__main__", "__mp_main__"}:
        try:
            return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S110 - the next one may do better, and its error is the one to tell
            pass
    import cloudpickle

    dumped: bytes = cloudpickle.dumps(value)
    return dumped


def _one_line(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - somebody's __str__ is broken
        text = "(it cannot even be printed)"
    return f"{type(error).__qualname__}: {text}"[:_LINE_CHARS_MAX]


def _answer(results: int, cost: dict[str, object], payload: bytes) -> None:
    write_frames(results, pickle.dumps(cost), payload)


def _die_with_the_parent(lifeline: int) -> None:
    """The parent's end of this pipe closes when it dies, however that happens.

    On Linux the kernel then sends SIGKILL, also into a call that never returns to the interpreter. Not PR_SET_PDEATHSIG:
    that one fires when the thread ends that started the child. Elsewhere a thread waits, which needs the interpreter.
    """
    if sys.platform == "linux":
        import fcntl
        import select
        import signal

        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, _F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([lifeline], [], [], 0)[0]:  # it died before we asked to be told
            os._exit(1)
        return
    import threading

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _limit_memory(data_limit: int, procs_file: str) -> None:
    if procs_file:
        with open(procs_file, "w", encoding="ascii") as file:
            file.write("0")
    if data_limit:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (data_limit, data_limit))


def _reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        return  # then the peak is the highest of all calls so far


def _status(field: str) -> int:
    """A size from /proc/self/status in bytes; -1 where there is none."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    except OSError:
        return -1
    return -1


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    parts = []
    while count:
        chunk = os.read(descriptor, min(count, _CHUNK_BYTES))
        if not chunk:
            return None
        parts.append(chunk)
        count -= len(chunk)
    return b"".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
