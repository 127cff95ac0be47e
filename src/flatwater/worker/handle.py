"""A worker's child process and our ends of its pipes, from the start to the end of both.

Covers:     starting it, the end of its error output, killing it; what becomes of it when its worker is dropped, when the
            program ends, and in a process that was forked from this one.
Not here:   what is said through the pipes (`worker.process`), the child's side (`worker.child`).
Holds:      three pipes, a process, a thread and the end of the child's error output for each open handle.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import final

from flatwater import errors, limits
from flatwater.worker import child
from flatwater.worker.limit import LimitGroup

_REMOVAL_TRIES = 20
_REMOVAL_PAUSE_S = 0.05  # killed grandchildren leave the group when they are reaped
_TAIL_WAIT_S = 0.2  # for error output that is on its way
_REAP_S = 1.0  # for killed children to be gone, all together, when the program ends
_STANDARD_FDS = 3  # 0, 1 and 2
_FILES_HINT = "Close files that are no longer needed, or raise the limit on open files (ulimit -n)."
_TASKS_HINT = "Let other processes and threads end, or raise the limit on them (ulimit -u)."
_HINTS = {
    errno.EMFILE: _FILES_HINT,
    errno.ENFILE: _FILES_HINT,
    errno.EAGAIN: _TASKS_HINT,
    errno.ENOMEM: "The machine has too little memory left.",
}


@final
class Handle:
    """What must not outlive a worker. It does not know its worker, so that a worker can be dropped.

    One thread starts and ends it; `interrupt` may be called by any.

    Attributes:
        group: the child's memory limit.
        inherited: descriptors of ours that the child has, too, by the same numbers.
        process: the child; None while there is none.
        busy: the lock of whoever calls the child or ends it.
        requests: our end of the pipe to it.
        results: our end of the pipe from it.
        ready: whether the child has said that it takes calls.
        stderr: the end of its error output.
    """

    def __init__(self, group: LimitGroup, inherited: Sequence[int] = ()) -> None:
        self.group = group
        self.inherited = tuple(inherited)
        self.process: subprocess.Popen[bytes] | None = None
        self.requests = self.results = -1
        self.ready = False
        self.stderr = Tail()
        self.busy = threading.RLock()  # held during a call; the signal handlers of its thread may end it all the same
        self._descriptors: list[int] = []  # each is noted as soon as it is open, so that an interrupt leaks none
        self._owner = os.getpid()
        _handles.add(self)

    def is_ours(self) -> bool:
        """False in a process that was forked from the one which made it."""
        return self._owner == os.getpid()

    def start(self) -> None:
        """Start a child; one that is there is killed. When it fails, nothing is left.

        Raises:
            BrokenError: the system has no process, thread, or descriptor for it.
        """
        self.kill()
        reap(0)
        try:
            self._start()
        except BaseException as error:
            self.kill()
            if isinstance(error, OSError):
                raise refusal(error) from error
            raise

    def _start(self) -> None:
        requests, self.requests = self._pipe()
        self.results, results = self._pipe()
        lifeline, _ = self._pipe()  # the other end stays open in this process alone: the child dies when it closes
        tail, stderr = self._pipe()
        is_rlimit = self.group.kind == "rlimit_data"
        command = [
            sys.executable, *subprocess._args_from_interpreter_flags(), "-P",  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
            str(Path(child.__file__)), str(requests), str(results), str(lifeline),
            str(self.group.limit_bytes if is_rlimit else 0), self.group.procs_file(),
        ]  # fmt: skip
        self._descriptors.remove(tail)  # its thread closes it
        self.stderr = Tail(tail)  # before the process: if there is no thread for it, there is nothing to kill
        self.process = subprocess.Popen(  # noqa: S603 - our own script, no shell
            command,
            stdin=subprocess.DEVNULL,
            # A child whose descriptor 1 is free would print into the first file it opens.
            stdout=None if _is_inherited(1) else subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=(requests, results, lifeline, *self.inherited),
            start_new_session=True,
        )
        for descriptor in (requests, results, lifeline, stderr):
            self._close(descriptor)
        for descriptor in (self.requests, self.results):
            os.set_blocking(descriptor, False)

    def interrupt(self) -> None:
        """End the child and all processes of its session; whoever waits for it sees that. From any thread."""
        process = self.process
        if process is not None and self.is_ours() and process.poll() is None:
            _kill_session(process)

    def kill(self) -> None:
        """End the child and all processes of its session at once."""
        if not self.is_ours():
            self.abandon()
            return
        # The process is forgotten last: after an interrupt, whoever calls again finds what is left to do.
        self.ready = False
        if self.process is not None:
            _kill_session(self.process)
            _reap_killed(self.process)
        self._close_all()
        self.stderr.close()
        self.process = None

    def close(self) -> None:
        """Let an idle child end by itself, then end it, and remove its group. Closing twice is fine."""
        if not self.is_ours():
            self.abandon()
            return
        try:
            if self.process is not None and self.requests >= 0:
                self._close(self.requests)
                self.requests = -1
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(limits.WORKER_GRACE_S)
        finally:
            self.kill()
        self._remove_group()
        _handles.discard(self)

    def drop(self) -> str:
        """End it without waiting and without a lock, for the collector. Returns what was held, "" for nothing."""
        try:
            _handles.remove(self)
        except KeyError:  # it is closed, or was dropped at exit
            return ""
        if not self.is_ours():
            self.abandon()
            return ""
        process = self.process
        if process is None:
            self._close_all()
            held = self.group.path
            return f"limit {held}" if held and os.path.isdir(held) and self.group.close() else ""
        _orphans.add(self)  # before the kill: the thread that reads its error output reaps it
        _kill_session(process)
        self._close_all()
        reap(0)
        return f"process {process.pid}"

    def abandon(self) -> None:
        """In a forked process: close what was inherited, and leave the child to its parent."""
        process, self.process = self.process, None
        if process is not None:
            process.returncode = 0  # not ours to wait for, and nothing to warn about
        self._close_all()
        self.stderr.abandon()

    def reap(self, wait_s: float) -> bool:
        """Whether the killed child is gone; then its group goes too."""
        if self.process is not None:
            try:
                self.process.wait(wait_s)
            except subprocess.TimeoutExpired:
                return False
        self._remove_group(tries=_REMOVAL_TRIES if wait_s else 1)
        return True

    def _remove_group(self, tries: int = _REMOVAL_TRIES) -> None:
        for number in range(tries):
            if self.group.close():
                return
            if number < tries - 1:
                time.sleep(_REMOVAL_PAUSE_S)

    def _pipe(self) -> tuple[int, int]:
        """Both ends, neither of them 0, 1 or 2: in the child those are replaced."""
        read, write = os.pipe()
        self._descriptors += (read, write)
        return self._above_standard(read), self._above_standard(write)

    def _above_standard(self, descriptor: int) -> int:
        if descriptor >= _STANDARD_FDS:
            return descriptor
        import fcntl

        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _STANDARD_FDS)
        self._descriptors.append(moved)
        self._close(descriptor)
        return moved

    def _close(self, descriptor: int) -> None:
        # Forgotten first: a fork in between must not close what has the number by then.
        with contextlib.suppress(OSError, ValueError):  # a signal's handler closed it
            self._descriptors.remove(descriptor)
            os.close(descriptor)

    def _close_all(self) -> None:
        self.requests = self.results = -1
        while self._descriptors:
            with contextlib.suppress(OSError):
                os.close(self._descriptors.pop())


@final
class Tail:
    """Copies a child's error output to ours, once it may, and keeps the end of it.

    Attributes:
        forwards: whether it copies.
    """

    def __init__(self, descriptor: int = -1) -> None:
        self.forwards = False
        self._descriptor = descriptor
        self._kept = b""
        self._thread: threading.Thread | None = None
        if descriptor >= 0:
            thread = threading.Thread(target=self._copy, name="flatwater-worker-stderr", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # it has no type of its own
                os.close(descriptor)
                raise errors.BrokenError(f"a worker could not be started: {error}.", hint=_TASKS_HINT) from error
            self._thread = thread

    def _copy(self) -> None:
        descriptor = self._descriptor
        while chunk := os.read(descriptor, 1 << 16):
            self._kept = (self._kept + chunk)[-limits.WORKER_STDERR_BYTES_MAX :]
            with contextlib.suppress(OSError):  # nobody reads ours: the end is kept
                # Where standard error was closed, the next file that is opened becomes descriptor 2. Python opens files
                # for itself alone, so only what a child would inherit as its standard error is one.
                if self.forwards and _is_inherited(2):
                    os.write(2, chunk)
        self._descriptor = -1
        os.close(descriptor)
        reap(_REAP_S)

    def text(self) -> str:
        """The end of the output so far; waits a moment for what is on its way."""
        if self._thread is not None:
            self._thread.join(_TAIL_WAIT_S)
        return self._kept.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Grandchildren may hold the pipe open: its thread then ends with them."""
        if self._thread is not None:
            self._thread.join(_TAIL_WAIT_S)
            self._thread = None

    def abandon(self) -> None:
        """In a forked process, which has no such thread."""
        descriptor, self._descriptor, self._thread = self._descriptor, -1, None
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def refusal(error: OSError) -> errors.BrokenError:
    """The system's refusal to start a worker, with what to do about it."""
    hint = _HINTS.get(error.errno or 0, f"Can {sys.executable} be run?")
    return errors.BrokenError(f"a worker could not be started: {error}.", hint=hint)


