"""tour.lab.finding: claims are judged by their figures, and never without them."""

from __future__ import annotations

import json

import pytest

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, SeedFigure, Spot, Variant
from flatwater.tour.lab.finding import Finding, Measured
from flatwater.tour.lab.observing import Moment, Observation

MIB = units.MIB
PROGRAM = "flatwater.tour.lab.programs.files:whole"
SEED = (SeedFigure.mib("381.46 MB", 381.46),)
VARIANTS = (Variant("all", PROGRAM, seed_figures=SEED), Variant("some", PROGRAM))


def seen(peak=0, traced=-1, moments=(), answer=7):
    return Observation(answer, peak, traced, 1.5, 2.5, tuple(moments))


def experiment(*claims, **more):
    options = {"claims": claims or (Claim("peak", Spot(0), Spot(1), 10),), "why_different": "{each} bytes.", **more}
    return Experiment(name="x", title="X", seed="a lab", size=MIB, item="items", variants=VARIANTS,
                      what_it_shows="It.", needs_bytes=units.GIB, **options)  # fmt: skip


def finding(*plain, of=None, small=False, **more):
    measured = tuple(Measured(variant, run) for variant, run in zip(VARIANTS, plain, strict=False))
    return Finding(of or experiment(), MIB, small, measured, **more)


@pytest.mark.parametrize(
    ("larger", "smaller", "state", "words"),
    [
        (400 * MIB, 4 * MIB, "held", "some: 100 times less peak RSS than all; asked: 10 times"),
        (400 * MIB, 41 * MIB, "not held", "some: 9.8 times less peak RSS than all; asked: 10 times"),
        (4 * MIB, 400 * MIB, "not held", "some: 0.0 times less peak RSS than all; asked: 10 times"),
        (400 * MIB, 0, "held", "some: at least 2,100 times less peak RSS than all; asked: 10 times"),
        (MIB, 0, "not held", "some: at least 5.3 times less peak RSS than all; asked: 10 times"),
        (-1, 0, "undecided", "some: nobody knows how much less peak RSS than all"),
    ],
)
def test_a_claim_holds_by_its_factor(larger, smaller, state, words):
    """Ten times is ten times; below the noise the ratio is a lower bound; an unknown figure decides nothing."""
    found = finding(seen(larger), seen(smaller))
    assert (found.state, found.outcomes[0].words) == (state, words)


def test_a_small_run_asks_for_less_at_all():
    """At a hundredth of the size any less is enough, the same is not, and nothing is compared with the write-up."""
    assert finding(seen(3 * MIB), seen(2 * MIB), small=True).state == "held"
    assert finding(seen(2 * MIB), seen(2 * MIB), small=True).state == "not held"
    assert finding(seen(3 * MIB), seen(2 * MIB), small=True).why_different == ""
    assert finding(seen(3 * MIB), seen(2 * MIB)).why_different == "3 bytes."


def test_moments_join_both_runs():
    """Resident sizes come from the plain run, traced ones from the other; a moment that one run lacks is not invented."""
    plain = seen(9, moments=[Moment("made", 5, 9), Moment("gone", 1, 0)])
    traced = seen(99, 77, moments=[Moment("made", 55, 99, 40, 77)])
    measured = Measured(VARIANTS[0], plain, traced)
    assert (measured.at("made").resident, measured.at("made").traced) == (5, 40)
    assert (measured.at("gone").resident, measured.at("gone").traced) == (1, -1)
    assert measured.at("never") is None


def test_claims_at_moments():
    """A claim may compare a moment with another one of the same program, by what was traced there."""
    of = experiment(Claim("traced", Spot(0, "dropped"), Spot(0, "collected"), 100), by_moment=True)
    moments = [Moment("dropped", 9, 9, 80 * MIB, 80 * MIB), Moment("collected", 9, 9, 2048, 80 * MIB)]
    one = Measured(VARIANTS[0], seen(9, moments=moments), seen(9, 80 * MIB, moments=moments))
    found = Finding(of, MIB, small=False, measured=(one,))
    assert found.state == "held"
    assert found.outcomes[0].words.startswith("all (collected): 41,000 times less traced memory than all (dropped)")
    assert found.times_less(Spot(0, "collected")) == found.outcomes[0]
    assert found.times_less(Spot(0, "dropped")) is None


def test_bytes_an_item_beside_the_write_up():
    """What was traced between the first moment and the last, divided by the items, holds if the write-up's figure is larger."""
    variant = Variant("all", PROGRAM, seed_figures=(SeedFigure("~60 B", 60 * MIB),))
    of = experiment(Claim("each", Spot(0, is_seed=True), Spot(0), 1), why_different="{costs}.")
    for each, state in ((56, "held"), (60, "not held"), (61, "not held")):
        moments = [Moment("ready", 0, 0, 8 * MIB), Moment("built", 0, 0, (8 + each) * MIB)]
        one = Measured(variant, seen(9, moments=moments), seen(9, 99 * MIB, moments=moments))
        found = Finding(of, MIB, small=False, measured=(one,))
        assert (found.state, found.value("each", Spot(0))) == (state, each)
        assert found.outcomes[0].words == f"all: {each} B each, 1.4 us of CPU; the write-up 60 B"
        assert found.why_different == f"all: {each} B, 1.4 us."


def test_counts_are_told_in_turn():
    """A claim about what programs counted names both counts, and all that the smaller one had."""
    of = experiment(Claim("count", Spot(0, "end"), Spot(1, "end"), 100))
    runs = [
        seen(9, moments=[Moment("end", 0, 0, count=10_000)]),
        seen(9, moments=[Moment("start", 0, 0, count=0), Moment("end", 0, 0, count=50)]),
    ]
    found = finding(*runs, of=of)
    assert found.state == "held"
    assert (
        found.outcomes[0].words == "some (end): 50, in turn 0, 50; all (end): 10,000; 200 times fewer; asked: 100 times"
    )
    assert finding(seen(9), runs[1], of=of).state == "undecided"


def test_failed_and_skipped_are_not_held():
    """A run that failed, answers that differ, and an experiment that was skipped have no outcomes."""
    failed = Finding(
        experiment(), 9, small=False, measured=(Measured(VARIANTS[0], failure="it died"), Measured(VARIANTS[1], seen()))
    )
    assert (failed.state, failed.failures, failed.outcomes) == ("failed", ("all: it died",), ())
    assert finding(seen(9), seen(9), failure="they differ").state == "failed"
    assert finding(skipped="no room").state == "skipped"
    assert finding().state == "undecided"


def test_json_has_every_figure():
    """Bytes and seconds as numbers, unknown ones as null, the write-up's beside them; it can be dumped."""
    found = finding(seen(400 * MIB, moments=[Moment("made", 3, 4, own_bytes=88)]), seen(-1))
    data = json.loads(json.dumps(found.to_dict()))
    first, second = data["variants"]
    assert (first["peak_rss_bytes"], first["getsizeof_bytes"], first["cpu_s"], first["traced_peak_bytes"]) == (
        400 * MIB,
        88,
        1.5,
        None,
    )
    assert first["seed"] == [{"words": "381.46 MB", "bytes": 399989801, "moment": ""}]
    assert first["moments"][0]["traced_bytes"] is None
    assert second["peak_rss_bytes"] is None
    assert data["claims"][0]["holds"] is None
