"""`flatwater tour`: the whole house in one process, on real files, under a kernel limit equal to its promise.

Covers:     options, the JSON file, the exit code.
Not here:   the tour (`tour.walking`), its table (`cli.reports.tour_text`).
Holds:      what the report holds; the tour has a process of its own.
"""

from __future__ import annotations

import json

import click

from flatwater import limits, units
from flatwater.cli import main
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import BytesType, SecondsType
from flatwater.cli.output import deliver
from flatwater.cli.reports import files, tour_text
from flatwater.tour.inputs import own_roots, roots_of
from flatwater.tour.walking import walk


def _time_of_a_step(_ctx: click.Context, _param: click.Parameter, seconds: float) -> float:
    if not 0 < seconds <= limits.WAIT_S_MAX:
        most = units.format_duration(limits.WAIT_S_MAX)
        raise click.BadParameter(f"a step takes more than nothing, and at most {most}.")
    return seconds


@click.command("tour")
@click.option(
    "--budget", type=BytesType(1, "a budget is at least"), default=limits.TOUR_BUDGET_BYTES, metavar="SIZE",
    help="What all steps may hold above the bare interpreter and its imports.  [default: 80MiB]",
)  # fmt: skip
@click.option(
    "--seconds", type=SecondsType(), default=limits.TOUR_STEP_S, metavar="TIME", callback=_time_of_a_step,
    help=f"A step that has more to read stops after so long.  [default: {limits.TOUR_STEP_S:g}s]",
)  # fmt: skip
@click.option(
    "--limit-kind", type=click.Choice(["auto", "cgroup", "rlimit_data"]), default="auto", show_default=True,
    help="What keeps the promise: the best kernel limit there is, or that one.",
)  # fmt: skip
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write the figures; - is stdout."
)
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
@click.argument("paths", nargs=-1, metavar="[DIR...]")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[str, ...],
    *,
    budget: int,
    seconds: float,
    limit_kind: str,
    json_path: str | None,
    quiet: bool,
) -> None:
    """Walk through the house: every step in one process, under one budget, on real files, and the kernel looks on.

    The files are this machine's own Python sources and documentation, or all text in DIR (directories or files). The
    process imports what it needs, takes its resident size as the baseline, and goes under a kernel limit of what it
    promised to hold above that. The table tells what each step promised and what was seen.

    Exit code 0: every step held no more than it promised. 1: one held more. 2: wrong use. 4: the tour died, for instance
    because the limit ended it.

    \b
    Examples:
      flatwater tour
      flatwater tour --budget 8MiB --seconds 5 ~/notes
      flatwater tour --json - | jq .verdict
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--json": None if json_path == "-" else json_path})
    roots = roots_of(paths) if paths else own_roots()
    if not quiet:
        where = f"{len(roots)} places" if len(roots) != 1 else roots[0].path
        main.say(
            f"flatwater tour: reading {tour_text.plain(where)} for at most {units.format_duration(seconds)} a step, "
            f"in {units.format_bytes(budget)}"
        )
    with leaving_on_signals(ctx):
        report = walk(roots, budget=budget, seconds=seconds, limit_kind=limit_kind)
    if not quiet:
        table = tour_text.render(report)
        if json_path == "-":
            main.say(table, nl=False)
        else:
            click.echo(table, nl=False)
    if report.traceback:
        main.say(report.traceback.strip())
    if quiet and report.trouble:
        main.say(f"flatwater: {tour_text.plain(report.verdict)}.")
    written = json_path is None or deliver(json_path, json.dumps(report.to_dict(), indent=1) + "\n")
    ctx.exit(report.exit_code or (main.HOLDS if written else main.FAILED))
