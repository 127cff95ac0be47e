"""The validation of the verdict in docs/benchmarks.md: bars, and a confusion matrix for each half."""

from __future__ import annotations

from benchmarks.proof import matrix
from benchmarks.proof.matrix import Half, Row

from benchmarks import outcome
from flatwater import units

HEADINGS = ("method", "right", "false alarms", "missed", "undecided", "verdicts")
HEAD = """
Each program is a few lines whose growth is known from what it keeps, two bytes per item or more; `benchmarks/proof/programs`
has all of them. It is run at 25,000 to 400,000 items, one run a size, each in a fresh process; where `fw.prove` is not
sure it takes more sizes, and runs small steps again. The other methods are asked about the same points, in the form that
was right most often on the half that constants may be tuned on: big_O with constant, logarithmic, linear and n log n, peaks
in a unit in which its bias for the simple suits memory (in bytes it has none); a least-squares slope above 3 standard
errors; a largest peak above 1.03 times the smallest, of the whole process. `python -m benchmarks.proof --stored --forms`
shows the other forms. Families are split by the alphabet, not by hand.

A bounded program reaches what it may hold inside the range. One of the held-out half did not when the half was first run:
`csv_to_file(columns=2, buffer_kib=6000)` writes 5.5 MB in all, so its buffer was never full, and its verdict, that it grows,
counted as one false alarm of 123. It has a buffer of 4,000 KiB since.
"""


def bars(half: Half) -> list[tuple[str, str, bool]]:
    """`(promise, measured, kept)`; only what was not tuned on promises anything."""
    if half.name != matrix.CASES[0]:
        return []
    ours = half.rows()[0]
    minutes = [each.record["wall_s"] / 60 for name in matrix.CASES if (each := matrix.newest(name)) is not None]
    longest_s, least = half.longest_cheap_s(), matrix.VERDICTS_MIN
    return [
        (f"there are at least {least} verdicts", f"{ours.verdicts}", ours.verdicts >= least),
        (
            "no bounded program is said to grow",
            f"{ours.false_alarms} of {ours.bounded}",
            ours.false_alarms <= matrix.FALSE_ALARMS_MAX,
        ),
        (
            f"at most {matrix.MISSED_PERCENT_MAX} % of the growing programs are said to be constant",
            f"{ours.missed} of {ours.growing}, {ours.missed_percent:.1f} %",
            ours.missed_percent <= matrix.MISSED_PERCENT_MAX,
        ),
        (
            f"at most {matrix.UNDECIDED_PERCENT_MAX} % of the verdicts are undecided",
            f"{ours.undecided} of {ours.verdicts}, {ours.undecided_percent:.1f} %",
            ours.undecided_percent <= matrix.UNDECIDED_PERCENT_MAX,
        ),
        (
            f"both halves take at most {matrix.SUITE_MINUTES_MAX} minutes",
            f"{sum(minutes):.1f} minutes" + (" for one of them; the other was not run" if len(minutes) == 1 else ""),
            len(minutes) == len(matrix.CASES) and sum(minutes) <= matrix.SUITE_MINUTES_MAX,
        ),
        (
            f"on a program that computes less than {matrix.CHEAP_CPU_S:g} s it takes at most {matrix.VERDICT_S_MAX} s",
            f"at most {outcome.number(longest_s)} s; {outcome.number(half.median_s())} s is the median of all verdicts",
            longest_s <= matrix.VERDICT_S_MAX,
        ),
    ]


def cells(row: Row) -> list[str]:
    """Of a table."""
    return [
        row.name,
        str(row.right),
        f"{row.false_alarms} of {row.bounded}",
        f"{row.missed} of {row.growing}",
        str(row.undecided),
        str(row.verdicts),
    ]


def said(verdict: dict[str, object]) -> str:
    """A verdict that is not right, with its points, as one line."""
    kind, peaks, sizes = verdict["kind"], verdict.get("peaks"), verdict.get("sizes")
    points = "no points: " + str(verdict.get("reason"))
    if isinstance(peaks, list) and isinstance(sizes, list):
        points = (
            ", ".join(f"{n // 1000}k {peak / units.KIB:,.0f}" for n, peak in zip(sizes, peaks, strict=True)) + " KiB"
        )
    is_bounded = kind == "constant"
    what = "bounded" if is_bounded else f"{kind}, {verdict['bytes_per_item']} B per item"
    return f"`{verdict['program']}` ({what}): {verdict['verdict']}; {points}"


def section(half: Half) -> str:
    """Of the page."""
    lines = [f"\n## {half.name}\n", matrix.TITLES[half.name]]
    if half.name == matrix.CASES[0]:
        lines.append(HEAD.rstrip())
    lines += ["", f"| {' | '.join(HEADINGS)} |", "|---|" + "---:|" * (len(HEADINGS) - 1)]
    lines += [f"| {' | '.join(cells(row))} |" for row in half.rows()]
    lines.append("")
    lines += [f"Left out: {name}, because {why}.\n" for name, why in half.missing().items()]
    lines += [f"Programs left out: {name}, because {why}.\n" for name, why in half.record["left_out"].items()]
    lines += [f"- {text}: {measured}, {'holds' if kept else '**missed**'}." for text, measured, kept in bars(half)]
    if wrong := half.wrong():
        lines += ["", "Not right, with the peaks above what the process held before:", ""]
        lines += [f"- {said(each)}" for each in wrong]
    lines += ["", "  \n".join(about(half)), "", f"    python -m benchmarks.proof --half {half.name[6:]}", ""]
    return "\n".join(lines)


def about(half: Half) -> list[str]:
    """The machine and the versions, two lines."""
    record = half.record
    machine = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    host = f"{machine['cpu']}, {machine['cores']} cores, {units.format_bytes(machine['memory_bytes'])}, {machine['kernel']}"
    run = f"load {record['load_1m']} at the start, {record['when']}, {record['size']} verdicts in {record['wall_s']:.0f} s"
    return [f"{host}; {run}", versions]
