"""Run a foreign command, in any language, below a memory limit, and know how its whole tree ended.

Covers:     starting it through the small launcher, signals to it, its exit, what it leaves behind, killing the tree.
Not here:   Python functions in children (`worker.call`), making the limit (`worker.limit`), sampling (`meter.tree`).
Holds:      two pipes, and one report line.

Linux goes through `worker.launcher`. Elsewhere the command is an ordinary child process: no limit, no orphans, and the
peak is what was sampled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from flatwater import errors, units

IS_LINUX = sys.platform == "linux"
_PR_SET_CHILD_SUBREAPER = 36
_F_SETSIG, _F_SETOWN_EX, _F_OWNER_TID = 10, 15, 0  # fcntl(2), Linux
_FLOOR_SLACK_BYTES = units.MIB  # the last steps before exec, and the kernel's per-CPU rounding of the mark


@dataclass(slots=True)
class Exit:
    """How a command ended.

    Attributes:
        exit_code: as a shell shows it: its own code, or 128 + the signal that ended it.
        signal: that signal, or 0.
        peak_rss: the resident high-water mark of the largest process the kernel saw (`wait4`), bytes; -1 if unknown.
        floor_bytes: below this, `peak_rss` is the launcher's and not the command's.
        cpu_s: user and system seconds of all processes that were waited for.
        single: whether the command was one process from start to end.
    """

    exit_code: int = 0
    signal: int = 0
    peak_rss: int = -1
    floor_bytes: int = 0
    cpu_s: float = 0.0
    single: bool = True


@final
class Command:
    """A running command.

    Args:
        argv: program and arguments, as for exec; no shell.
        env: its environment; the caller's by default.
        procs_file: of a cgroup that it joins before exec (`LimitGroup.procs_file()`).
        data_limit_bytes: its RLIMIT_DATA; 0 for none.
        streams: descriptors for its standard input, output and error; the caller's own by default.

    Raises:
        UsageError: there is no program in `argv`.
        CommandNotStarted: it does not exist or may not be run, or its limit could not be applied.

    Not thread-safe: one thread polls it. If the calling process dies, the command's whole tree is killed.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: dict[str, str] | None = None,
        procs_file: str = "",
        data_limit_bytes: int = 0,
        streams: tuple[int, int, int] | None = None,
    ) -> None:
        if not argv or not argv[0]:
            raise errors.UsageError("there is no command to run.", hint="Write it after '--': flatwater run -- CMD ...")
        if any("\0" in word for word in argv):
            raise errors.UsageError("the command has a NUL character in it, which no program can be given.")
        self.argv = list(argv)
        self.exit: Exit | None = None
        self.empty = False  # nothing of the tree is left
        self.lost = False  # the launcher was killed: nobody looks after the tree
        self.pid = 0
        self._floor_bytes = 0
        self._ended = Exit()
        self._buffer = b""
        self._detached = False
        self._control = self._report = -1
        self._streams = streams or (None, None, None)
        if IS_LINUX:
            self._start_launcher(env, procs_file, data_limit_bytes)
        else:
            self._start_plain(env)

    @property
    def root_pid(self) -> int:
        """The process below which the whole tree is to be found."""
        return self._process.pid

    def _start_launcher(self, env: dict[str, str] | None, procs_file: str, data_limit_bytes: int) -> None:
        _detached[:] = [process for process in _detached if process.poll() is None]
        control_read, self._control = os.pipe()
        self._report, report_write = os.pipe()
        ignored = [
            n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN and n not in _PYTHON_IGNORES
        ]
        launcher = [
            sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py")),
            str(control_read), str(report_write), ",".join(str(int(n)) for n in ignored),
            procs_file, str(data_limit_bytes), *self.argv,
        ]  # fmt: skip
        prctl = _prctl()

        stdin, stdout, stderr = self._streams

        def become_reaper() -> None:
            # Both survive exec. Interrupts are for the command; the launcher must live to reap it.
            prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.set_inheritable(control_read, True)  # noqa: FBT003 - the standard library's signature
            os.set_inheritable(report_write, True)  # noqa: FBT003 - the standard library's signature

        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell
                launcher,
                env=env,
                close_fds=False,
                preexec_fn=become_reaper,  # noqa: PLW1509 - the few calls are safe after fork
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
            )
        except (OSError, ValueError) as error:
            os.close(self._control)
            os.close(self._report)
            raise errors.BrokenError(f"the launcher could not be started: {error}.") from error
        finally:
            os.close(control_read)
            os.close(report_write)
        try:
            self._await_start()
        except BaseException:  # an interrupt too: nobody has this object yet, to close it
            self._close_pipes()
            self._process.wait()
            raise
        os.set_blocking(self._report, False)

    def _await_start(self) -> None:
        while not self.pid:
            if not self._read_report(block=True):
                raise errors.BrokenError(f"the launcher ended before it started {self.argv[0]!r}.")

    def _close_pipes(self) -> None:
        os.close(self._control)  # end of file kills the tree, unless detached
        os.close(self._report)
        self._control = self._report = -1

    def _start_plain(self, env: dict[str, str] | None) -> None:
        stdin, stdout, stderr = self._streams
        try:
            self._process = subprocess.Popen(self.argv, env=env, stdin=stdin, stdout=stdout, stderr=stderr)  # noqa: S603 - no shell
        except OSError as error:
            raise _not_started(self.argv, "exec", error.errno or 0) from error
        self.pid = self._process.pid

    def poll(self) -> Exit | None:
        """How the command ended, or None while it runs. Also learns about what it left behind (`empty`)."""
        if IS_LINUX:
            self._read_report(block=False)
        elif self.exit is None and (code := self._process.poll()) is not None:
            self.exit = Exit(exit_code=code if code >= 0 else 128 - code, signal=max(0, -code))
            self.empty = True
        return self.exit

    def announce(self, number: int) -> None:
        """From now on send the calling thread this signal when there is something to `poll`; 0 for none again.

        The signal must be blocked or handled. Does nothing where the platform cannot.
        """
        if not IS_LINUX or self._report < 0:
            return
        import fcntl

        flags = fcntl.fcntl(self._report, fcntl.F_GETFL)
        if number:
            # To this thread alone: another one of the process need not block the signal, and would be ended by it.
            fcntl.fcntl(self._report, _F_SETOWN_EX, struct.pack("ii", _F_OWNER_TID, threading.get_native_id()))
            fcntl.fcntl(self._report, _F_SETSIG, number)
        fcntl.fcntl(self._report, fcntl.F_SETFL, flags | os.O_ASYNC if number else flags & ~os.O_ASYNC)

    def send_signal(self, number: int) -> None:
        """Send a signal to the command (not to its children). Does nothing once it has ended."""
        if IS_LINUX:
            self._order(number)
        elif self.exit is None:
            self._process.send_signal(number)

    def kill_tree(self) -> None:
        """SIGKILL everything below it. Returns at once; `poll` tells when it is done."""
        if IS_LINUX:
            self._order(ord("K"))
        else:
            self._process.kill()

    def detach(self) -> None:
        """Leave what still runs alone; its limit stays on it until it ends."""
        self._detached = True
        if IS_LINUX:
            self._order(ord("D"))

    def close(self) -> None:
        """Kill what still runs (unless detached) and give the pipes back. Closing twice is fine."""
        if not IS_LINUX:
            if self.exit is None:
                self._process.kill()
            self._process.wait()
            return
        if self._control < 0:
            return
        self._close_pipes()
        if not self._detached:
            self._process.wait()
        else:
            _detached.append(self._process)  # it lives on to clear the limit away

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # An interrupt can come before the caller's `with` has it.
        if getattr(self, "_control", -1) >= 0:
            self._close_pipes()

    def _order(self, byte: int) -> None:
        if self._control < 0:
            return
        with contextlib.suppress(BrokenPipeError):  # the launcher has ended: there is nothing left to tell
            os.write(self._control, bytes([byte]))

    def _read_report(self, *, block: bool) -> bool:
        """Take in what the launcher wrote; False at its end."""
        try:
            chunk = os.read(self._report, 4096)
        except BlockingIOError:
            return True
        if not chunk:
            self.lost = not (self.empty or block or self._detached)
            self.empty = True
            if self.exit is None and not block:
                self.exit = Exit(exit_code=137, signal=9, floor_bytes=self._floor_bytes)  # somebody killed the launcher
            return False
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        for line in lines:
            self._take(line.decode().split())
        return True

    def _take(self, words: list[str]) -> None:
        match words:
            case ["floor", kib]:
                self._floor_bytes = int(kib) * 1024 + _FLOOR_SLACK_BYTES
            case ["started", pid]:
                self.pid = int(pid)
            case ["failed", step, number]:
                raise _not_started(self.argv, step, int(number))
            case ["exited", status, maxrss_kib, user_s, system_s, had_children]:
                ended = self._ended
                code = os.waitstatus_to_exitcode(int(status))
                ended.exit_code, ended.signal = (code, 0) if code >= 0 else (128 - code, -code)
                ended.floor_bytes = self._floor_bytes
                ended.single = ended.single and had_children == "0"
                self._add_usage(maxrss_kib, user_s, system_s)
                self.exit = ended
            case ["orphan", maxrss_kib, user_s, system_s]:
                self._ended.single = False
                self._add_usage(maxrss_kib, user_s, system_s)
            case ["empty"]:
                self.empty = True

    def _add_usage(self, maxrss_kib: str, user_s: str, system_s: str) -> None:
        self._ended.peak_rss = max(self._ended.peak_rss, int(maxrss_kib) * 1024)
        self._ended.cpu_s += float(user_s) + float(system_s)


