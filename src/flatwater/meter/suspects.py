"""Name the lines of a Python program that were running when its memory grew.

Covers:     preparing a command's environment, asking a grown process for its stack, adding up growth by line.
Not here:   allocation profiles (`meter.profile`), sampling itself (`meter.tree`).
Holds:      at most `limits.RUN_SUSPECTS_KEPT_MAX` lines, and one directory of small files until `close`;
            some hundred bytes per process that was asked (some thousand if many of its threads are silent), at most
            `limits.RUN_PROCESSES_MAX` of them.

Each time a process's anonymous memory passes its highest value by half a per cent (at least 64 KiB), it is sent SIGURG and
its `faulthandler` writes the running thread's stack from inside the signal handler. The growth since the last ask is
then booked to that stack. This is sampling: a line's share is an estimate, its presence is a fact. A process that never
grows is never disturbed, and one that sleeps is not until it runs again: a signal cuts sleep, poll and select short.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from flatwater import limits, units
from flatwater.meter.scratch import Scratch
from flatwater.meter.tree import Member

ASK_SHARE = 0.005  # of the highest value so far
ASK_BYTES_MIN = 64 * units.KIB
ANSWER_BYTES_MAX = 64 * units.KIB  # of one read; 100 frames of 500 characters fit
FRAMES_MAX = 12  # kept of a stack, innermost first
TRIES = 3  # asks of one thread in a row; without an answer it has no Python stack, or the program's own handler replaced ours
TRIES_MAX = 12  # asks of all threads in a row; without an answer nobody is asked until one comes
THREADS_MAX = 256  # of one process, looked at before each ask; 10 us each
SILENT_MAX = 32  # threads of one process that are remembered as silent; 100 bytes each

# Compiled when first used (`re` keeps them): most commands have no stacks, and compiling takes milliseconds.
_FRAME = r'^  File "(?P<file>.*)", line (?P<line>\d+|\?\?\?) in (?P<function>.*)$'
_STACK_START = rb"(?m)^(?!  )[^\n]"
_ESCAPE = r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}"
_LIBRARY = r"/lib(?:64)?/python\d(?:\.\d+)?/|/(?:site|dist)-packages/|^<frozen |^<__array_function__|/lib/pypy"
_HOOK = Path(__file__).with_name("hook")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stack."""

    file: str
    line: int
    function: str

    @property
    def is_library(self) -> bool:
        """Whether it is the standard library's or an installed package's, not the program's own."""
        return re.search(_LIBRARY, self.file) is not None

    @property
    def source(self) -> str:
        """The text of the line, stripped; empty where the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()


@dataclass(slots=True, eq=False, repr=False)
class Suspect:
    """A line, and the growth that was seen while it ran.

    Attributes:
        frame: the innermost frame of the program's own code (of any code, if none is its own).
        inner: the innermost frame of all: what that line was calling.
        growth_bytes: rise of the highest value while it ran.
        asks: how many stacks showed it.
        stack: the frames of the largest single rise, innermost first.
        largest_bytes: that rise.
    """

    frame: Frame
    inner: Frame
    growth_bytes: int = 0
    asks: int = 0
    stack: tuple[Frame, ...] = ()
    largest_bytes: int = 0


@dataclass(slots=True, eq=False, repr=False)
class _Answers:
    """One answer file: a process's own, or shared by it and those it forked."""

    offset: int = 0
    size: int = 0  # when it was looked at last
    size_asked: int = 0  # when somebody was asked last
    asked: int = 0  # the process that was asked last
    thread: int = 0  # and its thread
    silent: dict[int, int] = field(default_factory=dict)  # by thread: asks since it answered last
    unanswered: int = 0  # asks of all since an answer came
    pending: deque[int] = field(default_factory=lambda: deque(maxlen=limits.RUN_ASKS_PENDING_MAX))


