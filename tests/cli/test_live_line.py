"""cli.live_line: the live line is seen, and what the program writes reaches the terminal whole, in order and in its place."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pytest

from flatwater.cli import live_line as module

WAIT_S = 30
SET = rb"\x1bD\x1b7\x1b\[1;\d+r\x1b8\x1b\[A"
DRAWN = rb"\x1b7\x1b\[(\d+);1H\x1b\[m([^\x1b]*)\x1b\[K\x1b8"
GIVEN_BACK = rb"\x1b7\x1b\[r\x1b\[\d+;1H\x1b\[m\x1b\[K\x1b8"
WIPED = rb"\x1b7\x1b\[r\x1b8\x1b7\x1b\[m\x1b\[J\x1b8"  # all from the cursor on
WIPED_BELOW = rb"\x1b7\x1b\[r\x1b8\x1bD\x1b7\r\x1b\[m\x1b\[J\x1b8\x1b\[A"  # the rows below the cursor's
OURS = re.compile(b"|".join((SET, DRAWN, GIVEN_BACK, WIPED, WIPED_BELOW)))
FIGURES = rb"flatwater: [\d.]+ [KM]iB of 200 MiB \(\d+ %\), [+-]?[\d.]+ [KM]?i?B/s, (?:\d+ [um]s|[\d.]+ s)"


def on_a_terminal(words, *, term="xterm-256color", answers=None, stdout=None):
    """All bytes that a terminal of 24 rows gets from `flatwater run`, and its exit code; `answers` are typed when all their words were seen."""
    pty = pytest.importorskip("pty")
    pid, terminal = pty.fork()
    if pid == 0:
        termios.tcsetwinsize(0, (24, 80))
        os.environ.pop("TERM", None)
        if term is not None:
            os.environ["TERM"] = term
        if stdout is not None:
            os.dup2(stdout, 1)
        os.execv(sys.executable, [sys.executable, "-m", "flatwater", "run", "--budget", "200MiB", *words])
    seen = b""
    answers = dict(answers or {})
    with contextlib.suppress(OSError):
        while chunk := os.read(terminal, 4096):
            seen += chunk
            for awaited in [awaited for awaited in answers if all(word in seen for word in awaited)]:
                os.write(terminal, answers.pop(awaited))
    os.close(terminal)
    return seen, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_what_the_program_writes_stays():
    """Half lines, colours and prompts arrive as they are; the line has memory, budget and rate; the margins are taken back."""
    script = "stty -echo; printf 42; read x; stty echo; printf '\\033[7mdone\\033[0m\\nContinue? '; read x; printf \"got $x\""
    seen, code = on_a_terminal(
        ["--", "sh", "-c", script], answers={(b"42", b"B/s, "): b"\n", (b"Continue? ",): b"yes\n"}
    )
    ours, _, summary = seen.partition(b"\x1b[1mflatwater run:")
    assert code == 0
    assert OURS.sub(b"", ours) == b"42\x1b[7mdone\x1b[0m\r\nContinue? yes\r\ngot yes\r\n"
    assert ours.count(b"\x1bD\x1b7\x1b[1;23r\x1b8\x1b[A\x1b7\x1b[24;1H") == 1
    assert ours.endswith(b"got yes\x1b7\x1b[r\x1b[24;1H\x1b[m\x1b[K\x1b8\r\n")
    for row, text in re.findall(DRAWN, ours.replace(b"\x1b[r", b"")):
        assert row == b"24"
        assert text == b"" or re.fullmatch(FIGURES, text)
    assert not OURS.search(summary)


def test_a_short_run_has_no_line():
    """Before half a second has passed, the terminal gets what the program writes, and nothing of ours."""
    began_s = time.monotonic()
    seen, code = on_a_terminal(["--", "printf", "42"])
    is_short = time.monotonic() - began_s < module.START_S  # not on a busy machine
    assert code == 0
    written = seen.partition(b"\x1b[1mflatwater run:")[0]
    assert (written if is_short else OURS.sub(b"", written)) == b"42\r\n"


def test_the_line_begins_after_half_a_second(monkeypatch):
    """By a clock of the test's own: nothing at 0.49 s, the line at 0.5 s."""
    now_s = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now_s[0])
    own = Terminal(monkeypatch, start_s=module.START_S)
    with own.live:
        now_s[0] += 0.49
        assert own.after_tick() == b""
        now_s[0] += 0.01
        assert drawn(own.after_tick())
    own.close()


