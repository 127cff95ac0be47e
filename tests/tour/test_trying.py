"""tour.trying: steps alone under their own promise, and their naive twins under the same limit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flatwater import errors, limits
from flatwater.tour import trying, walk
from flatwater.worker import make_limit

MIB = 1 << 20


def has_cgroup():
    try:
        make_limit("8 MiB", kind="cgroup").close()
    except errors.BrokenError:
        return False
    return True


KINDS = [
    pytest.param("cgroup", marks=pytest.mark.skipif(not has_cgroup(), reason="no memory cgroup can be made here")),
    "rlimit_data",
]


@pytest.fixture(autouse=True)
def own_steps(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def walked(*names, **options):
    steps = [f"tour_steps:{name}" for name in names]
    return walk([], steps=steps, again=True, **{"budget": "64 MiB", "seconds": 2.0, **options})


@pytest.mark.parametrize("kind", KINDS)
def test_a_twin_that_holds_everything_is_ended(kind):
    """By the limit that the step itself survives, which is what the step promised, to the byte; and the step goes on holding."""
    report = walked("Flat", limit_kind=kind)
    trial = report.trials["flat"]
    assert (report.holds, report.exit_code) == (True, 0), report.verdict
    assert (
        trial.limit_bytes
        == report.rows[0].promised
        == trial.naive.limit["limit_bytes"] - (trial.naive.baseline["data_bytes"] if kind == "rlimit_data" else 0)
    )
    assert trial.alone.survived
    assert 2 * MIB <= trial.alone.seen <= trial.limit_bytes
    assert trial.naive.kind == ("killed" if kind == "cgroup" else "refused")
    assert 0 < trial.naive.after_s < 30
    assert trial.naive_words.startswith(f"{'killed' if kind == 'cgroup' else 'MemoryError'} at 12.0 MiB, ")


def test_a_twin_that_survives_is_told_so():
    """Nothing is rigged: what it held stands in the table, and it got what the step had done."""
    trial = walked("Beside", limit_kind="rlimit_data").trials["beside"]
    assert (trial.naive.kind, trial.naive.items) == ("done", 3 + 4)
    assert trial.naive.seen < 4 * MIB
    assert trial.naive_words.startswith("finished within the limit (")


def test_a_twin_that_fails_is_told():
    """With what it raised, also where that cannot be sent; the verdict is the step's."""
    report = walked("Odd", limit_kind="rlimit_data")
    assert report.holds
    assert report.trials["odd"].naive.kind == "failed"
    assert "OddError: a plain bug" in report.trials["odd"].naive.words


def test_a_twin_that_takes_too_long_is_ended(monkeypatch):
    """It has a time, and is then told what it held."""
    monkeypatch.setattr(limits, "TOUR_NAIVE_S", 0.2)
    monkeypatch.setattr(trying, "START_S", 0.1)
    monkeypatch.setattr("tour_steps.Flat.naive", "tour_twin_slow", raising=False)
    trial = walked("Flat", limit_kind="rlimit_data").trials["flat"]
    assert trial.naive.kind == "slow"
    assert not trial.naive.survived


def test_a_step_that_does_not_hold_alone_fails_the_tour():
    """The promise is each step's own: one that lived on the room of another is found."""
    report = walked("OnlyTogether", limit_kind="rlimit_data")
    assert [row.holds for row in report.rows] == [True]
    assert (report.holds, report.exit_code) == (False, 1)
    assert (
        "alone under a limit of the 12.0 MiB that it promised, step 'only together': it asked for more"
        in report.verdict
    )


def test_what_was_left_out_is_not_tried():
    """Nor is anything where the tour died."""
    assert walked("Troubled", "Fine", limit_kind="rlimit_data").trials.keys() == {"fine"}
    report = walked("Fine", "Raises", limit_kind="rlimit_data")
    assert (report.trials, report.is_tried) == ({}, False)


def test_all_of_it_is_told_as_json():
    """Limit, ends and curves of both, below the step."""
    told = walked("Beside", limit_kind="rlimit_data").to_dict()["steps"][0]["trial"]
    assert told["limit_bytes"] == 12 * MIB
    assert told["alone"]["end"] == told["naive"]["end"] == "done"
    assert told["naive"]["module"] == "tour_twin_small"
    assert set(told["naive"]["curve"]) == {"t_s", "bytes"}
    assert told["naive"]["limit"]["kind"] == "rlimit_data"


def test_nothing_stays(tmp_path, monkeypatch):
    """Neither folders nor notes of any process."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    walked("Flat", "Beside")
    assert os.listdir(tmp_path) == []


def test_what_is_kept_stays(tmp_path):
    """What steps made in the tour is in the folder, and nothing of their trials."""
    report = walked("Prepared", limit_kind="rlimit_data", keep=str(tmp_path / "kept"))
    assert report.kept == str(tmp_path / "kept")
    assert sorted(os.listdir(tmp_path / "kept")) == ["inputs", "made"]
    assert os.listdir(tmp_path) == ["kept"]
    with pytest.raises(errors.UsageError, match="cannot be made: file exists"):
        walked("Fine", keep=str(tmp_path / "kept"))
    assert os.listdir(tmp_path) == ["kept"]
