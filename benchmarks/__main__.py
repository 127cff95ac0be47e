"""Run benchmarks: `python -m benchmarks [CASE ...]`."""

from __future__ import annotations

import sys

import click
from benchmarks.case import CASES, load
from rich.console import Console
from rich.table import Table

from benchmarks import outcome, page, runner

PIPE_COLUMNS = 160  # of a table that no terminal shows


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[CASE]...")
@click.option(
    "--repeats", type=click.IntRange(1, 100), default=5, show_default=True, help="Rounds of every contestant."
)
@click.option("--size", type=click.IntRange(0), default=0, help="Work in a round, instead of each case's own.")
@click.option("--tiny", is_flag=True, help="Only see that every case runs: smallest sizes, one round, nothing stored.")
@click.option("--no-save", is_flag=True, help="Store no results, and leave docs/benchmarks.md as it is.")
@click.option("--list", "list_them", is_flag=True, help="Name the cases.")
def main(names: tuple[str, ...], *, repeats: int, size: int, tiny: bool, no_save: bool, list_them: bool) -> None:
    """Run CASEs (all of them, if none is named), each contestant in a process of its own, in turn.

    Results of full runs are appended to benchmarks/results, and docs/benchmarks.md is generated from the newest.
    """
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise click.UsageError(f"no case is named {', '.join(unknown)}. There are: {', '.join(CASES)}.")
    if list_them:
        for name in CASES:
            click.echo(f"{name:16}  {load(name).title}")
        return
    console = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    failed = []
    save = not (no_save or tiny or size)  # results of another size are no part of the series
    for name in names or CASES:
        try:
            with console.status(name) as status:
                record = runner.measure(name, repeats=repeats, size=size, tiny=tiny, on_step=status.update)
        except runner.CaseFailed as error:  # one broken case must not cost the others an hour
            console.print(f"\n{error}", style="red", markup=False, highlight=False)
            failed.append(name)
            continue
        show(console, outcome.Outcome(record), tiny=tiny)
        if save:
            outcome.append(record)
            page.write()
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(names or CASES)} cases failed: {', '.join(failed)}")


def show(console: Console, result: outcome.Outcome, *, tiny: bool) -> None:
    """The machine and versions, the table, the bars; a tiny run keeps no promise and breaks none."""
    console.print(f"\n[bold]{result.name}[/]  {result.case.title}")
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
