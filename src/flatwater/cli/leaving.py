"""SIGTERM and SIGHUP end a command as Ctrl-C does: what it made goes, and so does what it started.

Covers:     the time in which a command has something to tidy up.
Not here:   Ctrl-C itself (`cli.entry`), passing signals on to a program (`watch.supervise`).
Holds:      the handlers that were there before.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

import click


@contextlib.contextmanager
def leaving_on_signals(ctx: click.Context) -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP unwind the stack; the exit code is then 128 + the signal, as shells say.

    One that is ignored or handled already stays so: nohup ignores SIGHUP. For the main thread.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        for one in wanted:
            signal.signal(one, signal.SIG_IGN)  # a closing terminal sends two or three: the first one is being obeyed
        raise _Ended(number)

    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.getsignal(number) for number in numbers}
    wanted = [number for number in numbers if before[number] == signal.SIG_DFL]
    for number in wanted:
        signal.signal(number, leave)
    try:
        yield
    except _Ended as ended:
        ctx.exit(128 + ended.number)
    finally:
        for number in wanted:
            signal.signal(number, before[number])


class _Ended(KeyboardInterrupt):
    """Like Ctrl-C, which nothing on the way takes for a program's error."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