def reap(wait_s: float) -> None:
    """Collect the exit codes of children that the collector killed, for at most so many seconds."""
    deadline_s = time.monotonic() + wait_s
    for handle in tuple(_orphans):
        if handle.reap(max(0.0, deadline_s - time.monotonic())):
            _orphans.discard(handle)


_handles: set[Handle] = set()  # all that are open
_orphans: set[Handle] = set()  # dropped, killed, and not yet reaped


def _is_inherited(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:
        return False


def _reap_killed(process: subprocess.Popen[bytes]) -> None:
    """Wait until a child that was killed is gone.

    `Popen.wait` alone may wait for ever: an interrupt in the middle of `Popen.poll` can leave the lock that it takes locked.
    """
    while process.returncode is None:
        try:
            process.wait(_REAP_S)
        except subprocess.TimeoutExpired:
            try:
                pid, status = os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else has reaped it
                process.returncode = -signal.SIGKILL
            else:
                if pid:
                    process.returncode = os.waitstatus_to_exitcode(status)


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # its session is its own


def _at_exit() -> None:
    """End what was left open while that is still possible in order. Not below a daemon thread that is in a call.

    That thread would print a traceback; its child dies when the process does.
    """
    dropped = [handle.drop() for handle in tuple(_handles) if handle.busy.acquire(blocking=False)]
    reap(_REAP_S)
    for held in filter(None, dropped):
        warnings.warn(f"unclosed worker ({held})", ResourceWarning, stacklevel=1)


def _after_fork() -> None:
    """In the forked process: a copy of a pipe's end would keep a worker alive when its parent dies.

    A fork that C code makes is not seen here: its copies close when it ends or starts another program.
    """
    for handle in (*_handles, *_orphans):
        handle.abandon()
    _handles.clear()
    _orphans.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
