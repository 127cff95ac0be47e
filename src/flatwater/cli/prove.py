"""`flatwater prove`: how a program's memory grows with its input, and whether a claim about it holds.

Covers:     options, several scenarios, the baseline, the report files, the exit code.
Not here:   the proofs (`proof.proving`), what drifted (`proof.baseline`), the words (`cli.reports.prove_text`).
Holds:      a dozen points a scenario.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import click

from flatwater import errors, limits
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
from flatwater.cli.reports import files, prove_text
from flatwater.proof.baseline import Drift, drifts, read
from flatwater.proof.points import ScenarioFailed
from flatwater.proof.proving import SIZES, prove
from flatwater.proof.result import Proof
from flatwater.proof.scenarios import Scenario, scenario_of, scenarios_in

COMMAND_WORDS = "flatwater.command"
_CODES = {"holds": main.HOLDS, "fails": main.DOES_NOT_HOLD, "undecided": main.UNDECIDED}
_FIGURES = (  # that a scenario which failed has not; null in JSON
    "verdict", "kind", "metric", "bytes_per_item", "resolution", "projected_peak", "fails_at", "survived", "limit_kind",
)  # fmt: skip
_GRAVEST_FIRST = (main.FAILED, main.WRONG_USE, main.DOES_NOT_HOLD, main.UNDECIDED)


class CommandAfterDashes(click.Command):
    """Keeps the words after a '--' for itself: they are a command, whatever its options look like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the dashes."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[COMMAND_WORDS] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


@dataclass(slots=True)
class Tried:
    """What came of one scenario: a proof, or an error and whose fault it is."""

    name: str
    proof: Proof | None = None
    error: errors.FlatwaterError | None = None
    drifts: list[Drift] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Of this scenario alone."""
        if self.proof is None:
            code = main.FAILED if self.error is None else main.exit_code_of(self.error)
            return code if code in _GRAVEST_FIRST else main.FAILED  # 127 is what `run` says of a missing command
        code = _CODES[self.proof.outcome]
        return main.DOES_NOT_HOLD if any(drift.worse for drift in self.drifts) else code


@click.command("prove", cls=CommandAfterDashes)
@click.option(
    "--sizes", default=SIZES, show_default=True, metavar="A..B",
    help="Numbers of items: a range, run in doublings, or five or more, such as 1k,2k,4k,8k,16k.",
)  # fmt: skip
@click.option("--target", metavar="N", help="The number of items for which the claim is made, such as 10M.")
@click.option("--budget", type=BytesType(), metavar="SIZE", help="What the peak must not pass, such as 256MiB.")
@click.option(
    "--metric", type=click.Choice(["rss", "anon"]), default="rss", show_default=True,
    help="The resident peak, exact; or memory the kernel cannot take back, sampled.",
)  # fmt: skip
@click.option("--survive", is_flag=True, help="Run the largest size once more under a kernel limit of the budget.")
@click.option(
    "--repeat",
    type=click.IntRange(1, limits.PROOF_REPEAT_MAX),
    metavar="N",
    help="Runs at each size.  [default: 1; 3 for a command]",
)
@setup_option
@resolution_option
@run_timeout_option
@click.option(
    "--limit-kind", type=click.Choice(["auto", "cgroup", "rlimit_data"]), default="auto", show_default=True,
    help="What keeps the limit of --survive.",
)  # fmt: skip
@click.option("--baseline", type=click.Path(), metavar="FILE", help="Name what drifted from this --json file.")
@json_option
@click.option("--junit", "junit_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write a JUnit report.")
@quiet_option
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO...] [-- CMD...]")
@click.pass_context
def command(
    ctx: click.Context,
    scenarios: tuple[str, ...],
    *,
    sizes: str,
    target: str | None,
    budget: int | None,
    metric: str,
    survive: bool,
    repeat: int | None,
    setup: str | None,
    resolution: int,
    timeout: float,
    limit_kind: str,
    baseline: str | None,
    json_path: str | None,
    junit_path: str | None,
    quiet: bool,
) -> None:
    """Run a scenario at rising sizes, each in a fresh process, and say how its peak memory grows.

    A SCENARIO is a function of n: file.py::function, module:function, or file.py for all its public functions whose first
    parameter is n. After '--' it is a command in any language, with {n} where the number of items goes.

    The claim: with --target and --budget, the peak at the target is within the budget; without, the peak is constant.
    Exit codes: 0 it holds, 1 it does not, 2 wrong use, 3 undecided, 4 the scenario itself failed.

    \b
    Examples:
      flatwater prove jobs.py::load --sizes 25k..400k --target 10M --budget 256MiB
      flatwater prove --sizes 1k..16k -- node job.js {n}
      flatwater prove jobs.py --baseline proofs.json
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    files.check({"--json": None if json_path == "-" else json_path, "--junit": junit_path})
    if survive and budget is None:
        raise click.UsageError("--survive needs a budget to survive under: give --budget, such as 256MiB.", ctx)
    if baseline is not None:
        read(baseline)  # before an hour of proofs, not after
    named = _named(ctx, scenarios)

    def one(scenario: Scenario, on_run: Callable[[int], None]) -> Proof:
        return prove(
            scenario,
            sizes=sizes, target=target, budget=budget, metric="anon" if metric == "anon" else "rss", survive=survive,
            repeat=repeat, setup=setup, resolution=resolution, timeout=timeout, limit_kind=limit_kind, on_run=on_run,
        )  # fmt: skip

    tried: list[Tried] = []
    to_stdout = json_path != "-"
    with leaving_on_signals(ctx):
        for scenario in named:
            result = _try(scenario, one, quiet=quiet)
            tried.append(result)
            if result.proof is not None and not quiet:
                click.echo(prove_text.render(result.proof), err=not to_stdout, nl=False)
            if result.error is not None:
                main.say(prove_text.failure(result.error))
    if baseline is not None:
        _drift(tried, baseline, quiet=quiet, to_stdout=to_stdout)
    written = _write_files(tried, json_path, junit_path)
    codes = {result.exit_code for result in tried}
    code = next((code for code in _GRAVEST_FIRST if code in codes), main.HOLDS)
    ctx.exit(code if written or code else main.FAILED)


