"""The separate watching process: it sees what a stuck process cannot see of itself. Run as a script.

Covers:     sampling the parent when its interpreter is held by a C call; evidence and a signal when it does not answer.
Not here:   starting it and the heartbeat's other end (`watch.separate`), the ladder inside the process (`watch.ladder`).
Holds:      a bare interpreter (about 8 MB), and `samples_max` samples.

It runs as `python -I -S sentinel.py SETTINGS` with the settings as JSON, and imports nothing of Flatwater. The parent
counts up a heartbeat in shared memory at every sample. While it beats, the parent acts for itself. When it is silent and
its memory is critical for some samples in a row, the sentinel writes evidence, and if the silence at that level lasts
`signal_after_s`, it sends `signal`, once. It ends when its parent ends.

Each event is one JSON line on its standard output, and one line for people on its standard error.
"""

# ruff: noqa: SIM105 - contextlib would be one more module in an interpreter that is kept bare
from __future__ import annotations

import collections
import json
import mmap
import os
import signal
import struct
import sys
import time

HEART = struct.Struct("<QqQ")  # beats, bytes that count beside the process's own, 1 once the parent says goodbye
STATUS_LINES = (b"Name", b"State", b"Vm", b"Rss", b"Threads")
THREADS_MAX = 64
LEAVE_SHARE = 0.95  # of the critical size: an alarm ends below it
EVIDENCE_PAUSE_S = 60.0  # between two files
EVIDENCE_FILES_MAX = 8  # of one sentinel


