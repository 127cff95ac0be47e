"""The `flatwater` command: one file per sub-command, loaded when it is called.

Covers:     the group, `--version`, mapping errors to exit codes, for all commands.
Not here:   what the commands do.
Holds:      nothing.

Exit codes: 0 holds, 1 does not hold, 2 wrong use, 3 undecided, 4 the measured thing itself failed; `run` passes the
program's own code through.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

import click

import flatwater
from flatwater import errors
from flatwater.cli import entry

HOLDS, DOES_NOT_HOLD, WRONG_USE, UNDECIDED, FAILED = 0, 1, 2, 3, 4
INTERRUPTED, BROKEN_PIPE = entry.INTERRUPTED, 141  # 128 + the signal, as shells do

COMMANDS = {
    "run": ("flatwater.cli.run", "Run any program under a memory budget, and tell how it went."),
    "prove": ("flatwater.cli.prove", "Show how a program's memory grows with its input, and whether it stays inside."),
    "compare": ("flatwater.cli.compare", "The same proof for several implementations, side by side."),
    "leaks": ("flatwater.cli.leaks", "What grows on every round of something that should leave nothing behind."),
    "lint": ("flatwater.cli.lint", "Find what grows with the data in Python files, before they run."),
    "watch": ("flatwater.cli.watch", "Watch a process that runs already: its memory, the curve, a forecast."),
    "store": ("flatwater.cli.store", "Look after a store: figures, checks, smaller files, copies, dumps."),
    "sync": ("flatwater.cli.sync", "Keep a destination as its source is: plan, apply, audit."),
    "ingest": ("flatwater.cli.ingest", "Keep documents searchable: split, embedded, in step with their sources."),
    "search": ("flatwater.cli.search", "Find what documents say, by words and by meaning."),
    "serve": ("flatwater.cli.serve", "Serve live tables: SQL by HTTP, live queries by WebSocket, a console."),
    "sql": ("flatwater.cli.sql", "A shell for live tables, served or in a directory; also for scripts."),
    "lab": ("flatwater.cli.lab", "The classic memory experiments, measured on this machine."),
    "tour": ("flatwater.cli.tour", "The whole house at work in one process under one budget."),
}


class CommandError(errors.FlatwaterError):
    """A command cannot go on; carries the exit code that says why."""

    def __init__(self, message: str, *, exit_code: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that one does not pay for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names, in the order people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        entry.hear_interrupts()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """One line each, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_module, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(flatwater.__version__, prog_name="flatwater")
def cli() -> None:
    """Give a Python program a memory budget. It stays inside, and you can prove it."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit; the only place that turns errors into exit codes."""
    _open_standard_streams()
    colour = False if os.environ.get("NO_COLOR") else None  # None: where it goes to a terminal
    try:
        code = cli.main(args=argv, prog_name="flatwater", standalone_mode=False, color=colour)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        with _surviving(sys.stderr):
            error.show()
        code = WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except errors.FlatwaterError as error:
        say(f"flatwater: {error}")
        code = exit_code_of(error)
    except OSError as error:
        code = _stdout_failed(error)
    except SystemExit:  # click ends like this, with 1, when nobody reads stdout; 1 means "does not hold" here
        code = BROKEN_PIPE
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _stdout_failed(error)
    sys.exit(code if isinstance(code, int) else HOLDS)


def _open_standard_streams() -> None:
    """Put the null device where stdin, stdout or stderr is closed, so that no pipe of ours lands on their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            os.set_inheritable(number, True)  # noqa: FBT003 - the standard library's signature
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            stream = open(number, mode, closefd=False, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - as long as the process
            setattr(sys, name, stream)


def exit_code_of(error: errors.FlatwaterError) -> int:
    """The exit code that says whose fault an error is."""
    own = getattr(error, "exit_code", None)  # a command that could not be started says 126 or 127
    if isinstance(own, int):
        return own
    if isinstance(error, (errors.UsageError, errors.MissingExtra)):
        return WRONG_USE
    if isinstance(error, (errors.ProofFailed, errors.BudgetExceeded)):
        return DOES_NOT_HOLD
    return FAILED


def say(text: str, *, nl: bool = True) -> None:
    """To stderr; one that is closed, full or gone changes nothing about how a command ends."""
    with _surviving(sys.stderr):
        click.echo(text, err=True, nl=nl)


def silence(stream: TextIO) -> None:
    """Send what is still in the buffers of stdout or stderr nowhere, so that no second error comes at interpreter exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def _surviving(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except OSError:
        silence(stream)


def _stdout_failed(error: OSError) -> int:
    """Whoever read our output has gone: end as other tools do. A full disk is said."""
    silence(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    say(f"flatwater: {(error.strerror or str(error)).lower()}{f': {error.filename!r}' if error.filename else ''}.")
    return FAILED
