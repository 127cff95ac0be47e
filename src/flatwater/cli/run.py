"""`flatwater run`: any program, its whole process tree, measured, and under a budget if one is given.

Covers:     options, the live line and its place, the report files.
Not here:   supervising (`watch.supervise`), the words and pages of the report (`cli.reports`).
Holds:      what the run holds.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

import click

from flatwater import errors, limits, units
from flatwater.cli import main
from flatwater.cli.reports import files, run_text
from flatwater.watch.result import RunResult
from flatwater.watch.supervise import Run

if TYPE_CHECKING:
    from rich.live import Live


class BytesType(click.ParamType[int]):
    """A size such as 256MiB."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes, at least one."""
        try:
            count = units.parse_bytes(value)  # type: ignore[arg-type]  # it refuses what is no size
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        if count < limits.LIMIT_BYTES_MIN:
            floor = units.format_bytes(limits.LIMIT_BYTES_MIN)
            self.fail(f"{value!r}: no program fits into less than {floor}.", param, ctx)
        return count


class SecondsType(click.ParamType[float]):
    """A duration such as 250ms or 10s."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        try:
            return units.parse_duration(value)  # type: ignore[arg-type]  # it refuses what is no duration
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class RunCommand(click.Command):
    """Keeps whether the command stood after a '--'."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does."""
        words = list(args)
        rest = super().parse_args(ctx, args)
        argv = ctx.params.get("argv") or ()
        ctx.meta[SEPARATED] = len(words) > len(argv) and words[-len(argv) - 1] == "--"
        return rest


SEPARATED = "flatwater.separated"
TITLE = "\033]2;{}\007"  # xterm's: set the window's title
TITLE_KEPT, TITLE_BACK = "\033[22;2t", "\033[23;2t"  # put the title on a stack, take it from there; others ignore it
TITLE_PERIOD_S = 1.0
TITLED = (
    "xterm", "screen", "tmux", "rxvt", "alacritty", "kitty", "foot", "wezterm", "konsole", "vte", "gnome", "st-", "contour",
    "ghostty", "mintty", "iterm",
)  # fmt: skip  # how TERM begins where titles are known; others might print them


