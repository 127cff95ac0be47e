"""Generate docs/benchmarks.md from the newest results, and refresh what pages quote of them: `python -m benchmarks.page`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.case import CASES
from benchmarks.proof import matrix, report

from benchmarks import outcome, quoting

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

What Flatwater's parts cost, beside named peers that do the same work in the same run. `make bench` repeats all of it, and
`python -m benchmarks CASE` one case; this page is generated from the newest lines of `benchmarks/results`.

- Every contestant runs in a child process of its own, in turn (A B A B); a figure is the median of its rounds.
- CPU is user and system seconds of the process and of everything it waited for; setting up is not counted.
- A ratio is the median of the ratios within each round, so that a busy moment of the machine meets both sides.
- Peak anonymous and file-backed memory are sampled from outside every 10 ms; a peak between two samples is missed.
- Peers that cost many times as much take part in fewer rounds; the last column says in how many.
- A bar is a promise, judged by the median, on a machine that has other work to do too. Beside it stand the lowest and the
  highest single round: where the limit lies between them, this machine was too noisy to tell.
"""


def render() -> str:
    """The page."""
    parts = [HEAD]
    results = [result for name in CASES if (result := outcome.newest(name)) is not None]
    halves = [half for name in matrix.CASES if (half := matrix.newest(name)) is not None]
    parts.append("\n## Bars\n\n| case | promise | measured | |\n|---|---|---|---|\n")
    for name, text, measured, kept in bars():
        parts.append(f"| [{name}](#{_anchor(name)}) | {text} | {measured} | {_verdict(kept)} |\n")
    parts += [_section(result) for result in results]
    parts += [report.section(half) for half in halves]
    return "".join(parts)


def bars() -> list[tuple[str, str, str, bool]]:
    """`(case, promise, measured, kept)` of every bar, by the newest results."""
    found = []
    for name in CASES:
        if (result := outcome.newest(name)) is not None:
            found += [(name, *bar) for bar in result.bars()]
    for name in matrix.CASES:
        if (half := matrix.newest(name)) is not None:
            found += [(name, *bar) for bar in report.bars(half)]
    return found


def write() -> None:
    """Bring the page up to date, and the figures that others quote."""
    PAGE.write_text(render(), encoding="utf-8")
    quoting.write()


def _section(result: outcome.Outcome) -> str:
    lines = [f"\n## {result.name}\n", result.case.title, ""]
    headings = result.headings()
    lines += [f"| {' | '.join(headings)} |", "|---|" + "---:|" * (len(headings) - 1)]
    lines += [f"| {' | '.join(row)} |" for row in result.rows()]
    lines.append("")
    lines += [f"Left out: {name}, because {why}.\n" for name, why in result.record["left_out"].items()]
    lines += [f"- {text}: {measured}, {_verdict(kept)}." for text, measured, kept in result.bars()]
    lines += ["", "  \n".join(result.about()), "", f"    python -m benchmarks {result.name}", ""]
    return "\n".join(lines)


def _verdict(kept: bool) -> str:  # noqa: FBT001 - its one property
    return "holds" if kept else "**missed**"


def _anchor(name: str) -> str:
    """As GitHub makes it from a heading."""
    return name.lower().replace("/", "").replace(" ", "-")


if __name__ == "__main__":
    write()
