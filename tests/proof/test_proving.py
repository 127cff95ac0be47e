"""proof.proving: sizes, verdict, further sizes, claim. Points come from a table here; real ones are in tests/proofs."""

from __future__ import annotations

import itertools
import json
import math

import pytest

from flatwater import errors, limits
from flatwater.proof import proving
from flatwater.proof.points import Point, ScenarioFailed, Survival
from flatwater.proof.proving import claim_of, prove, prove_with
from flatwater.proof.scenarios import Scenario

KIB, MIB = 1 << 10, 1 << 20
SIZES = [25_000 << step for step in range(5)]


class Table:
    """A measurer whose peaks are a function of n, and of how often n was asked for."""

    metric = "rss"
    timeout_s = 120.0
    scenario = Scenario("load", ("module", "jobs", "load"))

    def __init__(
        self, peak, *, base=10 * MIB, upper=None, wall_s=lambda n: n / 1e6, cpu_s=None, metric="rss", survives=True,
        reusable=0,
    ):  # fmt: skip
        self.reusable = reusable
        self.peak, self.base, self.upper, self.wall_s, self.cpu_s = peak, base, upper, wall_s, cpu_s or wall_s
        self.metric, self.survives = metric, survives
        self.asked = []
        self.limits = []

    def point(self, n, repeat):
        grown = []
        for _ in range(repeat):
            self.asked.append(n)
            value = self.peak(n)
            grown.append(round(next(value) if hasattr(value, "__next__") else value))
        grown.sort()
        base = self.base(n) if callable(self.base) else self.base
        peak = base + grown[(repeat - 1) // 2]
        upper = peak if self.upper is None else self.upper(peak)
        spread = grown[-1] - grown[0]
        return Point(n, peak, upper, round(base), spread, self.cpu_s(n), self.wall_s(n), repeat, self.reusable)

    def survive(self, n, group):
        self.limits.append((n, group.limit_bytes))
        return Survival(self.survives, group.kind, group.limit_bytes, "as asked")


def proof_of(peak, *, sizes=SIZES, **options):
    """The proof and its table; claim options go to the claim, others to the table."""
    names = {"target", "budget", "survive", "repeat", "resolution"}
    claim = claim_of(sizes=sizes, **{key: value for key, value in options.items() if key in names})
    table = Table(peak, **{key: value for key, value in options.items() if key not in names | {"limit_kind"}})
    return prove_with(table, claim, limit_kind=options.get("limit_kind", "auto")), table


# --- the verdict and further sizes ------------------------------------------------------------------------------------


def test_linear_growth_needs_no_more():
    """Five points, a firm verdict, and a claim that fails."""
    proof, table = proof_of(lambda n: 64 * n)
    assert (proof.verdict, proof.kind, proof.outcome) == ("grows", "linear", "fails")
    assert proof.bytes_per_item == pytest.approx(64)
    assert table.asked == SIZES
    assert proof.because == "memory grows with n by 64 B per item (linear)."


def test_a_constant_needs_no_more():
    """Five points; the claim holds, with the resolution and the largest size."""
    proof, table = proof_of(lambda _n: 3 * MIB)
    assert (proof.verdict, proof.kind, proof.outcome, table.asked) == ("constant", None, "holds", SIZES)
    assert proof.because == "memory does not grow with n: by less than 0.66 B per item, up to n=400,000."


@pytest.mark.parametrize("shape", [math.sqrt, math.log])
def test_growth_that_gets_less_is_no_pass(shape):
    """What goes on for ever, if less and less for each item, is no constant at any size."""
    proof, _table = proof_of(lambda n: shape(n) * 400 * MIB / shape(400_000))
    assert proof.verdict != "constant"
    assert not proof.holds


def test_a_cache_that_fills_at_the_largest_size_is_followed():
    """Growth that bends at the largest size is not taken to go on: further sizes show the plateau."""
    proof, table = proof_of(lambda n: 64 * min(n, 300_000))
    assert (proof.verdict, proof.outcome) == ("constant", "holds")
    assert table.asked[5:] == [800_000, 1_600_000]


@pytest.mark.parametrize("full", [330_000, 360_000, 380_000])
def test_a_cache_that_fills_a_little_before_the_largest_size(full):
    """The last step is little less than it would have been: one size more tells."""
    proof, table = proof_of(lambda n: 64 * min(n, full))
    assert (proof.verdict, proof.outcome) == ("constant", "holds")
    assert max(table.asked) <= 4 * SIZES[-1]


@pytest.mark.parametrize(("power", "kind"), [(0.5, "sqrt"), (2.0, "superlinear")])
def test_how_far_other_kinds_are_followed(power, kind):
    """What grows like the square root gets one more size, because two caches look like it; n squared needs none."""
    proof, table = proof_of(lambda n: 8 * MIB * (n / 25_000) ** power)
    assert (proof.verdict, proof.kind) == ("grows", kind)
    assert table.asked == SIZES + [800_000] * (kind == "sqrt")


@pytest.mark.parametrize("full", [50_000, 100_000, 150_000])
def test_growth_beside_a_cache_that_fills_is_linear(full):
    """What the cache adds on the way does not bend the forecast."""
    proof, _table = proof_of(lambda n: 60 * n + 60 * min(n, full), target="10M", budget="256 MiB")
    assert proof.kind == "linear"
    assert proof.fails_at == pytest.approx((246 * MIB - 60 * full) / 60, rel=0.05)


def test_a_further_size_that_fails_takes_nothing_away():
    """Nobody asked for it: the points that were asked for decide, and a note says what happened."""

    class Small(Table):
        def point(self, n, repeat):
            if n > SIZES[-1]:
                raise ScenarioFailed(f"load at n={n:,} failed: no such row.", n=n)
            return super().point(n, repeat)

    proof = prove_with(Small(lambda n: 64 * min(n, 300_000)), claim_of(sizes=SIZES))
    assert (proof.verdict, proof.outcome) == ("undecided", "undecided")
    assert len(proof.points) == len(SIZES)
    assert proof.notes == ["a further size was tried, and gave no figure: load at n=800,000 failed: no such row."]


def test_a_further_size_is_foreseen_by_the_last_ones():
    """Work that takes four times as long for twice the items does so again."""
    proof, table = proof_of(
        lambda _n: 0, resolution=1, sizes=[100, 200, 400, 800, 1600], wall_s=lambda n: (n / 400) ** 2
    )
    assert table.asked == [100, 200, 400, 800, 1600]
    assert proof.notes == ["n=3,200 was not run: it would take 64.0 s"]


def test_what_was_freed_before_is_in_the_resolution():
    """So much growth would not show."""
    plain, _ = proof_of(lambda _n: 0)
    proof, table = proof_of(lambda _n: 0, reusable=2 * MIB)
    assert proof.resolution == pytest.approx(plain.resolution + 2 * MIB / 300_000)
    assert proof.outcome == "holds"
    assert proof.notes[0].startswith("2.0 MiB that were freed before the call could be used again unseen")
    assert table.asked == SIZES
    coarse, _ = proof_of(lambda _n: 0, reusable=200 * MIB)
    assert coarse.outcome == "undecided"


def test_what_setup_made_counts_for_a_budget():
    """It is no growth of the scenario, and all the same part of the peak at the target."""
    made = {"base": lambda n: 10 * MIB + 36 * n}
    proof, _table = proof_of(lambda _n: 0, target="20M", budget="100 MiB", **made)
    assert (proof.verdict, proof.outcome) == ("constant", "fails")
    assert proof.fails_at == pytest.approx(90 * MIB / 36, rel=0.05)
    assert "is 12.9 MiB more at n=400,000 than at n=25,000: part of the peak, not of the verdict" in proof.notes[0]
    assert proof_of(lambda _n: 0, **made)[0].outcome == "holds"


def test_anonymous_peaks_are_said_to_be_sampled():
    """There is no mark in the kernel for them."""
    proof, _table = proof_of(lambda _n: 0, metric="anon")
    assert proof.peak_kind == "sampled"
    assert json.loads(json.dumps(proof.to_dict()))["peak_kind"] == "sampled"


def test_what_stays_open_is_said_to_be():
    """Stairs, flat at the end of every look, are followed to the end of the extensions, and are then undecided: no pass."""
    stairs = {25_000: 0, 50_000: 0, 100_000: 0, 200_000: 80, 400_000: 80, 800_000: 160, 1_600_000: 160, 3_200_000: 320}
    proof, table = proof_of(lambda n: stairs.get(n, 320) * MIB)
    assert table.asked == [*SIZES, *(400_000 << step for step in range(1, 5))]
    assert (proof.verdict, proof.outcome) == ("undecided", "undecided")
    assert proof.because.startswith("from 1,600,000 to 6,400,000 items it moves by")


def test_little_growth_is_measured_again():
    """What is a few noises over the whole range does not hang on one run of the last sizes."""
    runs = {}

    def peak(n):
        runs[n] = runs.get(n, 0) + 1
        return 300 * KIB if n == SIZES[-1] and runs[n] == 1 else 0

    proof, table = proof_of(peak)
    assert proof.verdict == "constant"
    assert table.asked.count(SIZES[-1]) == 3


def test_noise_between_repetitions_is_no_growth():
    """A scatter of megabytes is known by its spread, and hides growth of that size."""
    state = itertools.cycle([0, 3 * MIB, 6 * MIB])
    proof, _table = proof_of(lambda _n: next(state), repeat=3)
    assert proof.verdict == "constant"
    assert proof.growth.noise_bytes == 12 * MIB
    assert len(proof.points) > 5
    assert proof.holds
    assert proof.resolution > 12 * MIB / 4_800_000


def test_both_ends_of_an_interval_must_agree():
    """Where a tree was sampled, a constant must be one at its upper end as well."""
    proof, _table = proof_of(lambda _n: 0, upper=lambda peak: peak + next(counts), repeat=1)
    assert proof.verdict == "undecided"
    assert proof.to_dict()["peak_kind"] == "interval"


counts = itertools.count(1 * MIB, 5 * MIB)


def test_growth_at_the_lower_end_is_growth():
    """What was seen to grow at the least grows, however wide the interval above it is."""
    wide = itertools.cycle([40 * MIB, 40 * MIB, 30 * MIB, 60 * MIB, 41 * MIB])
    proof, _table = proof_of(lambda n: 64 * n, upper=lambda peak: peak + next(wide))
    assert (proof.verdict, proof.kind, proof.outcome) == ("grows", "linear", "fails")


def test_the_kind_is_that_of_exact_points():
    """A command so small that its first peaks are mere samples, far too low, has the kind of its later ones."""
    peaks = {2_000: 2.1, 4_000: 9.0, 8_000: 13.2, 16_000: 21.3, 32_000: 37.8}
    proof, _table = proof_of(
        lambda n: peaks[n] * MIB, sizes=list(peaks), base=0, upper=lambda peak: max(peak, round(8.8 * MIB))
    )
    assert (proof.verdict, proof.kind) == ("grows", "linear")


def test_n_without_effect_is_undecided():
    """Where neither memory nor time changed, n is most likely not used: larger sizes are tried, and it is no pass."""
    proof, table = proof_of(lambda _n: 0, wall_s=lambda _n: 1e-5)
    assert (proof.verdict, proof.outcome) == ("undecided", "undecided")
    assert "does the scenario use it" in proof.because
    assert table.asked[-1] == SIZES[-1] << 4


def test_a_busy_machine_is_no_effect_of_n():
    """Where the processor's time is the same, a run that took longer was kept waiting; one that waits for each item was not."""
    walls = [0.016, 0.027, 0.015, 0.11, 0.051, 0.047, 0.16, 0.03, 0.2]
    busy = dict(zip([25_000 << step for step in range(9)], walls, strict=True))
    assert proof_of(flat, wall_s=busy.get, cpu_s=lambda _n: 0.015)[0].outcome == "undecided"
    assert proof_of(flat, wall_s=lambda n: n / 1e6, cpu_s=lambda _n: 0.001)[0].outcome == "holds"


def test_slow_sizes_are_not_added():
    """A further size that would take longer than a minute, or than one run may, is not run, and a note says so."""
    proof, table = proof_of(lambda _n: 0, resolution=1, sizes=[100, 200, 400, 800, 1600], wall_s=lambda n: n / 40)
    assert table.asked == [100, 200, 400, 800, 1600]
    assert proof.notes == ["n=3,200 was not run: it would take 80.0 s"]
    assert proof.outcome == "undecided"


def test_large_sizes_are_not_added(monkeypatch):
    """Nor one that would take more memory than there is."""
    monkeypatch.setattr(proving, "memory_bound", lambda: 40 * MIB)
    proof, table = proof_of(lambda n: 32 * MIB * (n == 400_000))
    assert table.asked == SIZES
    assert proof.notes == ["n=800,000 was not run: it would take more memory than this machine has left"]


def test_sizes_end_somewhere():
    """Beyond the largest number of items nothing is added."""
    last = limits.PROOF_N_MAX
    proof, table = proof_of(lambda _n: 0, sizes=[last >> step for step in (4, 3, 2, 1, 0)], wall_s=lambda _n: 1e-5)
    assert max(table.asked) == last
    assert proof.verdict == "undecided"


# --- the claim --------------------------------------------------------------------------------------------------------


def linear(n):
    return 64 * n


def flat(_n):
    return 0


@pytest.mark.parametrize(
    ("peak", "options", "outcome", "because"),
    [
        (linear, {"target": "1M", "budget": "100 MiB"}, "holds", "at n=1,000,000 the peak is 71.0 MiB, at most "),
        (linear, {"target": "10M", "budget": "256 MiB"}, "fails", "of a budget of 256 MiB: it is spent at n=4,030,464."),
        (linear, {"target": "10M", "budget": "625 MiB"}, "undecided", "larger sizes would tell."),
        (linear, {"target": "10M"}, "fails", "memory grows with n by 64 B per item (linear)."),
        (linear, {"budget": "256 MiB"}, "fails", "; 256 MiB are spent at n=4,030,464."),
        (linear, {"budget": "16 MiB"}, "fails", "the peak was 34.4 MiB, more than the budget of 16.0 MiB."),
        (flat, {"target": "10M", "budget": "256 MiB"}, "holds", "at n=10,000,000 the peak is 10.0 MiB, at most 16.0 MiB"),
        (flat, {"target": "1G", "budget": "11 MiB"}, "undecided", "larger sizes would tell."),
        (flat, {"target": "10M", "budget": "8 MiB"}, "fails", "of a budget of 8.0 MiB"),
        (flat, {"target": "200k", "budget": "256 MiB"}, "holds", "at n=200,000 the peak is 10.0 MiB"),
        (linear, {"target": "200k", "budget": "23 MiB"}, "holds", "at n=200,000 the peak is 22.2 MiB"),
        (flat, {"budget": "256 MiB"}, "holds", "by less than 0.66 B per item"),
        (flat, {"budget": "8 MiB"}, "fails", "the peak was 10.0 MiB"),
        (flat, {"resolution": 1}, "holds", "by less than 0.66 B per item"),
        (flat, {}, "holds", "memory does not grow with n"),
    ],
)  # fmt: skip
def test_claims(peak, options, outcome, because):
    """With a target and a budget the upper bound decides; without, only a constant passes."""
    proof, _table = proof_of(peak, **options)
    assert proof.outcome == outcome, proof.because
    assert because in proof.because
    assert proof.holds is (outcome == "holds")


def test_a_coarse_constant_is_no_pass():
    """A constant that could not have seen 16 bytes per item is undecided, says why, and passes where that is allowed."""
    small = [10, 20, 40, 80, 160]
    proof, table = proof_of(flat, sizes=small, wall_s=lambda n: n / 10)
    assert (proof.verdict, proof.outcome) == ("constant", "undecided")
    assert "take larger sizes, give a target and a budget, or allow a coarser resolution" in proof.because
    assert len(table.asked) > 5
    proof, table = proof_of(flat, sizes=small, resolution="64 KiB", wall_s=lambda n: n / 10)
    assert (proof.outcome, len(table.asked)) == ("holds", 5)


def test_further_sizes_for_a_far_target():
    """Where the resolution leaves the target open, larger sizes are run until it does not."""
    proof, table = proof_of(flat, target="1G", budget="100 MiB")
    assert len(table.asked) > 5
    assert proof.outcome == "holds"


def test_survival_decides():
    """One that does not survive its budget fails whatever its figures say; the limit is the budget, at the largest size."""
    proof, table = proof_of(flat, budget="64 MiB", survive=True, limit_kind="rlimit_data")
    assert table.limits == [(400_000, 64 * MIB)]
    assert (proof.survived, proof.limit_kind, proof.outcome) == (True, "rlimit_data", "holds")
    proof, _table = proof_of(flat, budget="64 MiB", survive=True, survives=False, limit_kind="rlimit_data")
    assert (proof.survived, proof.outcome) == (False, "fails")
    assert proof.because == "n=400,000 did not survive under a limit of 64.0 MiB (rlimit_data)."


def test_a_constant_by_anon_is_put_to_the_test():
    """Samples miss spikes: the kernel has the last word, at the budget, or a little above the sampled peak."""
    proof, table = proof_of(flat, metric="anon", limit_kind="rlimit_data")
    assert table.limits == [(400_000, int(12.5 * MIB) + 8 * MIB)]
    assert (proof.metric, proof.survived) == ("anon", True)
    proof, table = proof_of(linear, metric="anon", limit_kind="rlimit_data")
    assert (table.limits, proof.survived) == ([], None)


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sizes": "400k..25k"}, "'400k..25k' does not rise"),
        ({"metric": "heap"}, "metric='heap' is not known. Use 'rss' or 'anon'."),
        ({"target": 0}, "target: 0 is not between 1 and"),
        ({"target": "far"}, "target: 'far' is not a count"),
        ({"target": 2.5}, "target: 2.5 is not a count"),
        ({"budget": "much"}, "budget: 'much' is not a size"),
        ({"budget": 0}, "budget: 0 is too small"),
        ({"budget": -1}, "budget: -1 is negative"),
        ({"survive": True}, "survive=True needs a budget"),
        ({"repeat": 0}, "repeat=0 is not a number of runs from 1 to 100"),
        ({"repeat": 101}, "repeat=101 is not"),
        ({"repeat": True}, "repeat=True is not"),
        ({"repeat": 1.5}, "repeat=1.5 is not"),
        ({"resolution": 0}, "resolution: 0 is too small"),
        ({"resolution": "fine"}, "resolution: 'fine' is not a size"),
        ({"timeout": 0}, "timeout=0: more than 0"),
        ({"timeout": "never"}, "timeout: 'never' is not a duration"),
        ({"timeout": math.inf}, "timeout: inf is not a duration"),
        ({"timeout": "2d"}, "timeout='2d': more than 0, and at most 86400 seconds"),
        ({"setup": "no name"}, "setup: 'no name' is not the name of a function"),
        ({"setup": ["ls", "{n}"]}, "setup goes with a function, and is one."),
    ],
)
def test_arguments_that_make_no_sense(options, says):
    """Each is refused before anything runs, in a sentence that names the argument."""
    with pytest.raises(errors.UsageError) as caught:
        prove(json.dumps, **options)
    assert says in str(caught.value)


