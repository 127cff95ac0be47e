"""Validate the growth verdict: `python -m benchmarks.proof [--half tune|held-out]`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from benchmarks.proof import matrix, report, suite
from benchmarks.proof.programs import registry
from benchmarks.proof.programs.registry import HELD_OUT, TUNE
from rich.console import Console
from rich.table import Table

from benchmarks import outcome, page

PIPE_COLUMNS = 160  # of a table that no terminal shows


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--half", type=click.Choice([TUNE, HELD_OUT]), help="One half of the families, instead of both.")
@click.option("--family", "families", multiple=True, help="Only this one; may be repeated. Stores nothing.")
@click.option("--at-a-time", type=click.IntRange(0, 64), default=0, help="Verdicts; as many as cores, if not said.")
@click.option("--json", "as_json", is_flag=True, help="Print the records instead of the tables.")
@click.option("--stored", is_flag=True, help="Show the newest results; measure nothing.")
@click.option("--forms", is_flag=True, help="Every form of the other methods.")
@click.option("--no-save", is_flag=True, help="Store no results, and leave docs/benchmarks.md as it is.")
def main(
    *,
    half: str | None,
    families: tuple[str, ...],
    at_a_time: int,
    as_json: bool,
    stored: bool,
    forms: bool,
    no_save: bool,
) -> None:
    """Ask for the verdict on every program of a half, beside other methods on the same points.

    Results are appended to benchmarks/results/proof, and docs/benchmarks.md is generated from the newest.
    """
    if unknown := set(families) - registry.families().keys():
        raise click.UsageError(f"there is no family {', '.join(sorted(unknown))}.")
    console = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    for name in [half] if half else [TUNE, HELD_OUT]:
        if stored:
            found = matrix.newest(f"proof/{name}")
            if found is None:
                click.echo(f"the {name} half has no results yet.", err=True)
                continue
        else:
            found = matrix.Half(_measured(console, name, families, at_a_time))
            if not found.verdicts:
                continue
            if not (no_save or families):
                outcome.append(found.record)
                page.write()
        if as_json:
            click.echo(json.dumps(found.record))
        else:
            _show(console, found, forms=forms)


def _measured(console: Console, half: str, families: tuple[str, ...], at_a_time: int) -> dict[str, Any]:
    with console.status(half) as status:
        done = 0

        def tell(verdict: dict[str, Any], count: int) -> None:
            nonlocal done
            done += 1
            status.update(f"{half}: {done} of {count}, {verdict['program']}")

        return suite.measure(half, only=families, at_a_time=at_a_time, on_verdict=tell)


def _show(console: Console, half: matrix.Half, *, forms: bool) -> None:
    console.print(f"\n[bold]{half.name}[/]  {matrix.TITLES[half.name]}")
    for line in report.about(half):
        console.print(line, style="dim", highlight=False)
    table = Table()
    for heading in report.HEADINGS:
        table.add_column(heading, justify="left" if heading == report.HEADINGS[0] else "right", no_wrap=True)
    for row in half.rows(forms=forms):
        table.add_row(*report.cells(row))
    console.print(table)
    for name, why in {**half.missing(), **half.record["left_out"]}.items():
        console.print(f"  left out: {name}: {why}", style="yellow", highlight=False)
    for text, measured, kept in report.bars(half):
        console.print(f"  {'holds ' if kept else 'MISSED'}  {text}: {measured}", highlight=False)
    for each in half.wrong():
        console.print(f"  {report.said(each)}", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
