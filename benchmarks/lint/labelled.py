"""What the labelled samples of the linter's findings say, for docs/benchmarks.md."""

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

The first four samples are of other packages each: 175, 103, 300 and 198. The first, the third and the fourth are 200 findings, drawn from all with the same chance; the second is all
findings of its packages. The fifth is of the packages of the fourth: 100 of the findings that nobody had looked at, as the rules made them that were mended behind it. A sample judges the rules of
its day. Beside each other the samples say how far one can be trusted: packages differ more than rules do, and so do those who label. From the fourth on what is not right is told apart: *small* is
true of the code, and there is never much of it; *mistaken* is not so, or bounded, or the whole is needed. The fourth was labelled by stricter words than those before it.

"""


def bar() -> tuple[str, str, str, bool] | None:
    """`(promise, measured, rounds, kept)`, by the newest sample; None before one was labelled."""
    samples = _samples()
    if not samples:
        return None
    *before, newest = samples
    low, high = precision.interval(sum(newest), len(newest))
    measured = _share(newest)
    if before:
        measured += f"; before {' and '.join(map(_share, before))}"
    return (
        f"at least {GOAL:.0%} of a sample of {SAMPLE} findings are right",
        measured,
        f"95 %: {low:.0%} to {high:.0%}",
        sum(newest) / len(newest) >= GOAL and len(newest) >= SAMPLE,
    )


def _share(kept: list[bool]) -> str:
    return f"{sum(kept) / len(kept):.1%}, {sum(kept)} of {len(kept)}"


def _samples() -> list[list[bool]]:
    """Of each sample, which findings are right; the newest one last."""
    labels = precision.labels().values()
    numbers = sorted({int(str(each["sample"])) for each in labels})
    return [[precision.is_right(each) for each in labels if each["sample"] == number] for number in numbers]


def section() -> str:
    """The table, rule by rule; "" before a sample was labelled."""
    known = precision.labels()
    if (judged := bar()) is None:
        return ""
    by_code = Counter((place.code, each["sample"], precision.is_right(each)) for place, each in known.items())
    numbers = sorted({int(str(each["sample"])) for each in known.values()})
    titles = [f"sample {number}: right | wrong" for number in numbers]
    lines = [HEAD, f"| rule | {' | '.join(titles)} |\n|---|{'---:|' * 2 * len(numbers)}\n"]
    for code in sorted({place.code for place in known}):
        counts = [str(by_code[code, number, label]) for number in numbers for label in (True, False)]
        lines.append(f"| {code} | {' | '.join(counts)} |\n")
    for number in numbers:
        kinds = Counter(str(each["label"]) for each in known.values() if each["sample"] == number)
        if kinds["small"] + kinds["mistaken"]:
            count, true = sum(kinds.values()), kinds["right"] + kinds["small"]
            lines.append(
                f"\nOf sample {number}, {true} of {count} ({true / count:.1%}) are true of the code: {kinds['right']} right, {kinds['small']} small; {kinds['mistaken']} are mistaken.\n"
            )
    promise, measured, spread, _is_kept = judged
    lines.append(f"\n- {promise}: {measured} ({spread} of the newest).\n\n    python -m benchmarks.lint.precision\n")
    return "".join(lines)
