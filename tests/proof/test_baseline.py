"""proof.baseline: what drifted from proofs that were checked in."""

from __future__ import annotations

import json

import pytest

from flatwater import errors
from flatwater.proof import baseline
from flatwater.proof.baseline import drifts
from flatwater.proof.growth import Growth, judge
from flatwater.proof.points import Point, Survival
from flatwater.proof.result import Proof

MIB = 1 << 20
SIZES = [1_000 << step for step in range(5)]


def proof_of(
    name="jobs.py::load", *, verdict="constant", kind=None, slope=0.0, resolution=0.5, peaks=None, sizes=None, **options
):
    sizes = sizes or SIZES
    peaks = peaks or [20 * MIB] * len(sizes)
    points = [Point(n, peak, peak, 10 * MIB, 0, 0.1, 0.1) for n, peak in zip(sizes, peaks, strict=True)]
    growth = Growth(verdict, kind, slope, resolution, 196_608, firm=True, reason="as asked")
    return Proof(name, growth, points, **options)


def grows(slope, **options):
    return proof_of(verdict="grows", kind="linear", slope=slope, **options)


@pytest.fixture
def kept(tmp_path):
    """`kept(*proofs)` is a file as --json writes it."""

    def write(*proofs):
        entries = [{**proof.to_dict(), "drifts": []} for proof in proofs]
        path = tmp_path / "proofs.json"
        path.write_text(json.dumps(entries[0] if len(entries) == 1 else {"proofs": entries}))
        return str(path)

    return write


def words(found):
    return [(str(drift), drift.worse) for drift in found]


def test_nothing_drifted(kept):
    """The same proofs drift nowhere, one or several in a file."""
    one, two = proof_of(), grows(64, peaks=[20 * MIB, 21 * MIB, 22 * MIB, 24 * MIB, 28 * MIB])
    two.scenario = "jobs.py::other"
    assert drifts([one], kept(one)) == []
    assert drifts([one, two], kept(one, two)) == []


@pytest.mark.parametrize(
    ("before", "after", "what", "worse"),
    [
        (proof_of(), grows(64), "verdict was constant, is grows", True),
        (grows(64), proof_of(), "verdict was grows, is constant", False),
        (proof_of(), proof_of(verdict="undecided"), "verdict was constant, is undecided", True),
        (grows(64), proof_of(verdict="undecided"), "verdict was grows, is undecided", False),
        (grows(640), grows(900), "growth was 640 B per item, is 900 B per item", True),
        (grows(900), grows(640), "growth was 900 B per item, is 640 B per item", False),
        (proof_of(), proof_of(peaks=[20 * MIB] * 4 + [30 * MIB]), "peak at n=16,000 was 20.0 MiB, is 30.0 MiB", True),
        (proof_of(peaks=[30 * MIB] * 5), proof_of(), "peak at n=16,000 was 30.0 MiB, is 20.0 MiB", False),
        (proof_of(), proof_of(metric="anon"), "metric was rss, is anon: not compared", False),
        (proof_of(), proof_of(sizes=[n + 1 for n in SIZES]), "sizes have none in common with the baseline", False),
        (
            proof_of(survival=Survival(True, "cgroup v1", MIB, "")),
            proof_of(survival=Survival(False, "cgroup v1", MIB, "")), "survival was yes, is no", True,
        ),
        (
            proof_of(survival=Survival(False, "cgroup v1", MIB, "")),
            proof_of(survival=Survival(True, "rlimit_data", MIB, "")), "survival was no, is yes", False,
        ),
    ],
)  # fmt: skip
def test_what_drifted_is_named(kept, before, after, what, worse):
    """Each drift is one line with the figure before and after, and whether it is for the worse."""
    found = words(drifts([after], kept(before)))
    assert len(found) == 1
    assert found[0][0].startswith(f"jobs.py::load: {what}")
    assert found[0][1] is worse


def test_the_kind_of_growth_drifts(kept):
    """Another kind of growth is named even where its slope at the end is the same."""
    after = proof_of(verdict="grows", kind="superlinear", slope=64)
    assert words(drifts([after], kept(grows(64)))) == [("jobs.py::load: kind was linear, is superlinear", True)]
    better = drifts([grows(64)], kept(after))
    assert words(better) == [("jobs.py::load: kind was superlinear, is linear", False)]


