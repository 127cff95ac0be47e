"""What an experiment found: the figures of each variant, and whether the claims hold.

Covers:     looking a figure up, how many times less, held or not, the dict for JSON.
Not here:   describing (`tour.lab.experiment`), measuring (`tour.lab.running`), printing and drawing.
Holds:      a few numbers a variant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from flatwater import units
from flatwater.proof.ratio import two_figures
from flatwater.tour.lab.experiment import Claim, Experiment, Figure, SeedFigure, Spot, Variant
from flatwater.tour.lab.observing import Moment, Observation

State = Literal["held", "not held", "undecided", "skipped", "failed"]
FLOOR_BYTES = {  # a smaller figure is noise: a ratio to it would be one as well
    "peak": 192 * units.KIB,
    "resident": 192 * units.KIB,
    "traced": units.KIB,
    "each": 1,
    "count": 1,
}
FIGURE_WORDS = {"peak": "peak RSS", "resident": "resident memory", "traced": "traced memory"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One variant, run once as it is and once under tracemalloc, each in a fresh process.

    Attributes:
        variant: what ran.
        plain: resident sizes and times come from here; None if it failed.
        traced: tracemalloc's figures come from here; None if it failed or was not asked for.
        start_rss: of the process before it had a program: the interpreter itself, bytes.
        limit_kind: who kept the memory limit.
        failure: why a run failed; empty if none did.
    """

    variant: Variant
    plain: Observation | None = None
    traced: Observation | None = None
    start_rss: int = -1
    limit_kind: str = ""
    failure: str = ""

    @property
    def own_bytes(self) -> int:
        """What `sys.getsizeof` says of the object that the program named; -1 without one."""
        return max((moment.own_bytes for moment in self.plain.moments), default=-1) if self.plain else -1

    @property
    def traced_between(self) -> int:
        """What Python's allocators held more at the last moment than at the first; -1 without both."""
        moments = self.traced.moments if self.traced else ()
        return moments[-1].traced - moments[0].traced if len(moments) > 1 else -1

    @property
    def counts(self) -> tuple[int, ...]:
        """What the program counted, a figure a moment."""
        return tuple(moment.count for moment in self.plain.moments if moment.count >= 0) if self.plain else ()

    def at(self, moment: str) -> Moment | None:
        """What was seen at a moment, tracemalloc's figures from their own run."""
        plain = _named(self.plain, moment)
        traced = _named(self.traced, moment)
        if plain is None or traced is None:
            return plain
        return replace(plain, traced=traced.traced, traced_peak=traced.traced_peak)

    def seed(self, moment: str = "") -> SeedFigure | None:
        """What the write-up saw there."""
        return next((figure for figure in self.variant.seed_figures if figure.moment == moment), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claim, and what became of it.

    Attributes:
        claim: what was to hold.
        times: less by so much; 0 if a figure is unknown.
        at_least: the smaller figure is below what can be told apart, so `times` is a lower bound.
        asked: what was asked for.
        words: a sentence.
    """

    claim: Claim
    times: float
    at_least: bool
    asked: float
    words: str

    @property
    def figure(self) -> str:
        """Less by so much, as people say it."""
        return f"{'> ' if self.at_least else ''}{two_figures(self.times)} x"

    @property
    def holds(self) -> bool | None:
        """None if a figure is unknown."""
        return None if self.times == 0 else self.times > 1 and self.times >= self.asked


@dataclass(frozen=True, slots=True)
class Finding:
    """What came out of one experiment.

    Attributes:
        experiment: what was done.
        size: of it: items.
        small: a small part of its size, and the write-up's figures are not comparable.
        measured: a variant each, in the experiment's order; empty if it was skipped.
        skipped: why it was not run; empty if it was.
        failure: why it is worth nothing as a whole; empty if it is not.
        wall_s: seconds it took, making its input included.
    """

    experiment: Experiment
    size: int
    small: bool
    measured: tuple[Measured, ...] = ()
    skipped: str = ""
    failure: str = ""
    wall_s: float = 0.0

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of each claim; empty unless all variants ran."""
        if self.skipped or self.failures or not self.measured:
            return ()
        return tuple(self._judge(claim) for claim in self.experiment.claims)

    @property
    def failures(self) -> tuple[str, ...]:
        """Everything that went wrong."""
        own = (f"{measured.variant.label}: {measured.failure}" for measured in self.measured if measured.failure)
        return (*([self.failure] if self.failure else []), *own)

    @property
    def state(self) -> State:
        """One word for it."""
        if self.skipped:
            return "skipped"
        if self.failures:
            return "failed"
        held = [outcome.holds for outcome in self.outcomes]
        if False in held:
            return "not held"
        return "undecided" if None in held or not held else "held"

    def value(self, figure: Figure, spot: Spot) -> int:
        """A figure in bytes, or a count; -1 if it is unknown."""
        if spot.variant >= len(self.measured):
            return -1
        measured = self.measured[spot.variant]
        if spot.is_seed:
            seed = measured.seed(spot.moment)
            scale = self.experiment.size if figure == "each" else 1
            return round(seed.bytes / scale) if seed and seed.bytes >= 0 else -1
        if figure == "each":
            return round(measured.traced_between / self.size) if measured.traced_between >= 0 else -1
        if not spot.moment:
            run = measured.traced if figure == "traced" else measured.plain
            if run is None:
                return -1
            return run.traced_peak if figure == "traced" else run.peak
        moment = measured.at(spot.moment)
        if moment is None:
            return -1
        figures = {"peak": moment.peak, "resident": max(0, moment.resident), "traced": moment.traced}
        return moment.count if figure == "count" else figures[figure]

    @property
    def is_each(self) -> bool:
        """Whether it is about the bytes of one item."""
        return any(claim.figure == "each" for claim in self.experiment.claims)

    def name_of(self, spot: Spot) -> str:
        """A spot in words."""
        label = self.experiment.variants[spot.variant].label
        return f"{label} ({spot.moment})" if spot.moment else label

    def times_less(self, spot: Spot) -> Outcome | None:
        """The claim that has its smaller figure there."""
        return next((outcome for outcome in self.outcomes if outcome.claim.smaller == spot), None)

    @property
    def why_different(self) -> str:
        """The experiment's sentence, with its figures; empty if there is nothing to compare with."""
        text = self.experiment.why_different
        if self.small or not self.outcomes:
            return ""
        claim = self.experiment.claims[0]
        costs = "; ".join(
            f"{one.variant.label}: {f'{each} B, ' if (each := self.value('each', Spot(number))) >= 0 else ''}{self.cost_of(one)}"
            for number, one in enumerate(self.measured)
        )
        return text.format(each=round(self.value(claim.figure, claim.larger) / self.size), costs=costs)

    def cost_of(self, measured: Measured) -> str:
        """CPU time an item, in words: as the program itself timed it, else of the whole run."""
        if measured.plain is None:
            return "unknown"
        each_us = measured.counts[0] / 1e3 if measured.counts else measured.plain.cpu_s / self.size * 1e6
        return f"{each_us:.1f} us"

    def _judge(self, claim: Claim) -> Outcome:
        larger, smaller = self.value(claim.figure, claim.larger), self.value(claim.figure, claim.smaller)
        floor = FLOOR_BYTES[claim.figure]
        asked = 1.0 if self.small else float(claim.times)
        if claim.figure in {"each", "count"} and larger >= 0 and smaller >= 0:
            return Outcome(claim, larger / max(smaller, 1), False, asked, self._words(claim, larger, smaller))  # noqa: FBT003 - its own field
        words = FIGURE_WORDS.get(claim.figure, "")
        names = f"{self.name_of(claim.smaller)}: {{}} {words} than {self.name_of(claim.larger)}"
        if larger < 0 or smaller < 0:
            return Outcome(claim, 0, at_least=False, asked=asked, words=names.format("nobody knows how much less"))
        at_least = smaller < floor
        times = larger / max(smaller, floor)
        measured = f"{'at least ' if at_least else ''}{two_figures(times)} times less"
        wanted = "any, at this size" if self.small else f"{claim.times:,} times"
        return Outcome(claim, times, at_least, asked, f"{names.format(measured)}; asked: {wanted}")

    def _words(self, claim: Claim, larger: int, smaller: int) -> str:
        """Of a claim about single items, or about what was counted."""
        name, other = self.name_of(claim.smaller), self.name_of(claim.larger)
        measured = self.measured[claim.smaller.variant]
        if claim.figure == "each":
            each = f"{units.format_bytes(smaller)} each, {self.cost_of(measured)} of CPU"
            theirs = f"the write-up {units.format_bytes(larger)}" if claim.larger.is_seed else f"{other} {larger:,}"
            return f"{name}: {each}; {theirs}"
        counts = ", ".join(f"{count:,}" for count in measured.counts)
        fewer = two_figures(larger / max(smaller, 1))
        return f"{name}: {smaller:,}, in turn {counts}; {other}: {larger:,}; {fewer} times fewer; asked: {claim.times:,} times"

    def to_dict(self) -> dict[str, object]:
        """For JSON: bytes and seconds; unknown sizes are None."""
        return {
            "name": self.experiment.name,
            "title": self.experiment.title,
            "seed": self.experiment.seed,
            "size": self.size,
            "item": self.experiment.item,
            "small": self.small,
            "state": self.state,
            "skipped": self.skipped,
            "failures": list(self.failures),
            "wall_s": round(self.wall_s, 3),
            "variants": [
                _variant_dict(measured) | {"each_bytes": _known(self.value("each", Spot(number)))}
                for number, measured in enumerate(self.measured)
            ],
            "claims": [
                {
                    "figure": outcome.claim.figure,
                    "larger": self.name_of(outcome.claim.larger),
                    "smaller": self.name_of(outcome.claim.smaller),
                    "times_less": round(outcome.times, 2) or None,
                    "at_least": outcome.at_least,
                    "asked": outcome.asked,
                    "holds": outcome.holds,
                    "words": outcome.words,
                }
                for outcome in self.outcomes
            ],
        }


def _named(run: Observation | None, name: str) -> Moment | None:
    return next((moment for moment in run.moments if moment.name == name), None) if run else None


def _variant_dict(measured: Measured) -> dict[str, object]:
    plain, traced = measured.plain, measured.traced
    return {
        "label": measured.variant.label,
        "program": measured.variant.program,
        "peak_rss_bytes": _known(plain.peak) if plain else None,
        "start_rss_bytes": _known(measured.start_rss),
        "traced_peak_bytes": _known(traced.traced_peak) if traced else None,
        "getsizeof_bytes": _known(measured.own_bytes),
        "cpu_s": round(plain.cpu_s, 4) if plain else None,
        "wall_s": round(plain.wall_s, 4) if plain else None,
        "limit_kind": measured.limit_kind,
        "failure": measured.failure,
        "seed": [
            {"words": f.words, "bytes": _known(round(f.bytes)), "moment": f.moment}
            for f in measured.variant.seed_figures
        ],
        "moments": [
            {
                "name": moment.name,
                "resident_bytes": moment.resident,  # above the start: it may lie below 0
                "peak_bytes": _known(moment.peak),
                "traced_bytes": _known(moment.traced),
                "live_bytes": _known(moment.live),
                "pinned_bytes": _known(moment.pinned),
                "count": _known(moment.count),
                "kept_bytes": _known(moment.kept),
            }
            for seen in (plain.moments if plain else ())
            if (moment := measured.at(seen.name) or seen)
        ],
    }


def _known(count: int) -> int | None:
    return count if count >= 0 else None
