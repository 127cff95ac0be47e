"""proof.comparison: what a comparison says of points that are known, and when it holds."""

from __future__ import annotations

import json
import pickle
import runpy
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.proof.points import ScenarioFailed

HELPERS = runpy.run_path(str(Path(__file__).with_name("compared.py")))
compared, fails_from = HELPERS["compared"], HELPERS["fails_from"]
KIB, MIB = 1 << 10, 1 << 20


def line(per_item, base=0):
    return lambda n: base + per_item * n


def flat(size):
    return lambda n: size


@pytest.mark.parametrize(
    ("formulas", "options", "outcome", "because"),
    [
        ({"a": line(400), "b": flat(MIB)}, {}, "holds", "b does not grow, and takes no more than a."),
        ({"a": flat(MIB), "b": flat(MIB)}, {}, "holds", "b does not grow"),
        ({"a": flat(MIB), "b": flat(8 * MIB)}, {}, "fails", "b takes at least 6.7x more than a."),
        ({"a": line(400), "b": line(40)}, {}, "fails", "b: memory grows with n by 40 B per item"),
        ({"a": line(400), "b": flat(MIB), "c": line(40)}, {}, "fails", "c: memory grows"),
        ({"a": line(400), "b": flat(MIB), "c": flat(0)}, {}, "holds", "b and c do not grow, and take no more than a."),
        ({"a": line(400), "b": line(4)}, {"target": "1M", "budget": "64 MiB"}, "holds", "b is inside 64.0 MiB at n=1,000,000"),
        ({"a": line(400), "b": line(400)}, {"target": "1M", "budget": "64 MiB"}, "fails", "b: at n=1,000,000 the peak is"),
        ({"a": line(400), "b": flat(MIB)}, {"budget": "64 MiB"}, "holds", "b does not grow, stays inside 64.0 MiB, and takes"),
        ({"a": line(400), "b": flat(60 * MIB)}, {"budget": "64 MiB"}, "fails", "more than the budget"),
        ({"a": line(400), "b": flat(MIB)}, {"sizes": [10, 20, 40, 80, 160]}, "undecided", "b: "),
    ],
)  # fmt: skip
def test_when_it_holds(formulas, options, outcome, because):
    """Each after the first meets the claim by itself and takes no more than the first; what the first does is no matter."""
    found = compared(formulas, **options)
    assert (found.outcome, found.holds) == (outcome, outcome == "holds")
    assert because in found.because
    if outcome == "holds":
        found.check()
    else:
        with pytest.raises(errors.ProofFailed) as caught:
            found.check()
        assert found.because in str(caught.value)
        assert str(found) in str(caught.value)


def test_a_row_has_the_figures_of_the_largest_common_size():
    """One goes on to further sizes; the table stays where all have been."""
    found = compared({"a": line(400), "fades": lambda n: 8 * MIB * n / (n + 80_000), "c": flat(MIB)})
    assert found.proofs["fades"].points[-1].n > 160_000
    assert found.n == 160_000
    assert {row.point.n for row in found.table()} == {160_000}


def test_times_are_of_what_is_above_the_start():
    """12 MiB that every process holds before the call are no part of it."""
    found = compared({"a": line(400), "b": flat(4 * MIB)})
    first, second = found.table()
    assert first.times is None
    assert second.times.times == pytest.approx(64_000_000 / (4 * MIB))
    assert second.above_start_bytes == 4 * MIB
    assert second.point.peak_bytes == 16 * MIB


def test_with_a_command_whole_peaks_are_compared():
    """Of a command no start is known: its figure above the start is missing, and the ratio is of whole peaks."""
    found = compared({"a": line(400), "b": flat(8 * MIB)}, commands={"b"})
    assert found.is_whole
    assert found.table()[1].above_start_bytes is None
    assert found.table()[1].times.times == pytest.approx((64_000_000 + 12 * MIB) / (8 * MIB))
    assert "whole peaks" in str(found)
    assert "whole peaks" not in str(compared({"a": line(400), "b": flat(MIB)}))