@click.command("run", cls=RunCommand, context_settings={"allow_interspersed_args": False})
@click.option("--budget", type=BytesType(), metavar="SIZE", help="Memory for the whole process tree, such as 256MiB.")
@click.option("--html", "html_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write a one-file report.")
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write the figures; - is stdout."
)
@click.option(
    "--profile", "profile_path", type=click.Path(dir_okay=False), metavar="FILE",
    help="Python programs: write who allocated the peak, for speedscope. Slow: about 2x where the program has memray, 10x to 30x where not.",
)  # fmt: skip
@click.option(
    "--limit-kind", type=click.Choice(["auto", "cgroup", "rlimit_data", "none"]), default="auto", show_default=True,
    help="What holds the budget: the best kernel limit there is, that one, or only watching.",
)  # fmt: skip
@click.option("--no-suspects", is_flag=True, help="Do not ask Python programs which line they are on when they grow.")
@click.option(
    "--linger", type=SecondsType(), default=limits.RUN_LINGER_S, metavar="TIME",
    help=f"How long to measure what the program leaves behind.  [default: {limits.RUN_LINGER_S:g}s]",
)  # fmt: skip
@click.option(
    "--grace", type=SecondsType(), default=limits.RUN_GRACE_S, metavar="TIME",
    help=f"From a signal that asks to end, to SIGKILL.  [default: {limits.RUN_GRACE_S:g}s]",
)  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No live line and no summary.")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="-- CMD...")
@click.pass_context
def command(
    ctx: click.Context,
    argv: tuple[str, ...],
    *,
    budget: int | None,
    html_path: str | None,
    json_path: str | None,
    profile_path: str | None,
    limit_kind: str,
    no_suspects: bool,
    linger: float,
    grace: float,
    quiet: bool,
) -> None:
    """Run any program, in any language, and tell what its whole process tree held.

    Without --budget it only measures. With one, the kernel holds the program to it: by cgroup v2, else cgroup v1, else
    RLIMIT_DATA; the summary says which.

    The program's exit code is passed through. If the budget killed it, the code is 137; if it could not be started, 127
    (not found) or 126.

    On a terminal a live line shows memory, budget and rate: in the window's title if the program's output goes to the
    terminal too, so that nothing of it is overwritten, else as a line on stderr.

    \b
    Examples:
      flatwater run -- python job.py
      flatwater run --budget 256MiB --html report.html -- python job.py --all
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    if not argv:
        raise click.UsageError("there is no command to run. Write it after '--': flatwater run -- python job.py", ctx)
    files.check({"--html": html_path, "--json": None if json_path == "-" else json_path, "--profile": profile_path})
    live = LiveLine(quiet=quiet)
    run = Run(
        argv,
        budget_bytes=budget or 0,
        limit_kind=limit_kind,
        suspects=not no_suspects,
        profile_path=profile_path or "",
        linger_s=linger,
        grace_s=grace,
        on_tick=live.tick if live.wanted else None,
    )
    with live:
        result = run.run()
    result.notes += _misplaced(ctx, argv)
    if not quiet:
        apart = "\n" * (sys.stdout.isatty() and sys.stderr.isatty())  # the program's last line may have no end
        main.say(apart + run_text.render(result), nl=False)
    written = _write_files(result, html_path, json_path, quiet=quiet)
    ctx.exit(result.exit_code or (main.HOLDS if written else main.FAILED))


class LiveLine:
    """Memory against budget and rate, where they do not touch what the program writes. Nothing in a pipe.

    We do not see what the program writes to a terminal, nor where its cursor stands, so a line that we draw and wipe there
    would wipe its output too, and what we save and restore it may have moved meanwhile. So on a terminal that the program's
    output goes to, the window's title is the line; with the output in a file or a pipe it is a line of the terminal.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._place = "" if quiet else _place_of_the_line()
        self._live: Live | None = None
        self._due_s = 0.0  # of the title
        self.wanted = bool(self._place)

    def __enter__(self) -> Self:
        with self._surviving():
            if self._place == "title":
                _write_now(TITLE_KEPT)
            elif self._place:
                from rich.console import Console
                from rich.live import Live

                self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
                self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._surviving():
            if self._place == "title":
                _write_now(TITLE.format("") + TITLE_BACK)
            elif self._live is not None:
                self._live.stop()

    def tick(self, run: Run) -> None:
        """Show the present state; called about ten times a second."""
        with self._surviving():
            if self._place == "title":
                self._show_title(run)
            elif self._live is not None:
                from rich.text import Text

                self._live.update(Text(run_text.live_line(run), no_wrap=True, overflow="ellipsis"), refresh=True)

    def _show_title(self, run: Run) -> None:
        now = time.monotonic()
        # A terminal that is stopped (Ctrl-S) or busy with the program's output must not stop us.
        if now >= self._due_s and select.select([], [sys.stderr], [], 0)[1]:
            self._due_s = now + TITLE_PERIOD_S
            # The figures first: tabs and status lines show the beginning.
            _write_now(TITLE.format(f"{run_text.live_line(run).removeprefix('flatwater: ')} - flatwater"))

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        """A terminal that has gone ends the live line, not the program."""
        try:
            yield
        except OSError:
            self._place, self._live = "", None
            main.silence(sys.stderr)


def _place_of_the_line() -> str:
    """Either title or line, or empty for nowhere."""
    if not sys.stderr.isatty():
        return ""
    if not sys.stdout.isatty():
        return "line"
    return "title" if os.environ.get("TERM", "").startswith(TITLED) else ""


def _write_now(text: str) -> None:
    """In one write, so that nothing of the program's comes between."""
    sys.stderr.flush()
    os.write(sys.stderr.fileno(), text.encode())


def _misplaced(ctx: click.Context, argv: tuple[str, ...]) -> list[str]:
    """What a tired user should hear: an option of ours behind the command is the command's, unless '--' shows intent."""
    if ctx.meta.get(SEPARATED):
        return []
    own = {"--budget", "--html", "--json", "--profile", "--limit-kind"}
    found = [word for word in argv[1:] if word.partition("=")[0] in own]
    return [f"{found[0]!r} stands after the command, so the command got it; options of flatwater stand before"] * bool(
        found
    )


def _write_files(result: RunResult, html_path: str | None, json_path: str | None, *, quiet: bool) -> bool:
    """Write every report that can be written; False if one could not be, which was said."""
    written = True
    if json_path is not None:
        text = json.dumps(result.to_dict(), indent=1) + "\n"
        written &= _write(json_path, text)
    if html_path is not None:
        from flatwater.cli.reports import run_html

        done = _write(html_path, run_html.render(result))
        if done and not quiet:
            main.say(f"  report          {html_path}")
        written &= done
    return written


def _write(path: str, text: str) -> bool:
    try:
        if path != "-":
            files.write(path, text)
            return True
        sys.stdout.write(text)
        sys.stdout.flush()
    except errors.BrokenError as error:
        main.say(f"flatwater: {error}")
        return False
    except BrokenPipeError:  # whoever read it has seen enough
        main.silence(sys.stdout)
    except OSError as error:
        main.silence(sys.stdout)
        main.say(f"flatwater: standard output could not be written: {(error.strerror or str(error)).lower()}.")
        return False
    return True
