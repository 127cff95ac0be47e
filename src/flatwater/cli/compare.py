"""`flatwater compare`: several implementations of the same work, proved side by side.

Covers:     options, names and scenarios, progress, the report files, the exit code.
Not here:   measuring (`proof.comparing`), whether it holds (`proof.comparison`), the words and the page (`cli.reports`).
Holds:      a dozen points a scenario.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator

import click

from flatwater import errors
from flatwater.cli import main
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import (
    BytesType,
    json_option,
    quiet_option,
    resolution_option,
    run_timeout_option,
    setup_option,
)
from flatwater.cli.output import deliver
from flatwater.cli.reports import compare_text, files
from flatwater.proof import charts
from flatwater.proof.comparing import NAME_LETTERS_MAX, compare
from flatwater.proof.comparison import Comparison
from flatwater.proof.proving import SIZES, ScenarioLike
from flatwater.proof.scenarios import PLACE, Scenario, scenario_of

_NAMED = re.compile(r"([^\s/:={}]+)=(.*)", re.DOTALL)
_CODES = {"holds": main.HOLDS, "fails": main.DOES_NOT_HOLD, "undecided": main.UNDECIDED, "failed": main.FAILED}
_EXAMPLE = "flatwater compare all=jobs.py::load batched=jobs.py::stream"


@click.command("compare")
@click.option(
    "--sizes", default=SIZES, show_default=True, metavar="A..B",
    help="Numbers of items, the same for all: a range, run in doublings, or five or more, such as 1k,2k,4k,8k,16k.",
)  # fmt: skip
@click.option("--target", metavar="N", help="The number of items for which the claim is made, such as 10M.")
@click.option(
    "--budget", type=BytesType(), metavar="SIZE", help="What no peak but the first's may pass, such as 256MiB."
)
@click.option(
    "--metric", type=click.Choice(["rss", "anon"]), default="rss", show_default=True,
    help="The resident peak, exact; or memory the kernel cannot take back, sampled.",
)  # fmt: skip
@click.option(
    "--repeat", type=int, metavar="N", help="Runs at each size.  [default: 1; 3 if there is a command among them]"
)
@setup_option
@resolution_option
@run_timeout_option
@json_option
@click.option("--html", "html_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write a one-file report.")
@click.option(
    "--chart", "chart_path", type=click.Path(dir_okay=False), metavar="FILE.png",
    help="Write the peaks over n as a picture; needs matplotlib.",
)  # fmt: skip
@quiet_option
@click.argument("scenarios", nargs=-1, metavar="NAME=SCENARIO NAME=SCENARIO...")
@click.pass_context
def command(
    ctx: click.Context,
    scenarios: tuple[str, ...],
    *,
    sizes: str,
    target: str | None,
    budget: int | None,
    metric: str,
    repeat: int | None,
    setup: str | None,
    resolution: int,
    timeout: float,
    json_path: str | None,
    html_path: str | None,
    chart_path: str | None,
    quiet: bool,
) -> None:
    """Prove several implementations of the same work side by side: how many times less memory, and who still grows.

    A scenario is file.py::function or module:function, a function of n, or a command in any language, in quotes and with
    {n} in it. The first one is what the others are compared with. At each size they run in turn, each in a fresh process.

    \b
    It holds if every scenario after the first
      - with --target and --budget: is within the budget at the target, at most; else: does not grow,
      - and takes no more memory than the first at the largest size that all have.

    Exit codes: 0 holds, 1 does not hold, 2 wrong use, 3 undecided, 4 a scenario failed; the others are shown still.

    \b
    Examples:
      flatwater compare all=jobs.py::load batched=jobs.py::stream --sizes 25k..400k --target 10M --budget 256MiB
      flatwater compare --sizes 1k..16k 'before=node before.js {n}' 'after=node after.js {n}'
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    _check_files(ctx, json_path, html_path, chart_path)
    named = _named(ctx, scenarios)
    with leaving_on_signals(ctx), _progress(list(named), quiet=quiet) as on_run:
        comparison = compare(
            named,
            sizes=sizes, target=target, budget=budget, metric="anon" if metric == "anon" else "rss",
            repeat=repeat, setup=setup, resolution=resolution, timeout=timeout, on_run=on_run,
        )  # fmt: skip
    if not quiet:
        click.echo(compare_text.render(comparison), err="-" in {json_path, html_path}, nl=False)
    for name, error in comparison.failures.items():
        main.say(compare_text.failure(name, error))
    written = _write_files(comparison, json_path, html_path, chart_path)
    code = exit_code(comparison)
    ctx.exit(code if written or code else main.FAILED)