def test_a_failure_has_its_row():
    """Its verdict is "failed", its row has no figures where it did not come so far, and the sentence says what it had."""
    error = ScenarioFailed("b at n=40,000 failed: MemoryError.", n=40_000)
    found = compared({"a": line(400), "b": fails_from(40_000, error), "c": flat(MIB)})
    row = found.table()[1]
    assert (row.point, row.proof, row.times) == (None, None, None)
    assert found.sentences()[1] == (
        "b",
        "b at n=40,000 failed: MemoryError. At n=20,000 its peak was 13.9 MiB.",
    )
    assert found.outcome == "failed"
    assert found.table()[2].times is not None


def test_the_first_may_fail():
    """The others have their verdicts, and nothing to be compared with."""
    error = ScenarioFailed("a at n=40,000 failed: MemoryError.", n=40_000)
    found = compared({"a": fails_from(40_000, error), "b": flat(MIB)})
    assert found.table()[1].times is None
    assert found.table()[1].proof.verdict == "constant"
    assert not found.holds


def test_sentences():
    """How many times less, whether it grows, where the budget ends, what there is at the target."""
    found = dict(
        compared(
            {"a": line(400), "b": flat(4 * MIB), "c": line(40), "d": line(4000), "e": line(401)},
            target="1M", budget="256 MiB",
        ).sentences()
    )  # fmt: skip
    assert found["a"].startswith(
        "grows by 400 B per item (linear); 256 MiB are spent at n=639,631; 393 MiB at n=1,000,000"
    )
    assert found["b"].startswith(
        "takes 15x less than a at n=160,000, and does not grow; 16.0 MiB at n=1,000,000, at most"
    )
    assert found["c"].startswith("takes 10x less than a at n=160,000, but grows by 40 B per item (linear);")
    assert found["d"].startswith("takes 10x more than a at n=160,000, and grows by 3.9 KiB per item")
    assert found["e"].startswith("takes as much as a at n=160,000, and grows by 401 B per item")


def test_json():
    """Everything a tool needs, as JSON; what is not known is null."""
    error = ScenarioFailed("c at n=10,000 failed: ValueError.", n=10_000)
    found = compared(
        {"a": line(400), "b": flat(0), "c": fails_from(1, error)}, commands={"c"}, target="10M", budget="256 MiB"
    )
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (data["outcome"], data["first"], data["n"], data["metric"]) == ("failed", "a", 160_000, "rss")
    assert (data["target"], data["budget_bytes"]) == (10_000_000, 256 * MIB)
    first, second, third = data["scenarios"]
    assert (first["verdict"], first["kind"], first["times_less"], first["bytes_per_item"]) == (
        "grows",
        "linear",
        None,
        400,
    )
    assert first["fails_at"] < 1_000_000
    assert first["projected_peak"] > 3_000_000_000
    assert (second["verdict"], second["times_less"], second["times_are_at_least"]) == ("constant", 320, True)
    assert second["above_start_bytes"] == 0
    assert second["proof"]["points"][0]["n"] == 10_000
    assert (third["verdict"], third["peak_bytes"], third["proof"]) == ("failed", None, None)
    assert third["failure"] == "c at n=10,000 failed: ValueError."


def test_a_comparison_can_be_sent():
    """It is plain data."""
    found = compared({"a": line(400), "b": flat(MIB)})
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


@pytest.mark.parametrize("name", ["chart", "chart.svg", "chart.jpg"])
def test_a_chart_is_a_png(tmp_path, name):
    """Another name would lie about what is in the file."""
    with pytest.raises(errors.UsageError, match="the picture is a PNG"):
        compared({"a": flat(MIB), "b": flat(MIB)}).chart(str(tmp_path / name))


def test_a_chart(tmp_path):
    """A PNG with a line for each that has points."""
    error = ScenarioFailed("c at n=10,000 failed.", n=10_000)
    path = tmp_path / "chart.png"
    compared({"$a$": line(400), "b": flat(MIB), "c": fails_from(1, error)}, budget="64 MiB").chart(str(path))
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(errors.UsageError, match="at least one point"):
        compared({name: fails_from(1, error) for name in "ab"}).chart(str(tmp_path / "none.png"))
