"""cli.main: every error has its exit code, every stream may be closed, and no traceback comes out."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from flatwater import errors
from flatwater.cli import main as module
from flatwater.cli.main import COMMANDS, exit_code_of

FLATWATER = [sys.executable, "-m", "flatwater"]


class Started(errors.BrokenError):
    exit_code = 127


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.MissingExtra("tables", "psycopg"), 2),
        (errors.ProofFailed("x"), 1),
        (errors.BudgetExceeded("x", asked=2, held=0, limit=1), 1),
        (errors.BrokenError("x"), 4),
        (errors.CorruptError("x"), 4),
        (errors.ClosedError("x"), 4),
        (errors.LimitReached("x"), 4),
        (errors.FlatwaterError("x"), 4),
        (Started("x"), 127),
        (module.CommandError("x", exit_code=3), 3),
    ],
)
def test_every_error_has_its_exit_code(error, code):
    """1 does not hold, 2 wrong use, 3 undecided, 4 the measured thing failed; a command may say its own."""
    assert exit_code_of(error) == code


@pytest.fixture
def ended(monkeypatch, capfd):
    """How `main` ends when a command does this: `(exit code, stdout, stderr)`."""

    def end(action):
        @click.command("trial")
        @click.pass_context
        def trial(ctx):
            return action(ctx)

        monkeypatch.setattr(module.LazyGroup, "get_command", lambda *_: trial)
        with pytest.raises(SystemExit) as caught:
            module.main(["trial"])
        return caught.value.code, *capfd.readouterr()

    return end


def raising(error):
    def action(_ctx):
        raise error

    return action


@pytest.mark.parametrize(
    ("action", "code", "says"),
    [
        (lambda ctx: ctx.exit(0), 0, ""),
        (lambda ctx: ctx.exit(255), 255, ""),
        (lambda ctx: None, 0, ""),
        (lambda ctx: "words", 0, ""),
        (raising(module.CommandError("not known yet.", exit_code=3, hint="Try more.")), 3, "not known yet. Try more."),
        (raising(errors.UsageError("no.")), 2, "flatwater: no."),
        (raising(errors.ProofFailed("it grows.")), 1, "flatwater: it grows."),
        (raising(errors.BrokenError("gone.")), 4, "flatwater: gone."),
        (raising(click.UsageError("wrong")), 2, "Error: wrong"),
        (raising(click.Abort()), 130, ""),
        (raising(KeyboardInterrupt()), 130, ""),
        (raising(OSError(28, "No space left on device", "/x/y")), 4, "no space left on device: '/x/y'"),
    ],
)
def test_errors_become_codes_and_a_sentence(ended, action, code, says):
    """What a command raises comes out as its code and one sentence on stderr, never as a traceback."""
    seen, out, err = ended(action)
    assert (seen, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_a_programmers_error_is_not_hidden(ended):
    """What is our own mistake is no user's error: it comes out as it is."""
    with pytest.raises(ZeroDivisionError):
        ended(lambda _ctx: 1 / 0)


def flatwater(*words, **options):
    return subprocess.run([*FLATWATER, *words], capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_names_every_command(words):
    """Help, or no words at all, shows each command with its line; asked for, it is a success."""
    done = flatwater(*words)
    assert done.returncode == (0 if words else 2)
    for name, (_module, text) in COMMANDS.items():
        assert name in done.stdout + done.stderr
        assert text.split()[0] in done.stdout + done.stderr


@pytest.mark.parametrize("name", list(COMMANDS))
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(name, option):
    """Each command explains itself, and its options carry text."""
    done = flatwater(name, option)
    assert done.returncode == 0
    assert "Usage: flatwater" in done.stdout


def test_the_version_is_the_packages():
    """--version is what the package says."""
    import flatwater as package

    assert flatwater("--version").stdout.strip().endswith(package.__version__)


@pytest.mark.parametrize(
    ("words", "says"), [(["rnu"], "rnu"), (["--frobnicate"], "--frobnicate"), (["run", "--budgt", "1"], "--budget")]
)
def test_a_slip_of_the_pen_is_wrong_use(words, says):
    """An unknown command or option is 2, names it, and is not taken for a program to run."""
    done = flatwater(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_help_costs_no_command():
    """Listing commands imports none of them: the listing is as fast with forty commands as with one."""
    code = "import sys; from flatwater.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint([m for m in sys.modules if 'cli.run' in m or m in ('rich', 'jinja2')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "stream", "code"),
    [
        *(("run -- sh -c 'exit 6'", stream, 6) for stream in ("1>&-", "2>&-", "0<&- 1>&- 2>&-", ">/dev/full 2>&1")),
        *(("run --budget 0 -- true", stream, 2) for stream in ("2>&-", "2>/dev/full")),
        *(("run -- no-such-command", stream, 127) for stream in ("0<&- 1>&- 2>&-", "2>/dev/full")),
    ],
)
def test_streams_that_are_closed_or_full_change_no_exit_code(words, stream, code):
    """The exit code is the same, and nothing that looks like a traceback reaches a stream that is left."""
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m flatwater {words} {stream}"], capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == code
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 4), (["--version"], 4), (["run", "-q", "--json", "-", "--", "true"], 4)]
)
def test_a_full_stdout_is_said(words, code):
    """What could not be written to stdout is a failure with a sentence."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*FLATWATER, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == code
    assert "no space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough():
    """`flatwater run -- yes | head -1` ends at once: the program gets the broken pipe, and 141 passes through."""
    command = f"{sys.executable} -m flatwater run -q -- yes | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "y\n141\n"
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["run", "-q", "--json", "-", "--", "true"]])
def test_a_pipe_nobody_reads(words):
    """With the reader gone before the first word there is no traceback, at exit neither."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*FLATWATER, *words], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(write)
    assert done.returncode == (0 if "--json" in words else 141)
    assert done.stderr == ""


@pytest.mark.parametrize(("said", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)])
def test_a_terminal_without_colours(tmp_path, said, is_coloured):
    """NO_COLOR leaves colours out for all commands, unless it is empty."""
    pty = pytest.importorskip("pty")
    (tmp_path / "a.py").write_text("def f(x=[]):\n    x.append(1)\n    return x\n")
    ours, theirs = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [*FLATWATER, "lint", "--no-cache", "--confidence", "maybe", str(tmp_path)]
    subprocess.run(command, stdout=theirs, stderr=theirs, timeout=60, check=False, env={**environ, **said})
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)
    assert b"FW305" in shown
    assert (b"\x1b[" in shown) == is_coloured
