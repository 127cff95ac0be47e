"""`flatwater leaks`: run a function again and again in a fresh process, and tell what grows on every round.

Covers:     options, the files of figures, exit codes.
Not here:   the hunt (`proof.leaks`), its words (`cli.reports.leaks_text`).
Holds:      one report.
"""

from __future__ import annotations

import json
import sys

import click

from flatwater import errors, units
from flatwater.cli import main
from flatwater.cli.options import BytesType, SecondsType, json_option
from flatwater.cli.reports import files, leaks_text
from flatwater.proof.leaks import hunt, separate
from flatwater.worker.failures import RemoteTraceback


class _Limit(SecondsType):
    """A duration such as 90s."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, more than none."""
        seconds = super().convert(value, param, ctx)
        if seconds <= 0:
            self.fail(f"{value!r}: a time limit is more than nothing.", param, ctx)
        return seconds


@click.command("leaks")
@click.argument("action")
@click.option("--undo", metavar="FUNCTION", help="The way back: called after the action on each round.")
@click.option(
    "--rounds", type=click.IntRange(hunt.ROUNDS_MIN, hunt.ROUNDS_MAX), default=hunt.ROUNDS, show_default=True, metavar="N",
    help="Rounds to count; twice as many run where something grew.",
)  # fmt: skip
@click.option(
    "--warmup", type=click.IntRange(0, hunt.WARMUP_MAX), default=hunt.WARMUP, show_default=True, metavar="N",
    help="Rounds before them: imports, caches that have to be full first.",
)  # fmt: skip
@click.option(
    "--ignore", multiple=True, metavar="NAME",
    help="Leave out a leak whose name, or the way to it, begins so, such as jobs.CACHE. Can be given again.",
)  # fmt: skip
@click.option(
    "--cycles/--no-cycles", default=None,
    help="Count what only the garbage collector frees as a leak always, or never.  [default: if the collector is off, or "
    "from 1 MiB a round]",
)  # fmt: skip
@click.option(
    "--timeout", type=_Limit(), default=separate.TIMEOUT_S, metavar="TIME",
    help=f"For all rounds together.  [default: {separate.TIMEOUT_S:g}s]",
)  # fmt: skip
@click.option(
    "--limit", type=BytesType(), default=separate.LIMIT_BYTES, metavar="SIZE",
    help=f"Memory for the process.  [default: {units.format_bytes(separate.LIMIT_BYTES)}]",
)  # fmt: skip
@click.option("--show-output", is_flag=True, help="Show what the function prints on each round.")
@json_option
@click.option("--quiet", "-q", is_flag=True, help="No table.")
@click.pass_context
def command(
    ctx: click.Context,
    action: str,
    *,
    undo: str | None,
    rounds: int,
    warmup: int,
    ignore: tuple[str, ...],
    cycles: bool | None,
    timeout: float,
    limit: int,
    show_output: bool,
    json_path: str | None,
    quiet: bool,
) -> None:
    """Run a function again and again, and tell what grows on every round, and who holds it.

    ACTION is file.py::function or module:function; it takes no arguments and may be async. It runs in a fresh process,
    where nothing of yours ran before, and which is gone afterwards.

    The exit code is 0 if nothing leaks, 1 if something does, 2 for wrong use, 4 if the function failed.

    \b
    Examples:
      flatwater leaks jobs.py::load
      flatwater leaks server.py::connect --undo server.py::disconnect --rounds 20
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--json": None if json_path == "-" else json_path})
    output = separate.OUTPUT_DROPPED
    if show_output:
        output = separate.OUTPUT_TO_STDERR if json_path == "-" else separate.OUTPUT_KEPT
    try:
        report = separate.hunt_in_worker(
            action, undo=undo, rounds=rounds, warmup=warmup, ignore=ignore, cycles=cycles,
            timeout_s=timeout, limit_bytes=limit, output=output,
        )  # fmt: skip
    except errors.FlatwaterError as error:
        is_told = not isinstance(error, errors.UsageError) or "importing" in error.args[0]
        if isinstance(error.__cause__, RemoteTraceback) and is_told:
            main.say(_own_part(str(error.__cause__)))
        raise
    if not quiet:
        main.say(leaks_text.render(report), nl=False)
    if json_path == "-":
        sys.stdout.write(json.dumps(report.to_dict(), indent=1) + "\n")
    elif json_path is not None:
        files.write(json_path, json.dumps(report.to_dict(), indent=1) + "\n")
    ctx.exit(main.HOLDS if report.holds else main.DOES_NOT_HOLD)


def _own_part(trace: str) -> str:
    """A traceback from the worker, without the last link of its chain: that one is ours."""
    return trace.rpartition("\n\nThe above exception was the direct cause")[0].strip() or trace.strip()