def _named(ctx: click.Context, texts: tuple[str, ...]) -> list[Scenario]:
    words: list[str] | None = ctx.meta.get(COMMAND_WORDS)
    if words is not None and texts:
        raise click.UsageError("name functions, or a command after '--', not both.", ctx)
    if words is not None:
        if not words:
            raise click.UsageError("there is no command after '--'.", ctx)
        return [scenario_of(words)]
    named = [scenario for text in texts for scenario in scenarios_in(text)]
    if not named:
        raise click.UsageError("there is nothing to prove. Name a function: flatwater prove jobs.py::load", ctx)
    if len({scenario.name for scenario in named}) < len(named):
        raise click.UsageError("the same scenario is named twice.", ctx)
    return named


def _try(scenario: Scenario, one: Callable[[Scenario, Callable[[int], None]], Proof], *, quiet: bool) -> Tried:
    try:
        with _progress(scenario.name, quiet=quiet) as on_run:
            return Tried(scenario.name, proof=one(scenario, on_run))
    except errors.FlatwaterError as error:
        return Tried(scenario.name, error=error)


@contextlib.contextmanager
def _progress(name: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A line on a terminal that says which size is running."""
    if quiet or not sys.stderr.isatty():
        yield lambda _n: None
        return
    from rich.console import Console
    from rich.markup import escape

    shown = escape(name[:60])
    with Console(stderr=True).status(f"{shown}: starting") as status:
        yield lambda n: status.update(f"{shown}: n={n:,}")


def _drift(tried: list[Tried], baseline: str, *, quiet: bool, to_stdout: bool) -> None:
    proofs = {result.name: result for result in tried if result.proof is not None}
    found = drifts([result.proof for result in proofs.values() if result.proof is not None], baseline)
    for drift in found:
        if drift.scenario in proofs:
            proofs[drift.scenario].drifts.append(drift)
    if not quiet:
        click.echo(prove_text.drifted(found, baseline), err=not to_stdout, nl=False)


def _write_files(tried: list[Tried], json_path: str | None, junit_path: str | None) -> bool:
    written = True
    if json_path is not None:
        entries = [_entry(result) for result in tried]
        value = entries[0] if len(entries) == 1 else {"proofs": entries}
        written &= deliver(json_path, json.dumps(value, indent=1) + "\n")
    if junit_path is not None:
        from flatwater.cli.reports import junit

        cases = [
            junit.Case(
                result.name,
                0.0 if result.proof is None else sum(point.wall_s * point.runs for point in result.proof.points),
                problem=_problem(result),
                is_error=result.proof is None,
                output="" if result.proof is None else str(result.proof),
            )
            for result in tried
        ]
        written &= deliver(junit_path, junit.render("flatwater prove", cases))
    return written


def _entry(result: Tried) -> dict[str, object]:
    if result.proof is None:
        output = result.error.output if isinstance(result.error, ScenarioFailed) else ""
        nothing: dict[str, object] = {**dict.fromkeys(_FIGURES), "points": []}
        return {"scenario": result.name, "outcome": "failed", "because": str(result.error), "output": output, **nothing}
    drifted = [{"what": drift.what, "words": drift.words, "worse": drift.worse} for drift in result.drifts]
    return {**result.proof.to_dict(), "drifts": drifted}


def _problem(result: Tried) -> str:
    if result.proof is None:
        output = result.error.output if isinstance(result.error, ScenarioFailed) else ""
        return f"{result.error}\n{output}".strip()
    worse = [str(drift) for drift in result.drifts if drift.worse]
    return "\n".join([*([] if result.proof.holds else [result.proof.because]), *worse])
