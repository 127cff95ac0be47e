"""SIGTERM ends a run as Ctrl-C does.

Covers:     a handler for the time of a run.
Not here:   what is closed then (`pipeline.running`).
Holds:      nothing.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import NoReturn


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the program as Ctrl-C does: through the code that closes files and workers, with exit code 143.

    In the main thread, and where nobody has a handler of his own.
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - as signal hands it over
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
