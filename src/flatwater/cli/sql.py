"""`flatwater sql`: a shell for live tables, and statements of scripts.

Covers:     options, where statements come from, exit codes.
Not here:   the prompt (`cli.sql_shell`), rows (`cli.sql_session`), log-ins (`cli.sql_targets`).
Holds:      a statement.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import sys
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any, BinaryIO

import click

from flatwater import errors
from flatwater.cli import main
from flatwater.cli.leaving import leaving_on_signals

_PIECE_BYTES = 64 * 1024
_Do = Callable[[str, list[Any]], None]


@click.command("sql")
@click.argument("target")
@click.option("--command", "-c", "commands", multiple=True, metavar="SQL", help="A statement; can be given again.")
@click.option("--file", "-f", type=click.Path(dir_okay=False), metavar="FILE", help="Statements, each with its ';'.")
@click.option("--param", "-p", "params", multiple=True, metavar="VALUE", help="For the ? of the statements, in their order: JSON, or else a text.")  # fmt: skip
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "vertical"]),
    default="table",
    show_default=True,
    help="How rows are shown; json is a row a line.",
)
@click.option("--live", is_flag=True, help="Follow the last statement: a line of JSON for each row and change.")
@click.option("--keep-going", is_flag=True, help="Do the statements behind one that fails, too.")
@click.option("--user", metavar="NAME", help="Who asks; the password is asked for, or FLATWATER_PASSWORD.")
@click.option("--token-file", type=click.Path(dir_okay=False), metavar="FILE", help="A file with a token.")
@click.option("--one-time", is_flag=True, help="Log in with the token that the first start of a server prints.")
@click.option("--ca-file", type=click.Path(dir_okay=False), metavar="FILE", help="With https: certificates of authorities, in place of the system's.")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, /, target: str, **flags: Any) -> None:
    """Ask the database TARGET: the address of a served one, or a directory, which this process opens itself.

    At a terminal it is a shell: \\? there tells what it knows. With -c, -f or a pipe it does statements and ends.

    Passwords and tokens are never options: they are asked for, or stand in FLATWATER_PASSWORD, FLATWATER_TOKEN (without --user) or
    FLATWATER_ONE_TIME. In a directory nobody is asked: --user says in whose name, and without it one is system.

    Exit code 0: all was done. 1: the budget is too small. 2: wrong use, also of SQL. 4: the database refused, or it failed. With
    --keep-going it is that of the first error. 130: Ctrl-C, 143: SIGTERM.

    \b
    Examples:
      flatwater sql http://127.0.0.1:8642 --user ada
      flatwater sql data/ -c "SELECT * FROM notes WHERE id > ?" -p 10 --format json
      flatwater sql data/ --user ada --live -c "SELECT body FROM notes"
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    from flatwater.cli import sql_targets
    from flatwater.cli.sql_session import Session, told
    from flatwater.cli.sql_work import Work

    if flags["commands"] and flags["file"] is not None:
        raise click.UsageError("give -c or -f.")
    is_shell = not flags["commands"] and flags["file"] is None and sys.stdin.isatty() and sys.stdout.isatty()
    if is_shell and (flags["live"] or flags["params"]):
        raise click.UsageError("--live and -p go with -c, -f or a pipe; in the shell it is \\live SELECT ...")
    params = [_value(text) for text in flags["params"]]
    who = sql_targets.Who(flags["user"], flags["token_file"], flags["one_time"], flags["ca_file"])
    with contextlib.ExitStack() as stack:
        stack.enter_context(leaving_on_signals(ctx, interrupts=not is_shell))
        if hasattr(sys.stdout, "reconfigure"):  # what its encoding does not have is escaped
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            opened = sql_targets.opened(target, who)
        except errors.FlatwaterError as error:
            ctx.exit(told(error))
        stack.callback(opened.close)
        session = Session(opened, stack.enter_context(Work()), form="json" if flags["live"] else flags["form"])
        if is_shell:
            try:
                from flatwater.cli.sql_shell import Shell
            except ModuleNotFoundError as error:
                raise errors.MissingExtra("client", error.name or "a library") from error
            try:
                session.greet()
            except errors.FlatwaterError as error:
                ctx.exit(told(error))
            ctx.exit(Shell(session).run())
        texts = stack.enter_context(contextlib.closing(_texts(flags["commands"], flags["file"])))
        ctx.exit(_run(session, texts, params, live=flags["live"], keep_going=flags["keep_going"]))


def _run(session: Any, texts: Iterator[str], params: list[Any], *, live: bool, keep_going: bool) -> int:
    """One after the other; the exit code of the first that fails."""
    from flatwater.cli.sql_live import follow_as_lines
    from flatwater.cli.sql_session import told

    code = main.HOLDS
    left = list(params)
    steps = _steps(texts, session.do, partial(follow_as_lines, session) if live else session.do)
    while code == main.HOLDS or keep_going:
        try:
            step = next(steps, None)
        except errors.FlatwaterError as error:  # what comes behind is not known
            failed = told(error)
            return code or failed
        if step is None:
            break
        try:
            do, text = step
            if text.startswith("\\"):
                raise errors.UsageError(
                    f"{text.split(maxsplit=1)[0][:20]} is of the shell at a terminal: here are statements alone.",
                    hint="SHOW TABLES and DESCRIBE are statements; --format and --live are options.",
                )
            taken = _parameters(text) if left else 0
            given, left = left[:taken], left[taken:]
            do(text, given)
        except errors.FlatwaterError as error:
            session.out.flush()
            failed = told(error)
            code = code or failed
    if left and code == main.HOLDS:
        code = told(errors.UsageError(f"{len(left)} of {len(params)} values of -p were for no statement."))
    return code


def _steps(texts: Iterator[str], do: _Do, do_last: _Do) -> Iterator[tuple[_Do, str]]:
    """What is done with each; where the last one is no exception it does not wait for the end of the texts."""
    if do == do_last:
        yield from ((do, text) for text in texts)
        return
    ahead: str | None = None
    for text in texts:
        if ahead is not None:
            yield do, ahead
        ahead = text
    if ahead is not None:
        yield do_last, ahead


def _parameters(text: str) -> int:
    """How many a statement takes; none where it is not understood: the database says why."""
    from flatwater.live.statements import understood

    try:
        return understood(text).parameters
    except errors.FlatwaterError:
        return 0


def _value(text: str) -> Any:
    """A parameter: what it is in JSON, or the text."""
    try:
        return json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return text


def _refused(name: str) -> None:
    raise ValueError(name)


def _texts(commands: tuple[str, ...], file: str | None) -> Generator[str]:
    from flatwater.cli.sql_split import statements

    if commands:
        for each in commands:
            yield from statements([each])
        return
    if file is None or file == "-":
        yield from statements(_pieces(sys.stdin.buffer, "standard input"))
        return
    try:
        opened = open(file, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise errors.UsageError(f"{file!r} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    with opened:
        yield from statements(_pieces(opened, file))


def _pieces(stream: BinaryIO, name: str) -> Iterator[str]:
    """Text as it comes."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    read = getattr(stream, "read1", stream.read)
    try:
        while data := read(_PIECE_BYTES):
            yield decoder.decode(data)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise errors.UsageError(f"{name} is no text.", hint="Statements are in UTF-8.") from None
