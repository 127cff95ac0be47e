"""The live line of `flatwater run`: memory against budget and rate, where it does not touch what the program writes.

Covers:     the terminal's last row below the program's output, or a line of its own beside output that goes elsewhere.
Not here:   the words of the line (`cli.reports.run_text`), the margins after a SIGKILL (`worker.launcher`).
Holds:      one line of text.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Self

from flatwater.cli import main
from flatwater.cli.reports import run_text

if TYPE_CHECKING:
    from rich.live import Live

    from flatwater.watch.supervise import Run

START_S = 0.5  # a short run needs no line, and a full-screen program shows by then that it is one
PERIOD_S = 0.2  # between two drawings
SELDOM_S = 60.0  # the longest pause between whole lines
ROWS_MIN = 5  # a smaller terminal is all the program's
TERMS = (
    "xterm", "screen", "tmux", "rxvt", "linux", "vt100", "vt102", "vt220", "vt320", "konsole", "vte", "gnome", "alacritty",
    "kitty", "foot", "st-", "wezterm", "cygwin", "mintty", "putty", "contour", "ghostty", "iterm",
)  # fmt: skip  # how TERM begins where margins are known; others might print them, and none set is not known

SAVE, BACK = "\0337", "\0338"  # the cursor's place and colours; one slot, so each write of ours has both
DOWN, UP = "\033D", "\033[A"  # a row, in the same column; DOWN scrolls in the last row
MARGINS, NO_MARGINS = "\033[1;{}r", "\033[r"  # of what scrolls; both send the cursor to the first row
LAST = "\033[{};1H\033[m"  # to a row's begin, in no colour
WIPE, WIPE_ON = "\033[K", "\033[m\033[J"  # what is right of the cursor; that and all rows below
FREE = SAVE + NO_MARGINS + BACK  # the whole screen scrolls again
WIPED_ON = SAVE + WIPE_ON + BACK
WIPED_BELOW = (
    DOWN + SAVE + "\r" + WIPE_ON + BACK + UP
)  # the rows below alone; in the last row there are none, so it makes one


class LiveLine:
    """Memory against budget and rate, while a program runs. Nothing in a pipe.

    With stdout and stderr both on a terminal it is the terminal's last row, as apt and dpkg draw theirs; on one that is not
    known to have such a row it is a whole line now and then. With the output in a file or a pipe it is an ordinary line of
    stderr's terminal.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._line = None if quiet else _line_for_this_terminal()
        self.wanted = self._line is not None

    def __enter__(self) -> Self:
        with self._surviving():
            if self._line is not None:
                self._line.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._surviving():
            if self._line is not None:
                self._line.stop()

    def tick(self, run: Run) -> None:
        """Show the present state; called about ten times a second."""
        with self._surviving():
            if self._line is not None:
                self._line.tick(run)

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        """A terminal that has gone ends the live line, not the program."""
        try:
            yield
        except OSError:
            self._line = None
            main.silence(sys.stderr)


