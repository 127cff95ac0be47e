"""proof.result: what a proof says, in figures and in words."""

from __future__ import annotations

import json
import pickle

import pytest

from flatwater import errors
from flatwater.proof.growth import judge
from flatwater.proof.points import Point, Survival
from flatwater.proof.result import Proof, per_item

MIB = 1 << 20
KEYS = {
    "verdict", "kind", "metric", "bytes_per_item", "resolution", "projected_peak", "fails_at", "points", "survived",
    "limit_kind",
}  # fmt: skip


def proof_of(peaks, **options):
    sizes = [25_000 << step for step in range(len(peaks))]
    points = [
        Point(n, 10 * MIB + peak, 10 * MIB + peak, 10 * MIB, 0, n / 1e6, n / 5e5)
        for n, peak in zip(sizes, peaks, strict=True)
    ]
    return Proof("jobs.py::load", judge(sizes, peaks), points, **options)


GROWING = [3 * MIB << step for step in range(5)]


def test_json_has_what_is_promised():
    """The keys that are promised, each point with n, peak_bytes, cpu_s and wall_s, all as plain JSON."""
    proof = proof_of(GROWING, target=10_000_000, budget_bytes=256 * MIB)
    data = json.loads(json.dumps(proof.to_dict()))
    assert data.keys() >= KEYS
    assert all(point.keys() >= {"n", "peak_bytes", "cpu_s", "wall_s"} for point in data["points"])
    assert (data["verdict"], data["kind"], data["metric"]) == ("grows", "linear", "rss")
    assert data["bytes_per_item"] == pytest.approx(126, rel=0.01)
    assert data["projected_peak"] == pytest.approx(10 * MIB + 126 * 10_000_000, rel=0.02)
    assert data["fails_at"] == pytest.approx(246 * MIB / 125.8, rel=0.01)
    assert (data["survived"], data["limit_kind"], data["limit_bytes"]) == (None, None, None)
    assert [point["n"] for point in data["points"]] == [25_000, 50_000, 100_000, 200_000, 400_000]


def test_without_a_target_there_is_no_projection():
    """Nothing is said about a target or a budget that was not given; 0 is not None in JSON."""
    data = proof_of([0] * 5).to_dict()
    assert (data["target"], data["projected_peak"], data["projected_upper"]) == (None, None, None)
    assert (data["budget_bytes"], data["fails_at"], data["kind"]) == (None, None, None)


def test_growth_without_a_target_has_a_forecast():
    """Ten and a hundred times the largest size, for who has not said how far it has to go; what does not grow has none."""
    assert "  forecast    if it goes on so, 490 MiB at n=4,000,000, 4.7 GiB at n=40,000,000" in str(proof_of(GROWING))
    assert "forecast" not in str(proof_of([0] * 5))
    assert "forecast" not in str(proof_of(GROWING, target=10_000_000))


def test_survival_is_said():
    """Whether it survived, and under which kind of limit."""
    proof = proof_of(GROWING, survival=Survival(False, "cgroup v1", 32 * MIB, "it was killed"))
    assert (proof.survived, proof.limit_kind) == (False, "cgroup v1")
    assert "did not survive 32.0 MiB (cgroup v1): it was killed" in str(proof)
    proof.survival = Survival(True, "rlimit_data", 64 * MIB, "it ran to its end")
    assert "survived 64.0 MiB (rlimit_data): it ran to its end" in str(proof)


def test_text_is_a_table():
    """The name, a line for each point, the verdict with its figures, the claim."""
    proof = proof_of(GROWING, target=10_000_000, budget_bytes=256 * MIB, outcome="fails", because="it is too much.")
    text = str(proof)
    assert text.splitlines()[0] == "jobs.py::load"
    assert "       400,000      58.0 MiB      48.0 MiB    400 ms    800 ms" in text
    assert "grows (linear): 126 B per item at the largest sizes" in text
    assert "n=10,000,000: 1.2 GiB, at most" in text
    assert "256 MiB, spent at n=2,0" in text
    assert "fails       it is too much." in text


def test_a_constant_says_what_would_have_been_seen():
    """Its resolution is part of its verdict, and a budget that it never spends is said to be so."""
    text = str(proof_of([0] * 5, budget_bytes=256 * MIB, notes=["n=800,000 was not run"]))
    assert "constant: growth above 0.66 B per item would have been seen" in text
    assert "256 MiB, never spent by this growth" in text
    assert "note        n=800,000 was not run" in text


def test_undecided_says_why():
    """The reason stands where the figures would."""
    assert "undecided: from 100,000 to 400,000 items" in str(proof_of([0, 0, 0, 80 * MIB, 80 * MIB + 1000]))


@pytest.mark.parametrize(("outcome", "raises"), [("holds", False), ("fails", True), ("undecided", True)])
def test_check(outcome, raises):
    """check() returns if the claim holds, and raises with the reason and the table if not, or if nobody knows."""
    proof = proof_of(GROWING, outcome=outcome, because="the reason.")
    assert proof.holds is not raises
    if not raises:
        assert proof.check() is None
        return
    with pytest.raises(errors.ProofFailed, match=r"the reason\.\njobs\.py::load"):
        proof.check()


def test_it_can_be_pickled():
    """A proof goes to another process and says the same there."""
    proof = proof_of(GROWING, target=10_000_000)
    assert pickle.loads(pickle.dumps(proof)).to_dict() == proof.to_dict()


def test_a_command_has_no_start():
    """What was there before is not known of a command: a dash, and no 0."""
    sizes = [1 << step for step in range(5)]
    points = [Point(n, MIB, MIB, 0, 0, 0.1, 0.2) for n in sizes]
    assert "-" in str(Proof("node job.js {n}", judge(sizes, [MIB] * 5), points)).splitlines()[2].split()


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B per item"),
        (0.66, "0.66 B per item"),
        (9.99, "10 B per item"),
        (62.5, "62 B per item"),
        (1 << 20, "1.0 MiB per item"),
    ],
)
def test_per_item(count, words):
    """Two figures below ten bytes, then as sizes."""
    assert per_item(count) == words