@pytest.mark.parametrize(
    ("term", "kind"),
    [(term, module.LastRow) for term in ("xterm-256color", "screen", "tmux-256color", "linux", "vt220", "xterm-kitty", "foot")]
    + [(term, module.SeldomLines) for term in ("dumb", "eterm-color", "unknown", "", None)],
)  # fmt: skip
def test_terminals_without_margins_have_whole_lines(monkeypatch, term, kind):
    """Only a TERM that is known to have margins gets the last row; one that is not set is not known."""
    monkeypatch.setattr(module.os, "get_terminal_size", lambda _terminal: os.terminal_size((80, 24)))
    monkeypatch.setattr(module, "_is_a_jobs", lambda _terminal: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2, raising=False)
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    assert type(module._line_for_this_terminal()) is kind
    assert module.LiveLine(quiet=True).wanted is False


@pytest.mark.parametrize(("rows", "is_ours"), [(0, True), (4, True), (24, False)])
def test_unknown_sizes_and_foreign_terminals_have_whole_lines(monkeypatch, rows, is_ours):
    """A terminal without a size, and one that is not our session's, have no last row to draw in."""
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module.os, "get_terminal_size", lambda _terminal: os.terminal_size((80, rows)))
    monkeypatch.setattr(module, "_is_a_jobs", lambda _terminal: is_ours)
    assert type(module._line_for_this_terminal()) is module.SeldomLines


def test_whole_lines_come_soon_and_then_seldom():
    """Without TERM: plain text only, each line whole and after a break, the second not before a second has passed."""
    seen, code = on_a_terminal(["--", "sh", "-c", "printf 42; read x"], term=None, answers={(b"42", b"B/s, "): b"\n"})
    written, _, _summary = seen.partition(b"\x1b[1mflatwater run:")
    assert code == 0
    lines = written.split(b"\r\n")
    assert [line for line in lines if line and not re.fullmatch(FIGURES, line)] == [b"42"]
    assert lines[0] == b"42" or lines[0] == b""  # on a busy machine the line may be there first
    assert any(re.fullmatch(FIGURES, line) for line in lines)


def test_each_pause_between_whole_lines_is_twice_as_long(monkeypatch):
    """By a clock of the test's own: after 0.5 s, then a second later, then two, and at last one a minute."""
    now_s, written_s = [0.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: now_s[0])
    own = Terminal(monkeypatch, start_s=0.5, kind=module.SeldomLines)
    monkeypatch.setattr(module, "_is_a_jobs", lambda _terminal: False)
    with own.live:
        for tick in range(3_000):
            now_s[0] = tick / 10
            if own.after_tick():
                written_s.append(now_s[0])
    own.close()
    assert written_s == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 123.5, 183.5, 243.5]


def test_a_line_beside_output_that_goes_elsewhere():
    """With the program's output in a file or pipe, the terminal has a line, which is gone before the summary."""
    read, write = os.pipe()
    seen, code = on_a_terminal(["--", "sh", "-c", "printf 42; read x"], stdout=write, answers={(b"B/s, ",): b"\n"})
    os.close(write)
    with open(read, "rb") as file:
        assert file.read() == b"42"
    assert code == 0
    assert re.search(FIGURES, seen.partition(b"flatwater run:")[0])
    assert b"\x1b[2K" in seen
    assert not OURS.search(seen)