class LastRow:
    """The last row of the terminal that the program writes to as well; what the program writes scrolls above it.

    The margins of what scrolls are set without that row, so nothing of the program is overwritten and every line of it goes
    into the terminal's history. Each write is whole: it saves the cursor, draws, and puts the cursor back.

    We do not see what the program writes, so a few things are at risk: half an escape sequence or half a character just
    before we draw; a cursor that it saved itself and takes back later; margins that it sets in canonical mode. tmux does not
    save that a cursor stands behind the last column: a full row that is to go on in the next may lose its last character.
    It also tells late that a window shrinks: a drawing before that may lie on the cursor's row.

    It is not drawn while another job has the terminal, and taken away for good when a program reads single keys: an editor,
    a pager or a prompt with history needs all rows.
    """

    def __init__(self) -> None:
        self._terminal = sys.stderr.fileno()
        self._size: os.terminal_size | None = None  # for which the margins are set; None while they are not
        self._was_drawn = False
        self._given_up = False
        self._due_s = 0.0

    def start(self) -> None:
        """Draw nothing yet, but be told of Ctrl-Z."""
        self._due_s = time.monotonic() + START_S
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, self._suspend)

    def stop(self) -> None:
        """Give the row back; the cursor stays where the program left it."""
        if signal.getsignal(signal.SIGTSTP) == self._suspend:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        self._take_away()
        if self._given_up and self._was_drawn and _has_the_terminal(self._terminal):
            # An editor's screen may have hidden the row when it was taken away, and the one below still has it.
            self._write(FREE + WIPED_BELOW)

    def tick(self, run: Run) -> None:
        """Draw if it is time to, the terminal takes it now, and the row is ours to have."""
        now = time.monotonic()
        if self._given_up or (self._size is None and now < self._due_s) or not self._takes_it_now():
            return
        has_terminal = _has_the_terminal(self._terminal)
        if not has_terminal or not _is_canonical(self._terminal):
            self._take_away()
            self._given_up = has_terminal  # what another job does with the terminal says nothing about our program
            return
        size = os.get_terminal_size(self._terminal)
        if size.lines < ROWS_MIN:
            self._take_away()
        elif size != self._size or now >= self._due_s:
            self._due_s = now + PERIOD_S
            self._draw(run_text.live_line(run), size)

    def _draw(self, text: str, size: os.terminal_size) -> None:
        margins = ""
        if size != self._size:
            # Where the old row is after a change of size is the terminal's choice, but it is below the cursor; or it is the
            # cursor's own, if we drew before we knew (tmux tells a quarter of a second late).
            margins = FREE + WIPED_ON if self._was_drawn else ""
            # One down and up again: a cursor in the last row gets out of it, and the column stays.
            margins += DOWN + SAVE + MARGINS.format(size.lines - 1) + BACK + UP
        self._size, self._was_drawn = size, True
        # The last column stays free: a cursor behind it is one that WIPE may take for one upon it.
        self._write(margins + SAVE + LAST.format(size.lines) + text[: max(0, size.columns - 1)] + WIPE + BACK)

    def _take_away(self) -> None:
        if self._size is None:
            return
        before, self._size = self._size, None
        now = os.get_terminal_size(self._terminal)
        if now == before:
            self._write(SAVE + NO_MARGINS + LAST.format(now.lines) + WIPE + BACK)
        else:
            self._write(FREE + WIPED_ON)

    def _suspend(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets a whole terminal back; the next tick that has it sets the margins again."""
        with contextlib.suppress(OSError):
            if self._takes_it_now():
                self._take_away()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # stops here, until SIGCONT
        signal.signal(signal.SIGTSTP, self._suspend)

    def _takes_it_now(self) -> bool:
        """A terminal that is stopped (Ctrl-S) or busy with the program's output must not stop us."""
        return bool(select.select([], [self._terminal], [], 0)[1])

    def _write(self, text: str) -> None:
        """In one write, so that nothing of the program's comes between."""
        sys.stderr.flush()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])  # `stty tostop` would stop us for it
        try:
            os.write(self._terminal, text.encode())
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


class SeldomLines:
    """Whole lines among the program's, on a terminal that may know no better: the first soon, then each twice as late."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.fileno()
        self._due_s = self._pause_s = 0.0

    def start(self) -> None:
        """Write nothing yet."""
        self._pause_s = START_S
        self._due_s = time.monotonic() + self._pause_s

    def stop(self) -> None:
        """What was written stays."""

    def tick(self, run: Run) -> None:
        """Write a line if it is time to, the terminal takes it now, and no other job has it."""
        now = time.monotonic()
        if now < self._due_s or not select.select([], [self._terminal], [], 0)[1]:
            return
        if (_is_a_jobs(self._terminal) and not _has_the_terminal(self._terminal)) or not _is_canonical(self._terminal):
            return
        self._pause_s = min(2 * self._pause_s, SELDOM_S)
        self._due_s = now + self._pause_s
        # A line of its own also where the program has left one without an end: a prompt stays readable.
        os.write(self._terminal, f"\n{run_text.live_line(run)}\n".encode())


class OwnLine:
    """A line of a terminal that the program's output does not go to."""

    def __init__(self) -> None:
        self._live: Live | None = None

    def start(self) -> None:
        """Take a line."""
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._live.start()

    def stop(self) -> None:
        """Wipe it."""
        if self._live is not None:
            self._live.stop()

    def tick(self, run: Run) -> None:
        """Draw."""
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text(run_text.live_line(run), no_wrap=True, overflow="ellipsis"), refresh=True)


def _line_for_this_terminal() -> LastRow | SeldomLines | OwnLine | None:
    if not sys.stderr.isatty():
        return None
    is_known = os.environ.get("TERM", "").startswith(TERMS)
    if not sys.stdout.isatty():
        return OwnLine() if is_known else SeldomLines()
    terminal = sys.stderr.fileno()
    has_rows = os.get_terminal_size(terminal).lines >= ROWS_MIN
    return LastRow() if is_known and has_rows and _is_a_jobs(terminal) else SeldomLines()


def _is_a_jobs(terminal: int) -> bool:
    """Whether it is our session's terminal, of which one job has the foreground."""
    try:
        os.tcgetpgrp(terminal)
    except OSError:
        return False
    return True


def _has_the_terminal(terminal: int) -> bool:
    """Whether our process group is the one in the foreground; of a terminal that is not our session's nobody knows."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False


def _is_canonical(terminal: int) -> bool:
    """Whether the terminal gives lines to who reads it; a program that takes single keys draws for itself."""
    import termios

    try:
        flags: int = termios.tcgetattr(terminal)[3]
    except termios.error as error:  # which is no OSError
        raise OSError(*error.args) from error
    return bool(flags & termios.ICANON)
