"""Run benchmarks: `python -m benchmarks [CASE ...]`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from benchmarks.case import CASES, load
from rich.console import Console
from rich.table import Table

from benchmarks import outcome, page, plan, runner

PIPE_COLUMNS = 160  # of a table that no terminal shows
QUICK_PAGE = Path(".cache", "bench-quick.md")
CONTEXT = {"help_option_names": ["-h", "--help"]}


@click.command(context_settings=CONTEXT)
@click.argument("names", nargs=-1, metavar="[CASE]...")
@click.option(
    "--repeats", type=click.IntRange(1, 100), default=5, show_default=True, help="Rounds of every contestant."
)
@click.option("--size", type=click.IntRange(0), default=0, help="Work in a round, instead of each case's own.")
@click.option("--tiny", is_flag=True, help="Only see that every case runs: smallest sizes, one round, nothing stored.")
@click.option(
    "--quick", is_flag=True,
    help=f"Every case once, at a size that takes seconds: the goals are told and written to {QUICK_PAGE}, nothing is stored.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the newest whole run: cases that it has are passed by.")
@click.option("--no-save", is_flag=True, help="Store no results, and leave docs/benchmarks.md as it is.")
@click.option("--list", "list_them", is_flag=True, help="Name the cases.")
def main(
    names: tuple[str, ...], *, repeats: int, size: int, tiny: bool, quick: bool, resume: bool, no_save: bool, list_them: bool
) -> None:  # fmt: skip
    """Run CASEs (all of them, if none is named), each contestant in a process of its own, in turn.

    Results of full runs are appended to benchmarks/results, and docs/benchmarks.md is generated from the newest.
    """
    _check(names, tiny=tiny, quick=quick, resume=resume, size=size)
    if list_them:
        for name in CASES:
            click.echo(f"{name:16}  {load(name).title}")
        return
    console = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    chosen, run = list(names or CASES), "" if names else datetime.now(UTC).isoformat(timespec="seconds")
    if resume:
        run, done = plan.newest_run()
        chosen = [name for name in chosen if name not in done]
    if not tiny:
        seconds = sum(plan.estimate_s(name, quick=quick, repeats=repeats) for name in chosen)
        console.print(
            f"{len(chosen)} cases, about {seconds / 60:.0f} minutes and their set-up", style="dim", highlight=False
        )
    begun, failed, measured = time.monotonic(), [], []
    for name in chosen:
        try:
            with console.status(name) as status:
                record = runner.measure(
                    name, repeats=repeats, size=plan.quick_size(name) if quick else size, tiny=tiny, rounds=int(quick), run=run,
                    on_step=status.update,
                )  # fmt: skip
        except runner.CaseFailed as error:  # one broken case must not cost the others an hour
            console.print(f"\n{error}", style="red", markup=False, highlight=False)
            failed.append(name)
            continue
        measured.append(outcome.Outcome(record))
        show(console, measured[-1], tiny=tiny, is_short=quick)
        if not (no_save or tiny or quick or size):  # results of another size are no part of the series
            outcome.append(record)
            page.write()
    if quick:
        _tell_quick(console, measured, time.monotonic() - begun)
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(chosen)} cases failed: {', '.join(failed)}")


def _check(names: tuple[str, ...], *, tiny: bool, quick: bool, resume: bool, size: int) -> None:
    """Words that do not go together.

    Raises:
        click.UsageError: which.
    """
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise click.UsageError(f"no case is named {', '.join(unknown)}. There are: {', '.join(CASES)}.")
    if tiny and quick:
        raise click.UsageError("--tiny and --quick are two sizes: name one.")
    if resume and (names or tiny or quick or size):
        raise click.UsageError("--resume goes on with a whole run of all cases, and takes no others.")
    if resume and not plan.newest_run()[0]:
        raise click.UsageError("there is no whole run to go on with: leave --resume out.")


def _tell_quick(console: Console, measured: list[outcome.Outcome], took_s: float) -> None:
    """The goals at these sizes, and where their table is."""
    QUICK_PAGE.parent.mkdir(exist_ok=True)
    QUICK_PAGE.write_text(page.goals_table(measured), encoding="utf-8")
    goals = [goal for each in measured for goal in each.goals()]
    held = sum(goal.kept for goal in goals)
    console.print(
        f"\n{held} of {len(goals)} goals hold at these sizes, one round each, in {took_s / 60:.1f} minutes; {QUICK_PAGE} has the table. "
        "What a goal promises is judged by `make bench`.", highlight=False,
    )  # fmt: skip


def show(console: Console, result: outcome.Outcome, *, tiny: bool, is_short: bool = False) -> None:
    """The machine and versions, the table, the bars; a tiny run keeps no promise and breaks none."""
    console.print(f"\n[bold]{result.name}[/]  {result.case.title}")
    if not is_short:
        for line in result.about():
            console.print(line, style="dim", highlight=False)
        first, *others = result.headings()
        table = Table()
        table.add_column(first, no_wrap=True)
        for heading in others:
            table.add_column(heading, justify="right")
        for row in result.rows():
            table.add_row(*row)
        console.print(table)
    for contestant, why in result.record["left_out"].items():
        console.print(f"  left out: {contestant}: {why}", style="yellow", highlight=False)
    for text, measured, kept in [] if tiny else result.bars():
        console.print(f"  {'holds ' if kept else 'MISSED'}  {text}: {measured}", highlight=False)


if __name__ == "__main__":
    main()
