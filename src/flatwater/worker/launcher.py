"""Start one command below a memory limit, wait for its whole tree, and tell what it used. Run as a script.

Covers:     fork and exec under a cgroup or RLIMIT_DATA, reaping what the command leaves behind, killing the tree.
Not here:   the other end of the pipes (`worker.command`), making the limit (`worker.limit`), sampling (`meter.tree`).
Holds:      a bare interpreter (about 8 MB), so that `wait4` starts the command's peak near nothing.

It runs as `python -I -S launcher.py CONTROL REPORT IGNORED PROCS_FILE DATA_LIMIT COMMAND...` and imports neither
Flatwater nor anything large: the peak resident size of a command starts at that of the process it was forked from.

Report lines:  `floor KIB`, `started PID`, `failed STEP ERRNO`, `exited STATUS MAXRSS_KIB USER_S SYSTEM_S HAD_CHILDREN`,
               `orphan MAXRSS_KIB USER_S SYSTEM_S`, `empty`.
Control:       one byte a command: 1 to 64 send that signal to the command, `K` kills the tree, `D` detaches: the rest of
               the tree is left alone and only its limit is cleared away when it has ended. End of file without `D` means
               that the other end died: the tree is killed, so that nothing runs unwatched, and the terminal scrolls as
               a whole again, in case a live line had its last row.
"""

# ruff: noqa: SIM105 - contextlib would be one more module in an interpreter that is kept bare
from __future__ import annotations

import os
import resource
import select
import signal
import sys

KILL, DETACH = ord("K"), ord("D")
SIGNAL_MAX = 64
ALL_ROWS_SCROLL = b"\0337\033[r\0338"  # no margins; setting them moves the cursor, so it is saved and put back
KILL_ROUNDS_MAX = 200  # each kills all that is left; a tree that forks faster than that is left to its limit


class Launcher:
    """The reaper of one command's tree."""

    def __init__(self, control: int, report: int, procs_file: str) -> None:
        self.control = control
        self.report = report
        self.procs_file = procs_file
        self.main_pid = 0
        self.detached = False
        self.abandoned = False  # nobody is at the other end of the control pipe

    def tell(self, *words: object) -> None:
        """Write one report line; nobody listening is no reason to stop reaping."""
        try:
            os.write(self.report, (" ".join(map(str, words)) + "\n").encode())
        except OSError:
            pass

    def start(self, command: list[str], data_limit: int, ignored: frozenset[int]) -> bool:
        """Fork and exec the command; False if it could not be started (and reported)."""
        failure_read, failure_write = os.pipe()
        try:
            self.main_pid = os.fork()
        except OSError as error:  # as many processes as the user may have
            self.tell("failed", "fork", error.errno or 0)
            return False
        if self.main_pid == 0:
            self.become(command, data_limit, ignored, failure_write)
        os.close(failure_write)
        failure = os.read(failure_read, 64)
        os.close(failure_read)
        if failure:
            os.waitpid(self.main_pid, 0)
            self.tell("failed", failure.decode())
            return False
        self.tell("started", self.main_pid)
        return True

    def become(self, command: list[str], data_limit: int, ignored: frozenset[int], failure: int) -> None:
        """In the child: take the limit on, then become the command; `failure` is told what went wrong."""
        step = "limit"
        try:
            if self.procs_file:
                _write(self.procs_file, b"0")
            if data_limit:
                _limit_data(data_limit)
            for number in range(1, SIGNAL_MAX + 1):
                if number not in ignored:
                    _default(number)
            step = "exec"
            _restore_locale()
            self.tell("floor", _own_peak_kib())
            os.execvp(command[0], command)  # noqa: S606 - no shell, on purpose
        except OSError as error:
            os.write(failure, f"{step} {error.errno or 0}".encode())
        except (MemoryError, ValueError) as error:  # a ValueError is how setrlimit says that it may not
            os.write(failure, f"{step} {12 if isinstance(error, MemoryError) else 1}".encode())
        finally:
            os._exit(127)

    def run(self) -> None:
        """Reap until the tree is empty, obeying the control pipe meanwhile."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(wake_read, select.POLLIN)
        poll.register(self.control, select.POLLIN)
        while self.reap():
            for descriptor, _events in poll.poll(1000):  # once a second even if a signal were lost
                if descriptor == wake_read:
                    _drain(wake_read)
                elif not self.obey(os.read(self.control, 64)):
                    poll.unregister(self.control)

    def reap(self) -> bool:
        """Collect every child that has ended; False when none is left."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return False
            if ended is None:
                return True
            # The zombie still tells whether it had children of its own (their page faults); reaped, it tells no more.
            had_children = int(ended.si_pid == self.main_pid and _may_have_had_children(ended.si_pid))
            pid, status, used = os.wait4(ended.si_pid, 0)
            figures = (used.ru_maxrss, round(used.ru_utime, 4), round(used.ru_stime, 4))
            if pid == self.main_pid:
                self.main_pid = 0
                self.tell("exited", status, *figures, had_children)
            else:
                self.tell("orphan", *figures)

    def obey(self, commands: bytes) -> bool:
        """Do what the control pipe says; False when it has ended."""
        if not commands:
            self.abandoned = True
            if not self.detached:
                self.kill_tree()
            return False
        for command in commands:
            if command == KILL:
                self.kill_tree()
            elif command == DETACH:
                self.detached = True
                nowhere = os.open(os.devnull, os.O_RDWR)
                for standard in (0, 1, 2):
                    os.dup2(nowhere, standard)
            elif 1 <= command <= SIGNAL_MAX and self.main_pid:
                _kill(self.main_pid, command)
        return True

    def kill_tree(self) -> None:
        """SIGKILL every descendant, and those they make meanwhile."""
        for _round in range(KILL_ROUNDS_MAX):
            pids = _pids_in(self.procs_file) if self.procs_file else _descendants(os.getpid())
            if not pids:
                return
            for pid in pids:
                _kill(pid, signal.SIGKILL)
            if not self.reap():
                return
            select.select([], [], [], 0.005)

    def clear_limit(self) -> None:
        """Remove the cgroup if nobody else will; its owner still wants to read it."""
        if self.procs_file and (self.abandoned or self.detached):
            try:
                os.rmdir(os.path.dirname(self.procs_file))
            except OSError:
                pass  # whoever made it removes it, or has done so

    def free_terminal(self) -> None:
        """Take back the margins that a killed `flatwater run` may have left on the terminal (`cli.live_line`)."""
        if self.abandoned and not self.detached and os.environ.get("TERM", "dumb") != "dumb" and os.isatty(2):
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # the shell has the terminal by now
            try:
                os.write(2, ALL_ROWS_SCROLL)
            except OSError:
                pass  # it has gone, too


