"""`flatwater lab`: the classic memory experiments, measured on this machine.

Covers:     options, the report files, exit codes.
Not here:   the experiments and measuring (`tour.lab`), the words, the page (`cli.reports`).
Holds:      what the lab holds: one program at a time, at most 2.5 GiB.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time

import click

from flatwater import errors, units
from flatwater.cli import main
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import json_option
from flatwater.cli.output import deliver
from flatwater.cli.reports import files, lab_html, lab_text
from flatwater.meter import scratch
from flatwater.proof import charts
from flatwater.tour.lab import pictures, registry
from flatwater.tour.lab.finding import Finding
from flatwater.tour.lab.running import run_lab

PAGE = "index.html"


@click.command("lab")
@click.option("--only", "names", multiple=True, metavar="NAME", help="Run this experiment; give it again for more.")
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write index.html and, with matplotlib, charts (PNG).",
)
@json_option
@click.option(
    "--html",
    "html_path",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write a one-file page with the charts.",
)
@click.option(
    "--small", is_flag=True, help="A hundredth of the sizes, in seconds. The seeds' figures are then not comparable."
)
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    *,
    folder: str | None,
    json_path: str | None,
    html_path: str | None,
    small: bool,
) -> None:
    """Repeat classic memory experiments at their own sizes, each program in a fresh process, beside the figures of the
    write-ups ("seeds") that they come from.

    \b
    ranges         ten million numbers: a list of them, or the range
    cycles         a million circular references, with the collector off
    files          a file of 100 MB: whole, or 1 KiB at a time
    pipeline       read, clean, embed: lists, or generators
    tables         a million rows: all at once, or with find_each
    order          the same two after each other in one process, in both orders
    retention      resident memory after objects are freed, in three orders
    builders       objects of five fields: bytes and CPU by the way they are built
    pool           ten thousand builds: used builders in a pool, or in a list
    states         mark all entries of a store: one long transaction, or short ones
    families       fifty tables in RocksDB: a column family each, or shared ones
    sessions       a thousand SQL queries: a context each, kept or dropped, or one
    notifications  a row that a hundred follow: copies, shared bytes, or places in a log
    subscriptions  ten thousand live queries: bytes each

    All of it takes two to four minutes, at most 2.5 GiB at a time and 200 MB of temporary files. What this
    machine has no memory or no library for is skipped, and said.

    Charts need matplotlib: pip install 'flatwater[report]'. Without it the page has its tables alone.

    Exit codes: 0 if what is bounded took less than what is not, by the factor that each experiment asks for; 1 if it did
    not; 2 wrong use; 3 if an experiment was skipped or could not be decided; 4 if one failed to run, or a report could not
    be written.

    \b
    Examples:
      flatwater lab
      flatwater lab --only ranges --only retention --out lab
    """  # noqa: D301, D205 - click reads the backspace as "keep these lines"
    registry.find(names)
    charts_wanted = bool(folder or html_path)
    with_charts = charts_wanted and _can_draw()
    without = lab_text.WITHOUT_CHARTS if charts_wanted and not with_charts else ""
    page_path = _page_in(folder)
    files.check({"--html": html_path, "--json": None if json_path == "-" else json_path, "--out": page_path})
    to_stderr = json_path == "-"
    began_s = time.monotonic()
    with leaving_on_signals(ctx), contextlib.ExitStack() as stack:
        findings = run_lab(names, small=small, on_step=(progress := _Progress(to_stderr=to_stderr)).show)
        stack.callback(progress.end)
        chart_folder = folder or ""
        if with_charts and not folder:
            made = scratch.needed("flatwater-lab-charts-", "the charts need a place until they are in the page")
            stack.callback(made.close)
            chart_folder = made.path
        _print(lab_text.opening(small=small, charts=without), to_stderr=to_stderr)
        found: list[Finding] = []
        drawn: dict[str, bytes] = {}
        written = True
        with contextlib.closing(findings):
            for finding in findings:
                progress.end()
                found.append(finding)
                _print("\n" + lab_text.render(finding), to_stderr=to_stderr)
                if with_charts:
                    written &= _draw(finding, chart_folder, drawn)
        wall_s = time.monotonic() - began_s
        _print("\n" + lab_text.closing(found, wall_s), to_stderr=to_stderr)
        pages = {path: lab_html.render(found, drawn, wall_s, without) for path in (page_path, html_path) if path}
        written &= _write(found, pages, wall_s, json_path, to_stderr=to_stderr)
    ctx.exit(_exit_code(found) or (main.HOLDS if written else main.FAILED))


def _exit_code(found: list[Finding]) -> int:
    states = {finding.state for finding in found}
    if "failed" in states:
        return main.FAILED
    if "not held" in states:
        return main.DOES_NOT_HOLD
    return main.UNDECIDED if states & {"undecided", "skipped"} else main.HOLDS


def _page_in(folder: str | None) -> str | None:
    """The page's path in a folder that is there from now on.

    Raises:
        UsageError: it cannot be made.
    """
    if folder is None:
        return None
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.UsageError(f"--out: {folder!r} cannot be made: {reason}.") from None
    return os.path.join(folder, PAGE)


def _can_draw() -> bool:
    try:
        charts.require()
    except errors.MissingExtra:
        return False
    return True


def _draw(finding: Finding, folder: str, drawn: dict[str, bytes]) -> bool:
    path = os.path.join(folder, f"{finding.experiment.name}.png")
    try:
        if pictures.draw(finding, path):
            with open(path, "rb") as file:
                drawn[finding.experiment.name] = file.read()
    except (errors.BrokenError, OSError) as error:
        main.say(f"flatwater: {error}")
        return False
    return True


def _write(
    found: list[Finding], pages: dict[str, str], wall_s: float, json_path: str | None, *, to_stderr: bool
) -> bool:
    written = True
    for path, page in pages.items():
        done = deliver(path, page)
        if done:
            _print(f"  {'report':<{lab_text.LABEL_WIDTH}}{path}\n", to_stderr=to_stderr)
        written &= done
    if json_path is not None:
        figures = {
            "machine": lab_text.machine(),
            "wall_s": round(wall_s, 3),
            "experiments": [finding.to_dict() for finding in found],
        }
        written &= deliver(json_path, json.dumps(figures, indent=1) + "\n")
    return written


def _print(text: str, *, to_stderr: bool) -> None:
    if to_stderr:
        main.say(text, nl=False)
    else:
        click.echo(text, nl=False)
        sys.stdout.flush()


class _Progress:
    """What runs now, in the last row of a terminal; nothing where stderr is none."""

    def __init__(self, *, to_stderr: bool) -> None:
        self._shown = False
        self._wanted = sys.stderr.isatty() and (to_stderr or sys.stdout.isatty())
        self._began_s = time.monotonic()

    def show(self, step: str) -> None:
        """Replace what stands there."""
        if self._wanted:
            spent = units.format_duration(time.monotonic() - self._began_s)
            main.say(f"\r\x1b[K{step} ... ({spent})", nl=False)
            self._shown = True

    def end(self) -> None:
        """Take it away."""
        if self._shown:
            main.say("\r\x1b[K", nl=False)
            self._shown = False
