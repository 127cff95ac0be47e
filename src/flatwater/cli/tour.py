"""`flatwater tour`: the whole house in one process, on real files, under a kernel limit equal to its promise.

Covers:     options, the JSON file, the exit code.
Not here:   the tour (`tour.walking`), its table (`cli.reports.tour_text`).
Holds:      what the report holds; the tour has a process of its own.
"""

from __future__ import annotations

import json
import sys

import click

from flatwater import limits, units
from flatwater.cli import main
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import BytesType, SecondsType, json_option, quiet_option
from flatwater.cli.output import deliver
from flatwater.cli.reports import files, tour_html, tour_text
from flatwater.tour.inputs import own_roots, roots_of
from flatwater.tour.walking import walk


def _time_of_a_step(_ctx: click.Context, _param: click.Parameter, seconds: float) -> float:
    if not 0 < seconds <= limits.WAIT_S_MAX:
        most = units.format_duration(limits.WAIT_S_MAX)
        raise click.BadParameter(f"a step takes more than nothing, and at most {most}.")
    return seconds


def _tell(step: str) -> None:
    """On a terminal: what is going on now, in one line that the next one replaces."""
    click.echo(f"\r\033[K{tour_text.plain(step)}", nl=False, err=True)


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
@json_option
@click.option(
    "--html", "html_path", type=click.Path(dir_okay=False), metavar="FILE",
    help="Write a page: the table, each step's memory over time beside its naive twin's.",
)  # fmt: skip
@click.option(
    "--keep", type=click.Path(file_okay=False), metavar="DIR",
    help="Keep what the steps make in DIR, which is not there yet, and print five commands to try on it.",
)  # fmt: skip
@quiet_option
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
    html_path: str | None,
    keep: str | None,
    quiet: bool,
) -> None:
    """Walk through the house: every step in one process, under one budget, on real files, and the kernel looks on.

    Table, words, documents, flow, store, sync, corpus, live table, server. Then each step once more, alone under a limit of
    just what it promised, and its naive twin under the same limit, which does the same work as programs do it that hold everything.

    The files are this machine's own Python sources and documentation, or all text in DIR (directories or files). The
    process imports what it needs, takes its resident size as the baseline, and goes under a kernel limit of what it
    promised to hold above that. The table tells what each step promised and what was seen.

    Exit code 0: every step held no more than it promised. 1: one held more. 2: wrong use. 4: the tour died, for instance
    because the limit ended it.

    \b
    Examples:
      flatwater tour
      flatwater tour --budget 8MiB --seconds 5 ~/notes
      flatwater tour --html report.html --keep house
      flatwater tour --json - | jq .verdict
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--json": None if json_path == "-" else json_path, "--html": html_path})
    roots = roots_of(paths) if paths else own_roots()
    if not quiet:
        where = f"{len(roots)} places" if len(roots) != 1 else roots[0].path
        main.say(
            f"flatwater tour: reading {tour_text.plain(where)} for at most {units.format_duration(seconds)} a step, "
            f"in {units.format_bytes(budget)}"
        )
    tell = None if quiet or not sys.stderr.isatty() else _tell
    with leaving_on_signals(ctx):
        report = walk(
            roots, budget=budget, seconds=seconds, limit_kind=limit_kind, again=True, keep=keep or "", tell=tell
        )
    if tell:
        tell("")
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
    if html_path is not None:
        written = deliver(html_path, tour_html.render(report)) and written
    if report.kept and not quiet:
        main.say(tour_text.kept(report.kept), nl=False)
    ctx.exit(report.exit_code or (main.HOLDS if written else main.FAILED))
