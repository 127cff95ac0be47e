"""`flatwater lint`: what grows with the data, found in Python files before they run.

Covers:     options, the cache, the baseline, order by what a run allocated, the report files, the exit code.
Not here:   looking (`lint.linter`), what a project asks for (`lint.config`), the forms (`cli.reports.lint_text` and its siblings).
Holds:      one file, and what was found in it; with --with the findings that allocated most.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import click

from flatwater import errors, limits
from flatwater.cli import lint_fixing, main
from flatwater.cli.reports import files, lint_text
from flatwater.cli.reports.lint_report import Report, Summary
from flatwater.lint import baseline as baselines
from flatwater.lint import config
from flatwater.lint import files as source_files
from flatwater.lint.baseline import Baseline
from flatwater.lint.cache import FOLDER, Cache
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.linter import Linter
from flatwater.lint.profile import Allocated
from flatwater.lint.rules import RULES
from flatwater.lint.settings import Settings

FORMS = ("text", "json", "sarif", "github")
STDIN = "-"
HOT_SHARE = 0.01  # of all that was allocated: a line with less is not worth a line
Put = Callable[[str], object]


@click.command("lint")
@click.option("--select", metavar="CODES", help="Only these rules: FW1 is a family, FW101,FW3 are two.")
@click.option("--ignore", metavar="CODES", help="Not these rules.")
@click.option(
    "--exclude", metavar="PATTERN", multiple=True,
    help="Leave out files and folders, such as vendor, '*_pb2.py' or 'src/old/*'. Can be given again.",
)  # fmt: skip
@click.option(
    "--confidence", type=click.Choice(["sure", "likely", "maybe"]), help="The least that is told.  [default: likely]"
)
@click.option("--include-tests", is_flag=True, help="Look at tests, too: tests/, test_*.py, *_test.py, conftest.py.")
@click.option("--config", "config_path", metavar="FILE", help="This pyproject.toml, not the nearest; '' for none.")
@click.option(
    "--output-format", "form", type=click.Choice(FORMS), default="text", show_default=True,
    help="Of what is printed: for people, programs, code scanning, or pull requests on GitHub.",
)  # fmt: skip
@click.option("--output-file", metavar="FILE", help="Write it there, and print nothing.")
@click.option("--json", "json_path", metavar="FILE", help="Write the findings as JSON, too.")
@click.option("--sarif", "sarif_path", metavar="FILE", help="Write the findings as SARIF, too.")
@click.option("--statistics", is_flag=True, help="How often each rule found something, in place of the findings.")
@click.option("--baseline", "baseline_path", metavar="FILE", help="Do not tell the findings that this file knows.")
@click.option(
    "--write-baseline", is_flag=True,
    help=f"Write what is found now to the baseline's file, {baselines.DEFAULT} if none is named, and end with 0.",
)  # fmt: skip
@click.option(
    "--with", "run_path", metavar="FILE",
    help="Put those first whose lines allocated most in a run: the JSON of flatwater run, or its profile.",
)  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Look at each file, also where it was looked at before.")
@click.option(
    "--cache-dir", metavar="FOLDER", help=f"Where to keep what was found.  [default: {FOLDER} in the project]"
)
@click.option(
    "--stdin-filename", metavar="FILE", help="What to call the text on stdin, which is read for the path '-'."
)
@click.option("--fix", is_flag=True, help="Rewrite what can be without a change of behaviour, and tell what is left.")
@click.option("--diff", "show", is_flag=True, help="Print what --fix would change, and change nothing.")
@click.option("--explain", metavar="CODE", help="Tell what a rule finds, and end; 'all' lists the rules.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
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
    config_path: str | None,
    form: str,
    output_file: str | None,
    json_path: str | None,
    sarif_path: str | None,
    statistics: bool,
    baseline_path: str | None,
    write_baseline: bool,
    run_path: str | None,
    no_cache: bool,
    cache_dir: str | None,
    stdin_filename: str | None,
    fix: bool,
    show: bool,
    explain: str | None,
) -> None:
    """Find what grows with the data in Python files and notebooks, before they run.

    Nothing is imported or run: files are only read. Without a PATH it looks at the working directory. Files that are named
    are looked at as those in folders are: what is excluded, and tests, are left out.

    A project says what it wants in [tool.flatwater.lint] of its pyproject.toml; --ignore and --exclude add to that, other
    options take its place. A line is left alone with a comment: # flatwater: allow FW101 — reason.

    --fix and --diff leave alone what a comment or the baseline allows, notebooks, and files that a link leads to outside of
    the paths. They need the extra `lint`.

    Exit codes: 0 nothing was found, 1 something was (with --fix: is left; with --diff: would be changed), 2 wrong use,
    4 a report or a file could not be written.

    \b
    Examples:
      flatwater lint src
      flatwater lint --explain FW101
      flatwater lint --diff src | less
      flatwater lint --fix src
      flatwater lint --output-format github --sarif findings.sarif src
      flatwater run --profile profile.json --json run.json -- python job.py
      flatwater lint --with run.json .
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    if explain is not None:
        from flatwater.cli.reports import lint_explain

        click.echo(lint_explain.render(explain), nl=False)
        return
    paths = paths or (".",)
    _check(paths, stdin_filename, {"--select": select, "--ignore": ignore})
    reports: dict[str, object] = {
        "--json": json_path,
        "--sarif": sarif_path,
        "--output-file": output_file,
        "--statistics": statistics,
        "--with": run_path,
        f"--output-format {form}": form != "text",
    }
    _check_reports(form, reports, write_baseline=write_baseline)
    lint_fixing.check(
        fix=fix, show=show, inputs={"'-'": STDIN in paths, "--write-baseline": write_baseline}, reports=reports
    )
    settings = _settings(
        [stdin_filename or os.curdir if each == STDIN else each for each in paths], config_path=config_path, select=select, ignore=ignore, exclude=exclude,
        confidence=confidence, include_tests=include_tests, baseline_path=baseline_path,
    )  # fmt: skip
    outputs = {"--output-file": output_file, "--json": json_path, "--sarif": sarif_path}
    files.check(outputs)
    _check_inputs({"--baseline": settings.baseline, "--with": run_path}, outputs)
    if write_baseline:
        files.check({"--write-baseline": _baseline_path(settings)})
    known = _baseline(settings, write=write_baseline)
    allocated = _allocated(run_path)
    with contextlib.ExitStack() as stack:
        cache = None
        if not no_cache and STDIN not in paths:
            cache = stack.enter_context(Cache(cache_dir or os.path.join(settings.root, FOLDER)))
            if cache_dir and not cache.is_open:
                main.say(f"flatwater: nothing can be kept in {cache_dir!r}; each file is looked at.")
        linter = Linter(settings, cache, known)
        if show:
            ctx.exit(lint_fixing.show(linter, paths))
        found = _found(stack, linter, paths, stdin_filename, fix=fix)
        if write_baseline:
            ctx.exit(_write_baseline(known, found, settings))
        sinks = _Sinks(stack, allocated)
        first = (
            lint_text.StatisticsReport({each.code: each.summary for each in RULES})
            if statistics
            else _report(form, allocated, to_terminal=output_file is None and sys.stdout.isatty())
        )
        sinks.add(first, output_file)
        for path, other in ((json_path, "json"), (sarif_path, "sarif")):
            if path is not None:
                sinks.add(_report(other, allocated), path)
        summary = sinks.tell(found)
        summary.files, summary.tests, summary.excluded = linter.files, linter.tests_left_out, linter.excluded
        if known is not None:
            summary.known, summary.stale = known.known, known.stale(settings)
        sinks.end(summary)
    sys.stdout.flush()
    ctx.exit(main.DOES_NOT_HOLD if summary.counts else main.HOLDS)


