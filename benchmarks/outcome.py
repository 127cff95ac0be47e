"""What a measured case says: medians, ratios, bars, and the rows of its table."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, final

from benchmarks.case import UNITS, Case, load

from flatwater import units

RESULTS = Path(__file__).with_name("results")


class Goal(NamedTuple):
    """A bar, and what was measured: "" where nothing was.

    Attributes:
        promise: as a sentence.
        ours: who is judged, with the CPU it took.
        peer: whom it is compared with, with theirs; "" where it is compared with nobody.
        measured: the value that is judged, with its unit.
        goal: the most that keeps the promise.
        spread: the lowest and the highest round.
        kept: whether it holds.
    """

    promise: str
    ours: str
    peer: str
    measured: str
    goal: str
    spread: str
    kept: bool


@final
class Outcome:
    """One record of `runner.measure`, read with its case."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        self.name: str = record["case"]
        self.case: Case = load(self.name)
        self.rounds: dict[str, list[dict[str, Any]]] = record["rounds"]
        self.first = next(iter(self.rounds), "")  # of those that ran: the others are compared with it
        self._asked: list[str] = []  # contestants that a bar asked for, in turn

    def seconds(self, contestant: str, what: str = "cpu_s") -> float:
        """Median seconds, of one unit of work where the case counts units."""
        self._asked.append(contestant)
        return median(float(each[what]) for each in self.rounds[contestant]) / (
            self.record["size"] if self.case.per else 1
        )

    def figure(self, contestant: str, name: str) -> float:
        """Median of a figure of the case's own."""
        self._asked.append(contestant)
        return median(float(each["figures"][name]) for each in self.rounds[contestant])

    def ratio(self, contestant: str, to: str = "") -> float:
        """CPU against another contestant (the first, if not said): the median of the ratios within each round.

        Two neighbours in time share the machine's mood; the ratio of two medians would compare different ones.
        """
        self._asked += [contestant, to or self.first]
        pairs = zip(self.rounds[contestant], self.rounds[to or self.first], strict=False)
        return median(float(one["cpu_s"]) / max(float(other["cpu_s"]), 1e-9) for one, other in pairs)

    def above(self, contestant: str, other: str) -> float:
        """CPU seconds more than another contestant's, of one unit of work: the median of the rounds' differences."""
        self._asked += [contestant, other]
        pairs = zip(self.rounds[contestant], self.rounds[other], strict=False)
        more_s = median(float(one["cpu_s"]) - float(another["cpu_s"]) for one, another in pairs)
        return more_s / (self.record["size"] if self.case.per else 1)

    def bars(self) -> list[tuple[str, str, bool]]:
        """`(promise, measured, kept)` of every bar whose contestants ran."""
        return [
            (
                goal.promise,
                f"{goal.measured} of {goal.goal} ({goal.spread})" if goal.measured else "not measured",
                goal.kept,
            )
            for goal in self.goals()
        ]

    def goals(self) -> list[Goal]:
        """Every bar, with who is compared; one whose contestants did not run is not measured, and not kept."""
        found = []
        for bar in self.case.bars:
            limit = f"{bar.limit:.3g} {bar.unit}"
            self._asked = []
            try:
                value = bar.value(self)
            except KeyError:
                found.append(Goal(bar.text, "", "", "", limit, "", kept=False))
                continue
            ours, peer = self._compared()
            each = []
            for single in self._single_rounds():
                with contextlib.suppress(KeyError):  # who is slow takes part in the first rounds alone
                    each.append(bar.value(single))
            spread = f"rounds {number(min(each))} to {number(max(each))}" if len(each) > 1 else "one round"
            found.append(
                Goal(bar.text, ours, peer, f"{number(value)} {bar.unit}", limit, spread, kept=value <= bar.limit)
            )
        return found

    def _compared(self) -> tuple[str, str]:
        """What the last bar asked for: ours, and the first other one, each with its CPU."""
        asked = list(dict.fromkeys(self._asked))
        unit, each = self.case.unit, f" a {self.case.per}" if self.case.per else ""
        told = [f"{name}: {number(self.seconds(name) / UNITS[unit])} {unit}{each}" for name in asked[:2]]
        return (told[0] if told else "", told[1] if len(told) > 1 else "")

    def _single_rounds(self) -> list[Outcome]:
        """Each round as if it were all there is, with those who took part: a limit inside the spread is not decided."""
        count = max(map(len, self.rounds.values()))
        return [
            Outcome(
                {**self.record, "rounds": {name: done[i : i + 1] for name, done in self.rounds.items() if done[i:]}}
            )
            for i in range(count)
        ]

    def headings(self) -> list[str]:
        """Of the table's columns."""
        unit = self.case.unit
        each = f" per {self.case.per}" if self.case.per else ""
        return [
            "",
            f"CPU {unit}{each}",
            "lowest to highest",
            f"wall {unit}",
            f"x {self.first}",
            "peak anon",
            "peak file",
            *self.case.figures.values(),
            "rounds",
        ]

    def rows(self) -> list[list[str]]:
        """One for each contestant, in the order they ran."""
        factor = UNITS[self.case.unit]
        scale = factor * (self.record["size"] if self.case.per else 1)
        found = []
        for contestant, rounds in self.rounds.items():
            cpu = [each["cpu_s"] / scale for each in rounds]
            found.append(
                [
                    contestant,
                    number(median(cpu)),
                    f"{number(min(cpu))} to {number(max(cpu))}",
                    number(self.seconds(contestant, "wall_s") / factor),
                    f"{self.ratio(contestant):.2f}",
                    units.format_bytes(median(each["anon_peak_bytes"] for each in rounds)),
                    units.format_bytes(median(each["file_peak_bytes"] for each in rounds)),
                    *(self._shown(contestant, name) for name in self.case.figures),
                    str(len(rounds)),
                ]
            )
        return found

    def _shown(self, contestant: str, name: str) -> str:
        """A figure of the case's own; not every contestant has each."""
        return number(self.figure(contestant, name)) if name in self.rounds[contestant][0]["figures"] else ""

    def about(self) -> list[str]:
        """The machine and the versions, two lines."""
        machine = self.record["machine"]
        memory = units.format_bytes(machine["memory_bytes"])
        versions = ", ".join(f"{name} {version}" for name, version in self.record["versions"].items())
        host = f"{machine['cpu']}, {machine['cores']} cores, {memory}, {machine['kernel']}"
        run = f"load {self.record['load_1m']} at the start, {self.record['when']}, size {self.record['size']:,}"
        return [f"{host}; {run}", versions]


def number(value: float) -> str:
    """Three figures, for people."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.3f}"


def path_of(name: str) -> Path:
    """Where the results of a case are appended."""
    return RESULTS / f"{name}.jsonl"


def append(record: dict[str, Any]) -> None:
    """Add a record to its case's results."""
    path = path_of(record["case"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, separators=(",", ":")) + "\n")


def newest(name: str) -> Outcome | None:
    """The last stored outcome of a case; None if it was never measured."""
    path = path_of(name)
    if not path.exists():
        return None
    lines = path.read_text("utf-8").splitlines()
    return Outcome(json.loads(lines[-1])) if lines else None
