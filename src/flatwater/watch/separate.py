"""Start the separate watching process, beat for it, and hear what it saw.

Covers:     the child's life, the heartbeat in shared memory, its events.
Not here:   what it does (`watch.sentinel`).
Holds:      one page of shared memory, one pipe, and a child of about 8 MB.

Linux only: elsewhere `Separate.start` says why there is none.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import final

from flatwater import limits
from flatwater.meter.probe import IS_LINUX
from flatwater.watch.sentinel import HEART

LINE_BYTES_MAX = 1 << 16
STOP_WAIT_S = 2.0


@final
class Separate:
    """The parent's end. One thread beats and polls; `stop` may be called from any.

    Args:
        limit_bytes: of the watched process.
        critical_bytes: at which a silence is an alarm.
        critical_samples: in a row.
        period_s: between its samples.
        directory: for its evidence.
        use_rss: whether the resident size counts, rather than the anonymous one.
        signal_number: sent once to a process that stays critical and silent; 0 for none.
        signal_after_s: of critical silence before it is sent.
        silent_s: without a beat before the process counts as silent.
    """

    def __init__(
        self,
        *,
        limit_bytes: int,
        critical_bytes: int,
        critical_samples: int,
        period_s: float,
        directory: str,
        use_rss: bool,
        signal_number: int,
        signal_after_s: float,
        silent_s: float = limits.WATCH_SILENT_S,
    ) -> None:
        self._settings: dict[str, object] = {
            "pid": os.getpid(),
            "limit_bytes": limit_bytes,
            "critical_bytes": critical_bytes,
            "critical_samples": critical_samples,
            "period_s": period_s,
            "directory": directory,
            "use_rss": use_rss,
            "signal": signal_number,
            "signal_after_s": signal_after_s,
            # A watcher that beats slowly by its own choice is not silent.
            "silent_s": max(silent_s, 5 * period_s),
            "samples_max": limits.WATCH_SENTINEL_SAMPLES_MAX,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._heart: mmap.mmap | None = None
        self._beats = 0
        self._buffer = b""

    @property
    def pid(self) -> int:
        """The child's number; 0 without one."""
        return self._process.pid if self._process else 0

    @property
    def is_alive(self) -> bool:
        """Whether it watches."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> str:
        """Start the child, and wait until it watches; why there is none, or nothing."""
        if not IS_LINUX:
            return f"no separate watching process on {sys.platform}: it reads /proc"
        try:
            descriptor = os.memfd_create("flatwater-heart", os.MFD_CLOEXEC)
        except OSError as error:
            return f"no separate watching process: no shared memory ({error})"
        try:
            os.ftruncate(descriptor, mmap.PAGESIZE)
            self._heart = mmap.mmap(descriptor, mmap.PAGESIZE)
            script = str(Path(__file__).with_name("sentinel.py"))
            command = [sys.executable, "-I", "-S", script, json.dumps({**self._settings, "heart_fd": descriptor})]
            # A session of its own: Ctrl-C and a closing terminal are for the program; it ends when its parent does.
            self._process = subprocess.Popen(  # noqa: S603 - no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self.stop()
            return f"no separate watching process: {error}"
        finally:
            os.close(descriptor)
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            self.stop()
            return "no separate watching process: it ended at its start"
        os.set_blocking(self._process.stdout.fileno(), False)
        return ""

    def beat(self, other_bytes: int) -> None:
        """Tell that the watched process is awake, and what counts beside its own size (children). About 0.5 us."""
        if self._heart is not None:
            self._beats += 1
            HEART.pack_into(self._heart, 0, self._beats, other_bytes, 0)

    def events(self) -> list[dict[str, object]]:
        """What it reported since the last call, oldest first."""
        process = self._process
        if process is None or process.stdout is None:
            return []
        with contextlib.suppress(BlockingIOError, ValueError):
            self._buffer = (self._buffer + os.read(process.stdout.fileno(), LINE_BYTES_MAX))[-LINE_BYTES_MAX:]
        *lines, self._buffer = self._buffer.split(b"\n")
        return [json.loads(line) for line in lines if line]

    def stop(self) -> None:
        """End the child and give the memory back; stopping twice is fine."""
        process, self._process = self._process, None
        heart, self._heart = self._heart, None
        if heart is not None:
            HEART.pack_into(heart, 0, self._beats, 0, 1)
        if process is not None:
            try:
                process.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            assert process.stdout is not None
            process.stdout.close()
        if heart is not None:
            heart.close()
