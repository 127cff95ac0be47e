"""`flatwater lint`: what grows with the data, found in Python files before they run.

Covers:     options, the forms of the report, the exit code.
Not here:   looking (`lint.linter`), what a project asks for (`lint.config`), the forms (`cli.reports.lint_text` and its siblings).
Holds:      one file, and what was found in it.
"""

from __future__ import annotations

import sys
from collections import Counter

import click

from flatwater.cli import main
from flatwater.cli.reports import lint_text
from flatwater.lint.finding import Confidence
from flatwater.lint.linter import Linter
from flatwater.lint.settings import Settings


@click.command("lint")
@click.option("--select", metavar="CODES", help="Only these rules: FW1 is a family, FW101,FW3 are two.")
@click.option("--ignore", metavar="CODES", help="Not these rules.")
@click.option(
    "--exclude", metavar="PATTERN", multiple=True, help="Leave out files and folders, such as 'vendor' or '*_pb2.py'."
)
@click.option(
    "--confidence", type=click.Choice(["sure", "likely", "maybe"]), help="The least that is told.  [default: likely]"
)
@click.option("--include-tests", is_flag=True, help="Look at tests, too.")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[str, ...],
    *,
    select: str | None,
    ignore: str | None,
    exclude: tuple[str, ...],
    confidence: str | None,
    include_tests: bool,
) -> None:
    """Find what grows with the data in Python files and notebooks, before they run.

    Exit codes: 0 nothing was found, 1 something was, 2 wrong use.
    """
    settings = Settings(
        select=_codes(select) or ("FW",),
        ignore=_codes(ignore),
        exclude=exclude,
        confidence=Confidence[(confidence or "likely").upper()],
        include_tests=include_tests,
    )
    linter, report, counts, last, files_with = Linter(settings), lint_text.TextReport(), Counter[str](), "", 0
    for finding in linter.look(paths or (".",)):
        counts[finding.code] += 1
        files_with += finding.path != last
        last = finding.path
        click.echo(report.finding(finding), nl=False)
    found = counts.total()
    click.echo(
        lint_text.closing(found=found, files_with=files_with, files=linter.files, tests=linter.tests_left_out, known=0),
        nl=False,
    )
    sys.stdout.flush()
    ctx.exit(main.DOES_NOT_HOLD if found else main.HOLDS)


def _codes(text: str | None) -> tuple[str, ...]:
    return tuple(each.strip().upper() for each in (text or "").split(",") if each.strip())
