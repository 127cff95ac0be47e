"""One killable child process that runs Python calls below a memory limit of its own.

Covers:     sending a call, waiting with a time limit, telling how it failed.
Not here:   starting and ending the child (`worker.handle`), its side (`worker.child`), one call and done (`worker.call`),
            many of them (`worker.pool`).
Holds:      a handle on the child, and a result while it is read: see `Worker.bytes_max`.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

from flatwater import errors, limits, units
from flatwater.worker import child
from flatwater.worker.failures import (
    CallFailed,
    CallNotPicklable,
    RemoteTraceback,
    ResultNotPicklable,
    WorkerDied,
    WorkerOverLimit,
    WorkerTimeout,
)
from flatwater.worker.handle import Handle, refusal
from flatwater.worker.limit import make_limit

_POLL_S = 0.05  # between looks at a child where the kernel cannot tell of its end
_READ_BYTES = 1 << 20
_SMALL_BYTES = 1 << 16  # goes out in one write: each may wake the child


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave and cost.

    Attributes:
        value: what the function returned.
        peak_rss: the resident high-water mark of the worker during the call, bytes; -1 where unknown.
        start_rss: of the worker before its first call: the interpreter itself, bytes; -1 where unknown.
        cpu_s: processor seconds in the worker.
        wall_s: seconds in the worker, without sending there and back.
        limit_bytes: its memory limit.
        limit_kind: who keeps it.
    """

    value: Any
    peak_rss: int
    start_rss: int
    cpu_s: float
    wall_s: float
    limit_bytes: int
    limit_kind: str


