"""cli.watch: `flatwater watch PID`, as it is called."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest


def run(*words, **given):
    return subprocess.run(
        [sys.executable, "-m", "flatwater", "watch", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **given,
    )


@pytest.fixture
def program():
    """A process that holds 32 MiB and waits for its end."""
    text = "import sys\nheld = bytearray(b'x') * (32 << 20)\nprint('ready', flush=True)\nsys.stdin.readline()"
    process = subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_once(program):
    """One reading, and nothing else."""
    done = run(str(program.pid), "--once")
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 1)
    assert "anonymous" in done.stdout


def test_json(program):
    """A line for each reading."""
    done = run(str(program.pid), "--json", "--for", "300ms", "--interval", "100ms")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) >= 2
    assert all(line["pid"] == program.pid and line["anon_bytes"] > 32 << 20 for line in lines)


def test_more_than_the_budget_is_1(program):
    """So that a script can ask."""
    assert run(str(program.pid), "--once", "--budget", "16MiB").returncode == 1
    assert run(str(program.pid), "--once", "--budget", "1GiB").returncode == 0


def test_it_ends_with_the_process(program):
    """And says so."""
    watching = subprocess.Popen(
        [sys.executable, "-m", "flatwater", "watch", str(program.pid), "--interval", "50ms"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert "anonymous" in watching.stdout.readline()
    program.kill()
    program.wait()
    rest = watching.communicate(timeout=60)[0]
    assert "the process has ended" in rest.splitlines()[-1]
    assert watching.returncode == 0


def test_the_last_line_of_json_says_that_it_has_ended(program):
    """For programs that read it."""
    watching = subprocess.Popen(
        [sys.executable, "-m", "flatwater", "watch", str(program.pid), "--json", "--interval", "50ms"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert json.loads(watching.stdout.readline())["ended"] is False
    program.kill()
    program.wait()
    assert json.loads(watching.communicate(timeout=60)[0].splitlines()[-1])["ended"] is True


def test_ctrl_c_ends_the_watching_alone(program):
    """With a last line, and the process goes on."""
    watching = subprocess.Popen(
        [sys.executable, "-m", "flatwater", "watch", str(program.pid), "--interval", "50ms"],
        stdout=subprocess.PIPE,
        text=True,
    )
    watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    rest = watching.communicate(timeout=60)[0]
    assert "it goes on" in rest.splitlines()[-1]
    assert (watching.returncode, program.poll()) == (0, None)


def on_terminal(*words, term):
    """What is written to a terminal of this kind."""
    terminal, end = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "flatwater", "watch", *words], stdout=end, env={**os.environ, "TERM": term}
    ) as watching:
        os.close(end)
        written = b""
        with contextlib.suppress(OSError):  # of Linux, where nobody writes any more
            while part := os.read(terminal, 65536):
                written += part
        os.close(terminal)
    assert watching.returncode == 0
    return written.decode()


def test_on_a_terminal_it_has_a_screen_of_its_own(program):
    """What stood there comes back, with a last line below it; a terminal that can do nothing gets lines."""
    words = [str(program.pid), "--for", "300ms", "--interval", "100ms"]
    enter, leave = "\x1b[?1049h", "\x1b[?1049l"
    shown, _, rest = on_terminal(*words, term="xterm").partition(leave)
    assert shown.startswith(enter)
    assert "anonymous" in shown
    assert "it goes on" in rest
    lines = on_terminal(*words, term="dumb")
    assert "\x1b" not in lines
    assert len(lines.splitlines()) >= 3


@pytest.mark.parametrize(
    "words", [["0"], ["-5"], ["python"], ["4194309"], ["1", "--interval", "0s"], ["1", "--once", "--for", "1s"], []]
)
def test_what_cannot_be_is_2(words):
    """With what is wrong."""
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr
