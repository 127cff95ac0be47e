"""What a stored half says: how often each method is right, raises a false alarm, misses growth, or does not decide."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass
from typing import Any, final

from benchmarks.proof.peers import PEERS, Peer
from benchmarks.proof.programs.registry import LEAST_BYTES

from benchmarks import outcome

OURS = "`fw.prove`"
MISSED_BYTES = LEAST_BYTES  # per item: growth that must be seen
FALSE_ALARMS_MAX, MISSED_PERCENT_MAX, UNDECIDED_PERCENT_MAX = 0, 5, 10
VERDICTS_MIN = 200
SUITE_MINUTES_MAX = 20
VERDICT_S_MAX, CHEAP_CPU_S = 5, 1.0  # a verdict on a program whose runs take less than that together
CASES = ("proof/held-out", "proof/tune")
TITLES = {
    "proof/held-out": "Verdicts on programs whose growth is known, of families that no constant of the rule was tuned on.",
    "proof/tune": "The same on the other half of the families, on which constants may be tuned: for comparison only.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """How one method did.

    Attributes:
        name: the method.
        verdicts: how many it gave.
        right: of them.
        false_alarms: growth where there is none.
        missed: none where there is growth.
        undecided: neither.
        bounded: programs that do not grow.
        growing: programs that do.
    """

    name: str
    right: int
    false_alarms: int
    missed: int
    undecided: int
    bounded: int
    growing: int

    @property
    def verdicts(self) -> int:
        """How many there are."""
        return self.bounded + self.growing

    @property
    def missed_percent(self) -> float:
        """Of the growing programs."""
        return 100 * self.missed / max(self.growing, 1)

    @property
    def undecided_percent(self) -> float:
        """Of all."""
        return 100 * self.undecided / max(self.verdicts, 1)


@final
class Half:
    """One record of `suite.measure`."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        self.name: str = record["case"]
        self.verdicts: list[dict[str, Any]] = record["verdicts"]

    def rows(self, *, forms: bool = False) -> list[Row]:
        """A row for each method; every form of the peers if asked for."""
        asked = [peer for peer in PEERS if (forms or peer.in_table) and not peer.missing()]
        ours = [each["verdict"] for each in self.verdicts]
        return [self._row(OURS, ours), *(self._row(peer.name, self._of(peer)) for peer in asked)]

    def missing(self) -> dict[str, str]:
        """Peers that could not judge here, and why."""
        return {peer.name: why for peer in PEERS if peer.in_table and (why := peer.missing())}

    def wrong(self) -> list[dict[str, Any]]:
        """Our verdicts that are not right."""
        return [each for each in self.verdicts if each["verdict"] != truth(each)]

    def longest_cheap_s(self) -> float:
        """The longest verdict on a program whose runs took less than `CHEAP_CPU_S` together."""
        return max((each["wall_s"] for each in self.verdicts if each.get("cpu_s", math.inf) < CHEAP_CPU_S), default=0.0)

    def median_s(self) -> float:
        """Of a verdict."""
        return statistics.median(each["wall_s"] for each in self.verdicts)

    def _of(self, peer: Peer) -> list[str]:
        return [
            peer.verdict(each["sizes"], each["peaks"], each["base_bytes"]) if "sizes" in each else "failed"
            for each in self.verdicts
        ]

    def _row(self, name: str, said: list[str]) -> Row:
        pairs = [(truth(each), verdict) for each, verdict in zip(self.verdicts, said, strict=True)]
        return Row(
            name,
            right=sum(true == verdict for true, verdict in pairs),
            false_alarms=pairs.count(("constant", "grows")),
            missed=pairs.count(("grows", "constant")),
            undecided=sum(verdict in {"undecided", "failed"} for _, verdict in pairs),
            bounded=sum(true == "constant" for true, _ in pairs),
            growing=sum(true == "grows" for true, _ in pairs),
        )


def truth(verdict: dict[str, Any]) -> str:
    """Constant, or grows."""
    return "constant" if verdict["kind"] == "constant" else "grows"


def newest(name: str) -> Half | None:
    """The last stored record of a half; None if it was never measured."""
    path = outcome.path_of(name)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return Half(json.loads(lines[-1])) if lines else None