def exit_code(comparison: Comparison) -> int:
    """By the outcome; 2 where all that failed could not be measured at all: a wrong name, a function without n."""
    if comparison.failures:
        unfit = all(isinstance(error, errors.UsageError) for error in comparison.failures.values())
        return main.WRONG_USE if unfit else main.FAILED
    return _CODES[comparison.outcome]


def _check_files(ctx: click.Context, json_path: str | None, html_path: str | None, chart_path: str | None) -> None:
    if json_path == html_path == "-":
        raise click.UsageError("--json and --html cannot both go to standard output.", ctx)
    if chart_path == "-":
        raise click.UsageError("--chart writes a picture: name a file.", ctx)
    if chart_path is not None:
        if not chart_path.lower().endswith(".png"):
            raise click.UsageError(f"--chart {chart_path!r}: the picture is a PNG; name it so.", ctx)
        charts.require()  # before an hour of measuring, not after
    paths = {"--json": json_path, "--html": html_path, "--chart": chart_path}
    files.check({option: None if path == "-" else path for option, path in paths.items()})


def _named(ctx: click.Context, texts: tuple[str, ...]) -> dict[str, ScenarioLike]:
    if len(texts) < 2:  # noqa: PLR2004 - one has nothing beside it
        what = "there is one scenario" if texts else "there is no scenario"
        raise click.UsageError(f"{what}; a comparison takes two or more: {_EXAMPLE}", ctx)
    found: dict[str, ScenarioLike] = {}
    for text in texts:
        matched = _NAMED.fullmatch(text)
        name, what = (matched[1], matched[2]) if matched else (_short(text), text)
        if name in found:
            hint = "" if matched else f" Give each a name: {_EXAMPLE}"
            raise click.UsageError(f"{name!r} is there twice.{hint}", ctx)
        found[name] = _scenario(name, what)
    return found


def _short(text: str) -> str:
    """A scenario as its own name: in one line, its end left out if it is long."""
    words = " ".join(text.split())
    return words if len(words) <= NAME_LETTERS_MAX else words[: NAME_LETTERS_MAX - 3] + "..."


def _scenario(name: str, text: str) -> Scenario:
    """A function by its name; a text with {n} in it, or with spaces and no function's name, is a command.

    Raises:
        UsageError: it is neither.
    """
    what = f"scenario {name!r}"
    words = text.strip()
    if not words:
        raise errors.UsageError(f"{what} is empty.", hint=f"Write what is run after the '=': {_EXAMPLE}")
    if PLACE not in words and ("::" in words or not re.search(r"\s", words)):
        return scenario_of(words, what=what)
    try:
        return scenario_of(shlex.split(words), what=what)
    except ValueError as error:
        if isinstance(error, errors.UsageError):
            raise
        raise errors.UsageError(
            f"{what}: {words!r} cannot be split into words: {str(error).lower()}.", hint="Close the quote."
        ) from None


@contextlib.contextmanager
def _progress(names: list[str], *, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """A line on a terminal that says what is running."""
    if quiet or not sys.stderr.isatty():
        yield lambda _name, _n: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(f"comparing {len(names)} scenarios") as status:
        yield lambda name, n: status.update(f"{escape(name[:60])}: n={n:,}")


def _write_files(comparison: Comparison, json_path: str | None, html_path: str | None, chart_path: str | None) -> bool:
    written = True
    if json_path is not None:
        written &= deliver(json_path, json.dumps(comparison.to_dict(), indent=1) + "\n")
    if html_path is not None:
        from flatwater.cli.reports import compare_html

        written &= deliver(html_path, compare_html.render(comparison))
    if chart_path is not None:
        try:
            comparison.chart(chart_path)
        except errors.FlatwaterError as error:
            main.say(f"flatwater: --chart: {error}")
            written = False
    return written