def own_environment() -> dict[str, str]:
    """The environment of this process, with LC_CTYPE as it was at the start.

    With LANG=C, Python sets LC_CTYPE for its own sake (PEP 538); handed on, it would change how other programs count.
    """
    environment = dict(os.environ)
    if environment.get("LC_CTYPE") in _PYTHON_LOCALES:
        with contextlib.suppress(OSError), open("/proc/self/environ", "rb") as file:
            started_with = dict(entry.partition(b"=")[::2] for entry in file.read().split(b"\0"))
            del environment["LC_CTYPE"]
            if b"LC_CTYPE" in started_with:
                environment["LC_CTYPE"] = os.fsdecode(started_with[b"LC_CTYPE"])
    return environment


_PYTHON_LOCALES = frozenset(("C.UTF-8", "C.utf8", "UTF-8"))

# Launchers of detached trees; those that have ended are reaped when the next command starts.
_detached: list[subprocess.Popen[bytes]] = []

# Python ignores these by itself at start; a command must not inherit that.
_PYTHON_IGNORES = frozenset(getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ", "SIGXFZ") if hasattr(signal, name))


class CommandNotStarted(errors.BrokenError):
    """A command could not be started.

    Attributes:
        exit_code: 127 if it was not found, 126 otherwise, as shells and `env` do.
    """

    def __init__(self, message: str, *, exit_code: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def _not_started(argv: list[str], step: str, number: int) -> CommandNotStarted:
    import errno

    program = argv[0]
    reason = os.strerror(number)
    if step == "limit":
        message = f"the memory limit could not be put on {program!r}: {reason}."
        return CommandNotStarted(
            message, exit_code=126, hint="Run it without --budget, or with --limit-kind rlimit_data."
        )
    if number == errno.ENOENT:
        hint = "Check the spelling and PATH."
        if os.path.exists(program):
            hint = "The file exists: is it named with its directory, and does the interpreter in its first line exist?"
        return CommandNotStarted(f"{program!r}: no such command.", exit_code=127, hint=hint)
    if number == errno.ENOMEM:
        hint = "The budget is smaller than what it takes to start it: raise --budget."
        return CommandNotStarted(f"{program!r} did not fit its memory limit even to start.", exit_code=126, hint=hint)
    hint = ""
    if number == errno.EACCES:
        hint = (
            f"A Python file is run as: python {program}" if program.endswith(".py") else "Is it executable, and a file?"
        )
    elif number == errno.ENOEXEC:
        hint = "It has no '#!' line; name its interpreter, for example: sh " + program
    return CommandNotStarted(f"{program!r} cannot be run: {reason}.", exit_code=126, hint=hint)


def _prctl() -> Callable[..., int]:
    import ctypes

    function: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl
    return function
