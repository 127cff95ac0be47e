"""Compare proofs with those that were checked in, and name what drifted.

Covers:     reading `flatwater prove --json` files back, what counts as drift, and in which direction.
Not here:   the proofs (`proof.proving`), printing (`cli`).
Holds:      one file of proofs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flatwater import errors, limits, units
from flatwater.proof.result import Proof, per_item

SLOPE_RATIO = 1.25  # bytes per item may differ by this factor, beside the noise
PEAK_RATIO = 1.10  # and a peak by this one, beside the noise: other builds of the same interpreter do
FILE_BYTES_MAX = limits.PROOF_BASELINE_BYTES_MAX
_WORSE = {"constant": 0, "undecided": 1, "grows": 2}
_STEEPER: dict[object, int] = {"log": 1, "sqrt": 2, "linear": 3, "superlinear": 4}
_HINT = "Write one with: flatwater prove ... --json FILE"


@dataclass(frozen=True, slots=True)
class Drift:
    """One figure that is not what it was.

    Attributes:
        scenario: whose.
        what: which figure.
        words: before and after.
        worse: whether it drifted in the wrong direction.
    """

    scenario: str
    what: str
    words: str
    worse: bool

    def __str__(self) -> str:
        return f"{self.scenario}: {self.what} {self.words}"


def drifts(proofs: Sequence[Proof], path: str) -> list[Drift]:
    """What differs from the file, scenario by scenario, and which scenarios are in only one of the two.

    Raises:
        UsageError: the file is none of ours.
    """
    before = read(path)
    found: list[Drift] = []
    compares_nothing = bool(before) and before.keys().isdisjoint(
        proof.scenario for proof in proofs
    )  # a file of something else
    for proof in proofs:
        old = before.pop(proof.scenario, None)
        if old is None:
            found.append(Drift(proof.scenario, "scenario", "is not in the baseline", worse=compares_nothing))
        else:
            found += _between(old, proof.to_dict())
    found += [Drift(name, "scenario", "is in the baseline and was not run", worse=False) for name in before]
    return found


def read(path: str) -> dict[str, dict[str, Any]]:
    """The proofs of a file, by scenario.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise errors.UsageError(f"--baseline {path!r}: {(error.strerror or str(error)).lower()}.", hint=_HINT) from None
    try:
        if len(data) > FILE_BYTES_MAX:
            raise ValueError("it is too large")  # noqa: TRY301 - one way out
        value = json.loads(data, parse_constant=_refuse)
        entries = value.get("proofs", [value])
        # One that failed when the file was written has no figures: it is compared with nothing, as a new one.
        return {entry["scenario"]: _checked(entry) for entry in entries if entry.get("outcome") != "failed"}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise errors.UsageError(f"--baseline {path!r} is not a file of proofs ({error}).", hint=_HINT) from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no figure")


def _checked(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with every figure that is compared, of its type."""
    if entry["verdict"] not in _WORSE:
        raise ValueError(f"verdict {entry['verdict']!r}")
    for key in ("bytes_per_item", "resolution"):
        entry[key] = float(entry[key])
    for point in entry["points"]:
        point["n"], point["peak_bytes"] = int(point["n"]), int(point["peak_bytes"])
    return entry


def _between(old: dict[str, Any], new: dict[str, Any]) -> list[Drift]:
    name = new["scenario"]
    if old.get("metric") != new["metric"]:
        return [Drift(name, "metric", f"was {old.get('metric')}, is {new['metric']}: not compared", worse=False)]
    found: list[Drift] = []
    if old["verdict"] != new["verdict"]:
        worse = _WORSE[new["verdict"]] > _WORSE[old["verdict"]]
        found.append(Drift(name, "verdict", f"was {old['verdict']}, is {new['verdict']}", worse=worse))
    elif old.get("kind") != new["kind"]:
        worse = _STEEPER.get(new["kind"], 0) > _STEEPER.get(old.get("kind"), 0)
        found.append(Drift(name, "kind", f"was {old.get('kind')}, is {new['kind']}", worse=worse))
    found += _slope(name, old, new)
    found += _peaks(name, old, new)
    if old.get("survived") is True and new["survived"] is False:
        found.append(Drift(name, "survival", "was yes, is no", worse=True))
    elif old.get("survived") is False and new["survived"] is True:
        found.append(Drift(name, "survival", "was no, is yes", worse=False))
    return found


def _slope(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[Drift]:
    if new["verdict"] != "grows" or old["verdict"] != "grows":
        return []
    before, after = old["bytes_per_item"], new["bytes_per_item"]
    sizes = [point["n"] for point in new["points"]]
    slack = 2 * new["noise_bytes"] / (sizes[-1] - sizes[-2])  # what noise makes of the last step, from which a slope is
    words = f"was {per_item(before)}, is {per_item(after)}"
    if after > before * SLOPE_RATIO + slack:
        return [Drift(name, "growth", words, worse=True)]
    if before > after * SLOPE_RATIO + slack:
        return [Drift(name, "growth", words, worse=False)]
    return []


def _peaks(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[Drift]:
    """The largest size that both have: one line says enough."""
    before = {point["n"]: point["peak_bytes"] for point in old["points"]}
    after = {point["n"]: point["peak_bytes"] for point in new["points"]}
    common = sorted(before.keys() & after.keys())
    if not common:
        return [Drift(name, "sizes", "have none in common with the baseline: peaks are not compared", worse=False)]
    n = common[-1]
    slack = 2 * new["noise_bytes"]
    words = f"at n={n:,} was {units.format_bytes(before[n])}, is {units.format_bytes(after[n])}"
    if after[n] > before[n] * PEAK_RATIO + slack:
        return [Drift(name, "peak", words, worse=True)]
    if before[n] > after[n] * PEAK_RATIO + slack:
        return [Drift(name, "peak", words, worse=False)]
    return []
