"""SIGTERM and SIGHUP end a command as Ctrl-C does: what it made goes, and so does what it started.

Covers:     the time in which a command has something to tidy up; signals that come again while it does.
Not here:   Ctrl-C before and after the work (`cli.entry`), passing signals on to a program (`watch.supervise`).
Holds:      the handlers that were there before.
"""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Iterator
from types import FrameType

import click

AGAIN_S = (
    5.0  # after a signal that is obeyed, in which others wait for the tidying up; one that comes later ends what hangs
)


@contextlib.contextmanager
def leaving_on_signals(ctx: click.Context, *, interrupts: bool = True) -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP unwind the stack; the exit code is then 128 + the signal, as shells say.

    The first signal decides, Ctrl-C included: people press it twice, and a closing terminal sends two or three, which does not cut the way
    out short. One that comes `AGAIN_S` later does, since something hangs.

    One that is ignored or handled already stays so: nohup ignores SIGHUP. For the main thread.

    Args:
        ctx: of the command.
        interrupts: Ctrl-C ends the command; False where it only ends what a shell is doing, and each one counts.
    """
    obeyed_s = -math.inf

    def leave(number: int, frame: FrameType | None) -> None:
        nonlocal obeyed_s
        now_s = time.monotonic()
        if now_s - obeyed_s < AGAIN_S:
            return
        obeyed_s = now_s
        if number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        raise _Ended(number)

    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.getsignal(number) for number in [*numbers, signal.SIGINT]}
    wanted = [number for number in numbers if before[number] == signal.SIG_DFL]
    if interrupts and before[signal.SIGINT] is signal.default_int_handler:
        wanted.append(signal.SIGINT)
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