def test_growth_as_it_is_measured_drifts(kept):
    """Twice the bytes per item are named also where the verdict's own resolution is as coarse as its growth."""
    sizes = [25_000 << step for step in range(5)]

    def measured(slope):
        points = [Point(n, 10 * MIB + slope * n, 10 * MIB + slope * n, 10 * MIB, 0, 0.1, 0.1) for n in sizes]
        return Proof("load", judge(sizes, [slope * n for n in sizes]), points)

    assert "load: growth was 64 B per item, is 128 B per item" in map(str, drifts([measured(128)], kept(measured(64))))
    assert "load: growth was 128 B per item, is 64 B per item" in map(str, drifts([measured(64)], kept(measured(128))))
    assert drifts([measured(65)], kept(measured(64))) == []


@pytest.mark.parametrize(
    "after",
    [
        grows(70), grows(64, peaks=[21 * MIB] * 5), grows(79.9),
        grows(64, sizes=[*SIZES, 32_000], peaks=[20 * MIB] * 5 + [40 * MIB]),
    ],
)  # fmt: skip
def test_what_other_builds_do_is_no_drift(kept, after):
    """A quarter of the slope, a tenth of the peak, and sizes that were added, are within what may differ."""
    assert drifts([after], kept(grows(64))) == []


def test_scenarios_that_come_and_go(kept):
    """One that is new, and one that was not run, are named, and are nobody's fault."""
    found = words(drifts([proof_of("new"), proof_of("same")], kept(proof_of("old"), proof_of("same"))))
    assert found == [
        ("new: scenario is not in the baseline", False),
        ("old: scenario is in the baseline and was not run", False),
    ]


def test_a_file_of_something_else(kept):
    """Where nothing can be compared at all, that is no pass."""
    found = words(drifts([proof_of("jobs/a.py::f")], kept(proof_of("a.py::f"))))
    assert found[0] == ("jobs/a.py::f: scenario is not in the baseline", True)


def test_one_that_failed_then_is_new_now(tmp_path):
    """An entry without figures, of a scenario that failed when the file was written, does not spoil the file."""
    path = tmp_path / "proofs.json"
    path.write_text(
        json.dumps({"proofs": [proof_of("a").to_dict(), {"scenario": "b", "outcome": "failed", "because": "x"}]})
    )
    assert words(drifts([proof_of("a"), proof_of("b")], str(path))) == [("b: scenario is not in the baseline", False)]


def test_an_older_layout_is_read(tmp_path):
    """What is compared must be there; what came later may be missing."""
    entry = proof_of().to_dict()
    for key in ("kind", "survived", "limit_kind", "noise_bytes", "peak_kind", "outcome", "because", "notes"):
        del entry[key]
    entry["points"] = [{"n": point["n"], "peak_bytes": point["peak_bytes"]} for point in entry["points"]]
    path = tmp_path / "proofs.json"
    path.write_text(json.dumps(entry))
    assert drifts([proof_of()], str(path)) == []


GOOD = '"scenario": "a", "verdict": "constant", "bytes_per_item": 1, "resolution": 1'


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "[1]", "null", "3", '"x"', "{}", '{"proofs": 3}', '{"proofs": [3]}', '{"proofs": [[]]}',
        '{"scenario": "a"}', f"{{{GOOD}}}", f'{{{GOOD}, "points": 3}}', f'{{{GOOD}, "points": [{{}}]}}',
        f'{{{GOOD}, "points": [{{"n": "x", "peak_bytes": 1}}]}}', f'{{{GOOD}, "points": [null]}}',
        f'{{{GOOD.replace("constant", "fine")}, "points": []}}', f'{{{GOOD.replace("1", "null")}, "points": []}}',
        f'{{{GOOD.replace(chr(34) + "a" + chr(34), "[]")}, "points": []}}', "[" * 100_000, "\0", "\ufeff{}",
    ],
)  # fmt: skip
def test_garbage_is_refused(tmp_path, text):
    """A file that holds no proofs is refused in a sentence that says how to write one."""
    path = tmp_path / "proofs.json"
    path.write_text(text)
    with pytest.raises(errors.UsageError, match=r"--baseline .* is not a file of proofs .*--json FILE"):
        baseline.read(str(path))


@pytest.mark.parametrize(
    ("path", "says"), [("none.json", "no such file"), (".", "is a directory"), ("", "is a directory")]
)
def test_what_cannot_be_read(tmp_path, monkeypatch, path, says):
    """A missing file, a folder, no name: a sentence each."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.UsageError, match=says):
        baseline.read(path)


def test_a_file_without_an_end_is_not_read_to_it(monkeypatch):
    """At most so much of a file is read."""
    monkeypatch.setattr(baseline, "FILE_BYTES_MAX", 1 << 16)
    with pytest.raises(errors.UsageError, match="too large"):
        baseline.read("/dev/zero")