@final
class Worker:
    """A child process that takes one call at a time. It dies with its parent, whatever it is doing.

    Functions are sent by import, lambdas and what `__main__` defines by value (cloudpickle); nothing is inherited by
    fork. Not thread-safe: one thread calls it, and a second one that does meanwhile gets an error. `kill` and `close` from
    another thread end the call that runs. In a forked process it is closed, and only its own process ends its child.
    One that is dropped unclosed ends its child, with a ResourceWarning. Linux and other POSIX systems.

    Args:
        limit: bytes of memory for it, or a text such as "256 MiB".
        limit_kind: "rlimit_data" (an allocation beyond it fails), "cgroup" (the process is killed) or "auto".
        result_bytes_max: of a pickled result.
        inherited: descriptors of ours that the child has, too, by the same numbers; they stay open here as long as it lives.

    Raises:
        UsageError: a limit that makes no sense.
        BrokenError: the platform cannot start one.
    """

    def __init__(
        self,
        limit: str | int = limits.WORKER_LIMIT_BYTES,
        *,
        limit_kind: str = "rlimit_data",
        result_bytes_max: str | int = limits.WORKER_RESULT_BYTES_MAX,
        inherited: Sequence[int] = (),
    ) -> None:
        if os.name != "posix":
            raise errors.BrokenError(f"workers need a POSIX system, and this is {sys.platform}.")
        self._result_bytes_max = errors.bytes_of(result_bytes_max, what="result_bytes_max", least=1)
        self._group = make_limit(limit, kind=limit_kind, name="worker")
        self._handle = Handle(self._group, inherited)
        self._kills = 0  # in the group, before the call
        self._is_calling = False
        self._start_rss = -1
        self._closed = False

    @property
    def pid(self) -> int:
        """Of the child; 0 while there is none."""
        process = self._handle.process
        return process.pid if process else 0

    @property
    def limit_bytes(self) -> int:
        """Its memory limit."""
        return self._group.limit_bytes

    @property
    def limit_kind(self) -> str:
        """Who keeps the limit."""
        return self._group.kind

    def bytes_max(self) -> int:
        """The most that this side holds, in bytes; the child holds at most `limit_bytes`."""
        total = 0
        total += self._result_bytes_max  # a result as it arrives
        total += self._result_bytes_max  # the same, being unpickled: about as much again
        total += limits.WORKER_STDERR_BYTES_MAX  # the end of its error output
        return total

    def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        timeout: str | float = limits.WORKER_TIMEOUT_S,
    ) -> Outcome:
        """Call `function(*args, **kwargs)` in the child, which is started if there is none.

        After death, a time-out or an interrupt the child is gone, and the next call starts another.

        Raises:
            CallNotPicklable: it cannot be sent.
            WorkerOverLimit: it needed more memory than the limit.
            WorkerTimeout: it took longer than `timeout` seconds.
            WorkerDied: the process ended without an answer.
            ResultNotPicklable: what it returned cannot be sent back.
            LimitReached: what it returned is larger than `result_bytes_max`.
            CallFailed: it raised what cannot be sent back.
            ClosedError: the worker is closed, or belongs to the process this one was forked from.
            UsageError: another thread is in a call.
            BrokenError: the system has no process, thread or descriptor for it.
            Exception: what the function raised, with the child's traceback as its cause.
        """
        self._check_open()
        timeout_s = errors.seconds_of(timeout, what="timeout", most=limits.WAIT_S_MAX)
        deadline_s = time.monotonic() + timeout_s
        request = _pickled_call(function, args, kwargs)
        busy = self._handle.busy
        taken = busy.acquire(blocking=False)
        if not taken or self._is_calling:  # by another thread, or by this one below a signal's handler
            if taken:
                busy.release()
            raise errors.UsageError(
                "this worker is in another call.", hint="Use a Pool, or a worker of its own for each thread."
            )
        try:
            self._is_calling = True
            self._check_open()  # it may have been closed meanwhile
            cost, payload = self._exchange(request, deadline_s, timeout_s)
            return self._outcome(function, cost, payload)
        finally:
            self._is_calling = False
            busy.release()

    def kill(self) -> None:
        """End the child and all processes of its session at once. The next call starts another."""
        self._when_idle(self._handle.kill)

    def interrupt(self) -> None:
        """From another thread: end the child; the thread that waits for it gets `WorkerDied`."""
        self._handle.interrupt()

    def close(self) -> None:
        """Let an idle child end by itself, then end it. Closing twice is fine; a closed worker takes no calls."""
        self._closed = True
        self._when_idle(self._handle.close)

    def __del__(self) -> None:
        handle: Handle | None = getattr(self, "_handle", None)  # there is none where __init__ failed
        if handle is not None and (held := handle.drop()):
            warnings.warn(f"unclosed worker ({held})", ResourceWarning, stacklevel=2, source=self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> str:
        raise errors.UsageError("a worker cannot be pickled.", hint="Make one in the other process.")

    # --- its life -----------------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if not self._handle.is_ours():
            raise errors.ClosedError(
                "this worker belongs to the process that this one was forked from.", hint="Make one in this process."
            )
        if self._closed:
            raise errors.ClosedError("this worker is closed.", hint="Make another.")

    def _when_idle(self, end: Callable[[], None]) -> None:
        """End it. A call of another thread is ended first; one of this thread stands below a signal's handler."""
        busy = self._handle.busy
        taken = busy.acquire(blocking=False)
        while not taken and self._handle.is_ours():
            self.interrupt()
            taken = busy.acquire(timeout=_POLL_S)
        try:
            end()
        finally:
            if taken:
                busy.release()

    def _start(self, deadline_s: float, timeout_s: float) -> None:
        self._handle.start()
        # The parent's path, so that what is importable here is importable there.
        self._send(pickle.dumps(list(sys.path)), deadline_s, timeout_s)
        cost, _ = self._receive(deadline_s, timeout_s)
        self._start_rss = cost["rss"]
        self._handle.ready = self._handle.stderr.forwards = True  # until now, an error told what it wrote

    # --- talking to it ------------------------------------------------------------------------------------------------

    def _exchange(self, request: bytes, deadline_s: float, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        try:
            self._kills = self._group.kills()
            if not self._handle.ready or self._child().poll() is not None:
                self._start(deadline_s, timeout_s)
            try:
                self._send(request, deadline_s, timeout_s)
            except WorkerDied:
                # It was dying before it had the whole request, so the call has not begun: another may take it.
                self._check_open()
                self._start(deadline_s, timeout_s)
                self._send(request, deadline_s, timeout_s)
            return self._receive(deadline_s, timeout_s)
        except BaseException:
            self._handle.kill()  # whatever it was doing, nobody waits for it any more
            raise

    def _child(self) -> subprocess.Popen[bytes]:
        process = self._handle.process
        if (
            process is None or self._handle.requests < 0
        ):  # a signal's handler, which runs in the middle of a call, may kill or fork
            self._check_open()
            raise WorkerDied("the worker was killed during the call, by a signal's handler.")
        return process

    def _send(self, payload: bytes, deadline_s: float, timeout_s: float) -> None:
        header = child.HEADER.pack(len(payload))
        for part in (header + payload,) if len(payload) < _SMALL_BYTES else (header, payload):
            view = memoryview(part)
            while view:
                self._await(self._handle.requests, select.POLLOUT, deadline_s, timeout_s)
                try:
                    view = view[os.write(self._handle.requests, view[:_READ_BYTES]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    raise self._death() from None

    def _receive(self, deadline_s: float, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        cost = pickle.loads(self._receive_frame(deadline_s, timeout_s))  # noqa: S301 - our own child's
        return cost, self._receive_frame(deadline_s, timeout_s)

    def _receive_frame(self, deadline_s: float, timeout_s: float) -> bytes:
        (length,) = child.HEADER.unpack(self._receive_exactly(child.HEADER.size, deadline_s, timeout_s))
        if length > self._result_bytes_max:
            raise errors.LimitReached(
                f"the result is {units.format_bytes(length)}; a worker may return {units.format_bytes(self._result_bytes_max)}.",
                what="result_bytes_max", limit=self._result_bytes_max,
                hint="Return less (write it to a file and return the path), or raise result_bytes_max.",
            )  # fmt: skip
        return self._receive_exactly(length, deadline_s, timeout_s)

    def _receive_exactly(self, count: int, deadline_s: float, timeout_s: float) -> bytes:
        buffer = bytearray()
        while len(buffer) < count:
            self._child()
            try:
                chunk = os.read(self._handle.results, min(count - len(buffer), _READ_BYTES))
            except BlockingIOError:
                self._await(self._handle.results, select.POLLIN, deadline_s, timeout_s)
                continue
            if not chunk:
                raise self._death()
            buffer += chunk
        return bytes(buffer)

    def _await(self, descriptor: int, event: int, deadline_s: float, timeout_s: float) -> None:
        """Return when the pipe is ready; raise when the time is over or the child is gone and the pipe empty."""
        self._child()
        poll = select.poll()
        poll.register(descriptor, event)
        while True:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise WorkerTimeout(
                    f"the call did not end in {units.format_duration(timeout_s)}; its worker was killed.",
                    limit=timeout_s, hint="Raise timeout, or give it less to do at a time.",
                )  # fmt: skip
            # A grandchild may hold the pipe open after the child died, so the child itself is looked at as well.
            is_ready = poll.poll(min(left_s, _POLL_S) * 1000)
            process = self._child()
            if is_ready:
                return
            if process.poll() is not None and not poll.poll(0):
                raise self._death()

    # --- what came out ------------------------------------------------------------------------------------------------

    def _outcome(self, function: Callable[..., Any], cost: dict[str, Any], payload: bytes) -> Outcome:
        name = getattr(function, "__qualname__", repr(function))
        match cost["kind"]:
            case child.VALUE:
                try:
                    value = pickle.loads(payload)  # noqa: S301 - our own child's
                except Exception as error:
                    raise ResultNotPicklable(
                        f"what {name} returned cannot be read back: {error}.", hint="Return plain data."
                    ) from error
                return Outcome(
                    value, cost["peak_rss"], self._start_rss, cost["cpu_s"], cost["wall_s"], self.limit_bytes, self.limit_kind
                )  # fmt: skip
            case child.OVER_LIMIT:
                self._handle.kill()  # what is left of its heap is fragments
                raise self._over_limit(name)
            case child.UNPICKLABLE:
                raise ResultNotPicklable(
                    f"what {name} returned cannot be sent back: {pickle.loads(payload)}.",  # noqa: S301 - our own child's
                    hint="Return plain data: numbers, text, bytes, lists, dicts.",
                )
            case child.EXITED:
                self._handle.kill()
                raise WorkerDied(
                    f"{name} called sys.exit({pickle.loads(payload)}).",  # noqa: S301 - our own child's
                    hint="Return a value instead.",
                )
        pickled, line, text = pickle.loads(payload)  # noqa: S301 - our own child's
        cause = RemoteTraceback(text)
        if cost["kind"] == child.UNREADABLE:
            raise CallNotPicklable(
                f"the worker cannot take {name} and its arguments: {line}.",
                hint="Can it be imported, and unpickled, in a fresh process?",
            ) from cause
        try:
            raised = pickle.loads(pickled) if pickled else None  # noqa: S301 - our own child's
        except Exception:  # noqa: BLE001 - what the child can import, this process may not
            raised = None
        if not isinstance(raised, BaseException):
            raise CallFailed(f"{name} raised {line}.", hint="That exception cannot be pickled.") from cause
        raise raised from cause

    def _over_limit(self, name: str) -> WorkerOverLimit:
        limit = units.format_bytes(self.limit_bytes)
        return WorkerOverLimit(
            f"{name} needed more than its worker's limit of {limit} ({self.limit_kind}).",
            limit=self.limit_bytes, kind=self.limit_kind,
            hint="Raise limit, or give it less at a time.",
        )  # fmt: skip

    def _death(self) -> errors.FlatwaterError:
        """The child is gone without an answer: why."""
        try:
            code = self._child().wait(limits.WORKER_GRACE_S)
        except subprocess.TimeoutExpired:  # it closed its pipes, and lives
            return WorkerDied(
                "the worker closed its pipes and went on; it was killed.", hint="Does the call close files?"
            )
        tail = self._handle.stderr.text()
        # The kernel may have killed what the call started, and the child for another reason, or before.
        if code == -signal.SIGKILL and self._group.kills() > self._kills:
            return self._over_limit("the call" if self._handle.ready else "starting Python")
        if not self._handle.ready and "MemoryError" in tail:
            return self._over_limit("starting Python")
        if not self._handle.ready:
            what = f"the worker ended before its first call (exit code {code}), with a limit of {units.format_bytes(self.limit_bytes)}."
            return WorkerDied(what, exit_code=code, stderr_tail=tail, hint="An interpreter needs about 16 MiB.")
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        hint = ""
        if self.limit_kind == "rlimit_data" and "alloc" in tail.lower() + "memory" in tail.lower():
            hint = "Native code may have met the memory limit."
        return WorkerDied(f"the worker {how} during the call.", exit_code=code, stderr_tail=tail, hint=hint)


def _pickled_call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any] | None) -> bytes:
    if not callable(function):
        raise errors.UsageError(f"{function!r} cannot be called.", hint="Write worker.call(function, args).")
    if isinstance(args, str | bytes) or not isinstance(args, Sequence):
        raise errors.UsageError(
            f"args is a {type(args).__name__}; it is a tuple or list of arguments.", hint="Write args=(value,)."
        )
    try:
        import cloudpickle
    except OSError as error:  # the first call of a program that has no descriptors left
        raise refusal(error) from error
    try:
        request: bytes = cloudpickle.dumps((function, tuple(args), dict(kwargs or {})))
    except Exception as error:
        name = getattr(function, "__qualname__", repr(function))
        raise CallNotPicklable(
            f"{name} and its arguments cannot be sent to another process: {error}.",
            hint="Pass plain data, and open files, locks and connections in the function.",
        ) from error
    return request