def test_a_setup_for_a_command():
    """A command prepares its input by itself."""
    with pytest.raises(errors.UsageError, match="A command prepares its input by itself"):
        prove(["ls", "{n}"], setup=json.dumps)


def test_a_scenario_that_fails_ends_the_proof():
    """At the first size: the others are not run."""
    sizes = []
    with pytest.raises(ScenarioFailed, match="raises at n=1 failed: ValueError: 1"):
        prove(raises, sizes=[1, 2, 4, 8, 16], on_run=sizes.append)
    assert sizes == [1]


def raises(n):
    raise ValueError(n)


@pytest.mark.slow
def test_a_proof_of_a_real_function():
    """From the public name on: five fresh processes, a verdict, progress by size."""
    import flatwater as fw

    sizes = []
    proof = fw.prove(lambda n: [bytes(1000) for _ in range(n)], sizes="2k..32k", on_run=sizes.append)
    assert sizes == [2_000, 4_000, 8_000, 16_000, 32_000]
    assert (proof.verdict, proof.kind, proof.scenario) == (
        "grows",
        "linear",
        "test_a_proof_of_a_real_function.<locals>.<lambda>",
    )
    assert 1000 < proof.bytes_per_item < 1100
    with pytest.raises(errors.ProofFailed, match="memory grows with n"):
        proof.check()