def _check(paths: Sequence[str], stdin_filename: str | None, codes: Mapping[str, str | None]) -> None:
    """Raises UsageError where the input is said twice, or nothing is said."""
    if STDIN in paths and len(paths) > 1:
        raise errors.UsageError("'-' is stdin, and stands alone.", hint="Name files, or pipe one in.")
    if stdin_filename and STDIN not in paths:
        raise errors.UsageError(
            "--stdin-filename names the text on stdin, which is not read.", hint="Add the path '-'."
        )
    for option, words in codes.items():
        if words is not None and not _words(words):
            raise errors.UsageError(f"{option} names no rule.", hint="Name some, such as FW101, or leave it out.")


def _check_reports(form: str, reports: Mapping[str, object], *, write_baseline: bool) -> None:
    """Raises UsageError where a report stands beside what it does not go with."""
    if reports["--statistics"] and form != "text":
        raise errors.UsageError(
            f"--statistics is a text, and --output-format is {form}.", hint="Leave one of them out."
        )
    for name, given in reports.items() if write_baseline else ():
        if given:
            raise errors.UsageError(
                f"--write-baseline tells no findings, and {name} does.", hint="Leave one of them out."
            )


def _check_inputs(inputs: Mapping[str, str | None], outputs: Mapping[str, str | None]) -> None:
    """Raises UsageError where a report would take the place of what is read."""
    for name, path in inputs.items():
        for option, output in outputs.items():
            if path and output and os.path.exists(output) and os.path.realpath(path) == os.path.realpath(output):
                raise errors.UsageError(
                    f"{option} would overwrite {output!r}, which {name} reads.", hint="Give it a file of its own."
                )