class Sentinel:
    """Watches one process."""

    def __init__(self, settings: dict[str, object]) -> None:
        self.pid = int(str(settings["pid"]))
        self.period_s = float(str(settings["period_s"]))
        self.limit_bytes = int(str(settings["limit_bytes"]))
        self.critical_bytes = int(str(settings["critical_bytes"]))
        self.critical_samples = int(str(settings["critical_samples"]))
        self.silent_s = float(str(settings["silent_s"]))
        self.signal = int(str(settings["signal"]))
        self.signal_after_s = float(str(settings["signal_after_s"]))
        self.directory = str(settings["directory"])
        self.use_rss = bool(settings["use_rss"])
        self.page_bytes = os.sysconf("SC_PAGE_SIZE")
        self.heart = mmap.mmap(int(str(settings["heart_fd"])), HEART.size)
        self.statm = os.open(f"/proc/{self.pid}/statm", os.O_RDONLY)
        # A descriptor of the process, so that a signal never meets a stranger with a reused number.
        try:
            self.process = os.pidfd_open(self.pid)
        except OSError:
            self.process = -1  # an old kernel: `run` checks that the parent is still the same
        samples_max = int(str(settings["samples_max"]))
        self.samples: collections.deque[tuple[float, int, int]] = collections.deque(maxlen=samples_max)
        self.beats = -1
        self.beat_at_s = self.seen_at_s = time.monotonic()
        self.above = 0
        self.alarm_at_s = 0.0  # when this silence became an alarm; 0 while there is none
        self.signalled = False
        self.files = 0
        self.file_at_s = -EVIDENCE_PAUSE_S

    def run(self) -> None:
        """Sample until the parent ends or says goodbye."""
        due = time.monotonic()
        while os.getppid() == self.pid:
            if not self.look(time.monotonic()):
                return
            due = max(due + self.period_s, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))

    def look(self, now_s: float) -> bool:
        """One sample, and what follows from it; False when there is nothing left to watch."""
        beats, other_bytes, goodbye = HEART.unpack_from(self.heart)
        if goodbye:
            return False
        try:
            _size, resident, shared, _rest = os.pread(self.statm, 128, 0).split(b" ", 3)
        except (OSError, ValueError):
            return False  # it has ended
        rss = int(resident) * self.page_bytes
        anon = rss - int(shared) * self.page_bytes
        self.samples.append((round(now_s, 3), rss, anon))

        slept = now_s - self.seen_at_s > self.silent_s  # this process itself did not run: it cannot judge a silence
        self.seen_at_s = now_s
        if beats != self.beats or slept:
            self.beats, self.beat_at_s = beats, now_s
        seen = (rss if self.use_rss else anon) + other_bytes
        self.above = self.above + 1 if seen >= self.critical_bytes else 0
        self.judge(now_s, seen, silent=now_s - self.beat_at_s >= self.silent_s)
        return True

    def judge(self, now_s: float, seen: int, *, silent: bool) -> None:
        """Begin, go on with or end an alarm."""
        if not self.alarm_at_s:
            if not silent or self.above < self.critical_samples:
                return
            if self.stopped():
                self.beat_at_s = now_s  # under a debugger or job control: it neither grows nor answers
                return
            self.alarm_at_s = now_s
            self.report("stuck", now_s, seen, self.write_evidence(seen))
        elif not silent or seen < LEAVE_SHARE * self.critical_bytes:
            self.report("answered", now_s, seen, "")
            self.alarm_at_s, self.signalled = 0.0, False
        elif (
            self.signal and not self.signalled and now_s - self.alarm_at_s >= self.signal_after_s and not self.stopped()
        ):
            self.signalled = True
            self.report("signalled", now_s, seen, "")
            self.send()

    def send(self) -> None:
        """Send the signal, to no other process than the one that was watched from the start."""
        try:
            if self.process >= 0:
                signal.pidfd_send_signal(self.process, self.signal)
            elif os.getppid() == self.pid:
                os.kill(self.pid, self.signal)
        except OSError:
            pass  # it has ended: the next look sees that

    def stopped(self) -> bool:
        """Whether the process is stopped (state T or t of proc(5)'s stat)."""
        return _read(f"/proc/{self.pid}/stat").rpartition(b")")[2].split()[:1] in ([b"T"], [b"t"])

    def report(self, what: str, now_s: float, seen: int, evidence: str) -> None:
        """Tell the parent (when it can listen again) and people."""
        silent_s = round(now_s - self.beat_at_s, 3)
        event = {
            "what": what, "seen_bytes": seen, "limit_bytes": self.limit_bytes, "silent_s": silent_s,
            "signal": self.signal if what == "signalled" else 0, "evidence": evidence,
        }  # fmt: skip
        mib = f"{seen / (1 << 20):.1f} of {self.limit_bytes / (1 << 20):.1f} MiB"
        said = {
            "stuck": f"process {self.pid} holds {mib} and has not answered for {silent_s} s; evidence: {evidence}",
            "signalled": f"process {self.pid} holds {mib} and does not answer: signal {self.signal} is sent",
            "answered": f"process {self.pid} answers again, or holds less: {mib}",
        }[what]
        _write(1, json.dumps(event) + "\n")
        _write(2, f"flatwater.watch: {said}\n")

    def write_evidence(self, seen: int) -> str:
        """What is seen from outside, in a new file; its path, or why there is none."""
        if self.files >= EVIDENCE_FILES_MAX or self.seen_at_s - self.file_at_s < EVIDENCE_PAUSE_S:
            return "none (enough was written before)"
        self.files, self.file_at_s = self.files + 1, self.seen_at_s
        status = _read(f"/proc/{self.pid}/status").decode("utf-8", "replace").splitlines()
        facts = {
            "pid": self.pid,
            "from": "the separate watching process",
            "seen_bytes": seen,
            "limit_bytes": self.limit_bytes,
            "status": [line for line in status if line.encode().startswith(STATUS_LINES)],
            "threads": self.threads(),
            "timeline": {
                "t_s": [sample[0] for sample in self.samples],
                "rss": [sample[1] for sample in self.samples],
                "anon": [sample[2] for sample in self.samples],
            },
        }
        name = f"flatwater-evidence-{self.pid}-stuck-{time.time_ns():x}.json"
        path = os.path.join(self.directory, name)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            return f"none ({error})"
        try:
            os.write(descriptor, json.dumps(facts).encode())
        finally:
            os.close(descriptor)
        return path

    def threads(self) -> list[dict[str, str]]:
        """Name, state and the kernel function it waits in, of each thread."""
        found: list[dict[str, str]] = []
        try:
            tasks = os.listdir(f"/proc/{self.pid}/task")[:THREADS_MAX]
        except OSError:
            return found
        for task in tasks:
            _head, _, rest = _read(f"/proc/{self.pid}/task/{task}/stat").rpartition(b")")
            found.append({
                "thread": task,
                "name": _text(_read(f"/proc/{self.pid}/task/{task}/comm")),
                "state": _text(rest[1:2]),
                "waits_in": _text(_read(f"/proc/{self.pid}/task/{task}/wchan")),
            })  # fmt: skip
        return found


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 8192)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace").strip()


def _write(descriptor: int, line: str) -> None:
    try:
        os.write(descriptor, line.encode())
    except OSError:
        pass  # nobody reads, or the pipe is full: watching goes on


def main(argv: list[str]) -> None:
    """Watch as the settings say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program; this one ends with it
    try:
        sentinel = Sentinel(json.loads(argv[0]))
    except (OSError, ProcessLookupError):
        return  # the parent ended first
    _write(1, '{"what": "ready"}\n')
    os.set_blocking(1, False)
    sentinel.run()


if __name__ == "__main__":
    main(sys.argv[1:])