def _limit_data(size: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    least = size if hard == resource.RLIM_INFINITY else min(size, hard)  # a lower one that was there stays
    resource.setrlimit(resource.RLIMIT_DATA, (least, least))


def _default(number: int) -> None:
    try:
        signal.signal(number, signal.SIG_DFL)
    except (OSError, ValueError):
        pass  # SIGKILL, SIGSTOP, and the two that the threads library keeps


def _nothing(_number: int, _frame: object) -> None:
    pass


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except BlockingIOError:
        pass


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # it ended meanwhile, or runs as somebody else


def _write(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    content = b""
    try:
        while chunk := os.read(descriptor, 1 << 16):
            content += chunk
    except OSError:
        pass
    os.close(descriptor)
    return content


def _restore_locale() -> None:
    """Undo what this interpreter did to LC_CTYPE for itself (PEP 538)."""
    entries = _read("/proc/self/environ").split(b"\0")
    if len(entries) > 1:
        os.environ.pop("LC_CTYPE", None)
    for entry in entries:
        if entry.startswith(b"LC_CTYPE="):
            os.environb[b"LC_CTYPE"] = entry.partition(b"=")[2]


def _own_peak_kib() -> int:
    """This process's high-water mark, which the command inherits as the start of its own."""
    for line in _read("/proc/self/status").splitlines():
        if line.startswith(b"VmHWM:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _may_have_had_children(pid: int) -> bool:
    """Whether a process has waited for children, or may have had some that nobody waits for.

    Fields 11 and 13 of proc(5)'s stat count the page faults of children that it waited for. One that ignores SIGCHLD
    never waits.
    """
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if len(fields) > 10 and (fields[8] != b"0" or fields[10] != b"0"):  # noqa: PLR2004 - from field 3 on
        return True
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"SigIgn:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGCHLD - 1) & 1)
    return False


def _pids_in(procs_file: str) -> list[int]:
    return [int(pid) for pid in _read(procs_file).split()]


def _descendants(root: int) -> list[int]:
    """All processes below `root`; it is their reaper, so that a double fork does not escape it."""
    found: list[int] = []
    pending = [root]
    while pending:
        pid = pending.pop()
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for task in tasks:
            children = [int(child) for child in _read(f"/proc/{pid}/task/{task}/children").split()]
            found += children
            pending += children
    return found


def main(argv: list[str]) -> None:
    """Run one command; see the module's header for the arguments and the pipes."""
    control, report = int(argv[0]), int(argv[1])
    ignored = frozenset(int(number) for number in argv[2].split(",") if number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)  # the other end forwards what is meant for the command
    for descriptor in (control, report):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's signature
    launcher = Launcher(control, report, argv[3])
    if launcher.start(argv[5:], int(argv[4]), ignored):
        launcher.run()
        launcher.free_terminal()
    launcher.clear_limit()
    launcher.tell("empty")


if __name__ == "__main__":
    main(sys.argv[1:])
