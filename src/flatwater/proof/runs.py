"""Run one size of a scenario in a fresh process, to its end or to a bound, and say what was seen.

Covers:     the process tree, what it prints, its time and memory bounds, a kernel limit, what the child's side said.
Not here:   what the figures mean and whose fault a failure is (`proof.points`), the child's side (`proof.child`).
Holds:      a temporary folder, the end of the error output, and what `meter.tree` holds, while a process runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from flatwater import errors, limits
from flatwater.budget.detect import detect, physical_bytes
from flatwater.meter.probe import RUN_VARIABLE, usage
from flatwater.meter.scratch import needed
from flatwater.meter.tree import Tree
from flatwater.proof import child
from flatwater.worker.command import IS_LINUX, Command, Exit, own_environment
from flatwater.worker.limit import LimitGroup

_PERIOD_S = 0.004  # between looks at the tree
_READ_BYTES = 1 << 20
_PIPE_BYTES = 1 << 20
_KILL_WAIT_S = 10.0  # for a killed tree to be gone
_LINGER_S = 0.2  # for what a command leaves behind to end by itself


@dataclass(slots=True)
class Seen:
    """What one run of a scenario showed; bytes, seconds.

    Attributes:
        exit: how the process ended; None if it had to be killed before it ended.
        said: the child's own lines by step; empty for a command.
        stopped: which bound ended it: "", "timeout", "output", or "memory".
        left_behind: processes that still ran when it had ended.
        processes: how many there were in its tree.
        tree_lower: the largest sampled sum of the tree.
        tree_upper: the sum of the peaks of those that lived at one time.
        anon: the largest sampled anonymous sum, of a function from its call on.
        wall_s: from start to end.
        tail: the end of its error output.
        kills: processes that the kernel killed for the limit.
    """

    exit: Exit | None = None
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    stopped: str = ""
    left_behind: list[int] = field(default_factory=list)
    processes: int = 0
    tree_lower: int = 0
    tree_upper: int = 0
    anon: int = 0
    wall_s: float = 0.0
    tail: str = ""
    kills: int = 0


@final
class Run:
    """One process tree, from its start to its end.

    Args:
        argv: the command.
        folder: where the child's side says its lines; empty for a foreign command.
        timeout_s: it is killed after that long.
        memory_bytes: it is killed when its tree holds more.
        group: a kernel limit it runs under; None for none.
    """

    def __init__(
        self, argv: list[str], *, folder: str = "", timeout_s: float, memory_bytes: int, group: LimitGroup | None = None
    ) -> None:
        self.argv = argv
        self.folder = folder
        self.timeout_s = timeout_s
        self.memory_bytes = memory_bytes
        self.group = group
        self.seen = Seen()
        self._tail = b""
        self._printed = 0
        self._said_at = 0
        self._pending = b""
        self._ended_s = 0.0

    def run(self) -> Seen:
        """Start it, watch it, and tell.

        Raises:
            CommandNotStarted: there is no such command, or its limit is too small to start it.
        """
        if not hasattr(select, "poll"):
            raise errors.BrokenError(f"proofs need a POSIX system; this is {sys.platform}.")
        with contextlib.ExitStack() as stack:
            pipes = [_pipe(stack), _pipe(stack)]
            nothing = os.open(os.devnull, os.O_RDONLY)
            stack.callback(os.close, nothing)
            environment = {"PYTHONHASHSEED": "0", **own_environment(), RUN_VARIABLE: "1"}
            if self.folder:
                # What a scenario or its set-up leaves there goes with the folder, and what it removes there is its own.
                environment["TMPDIR"] = os.path.join(self.folder, "tmp")
            procs_file, data_limit = "", 0
            if self.group is not None:
                procs_file = self.group.procs_file()
                data_limit = self.group.limit_bytes if self.group.kind == "rlimit_data" else 0
            began_s = time.monotonic()
            try:
                command = Command(
                    self.argv, env=environment, procs_file=procs_file, data_limit_bytes=data_limit,
                    streams=(nothing, pipes[0][1], pipes[1][1]),
                )  # fmt: skip
            finally:
                for _, write in pipes:
                    os.close(write)
            with command:
                tree = Tree(command.root_pid, include_root=not IS_LINUX)
                try:
                    self._watch(command, tree, [read for read, _ in pipes], began_s)
                finally:
                    tree.close()
        seen = self.seen
        seen.processes, seen.tree_lower, seen.tree_upper = max(tree.seen, 1), tree.sum_peak, tree.peaks_sum
        seen.tail = self._tail.decode("utf-8", "replace")
        seen.kills = self.group.kills() if self.group is not None else 0
        return seen

    def _watch(self, command: Command, tree: Tree, outputs: list[int], began_s: float) -> None:
        poll = select.poll()
        for output in outputs:
            poll.register(output, select.POLLIN)
        while not self._is_over(command, tree, began_s):
            for output, _events in poll.poll(_PERIOD_S * 1000):
                if not self._take(output, is_error=output == outputs[1]):
                    poll.unregister(output)
        for output in outputs:
            while self._take(output, is_error=output == outputs[1], once=True):
                pass
        self._hear()
        if not command.empty:
            _end(command)

    def _is_over(self, command: Command, tree: Tree, began_s: float) -> bool:
        """Look at the tree, at what was said, and at the bounds."""
        seen = self.seen
        now = time.monotonic()
        rss, anon = tree.sample()
        self._hear()
        if not self.folder:
            seen.anon = max(seen.anon, anon + tree.shared)
        elif "began" in seen.said and "ended" not in seen.said:
            seen.anon = max(seen.anon, anon, _anon_now(tree))
        ended = command.poll()
        if ended is None:
            self._enforce(now - began_s, rss)
            return bool(seen.stopped)
        if seen.exit is None:
            seen.exit, self._ended_s = ended, now
            seen.wall_s = now - began_s
        if command.empty or now - self._ended_s <= _LINGER_S:
            return command.empty
        tree.sample(discover=True)
        seen.left_behind = sorted(tree.members)
        return bool(seen.left_behind)

    def _enforce(self, wall_s: float, rss: int) -> None:
        if wall_s > self.timeout_s:
            self.seen.stopped = "timeout"
        elif self._printed > limits.PROOF_OUTPUT_BYTES_MAX:
            self.seen.stopped = "output"
        elif rss > self.memory_bytes:
            self.seen.stopped = "memory"

    def _take(self, output: int, *, is_error: bool, once: bool = False) -> bool:
        """Read what it printed and forget it; False where there is no more."""
        try:
            data = os.read(output, _READ_BYTES)
        except BlockingIOError:
            return not once
        if not data:
            return False
        self._printed += len(data)
        if is_error:
            self._tail = (self._tail + data)[-limits.PROOF_TAIL_BYTES_MAX :]
        return not (once and self._printed > limits.PROOF_OUTPUT_BYTES_MAX)

    def _hear(self) -> None:
        """Take in what the child's side has said meanwhile."""
        if not self.folder:
            return
        try:
            with open(os.path.join(self.folder, "said"), "rb") as file:
                file.seek(self._said_at)
                data = file.read(_READ_BYTES)
        except FileNotFoundError:
            return
        self._said_at += len(data)
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, TypeError, KeyError):  # the folder is the scenario's as well
                figures: dict[str, Any] = json.loads(line)
                step = figures["step"]
                self.seen.said.setdefault(step, figures)  # the first is the scenario's, before a fork's