@final
class Suspects:
    """Asks growing Python processes for their stacks, and adds up.

    Not thread-safe: the sampling thread drives it. Linux only; elsewhere it finds nothing.

    Attributes:
        directory: where the answers are; empty if there is no place for them, and then nobody is asked.
        trouble: why nobody is asked, with what to do; empty if all is well.
    """

    def __init__(self) -> None:
        self._scratch = Scratch("flatwater-trace-")
        self.directory = self._scratch.path
        self.trouble = f"there are no suspect lines: {self._scratch.trouble}" if self._scratch.trouble else ""
        self._by_line: dict[tuple[str, int], Suspect] = {}
        self._highs: dict[int, int] = {}  # by process: its highest anonymous size when last asked
        self._answers: dict[str, _Answers] = {}  # by path
        self._ask_thread = _thread_signaller()
        self.due_bytes = 0  # below this sum of anonymous sizes, a look would ask nobody
        self.growth_bytes = 0  # of all Python processes, asked for

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """`environ` with what makes Python programs answer; other programs do not notice it."""
        prepared = dict(environ)
        if not self.directory:
            return prepared
        prepared["FLATWATER_TRACE"] = self.directory
        path = environ.get("PYTHONPATH", "")
        prepared["PYTHONPATH"] = f"{_HOOK}{os.pathsep}{path}" if path else str(_HOOK)
        return prepared

    def look(self, members: Iterable[Member]) -> None:
        """Take in earlier answers, and ask every process that has grown.

        Call it after a sample of the tree that reaches `due_bytes` or shows a new process, and a few times a second: one
        may grow while another shrinks, and answers come.
        """
        if not self.directory:
            return
        self._take_answers()
        highs, self._highs = self._highs, {}  # a number is given again to another process, sooner or later
        total, room = 0, 1 << 62
        for member in members:
            high = highs.get(member.pid, member.anon)  # what it starts with, or inherits, is no growth of its own
            least = max(ASK_BYTES_MIN, int(high * ASK_SHARE))
            left = high + least - member.anon
            if left <= 0:
                left = least
                if self._ask(member.pid, member.anon - high):
                    high = member.anon
            self._highs[member.pid] = high
            total += member.anon
            room = min(room, left)
        self.due_bytes = total + room
        for path, answers in self._answers.items():
            if answers.pending and answers.asked not in self._highs:  # it has ended, and said all it had to say
                self._take(path, answers, whole=True)
                answers.pending.clear()

    def top(self, count: int = limits.RUN_SUSPECTS_MAX) -> list[Suspect]:
        """The lines with the most growth, largest first."""
        self._take_answers(whole=True)
        return sorted(self._by_line.values(), key=lambda suspect: -suspect.growth_bytes)[:count]

    def close(self) -> None:
        """Remove the answers."""
        self._scratch.close()

    def _ask(self, pid: int, growth: int) -> bool:
        """Ask whoever grows for a stack; False if all its threads sleep: then the growth waits for the next look."""
        path = self._answer_path(pid)
        if path is None:
            return True
        answers = self._answers.get(path)
        if answers is None:
            if len(self._answers) >= limits.RUN_PROCESSES_MAX:
                self.growth_bytes += growth
                return True
            answers = _Answers()
        unanswered = _note_answer(path, answers)
        thread = _thread_to_ask(pid, answers)
        if thread is None:
            return False
        self.growth_bytes += growth
        if thread and self._ask_thread(pid, thread):
            self._answers[path] = answers
            if unanswered and answers.asked == pid and answers.pending:
                growth += answers.pending.pop()  # two signals that wait for one thread are one
            answers.pending.append(growth)
            answers.asked, answers.thread = pid, thread
            answers.unanswered += 1
            if len(answers.silent) >= SILENT_MAX:
                answers.silent.clear()
            answers.silent[thread] = answers.silent.get(thread, 0) + 1
        return True

    def _answer_path(self, pid: int) -> str | None:
        """The answer file that the process has open (its own, or that of the one it was forked from); exec closes it."""
        try:
            for number in os.listdir(f"/proc/{pid}/fd"):
                if len(number) > 1 and (path := os.readlink(f"/proc/{pid}/fd/{number}")).startswith(self.directory):
                    return path
        except OSError:
            pass  # it ended, or a descriptor was closed while we looked: it is asked next time
        return None

    def _take_answers(self, *, whole: bool = False) -> None:
        for path, answers in self._answers.items():
            if answers.pending:
                self._take(path, answers, whole=whole)

    def _take(self, path: str, answers: _Answers, *, whole: bool) -> None:
        """Book what was answered; the last stack only if it is whole, for it is written line by line and has no end mark."""
        with contextlib.suppress(OSError), open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limits.RUN_TRACE_BYTES_MAX:
                os.truncate(path, 0)  # answers are appended, so nothing is overwritten
                answers.offset = answers.size = 0
                answers.pending.clear()  # they were among what is lost
                return
            settled, answers.size = size == answers.size, size  # nothing was added since the last look
            file.seek(answers.offset)
            text = file.read(ANSWER_BYTES_MAX)
            complete = text[: text.rfind(b"\n") + 1]
            settled = settled and complete[complete.rfind(b"\n", 0, -1) + 1 :].startswith(b"  ")  # a frame, not a start
            if not (whole or settled) and len(text) < ANSWER_BYTES_MAX:
                starts = [match.start() for match in re.finditer(_STACK_START, complete)]
                complete = complete[: starts[-1] if starts else 0]
            answers.offset += len(complete)
            for stack in stacks_in(complete.decode("utf-8", "replace")):
                if answers.pending:
                    self._book(stack, answers.pending.popleft())

    def _book(self, stack: list[Frame], growth: int) -> None:
        if any(frame.file.startswith(str(_HOOK)) for frame in stack):
            self.growth_bytes -= growth  # a profile's own recorder
            return
        inner = stack[0]
        frame = next((frame for frame in stack if not frame.is_library), inner)
        key = (frame.file, frame.line)
        suspect = self._by_line.get(key)
        if suspect is None:
            if len(self._by_line) >= limits.RUN_SUSPECTS_KEPT_MAX:
                return
            suspect = self._by_line[key] = Suspect(frame, inner)
        suspect.growth_bytes += growth
        suspect.asks += 1
        if growth > suspect.largest_bytes:
            suspect.largest_bytes, suspect.stack, suspect.inner = growth, tuple(stack[:FRAMES_MAX]), inner


