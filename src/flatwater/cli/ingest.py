"""`flatwater ingest`: bring a corpus in step with its sources.

Covers:     options, what is printed, how it ends.
Not here:   ingesting (`ingest`), searching (`cli.search`).
Holds:      what an ingestion holds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from flatwater import limits, units
from flatwater.cli import main, output
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import BytesType, budget_of
from flatwater.cli.reports import files

if TYPE_CHECKING:
    from flatwater.ingest.report import Report

_SHOWN = 10  # problems that a quiet command tells


@click.command("ingest", short_help="Keep documents searchable.")
@click.argument("sources", nargs=-1, required=True, metavar="SRC...")
@click.option(
    "--into", required=True, metavar="CORPUS", help="The directory of the corpus; it is made if it is not there."
)
@click.option("--embedder", metavar="NAME", help='"hashing" (no model), "minilm" (a small one), or https://HOST/v1#MODEL of an OpenAI-compatible server.  [default: that of the corpus, or hashing]')  # fmt: skip
@click.option("--size", type=click.IntRange(50, 100_000), help=f"Characters of a chunk, at most.  [default: that of the corpus, or {limits.INGEST_CHUNK_SIZE}]")  # fmt: skip
@click.option(
    "--overlap",
    type=click.IntRange(0),
    help="Characters that a chunk repeats of the one before.  [default: that of the corpus, or 0]",
)
@click.option(
    "--table", metavar="NAME", help="Ingest the rows of this table; SRC is its database: a file of SQLite, or a URL."
)
@click.option(
    "--id", "id_column", default="id", show_default=True, metavar="COLUMN", help="With --table: the key of a row."
)
@click.option(
    "--text",
    "text_column",
    default="text",
    show_default=True,
    metavar="COLUMN",
    help="With --table: the text of a row.",
)
@click.option("--metadata", multiple=True, metavar="NAME[=VALUE]", help="What flatwater search --where can ask for: NAME=VALUE for all documents, or NAME, a column of the table. Can be given again.")  # fmt: skip
@click.option(
    "--encoding", metavar="NAME", help="The encoding of texts that do not say it.  [default: UTF-8, or what fits]"
)
@click.option("--password", metavar="TEXT", envvar="FLATWATER_PASSWORD", help="For encrypted PDFs; better in the variable FLATWATER_PASSWORD, which others cannot see.")  # fmt: skip
@click.option(
    "--no-full-text",
    is_flag=True,
    help="Make the corpus without an index of words: smaller, and searched by vectors alone.",
)
@click.option("--retry", is_flag=True, help="Read documents with problems again, also if they have not changed.")
@click.option("--dry-run", is_flag=True, help="Say which documents are new, changed or gone; write nothing.")
@click.option(
    "--budget",
    type=BytesType(),
    metavar="SIZE",
    help="Memory, such as 128MiB.  [default: what the machine or container has]",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the report as JSON; - is stdout.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but what went wrong.")
@click.pass_context
def command(ctx: click.Context, /, sources: tuple[str, ...], into: str, **flags: Any) -> None:
    """Read documents, split and embed them, and keep them searchable in CORPUS, in fixed memory.

    SRC is a file, a directory, a pattern, or a URL (s3://bucket/prefix/, gs://, az://, https://). Texts, Markdown, HTML, DOCX and PDF
    are read. Run it again, and only what changed is read, only chunks that are new are embedded, and what has vanished from a source
    is removed. A run that was killed is made good by running it again.

    Exit code 0: done; documents that cannot be read are told by name. 1: the budget is too small. 2: wrong use. 4: it failed, or
    something could not be read or embedded now; the next run tries it again. 130: Ctrl-C, 143: SIGTERM; the next run goes on.

    \b
    Examples:
      flatwater ingest docs/ --into docs.corpus
      flatwater ingest "reports/**/*.pdf" --into reports.corpus --budget 256MiB
      flatwater ingest articles.db --table articles --text body --into articles.corpus
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    from flatwater.ingest.corpus import Corpus

    path = flags["json_path"]
    files.check({"--json": None if path == "-" else path})
    with leaving_on_signals(ctx), budget_of(flags["budget"], "ingest"):
        corpus = Corpus(
            into, embedder=flags["embedder"], size=flags["size"], overlap=flags["overlap"],
            full_text=False if flags["no_full_text"] else None,
        )  # fmt: skip
        with corpus, _line(is_shown=not flags["quiet"] and sys.stderr.isatty()) as progress:
            report = corpus.ingest(
                **_source(sources, flags), encoding=flags["encoding"], password=flags["password"] or "", retry=flags["retry"],
                dry_run=flags["dry_run"], progress=progress,
            )  # fmt: skip
    told = path is None or output.deliver(path, json.dumps(report.to_dict(), indent=2) + "\n")
    if not flags["quiet"]:
        click.echo(str(report), err=path == "-")
    elif report.problem_count:
        _say(report)
    sys.stdout.flush()
    ctx.exit(main.FAILED if report.failed or not told else main.HOLDS)


def _source(sources: tuple[str, ...], flags: dict[str, Any]) -> dict[str, Any]:
    """The source, and what goes with it."""
    named = dict(each.split("=", 1) for each in flags["metadata"] if "=" in each)
    columns = [each for each in flags["metadata"] if "=" not in each]
    if flags["table"] is None:
        if columns:
            raise click.UsageError(f"--metadata {columns[0]}: without --table it is NAME=VALUE.")
        return {"source": list(sources) if len(sources) > 1 else sources[0], "metadata": named or None}
    if len(sources) > 1:
        raise click.UsageError("--table is of one database.")
    if named:
        raise click.UsageError("--metadata NAME=VALUE is for files; with --table name a column.")
    from flatwater.source.tables.table import Table

    name = flags["table"]
    table = Table(sources[0], name, key=flags["id_column"])
    return {
        "source": table, "name": name, "id": flags["id_column"], "text": flags["text_column"], "metadata": columns or None
    }  # fmt: skip


@contextmanager
def _line(*, is_shown: bool) -> Iterator[Any]:
    """What shows how far it is."""
    if not is_shown:
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading") as status:

        def show(report: Report) -> None:
            done = report.new + report.changed
            status.update(
                f"{done:,} documents read, {report.unchanged:,} unchanged, {report.chunks:,} chunks, "
                f"{units.format_bytes(report.text_bytes)} of text"
            )

        yield show


def _say(report: Report) -> None:
    from flatwater.ingest.report import printable

    reasons = "".join(f"\n  {printable(problem)}" for problem in report.problems[:_SHOWN])
    more = f"\n  and {report.problem_count - _SHOWN:,} more" if report.problem_count > _SHOWN else ""
    main.say(f"flatwater: {report.problem_count:,} problem{'' if report.problem_count == 1 else 's'}:{reasons}{more}")