@contextlib.contextmanager
def child_run(request: dict[str, object]) -> Iterator[tuple[list[str], str]]:
    """`(argv, folder)` of the child's side for one request; the folder goes afterwards.

    Raises:
        BrokenError: there is no place for temporary files.
    """
    scratch = needed("flatwater-proof-", "a proof needs a place for small files")
    try:
        Path(scratch.path, "tmp").mkdir(exist_ok=True)
        Path(scratch.path, "request").write_bytes(pickle.dumps({"path": list(sys.path), **request}))
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
        yield [sys.executable, *flags, "-P", str(Path(child.__file__)), scratch.path], scratch.path
    finally:
        scratch.close()


def memory_bound() -> int:
    """Bytes that one run may take before it endangers the machine, or our group: a share of what is available now."""
    available = 0
    with contextlib.suppress(OSError), open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
    if not available:
        import psutil

        available = psutil.virtual_memory().available
    limit, _source = detect()
    if limit < physical_bytes() * limits.BUDGET_RAM_SHARE:  # a container's
        available = min(available, limit)
    return int(available * limits.PROOF_MEMORY_SHARE)


def _pipe(stack: contextlib.ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    stack.callback(os.close, read)
    os.set_blocking(read, False)
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return read, write


def _anon_now(tree: Tree) -> int:
    """What the kernel cannot take back of a function's processes: with shared memory, which no sample of a tree has."""
    total = 0
    for pid in tree.members:
        with contextlib.suppress(errors.BrokenError):  # it ended
            total += max(0, usage(pid).unreclaimable)
    return total


def _end(command: Command) -> None:
    command.kill_tree()
    deadline_s = time.monotonic() + _KILL_WAIT_S
    while not command.empty and time.monotonic() < deadline_s:
        command.poll()
        time.sleep(_PERIOD_S)