class Terminal:
    """A terminal of our own as stderr, and a last row on it that is drawn at each tick."""

    def __init__(self, monkeypatch, rows=24, columns=80, *, start_s=0.0, kind=module.LastRow):
        self.screen, self.descriptor = os.openpty()
        self.stderr = open(self.descriptor, "w")  # noqa: SIM115 - `close` closes it
        self.size(rows, columns)
        self.has_it = True
        monkeypatch.setattr(sys, "stderr", self.stderr)
        monkeypatch.setattr(module, "START_S", start_s)
        monkeypatch.setattr(module, "PERIOD_S", 0.0)
        monkeypatch.setattr(module, "_has_the_terminal", lambda _terminal: self.has_it)
        monkeypatch.setattr(module, "_line_for_this_terminal", kind)
        monkeypatch.setattr(module.run_text, "live_line", lambda _run: "flatwater: 5.0 MiB of 200 MiB (2 %), 0 B/s")
        self.live = module.LiveLine()

    def size(self, rows, columns):
        termios.tcsetwinsize(self.descriptor, (rows, columns))

    def canonical(self, wanted):
        modes = termios.tcgetattr(self.descriptor)
        modes[3] = modes[3] | termios.ICANON if wanted else modes[3] & ~termios.ICANON
        termios.tcsetattr(self.descriptor, termios.TCSANOW, modes)

    def after_tick(self):
        """What one tick wrote."""
        self.live.tick(None)
        return self.written()

    def written(self):
        os.set_blocking(self.screen, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(self.screen, 1 << 16)
        return b""

    def close(self):
        self.stderr.close()
        with contextlib.suppress(OSError):
            os.close(self.screen)


@pytest.fixture
def terminal(monkeypatch):
    own = Terminal(monkeypatch)
    with own.live:
        yield own
    own.close()


def drawn(written, rows=24):
    """Whether these bytes set the margins for so many rows and draw."""
    return (
        written.endswith(b"\x1b[K\x1b8") and b"\x1b[1;%dr" % (rows - 1) in written and b"\x1b[%d;1H" % rows in written
    )


def test_the_margins_are_set_once(terminal):
    """The first drawing sets them, the next ones only draw, and the text is cut before the last column."""
    assert drawn(terminal.after_tick())
    assert re.fullmatch(DRAWN, terminal.after_tick())
    terminal.size(24, 20)
    assert re.fullmatch(WIPED + SET + DRAWN, terminal.after_tick())[2] == b"flatwater: 5.0 MiB "


def test_another_size_moves_the_row(terminal):
    """The old row is wiped and the margins are set anew; in fewer than five rows there is no line, later there is again."""
    terminal.after_tick()
    for rows in (30, 12):
        terminal.size(rows, 80)
        written = terminal.after_tick()
        assert re.fullmatch(WIPED + SET + DRAWN, written)
        assert drawn(written, rows)
    terminal.size(4, 80)
    assert re.fullmatch(WIPED, terminal.after_tick())
    assert terminal.after_tick() == b""
    terminal.size(5, 80)
    assert drawn(terminal.after_tick(), 5)


def test_single_keys_end_the_line(terminal):
    """When a program reads single keys all rows are its own at once, and stay so; the end wipes what its screen hid."""
    terminal.after_tick()
    terminal.canonical(False)
    assert re.fullmatch(GIVEN_BACK, terminal.after_tick())
    terminal.canonical(True)
    assert terminal.after_tick() == b""
    terminal.live.__exit__(None, None, None)
    assert re.fullmatch(WIPED_BELOW, terminal.written())


def test_a_program_with_single_keys_from_its_start_is_left_alone(terminal):
    """Nothing is written at all, not even at the end."""
    terminal.canonical(False)
    assert terminal.after_tick() == b""
    terminal.live.__exit__(None, None, None)
    assert terminal.written() == b""


def test_a_line_for_who_has_the_terminal(terminal):
    """In the background nothing is drawn, whatever the terminal's mode is there; back in the foreground it is."""
    terminal.after_tick()
    terminal.has_it = False
    terminal.canonical(False)
    assert re.fullmatch(GIVEN_BACK, terminal.after_tick())
    assert terminal.after_tick() == b""
    terminal.has_it = True
    terminal.canonical(True)
    assert drawn(terminal.after_tick())


def test_who_has_the_terminal_is_asked():
    """A terminal that is not our session's is nobody's that we know, and a background group does not have its own."""
    screen, descriptor = os.openpty()
    assert module._has_the_terminal(descriptor) is False
    os.close(screen)
    os.close(descriptor)
    code = "import os; from flatwater.cli import live_line; print(live_line._has_the_terminal(2)); os.setpgid(0, 0); print(live_line._has_the_terminal(2))"
    seen, _code = on_a_terminal(["-q", "--", sys.executable, "-c", code])
    assert seen == b"True\r\nFalse\r\n"


def test_a_stopped_terminal_does_not_stop_us(terminal):
    """After Ctrl-S nothing is written, so that the budget is watched on; after Ctrl-Q the line is drawn."""
    termios.tcflow(terminal.descriptor, termios.TCOOFF)
    assert terminal.after_tick() == b""
    termios.tcflow(terminal.descriptor, termios.TCOON)
    assert drawn(terminal.after_tick())


def test_ctrl_z_gives_the_shell_a_whole_terminal(terminal, monkeypatch):
    """The row is given back before the process stops, and drawn again when it goes on."""
    sent = []
    monkeypatch.setattr(os, "kill", lambda *words: sent.append((*words, signal.getsignal(signal.SIGTSTP))))
    terminal.after_tick()
    signal.raise_signal(signal.SIGTSTP)
    assert re.fullmatch(GIVEN_BACK, terminal.written())
    assert sent == [(os.getpid(), signal.SIGTSTP, signal.SIG_DFL)]
    assert drawn(terminal.after_tick())
    terminal.live.__exit__(None, None, None)
    assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL


def test_an_error_gives_the_row_back(terminal):
    """Whatever ends the run, the margins are taken back."""
    terminal.after_tick()
    with pytest.raises(KeyboardInterrupt), terminal.live:
        raise KeyboardInterrupt
    assert re.fullmatch(GIVEN_BACK, terminal.written())


def test_a_terminal_that_has_gone_ends_the_line(terminal):
    """No error comes out of a tick or the end, and what is said later goes nowhere."""
    terminal.after_tick()
    os.close(terminal.screen)
    terminal.live.tick(None)
    terminal.live.tick(None)
    print("into nowhere", file=sys.stderr, flush=True)


class Tmux:
    """A real terminal emulator with one window, 80 by 24."""

    def __init__(self, folder):
        self.words = ["tmux", "-f", os.devnull, "-S", f"{folder}/socket"]
        self.script = Path(folder, "script")

    def __call__(self, *words):
        done = subprocess.run([*self.words, *words], capture_output=True, text=True, timeout=WAIT_S, check=False)
        return done.stdout

    def run(self, script):
        """Start `flatwater run` on a shell script; READY stands below the summary."""
        self.script.write_text(script)
        command = f"{shlex.quote(sys.executable)} -m flatwater run --budget 200MiB -- sh {self.script}"
        self("new-session", "-d", "-x", "80", "-y", "24", f"{command}; echo READY; exec sleep 60")

    def screen(self, *words):
        return self("capture-pane", "-p", *words)

    def until(self, word, *words):
        deadline = time.monotonic() + WAIT_S
        while not re.search(word, text := self.screen(*words), re.MULTILINE):
            assert time.monotonic() < deadline, text
            time.sleep(0.02)
        return text

    def until_told(self, rows):
        """Until the terminal's own size is that of the window."""
        deadline = time.monotonic() + WAIT_S
        terminal = os.open(self.shows("#{pane_tty}"), os.O_RDONLY | os.O_NOCTTY)
        try:
            while (found := termios.tcgetwinsize(terminal)[0]) != rows:
                assert time.monotonic() < deadline, found
                time.sleep(0.02)
        finally:
            os.close(terminal)

    def flatwater_pid(self):
        """Of the one that draws: a child of the window's shell."""
        shell = self.shows("#{pane_pid}")
        for child in [shell, *Path(f"/proc/{shell}/task/{shell}/children").read_text().split()]:
            if b"\0flatwater\0run\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        raise AssertionError("flatwater is not there")

    def shows(self, form):
        return self("display-message", "-p", form).strip()

    def shows_soon(self, form, expected):
        deadline = time.monotonic() + WAIT_S
        while (found := self.shows(form)) != expected:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)


