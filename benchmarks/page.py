"""Generate docs/benchmarks.md from the newest results, and refresh what pages quote of them: `python -m benchmarks.page`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.case import CASES
from benchmarks.lint import labelled
from benchmarks.proof import matrix, report

from benchmarks import outcome, quoting

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

What Flatwater's parts cost, beside named peers that do the same work in the same run. `make bench` repeats all of it in one run, `make bench-quick` each case once
at a smaller size in less than ten minutes, and `python -m benchmarks CASE` one case; this page is generated from the newest lines of `benchmarks/results`.

## Method

- Every contestant runs in a child process of its own, in turn (A B A B); a figure is the median of its rounds.
- CPU is user and system seconds of the process and of everything it waited for; setting up is not counted.
- A ratio is the median of the ratios within each round, so that a busy moment of the machine meets both sides.
- Peak anonymous and file-backed memory are sampled from outside every 10 ms; a peak between two samples is missed.
- Peers that cost many times as much take part in fewer rounds; the last column says in how many.
- A bar is a promise, judged by the median, on a machine that has other work to do too. Beside it stand the lowest and the
  highest single round: where the limit lies between them, this machine was too noisy to tell.
- `ours` is who the bar judges, with the CPU it took; `peer` is whom it is compared with in the same rounds. What is missed stays in the table.

## Bias

- The work is what this project was made for: rows in a row, batches, bounded memory. A peer that does more (an ORM's identity map, a data frame's columns) pays for
  what is not asked for here.
- Peers run as their documentation advises, and are not tuned further; ours is tuned by those who wrote these benchmarks.
- CPU seconds favour one process over several, and leave out what waits. Where a peer is faster on the wall, the tables below have its wall time.
- Sizes fit one machine of two cores. What a cluster or a larger machine would give a peer is not seen.
- Against us: peaks are sampled from outside, with the interpreter and every library that is imported, and the first round is cold.
"""


def render() -> str:
    """The page."""
    parts = [HEAD]
    results = [result for name in CASES if (result := outcome.newest(name)) is not None]
    halves = [half for name in matrix.CASES if (half := matrix.newest(name)) is not None]
    parts.append(_machines(results))
    kept = [is_kept for *_promise, is_kept in bars()]
    parts.append(f"\n## Bars\n\n{sum(kept)} of {len(kept)} hold.\n\n")
    parts.append(goals_table(results))
    for half in halves:
        for text, measured, is_kept in report.bars(half):
            parts.append(
                f"| [{half.name}](#{_anchor(half.name)}) | {text} |  |  | {measured} |  |  | {_verdict(is_kept)} | {half.record['when'][:10]} |\n"
            )
    if (judged := labelled.bar()) is not None:
        promise, measured, spread, is_kept = judged
        parts.append(
            f"| [{labelled.NAME}](#{_anchor(labelled.NAME)}) | {promise} |  |  | {measured} | ≥ {labelled.GOAL:.0%} | {spread} | {_verdict(is_kept)} |  |\n"
        )
    parts += [_section(result) for result in results]
    parts.append(labelled.section())
    parts += [report.section(half) for half in halves]
    return "".join(parts)


def goals_table(results: list[outcome.Outcome]) -> str:
    """Each bar of some outcomes, with who is compared."""
    lines = [
        "| case | promise | ours | peer | measured | goal | rounds | | when |\n|---|---|---|---|---|---|---|---|---|\n"
    ]
    for result in results:
        for goal in result.goals():
            cells = [
                f"[{result.name}](#{_anchor(result.name)})",
                goal.promise,
                goal.ours,
                goal.peer,
                goal.measured or "not measured",
            ]
            lines.append(
                f"| {' | '.join([*cells, f'≤ {goal.goal}', goal.spread, _verdict(goal.kept), result.record['when'][:10]])} |\n"
            )
    return "".join(lines)


def bars() -> list[tuple[str, str, str, bool]]:
    """`(case, promise, measured, kept)` of every bar, by the newest results."""
    found = []
    for name in CASES:
        if (result := outcome.newest(name)) is not None:
            found += [(name, *bar) for bar in result.bars()]
    for name in matrix.CASES:
        if (half := matrix.newest(name)) is not None:
            found += [(name, *bar) for bar in report.bars(half)]
    if (judged := labelled.bar()) is not None:
        promise, measured, _spread, is_kept = judged
        found.append((labelled.NAME, promise, measured, is_kept))
    return found


def _machines(results: list[outcome.Outcome]) -> str:
    """Where the figures come from: machines, and how many cases are of the newest whole run."""
    machines = Counter(result.about()[0].partition("; ")[0] for result in results)
    lines = [
        "\n## Machine and runs\n\n",
        *(f"- {count} of {len(results)} cases: {machine}\n" for machine, count in machines.most_common()),
    ]
    runs = Counter(result.record.get("run", "") for result in results)
    runs.pop("", None)
    if runs:
        newest = max(runs)
        lines.append(
            f"- {runs[newest]} cases are of the run that began at {newest}; the others are older or newer, and say when.\n"
        )
    return "".join([*lines, "- Versions stand below each case.\n"])


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
