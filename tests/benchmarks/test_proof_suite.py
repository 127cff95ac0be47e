"""The validation of the verdict counts what it should, names what is wrong, and stores what its page is made of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # `python -m benchmarks.proof` runs from here too

from benchmarks.proof import matrix, peers, report, suite  # noqa: E402 - after the path is known

from benchmarks import outcome, page  # noqa: E402 - the same

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="benchmarks read /proc")

SIZES = [25_000, 50_000, 100_000, 200_000, 400_000]
KIB = 1 << 10
BASE = 14 << 20
FLAT = [2_000 * KIB] * 5
PLATEAU = [1_000 * KIB, 2_000 * KIB, 3_000 * KIB, 3_040 * KIB, 3_000 * KIB]
GROWING = [8 * n + 100 * KIB for n in SIZES]
SLIGHT = [2 * n for n in SIZES]


def verdict(kind="constant", said="constant", peaks=FLAT, **other):
    return {
        "program": "a(b=1)", "family": "a", "kind": kind, "bytes_per_item": 8.0, "verdict": said, "seen_kind": "",
        "seen_bytes_per_item": 0.0, "resolution": 1.0, "wall_s": 2.0, "cpu_s": 0.5, "base_bytes": BASE,
        "sizes": SIZES, "peaks": peaks, "runs": [1] * 5, **other,
    }  # fmt: skip


def half(*verdicts, name="proof/held-out"):
    return matrix.Half({
        "case": name, "when": "2026-01-01T00:00:00+00:00", "size": len(verdicts), "wall_s": 60.0, "load_1m": 0.5,
        "machine": {"cpu": "a CPU", "cores": 2, "memory_bytes": 1 << 30, "kernel": "Linux 6"},
        "versions": {"python": "CPython 3.11"}, "left_out": {}, "verdicts": list(verdicts),
    })  # fmt: skip


def row_of(found, start):
    return next(row for row in found.rows(forms=True) if row.name.startswith(start))


def test_each_kind_of_error_is_counted_by_itself():
    """A false alarm is on a bounded program, a miss on a growing one, and what failed or did not decide is undecided."""
    found = half(
        verdict(), verdict(said="grows"), verdict(said="undecided"), verdict("linear", "grows", GROWING),
        verdict("log", "constant"), verdict("sqrt", "undecided"), verdict("linear", "failed"),
    )  # fmt: skip
    ours = found.rows()[0]
    assert (ours.right, ours.false_alarms, ours.missed, ours.undecided) == (2, 1, 1, 3)
    assert (ours.bounded, ours.growing, ours.verdicts) == (3, 4, 7)
    assert ours.missed_percent == 25
    assert len(found.wrong()) == 5


def test_peers_judge_the_same_points():
    """Least squares and the ratio tell growth from a flat line, and take a plateau for growth where they do."""
    found = half(verdict(), verdict(peaks=PLATEAU), verdict("linear", peaks=GROWING), verdict("linear", peaks=SLIGHT))
    squares, ratio = row_of(found, "least squares, t > 2.5"), row_of(found, "largest / smallest > 1.10, whole")
    assert (squares.right, squares.false_alarms, squares.missed) == (4, 0, 0)
    assert (ratio.right, ratio.false_alarms, ratio.missed) == (2, 1, 1)
    above = row_of(found, "largest / smallest > 1.10, above")
    assert (above.right, above.false_alarms, above.missed) == (3, 1, 0)


def test_big_o_judges_in_a_unit_that_suits_it():
    """Its bias for the simple counts in the unit of the peaks: in bytes it has none, and takes any scatter for growth."""
    pytest.importorskip("big_o")
    scatter = [peak + 4 * KIB * (place % 2) for place, peak in enumerate(FLAT)]
    found = half(verdict(peaks=scatter), verdict("linear", peaks=GROWING))
    best = next(row for row in found.rows() if row.name.startswith("big_O"))
    assert (best.right, best.false_alarms) == (2, 0)
    assert row_of(found, "big_O, unit 1 byte").false_alarms == 1


def test_a_peer_that_breaks_is_undecided():
    """What a method raises on is its undecided verdict, not the suite's error."""
    assert peers.Peer("p", "", lambda *_: 1 // 0).verdict(SIZES, FLAT, BASE) == "undecided"


def test_a_missing_peer_is_said(monkeypatch):
    """A method whose package is absent has no row, and the section says why."""
    monkeypatch.setattr(
        matrix, "PEERS", (peers.Peer("a peer", "no_such_package_here", lambda *_: True, in_table=True),)
    )
    found = half(verdict())
    assert [row.name for row in found.rows()] == [matrix.OURS]
    assert "Left out: a peer, because no_such_package_here is not installed." in report.section(found)


def test_bars_are_of_the_held_out_half_only(monkeypatch):
    """Only families that nothing was tuned on promise anything, and each promise can be missed."""
    monkeypatch.setattr(matrix, "newest", lambda name: half(verdict(), name=name))
    assert report.bars(half(verdict(), name="proof/tune")) == []
    good = half(*[verdict()] * 100, *[verdict("linear", "grows", GROWING)] * 100)
    assert all(kept for _text, _measured, kept in report.bars(good))
    bad = half(*[verdict(said="grows", wall_s=6.0)], *[verdict("linear")] * 10, *[verdict("log", "undecided")] * 10)
    kept = [kept for _text, _measured, kept in report.bars(bad)]
    assert kept == [False, False, False, False, True, False]
    assert "**missed**" in report.section(bad)


def test_half_a_suite_is_not_timed_as_a_whole(monkeypatch):
    """Where one half was never measured, that both take little time is not said to hold."""
    monkeypatch.setattr(matrix, "newest", lambda name: half(verdict()) if name == "proof/held-out" else None)
    assert [kept for text, _measured, kept in report.bars(half(verdict())) if "both halves" in text] == [False]


def test_a_wrong_verdict_is_shown_with_its_points():
    """Who doubts a verdict finds its program and its peaks."""
    said = report.said(verdict(said="grows", peaks=PLATEAU))
    assert said.startswith("`a(b=1)` (bounded): grows; 25k 1,000, 50k 2,000")
    assert "no points: too full" in report.said({**_without_points(), "reason": "too full"})


def _without_points():
    return {key: value for key, value in verdict(said="failed").items() if key not in {"sizes", "peaks"}}


def test_the_newest_half_counts_and_the_page_shows_it(monkeypatch, tmp_path):
    """A stored half is in the page's bars and has a section of its own."""
    monkeypatch.setattr(outcome, "RESULTS", tmp_path)
    assert matrix.newest("proof/held-out") is None
    outcome.append(half(verdict()).record)
    outcome.append(half(verdict(), verdict()).record)
    newest = matrix.newest("proof/held-out")
    assert newest is not None
    assert newest.record["size"] == 2
    text = page.render()
    assert "## proof/held-out" in text
    assert (
        "| [proof/held-out](#proofheld-out) | no bounded program is said to grow |  |  | 0 of 2 |  |  | holds | "
        in text
    )


def test_what_stands_in_the_way_of_one_verdict_is_kept(monkeypatch):
    """A proof that fails is a verdict of its own, with its reason."""
    import flatwater as fw
    from flatwater import errors

    def refuse(*_args, **_options):
        raise errors.LimitReached("too full", what="memory", limit=1)

    monkeypatch.setattr(fw, "prove", refuse)
    found = suite.verdict_on(("log_buffer", 0))
    assert (found["verdict"], found["reason"], found["program"]) == ("failed", "too full", "log_buffer(width=2)")
    assert half(found).rows()[0].undecided == 1


@pytest.mark.slow
def test_the_suite_runs_for_one_family(tmp_path):
    """`python -m benchmarks.proof` asks for real verdicts, prints the record, and stores nothing of a part."""
    before = {path: path.stat().st_mtime_ns for path in outcome.RESULTS.rglob("*.jsonl")}
    argv = [sys.executable, "-m", "benchmarks.proof", "--half", "tune", "--family", "array_of_numbers", "--json"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr
    found = matrix.Half(json.loads(done.stdout))
    assert found.rows()[0].right == 3
    assert {path: path.stat().st_mtime_ns for path in outcome.RESULTS.rglob("*.jsonl")} == before