@pytest.fixture
def tmux():
    if shutil.which("tmux") is None:
        pytest.skip("NO TMUX HERE: the live line was not tried on a terminal emulator")
    with tempfile.TemporaryDirectory(prefix="fw-") as folder:  # a socket's path must be short
        own = Tmux(folder)
        yield own
        own("kill-server")


MARGINS = "#{scroll_region_upper} #{scroll_region_lower}"
LINE = r"^flatwater: .* of 200 MiB"


def test_no_line_of_the_program_is_lost(tmux):
    """A full screen, thousands of lines at once and a line in two halves: all in the history, once, and in order."""
    tmux.run("stty -echo; seq 40; read x; seq 41 2000; printf half; read x; echo ' line'")
    tmux.until(LINE)
    tmux("send-keys", "Enter")
    assert tmux.until("^half\n" + LINE).splitlines()[-1].startswith("flatwater: ")
    tmux("send-keys", "Enter")
    history = tmux.until("^READY", "-S", "-")
    expected = [*map(str, range(1, 2001)), "half line", ""]
    assert history.partition("flatwater run:")[0].splitlines() == expected
    assert tmux.shows(MARGINS) == "0 23"


def test_a_kill_leaves_a_terminal_that_scrolls(tmux):
    """After SIGKILL of flatwater the whole screen scrolls again."""
    tmux.run("echo $PPID; sleep 60")
    tmux.until(LINE)
    assert tmux.shows(MARGINS) == "0 22"
    launcher = int(tmux.screen().split()[0])
    os.kill(int(Path(f"/proc/{launcher}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    tmux.until("^READY")
    tmux.shows_soon(MARGINS, "0 23")


@pytest.mark.slow
def test_the_row_follows_the_window(tmux):
    """In a smaller and in a larger window there is one line, in the last row, and the program's lines are all there."""
    tmux.run("stty -echo; seq 30; read x")
    tmux.until(LINE)
    flatwater = tmux.flatwater_pid()
    for rows in (12, 30):
        # tmux tells a new size late. A drawing for the old one may lie anywhere then, which is a stated risk and not the
        # subject here: so nothing is drawn until it has told.
        os.kill(flatwater, signal.SIGSTOP)
        tmux("resize-window", "-x", "70", "-y", str(rows))
        tmux.until_told(rows)
        os.kill(flatwater, signal.SIGCONT)
        tmux.shows_soon(MARGINS, f"0 {rows - 2}")
        lines = tmux.screen().splitlines()
        assert len(lines) == rows
        assert ["flatwater: " in line for line in lines] == [False] * (rows - 1) + [True]
    tmux("send-keys", "Enter")
    history = tmux.until("^READY", "-S", "-")
    assert history.partition("flatwater run:")[0].splitlines() == [*map(str, range(1, 31)), ""]


@pytest.mark.slow
def test_a_pager_has_all_rows(tmux, tmp_path):
    """less scrolls over the whole screen, also when the line was there before it, and afterwards all is as it was."""
    if shutil.which("less") is None:
        pytest.skip("NO LESS HERE: the live line was not tried with a pager")
    (tmp_path / "text").write_text("".join(f"text {number}\n" for number in range(200)))
    tmux.run(f"stty -echo; seq 30; read x; less {tmp_path}/text; echo after")
    tmux.until(LINE)
    tmux("send-keys", "Enter")
    tmux.until("^text 22\n")
    tmux.shows_soon(MARGINS, "0 23")
    tmux("send-keys", "f")
    tmux.until("^text 45\n:")
    assert tmux.screen().splitlines()[:23] == [f"text {number}" for number in range(23, 46)]
    tmux("send-keys", "q")
    history = tmux.until("^READY", "-S", "-")
    assert history.partition("flatwater run:")[0].splitlines()[:30] == [*map(str, range(1, 31))]
