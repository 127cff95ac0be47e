"""`flatwater run`: any program, its whole process tree, measured, and under a budget if one is given.

Covers:     options, the report files.
Not here:   supervising (`watch.supervise`), the live line (`cli.live_line`), the words and pages of the report (`cli.reports`).
Holds:      what the run holds.
"""

from __future__ import annotations

import json
import sys

import click

from flatwater import limits
from flatwater.cli import main
from flatwater.cli.live_line import LiveLine
from flatwater.cli.options import BytesType, SecondsType, json_option
from flatwater.cli.output import deliver
from flatwater.cli.reports import files, run_text
from flatwater.watch.result import RunResult
from flatwater.watch.supervise import Run


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


@click.command("run", cls=RunCommand, context_settings={"allow_interspersed_args": False})
@click.option("--budget", type=BytesType(), metavar="SIZE", help="Memory for the whole process tree, such as 256MiB.")
@click.option("--html", "html_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write a one-file report.")
@json_option
@click.option(
    "--profile", "profile_path", type=click.Path(dir_okay=False), metavar="FILE",
    help="Python programs: write who allocated the peak, for speedscope. Slow: about 2x where the program has memray, 7x to 18x where not.",
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
    (not found) or 126. 2 is wrong use, and nothing ran; 4 comes in place of 0 if a report could not be written.

    On a terminal a live line shows memory, budget and rate: after half a second in the last row, with the program's output
    scrolling above it. A program that takes single keys, such as an editor, has all rows to itself. If the program's output
    goes to a file or a pipe, it is a line on stderr.

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
    written = not result.profile_trouble
    if result.profile_trouble:
        main.say(f"flatwater: {result.profile_trouble}")
    if json_path is not None:
        text = json.dumps(result.to_dict(), indent=1) + "\n"
        written &= deliver(json_path, text)
    if html_path is not None:
        from flatwater.cli.reports import run_html

        done = deliver(html_path, run_html.render(result))
        if done and not quiet:
            main.say(f"  report          {html_path}")
        written &= done
    return written
