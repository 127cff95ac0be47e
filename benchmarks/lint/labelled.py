"""What the labelled sample of the linter's findings says, for docs/benchmarks.md."""

from __future__ import annotations

from collections import Counter

from benchmarks.lint import precision

NAME = "lint/precision"
GOAL = 0.8  # right, of what is told by default
SAMPLE = 200
HEAD = """
## lint/precision

How many of the findings that `flatwater lint` tells by default are right, in packages that nobody had looked at, of more than 20,000 lines each. Each finding of a sample is labelled
by hand with a reason of one line in `benchmarks/lint/labels.jsonl`. It is right where memory, or what is open, grows there with data or time beyond what the code bounds, so that
the advice applies; a file, a table or a cache that is small by its nature is none.

The first sample is {first} findings, drawn from all of 175 packages with the same chance. The rules were mended behind it. The second one is all {second} findings of the
mended rules in 103 other packages. Beside each other they say how far a sample can be trusted: packages differ more than rules do.

| rule | first: right | wrong | second: right | wrong |
|---|---:|---:|---:|---:|
"""


def bar() -> tuple[str, str, str, bool] | None:
    """`(promise, measured, rounds, kept)`; None before a sample was labelled."""
    first, second = (_kept(sample) for sample in (1, 2))
    if not first:
        return None
    low, high = precision.interval(sum(first), len(first))
    measured = f"{sum(first) / len(first):.1%}, {sum(first)} of {len(first)}"
    if second:
        measured += f"; then {sum(second) / len(second):.1%}, {sum(second)} of {len(second)}"
    shares = [sum(each) / len(each) for each in (first, second) if each]
    return (
        f"at least {GOAL:.0%} of a sample of {SAMPLE} findings are right",
        measured,
        f"95 %: {low:.0%} to {high:.0%}",
        min(shares) >= GOAL and len(first) >= SAMPLE,
    )


def _kept(sample: int) -> list[bool]:
    return [each["label"] == "right" for each in precision.labels().values() if each.get("sample", 1) == sample]


def section() -> str:
    """The table, rule by rule; "" before a sample was labelled."""
    known = precision.labels()
    if not known or (judged := bar()) is None:
        return ""
    by_code = Counter((place.code, each.get("sample", 1), str(each["label"])) for place, each in known.items())
    lines = [HEAD.format(first=len(_kept(1)), second=len(_kept(2)))]
    for code in sorted({place.code for place in known}):
        counts = [str(by_code[code, sample, label]) for sample in (1, 2) for label in ("right", "wrong")]
        lines.append(f"| {code} | {' | '.join(counts)} |\n")
    promise, measured, spread, _is_kept = judged
    lines.append(f"\n- {promise}: {measured} ({spread} of the first).\n\n    python -m benchmarks.lint.precision\n")
    return "".join(lines)