def stacks_in(text: str) -> list[list[Frame]]:
    r"""The stacks in `faulthandler`'s output, each innermost frame first.

    >>> stacks_in('Stack (most recent call first):\n  File "a.py", line 3 in f\n  File "a.py", line 9 in <module>\n')
    [[Frame(file='a.py', line=3, function='f'), Frame(file='a.py', line=9, function='<module>')]]
    """
    stacks: list[list[Frame]] = []
    for line in text.splitlines():
        if not line.startswith("  "):
            stacks.append([])
        elif stacks and (match := re.match(_FRAME, line)):
            number = int(match["line"]) if match["line"].isdigit() else 0
            stacks[-1].append(Frame(_unescaped(match["file"]), number, _unescaped(match["function"])))
    return [stack for stack in stacks if stack]


def _unescaped(text: str) -> str:
    r"""`faulthandler` writes what is not ASCII as \xe9, \u20ac or \U0001f40d; a file is found by its real name."""
    return re.sub(_ESCAPE, lambda match: chr(min(int(match[0][2:], base=16), sys.maxunicode)), text)  # noqa: FURB166 - \x is no prefix of int's


def _note_answer(path: str, answers: _Answers) -> bool:
    """Whether nothing was written since the last ask; an answer clears the thread that was asked then."""
    with contextlib.suppress(OSError):
        size = os.stat(path).st_size
        if size == answers.size_asked:
            return True
        answers.size_asked = size
        answers.unanswered = 0
        answers.silent.pop(answers.thread, None)
    return False


def _thread_to_ask(pid: int, answers: _Answers) -> int | None:
    """The thread whose stack tells most; None if all sleep, 0 if those that do not are known to be silent."""
    growing = _growing_threads(pid)
    if not growing:
        return None
    if answers.unanswered >= TRIES_MAX:
        return 0
    willing = [thread for thread in growing if answers.silent.get(thread, 0) < TRIES]
    if pid not in growing and answers.silent.get(pid, 0) < TRIES and (not willing or answers.unanswered >= TRIES):
        # Threads of native code have no Python stack; the main one that waits for them has, and takes its wait up again.
        willing = [pid] if _waits_for_a_thread(pid) else willing
    return willing[0] if willing else 0


def _growing_threads(pid: int) -> list[int]:
    """Threads that may be the ones that grow, running ones first; if the main one runs, it alone.

    A thread in an uninterruptible wait (a page fault, a disk) is one of them. One that sleeps is not: it allocates nothing,
    and a signal would end its sleep, poll or select early, which no handler's flag prevents (signal(7)).
    """
    state = _state(pid, pid)
    if state == b"R":
        return [pid]
    running, waiting = [], [pid] if state == b"D" else []
    with contextlib.suppress(OSError):
        for thread in sorted(map(int, os.listdir(f"/proc/{pid}/task")))[:THREADS_MAX]:
            if thread != pid:
                state = _state(pid, thread)
                if state == b"R":
                    running.append(thread)
                elif state == b"D":
                    waiting.append(thread)
    return running + waiting


def _state(pid: int, thread: int) -> bytes:
    """Field 3 of proc(5)'s stat; empty if the thread has ended."""
    try:
        with open(f"/proc/{pid}/task/{thread}/stat", "rb", buffering=0) as file:
            return file.read(512).rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        return b""


def _waits_for_a_thread(pid: int) -> bool:
    """Whether the main thread waits for a lock or another thread: SA_RESTART, or the C library, takes that up again."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/wchan", "rb", buffering=0) as file:
        return bool(file.read(64).startswith(b"futex"))
    return False


def _thread_signaller() -> Callable[[int, int], bool]:
    """A function that sends SIGURG to a thread of a process, and says whether it could."""
    import ctypes

    tgkill = getattr(ctypes.CDLL(None), "tgkill", None)  # glibc 2.30 and later, musl

    def send(pid: int, thread: int) -> bool:
        if tgkill is not None:  # a signal to the process may go to any of its threads, also to one that sleeps
            return bool(tgkill(pid, thread, signal.SIGURG) == 0)
        try:
            os.kill(pid, signal.SIGURG)
        except OSError:
            return False
        return True

    return send
