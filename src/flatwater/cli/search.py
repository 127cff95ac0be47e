"""`flatwater search`: what the documents of a corpus say, on the terminal, as JSON, or in a browser.

Covers:     options, what is printed.
Not here:   searching (`ingest.searching`), the page (`ingest.web`).
Holds:      the results.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from flatwater import limits
from flatwater.cli import main, output
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import BytesType, budget_of
from flatwater.cli.reports import files

if TYPE_CHECKING:
    from flatwater.ingest.searching import Result


@click.command("search", short_help="Find what documents say.")
@click.argument("corpus")
@click.argument("query", required=False)
@click.option(
    "--limit",
    "-k",
    type=click.IntRange(1, limits.INGEST_K_MAX),
    default=limits.INGEST_K,
    show_default=True,
    help="Results, at most.",
)
@click.option("--where", multiple=True, metavar="NAME=VALUE", help='Only documents with this metadata; source="*.md" is a pattern of paths. Can be given again; the same name again is "or".')  # fmt: skip
@click.option(
    "--by",
    type=click.Choice(["both", "words", "vectors"]),
    default="both",
    show_default=True,
    help="Compare words, vectors, or both.",
)
@click.option(
    "--embedder",
    metavar="NAME",
    help="The one that the corpus was made with, as for flatwater ingest.  [default: what the corpus says]",
)
@click.option(
    "--web", is_flag=True, help="Serve a page to search with in a browser, on this machine only, until Ctrl-C."
)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="With --web: its port.  [default: a free one]")
@click.option(
    "--budget",
    type=BytesType(),
    metavar="SIZE",
    help="Memory, such as 64MiB.  [default: what the machine or container has]",
)
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write results as JSON; - is stdout."
)
@click.pass_context
def command(ctx: click.Context, /, corpus: str, query: str | None, **flags: Any) -> None:
    """Find what documents in CORPUS say about QUERY: by its words and by its vector, best first.

    What stands in double quotes is a phrase. Each result is a chunk: its document, where it stands in it, its score, some of its text.

    Exit code 0: done, also where nothing is found. 1: the budget is too small. 2: wrong use. 4: it failed. 130: Ctrl-C, 143: SIGTERM,
    which are also how --web ends.

    \b
    Examples:
      flatwater search docs.corpus "how is memory bounded?"
      flatwater search docs.corpus '"page guard" Django' --where source="*.md" --json results.json
      flatwater search docs.corpus --web
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    from flatwater.ingest.corpus import Corpus

    path = flags["json_path"]
    files.check({"--json": None if path == "-" else path})
    if flags["web"] == (query is not None):
        raise click.UsageError("Give a QUERY, or --web.")
    for name, given in (("--where", flags["where"]), ("--json", path)):
        if flags["web"] and given:
            raise click.UsageError(f"{name} goes with a QUERY, not with --web.")
    if flags["port"] and not flags["web"]:
        raise click.UsageError("--port goes with --web.")
    with (
        leaving_on_signals(ctx),
        budget_of(flags["budget"], "search"),
        Corpus(corpus, embedder=flags["embedder"]) as opened,
    ):
        if flags["web"]:
            from flatwater.ingest.web import serve

            serve(opened, port=flags["port"], told=lambda url: click.echo(f"{url}  (Ctrl-C ends it)"))
            return
        assert query is not None
        found = opened.search(query, flags["limit"], where=_where(flags["where"]), by=flags["by"])
    told = True
    if path is not None:
        results = {"query": query, "results": [result.to_dict() for result in found]}
        told = output.deliver(path, json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    if path != "-":
        for line in _lines(found) if found else ["nothing found"]:
            click.echo(line)
    sys.stdout.flush()
    ctx.exit(main.HOLDS if told else main.FAILED)


def _where(conditions: tuple[str, ...]) -> dict[str, list[Any]] | None:
    """Names, and the values that fit. What is a number in JSON fits as such, too."""
    where: dict[str, list[Any]] = {}
    for condition in conditions:
        name, found, text = condition.partition("=")
        if not found or not name:
            raise click.UsageError(f"--where {condition!r}: write NAME=VALUE.")
        values = where.setdefault(name, [])
        values.append(text)
        if name != "source" and text in {"true", "false", "null"} | _numbers(text):
            values.append(json.loads(text))
    return where or None


def _numbers(text: str) -> set[str]:
    try:
        return {text} if isinstance(json.loads(text), int | float) else set()
    except ValueError:
        return set()


def _lines(found: list[Result]) -> list[str]:
    """Where each stands, and its snippet, with what was asked for in bold."""
    lines = []
    for number, result in enumerate(found, 1):
        page = f", page {result.page}" if result.page else ""
        head = click.style(f"{number}. {_plain(result.source)}{page}", bold=True)
        lines.append(f"{head}  [{result.start:,}-{result.stop:,}]  {result.score:.4f}")
        snippet, shown = _plain(result.snippet), ""
        at = 0
        for start, stop in result.highlights:
            shown += snippet[at:start] + click.style(snippet[start:stop], fg="yellow", bold=True)
            at = stop
        lines.append(f"   {shown}{snippet[at:]}")
    return lines


def _plain(text: str) -> str:
    """As many characters; those that a terminal would obey, and halves of a pair, are shown as one that stands for them."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