@final
@dataclass(slots=True)
class _Sinks:
    """Reports, and where their pieces go."""

    stack: contextlib.ExitStack
    allocated: Allocated | None
    all: list[tuple[Report, Put]] = field(default_factory=list)

    def add(self, report: Report, path: str | None) -> None:
        """One more, to a file or to standard output."""
        put: Put = _print
        if path is not None:
            write = self.stack.enter_context(files.writing(path))
            put = lambda text: write(click.unstyle(text))  # noqa: E731 - a name for what differs
        put(report.begin())
        self.all.append((report, put))

    def tell(self, found: Iterator[Finding]) -> Summary:
        """Tell findings as they come, or the heaviest first where a run says what each is worth."""
        summary = Summary()
        if self.allocated is None:
            for finding in _counted(found, summary):
                self._finding(finding, None)
            return summary
        allocated = self.allocated
        weighed = ((-allocated.of(each), each) for each in _counted(found, summary))
        ranked = heapq.nsmallest(limits.LINT_RANKED_MAX, weighed)
        for weight, finding in ranked:
            self._finding(finding, -weight)
        summary.unranked = summary.counts.total() - len(ranked)
        summary.run, summary.total_bytes = allocated.kind, allocated.total_bytes
        summary.hot = allocated.hot(max(int(allocated.total_bytes * HOT_SHARE), 1))
        return summary

    def _finding(self, finding: Finding, allocated_bytes: int | None) -> None:
        for report, put in self.all:
            put(report.finding(finding, allocated_bytes))

    def end(self, summary: Summary) -> None:
        """The last pieces."""
        for report, put in self.all:
            put(report.end(summary))


def _counted(found: Iterator[Finding], summary: Summary) -> Iterator[Finding]:
    last = ""
    for finding in found:
        summary.counts[finding.code] += 1
        summary.files_with += finding.path != last
        last = finding.path
        yield finding


def _settings(
    paths: Sequence[str], *, config_path: str | None, select: str | None, ignore: str | None, exclude: tuple[str, ...],
    confidence: str | None, include_tests: bool, baseline_path: str | None,
) -> Settings:  # fmt: skip
    """What the project says, and then the options."""
    if config_path is None:
        settings = config.find(paths)
    else:
        settings = config.read(config_path) if config_path else Settings(root=os.getcwd())
    return replace(
        settings,
        select=config.codes(_words(select), "--select") or settings.select,
        ignore=(*settings.ignore, *config.codes(_words(ignore), "--ignore")),
        exclude=(*settings.exclude, *exclude),
        confidence=Confidence[confidence.upper()] if confidence else settings.confidence,
        include_tests=include_tests or settings.include_tests,
        baseline=settings.baseline if baseline_path is None else baseline_path,
    )


def _words(text: str | None) -> list[str]:
    return [each.strip() for each in (text or "").split(",") if each.strip()]


def _report(form: str, allocated: Allocated | None, *, to_terminal: bool = False) -> Report:
    if form == "json":
        from flatwater.cli.reports.lint_json import JsonReport

        return JsonReport()
    if form == "sarif":
        from flatwater.cli.reports.lint_sarif import SarifReport

        rules = [(each.code, each.name, each.summary) for each in RULES]
        return SarifReport(rules, allocated.total_bytes if allocated else 0)
    if form == "github":
        from flatwater.cli.reports.lint_github import GithubReport

        return GithubReport()
    if to_terminal:
        return lint_text.TextReport(shutil.get_terminal_size().columns, wraps=True)
    return lint_text.TextReport()


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False)


def _found(
    stack: contextlib.ExitStack, linter: Linter, paths: Sequence[str], stdin_filename: str | None, *, fix: bool
) -> Iterator[Finding]:
    """The findings; what was fixed is said when all of them are told."""
    if STDIN in paths:
        return _stdin(linter, stdin_filename)
    if not fix:
        return linter.look(paths)
    fixing = lint_fixing.Fixing(linter, paths, shows=False)
    stack.callback(fixing.end)
    return fixing.look()


def _stdin(linter: Linter, name: str | None) -> Iterator[Finding]:
    data = sys.stdin.buffer.read(limits.LINT_FILE_BYTES_MAX + 1)
    if len(data) > limits.LINT_FILE_BYTES_MAX:
        raise errors.UsageError(f"stdin has more than {limits.LINT_FILE_BYTES_MAX} bytes.")
    settings = linter.settings
    walk = source_files.Walk((), settings.exclude, root=settings.root, tests=settings.include_tests)
    if name is None or walk.wants(name):
        yield from linter.data(data, name or "<stdin>")
    linter.tests_left_out, linter.excluded = walk.tests_left_out, walk.excluded


def _allocated(path: str | None) -> Allocated | None:
    if path is None:
        return None
    from flatwater.lint import profile

    return profile.read(path)


def _baseline(settings: Settings, *, write: bool) -> Baseline | None:
    path = _baseline_path(settings) if write else settings.baseline
    if not path:
        return None
    return Baseline(path) if write and not os.path.exists(path) else baselines.read(path)


def _baseline_path(settings: Settings) -> str:
    """Where a baseline is written."""
    return settings.baseline or os.path.join(settings.root, baselines.DEFAULT)


def _write_baseline(known: Baseline | None, found: Iterator[Finding], settings: Settings) -> int:
    """The exit code."""
    assert known is not None
    before = len(known)
    for finding in found:
        known.add(finding)
    added = len(known) - before
    gone = len(known.stale(settings))
    files.write(known.path, known.text(settings))
    main.say(f"{known.path}: {len(known) - gone:,} known, {added:,} of them new; {gone:,} dropped.")
    return main.HOLDS
