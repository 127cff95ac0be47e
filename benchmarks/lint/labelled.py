"""What the labelled sample of the linter's findings says, for docs/benchmarks.md."""

from __future__ import annotations

from collections import Counter

from benchmarks.lint import precision

NAME = "lint/precision"
GOAL = 0.8  # right, of what is told by default
SAMPLE = 200
HEAD = """
## lint/precision

How many of the findings that `flatwater lint` tells by default are right, in packages that nobody looked at while its rules were made: {packages} of more than
20,000 lines each, {sample} findings drawn from all of them with the same chance, each labelled by hand with a reason of one line in `benchmarks/lint/labels.jsonl`. A finding
is right where memory, or what is open, grows there with data or time beyond what the code bounds, so that the advice applies; a file or a table that is small by its
nature is none.

| rule | right | wrong |
|---|---:|---:|
"""


def bar() -> tuple[str, str, str, bool] | None:
    """`(promise, measured, rounds, kept)`; None before a sample was labelled."""
    kept = [each["label"] == "right" for each in precision.labels().values()]
    if not kept:
        return None
    low, high = precision.interval(sum(kept), len(kept))
    share = sum(kept) / len(kept)
    return (
        f"at least {GOAL:.0%} of a sample of {SAMPLE} findings are right",
        f"{share:.1%}, {sum(kept)} of {len(kept)}",
        f"95 %: {low:.0%} to {high:.0%}",
        share >= GOAL and len(kept) >= SAMPLE,
    )


def section() -> str:
    """The table, rule by rule; "" before a sample was labelled."""
    known = precision.labels()
    if not known or (judged := bar()) is None:
        return ""
    by_code = Counter((place.code, str(each["label"])) for place, each in known.items())
    lines = [HEAD.format(packages=len(precision.packages()), sample=len(known))]
    lines += [
        f"| {code} | {by_code[code, 'right']} | {by_code[code, 'wrong']} |\n"
        for code in sorted({place.code for place in known})
    ]
    promise, measured, spread, _kept = judged
    lines.append(f"\n- {promise}: {measured} ({spread}).\n\n    python -m benchmarks.lint.precision\n")
    return "".join(lines)
