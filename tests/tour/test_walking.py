"""tour.walking: one process under a limit equal to its promise, and every way in which it can end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.tour import Root, walk, walking
from flatwater.tour.steps import STEPS
from flatwater.worker import make_limit

MIB = 1 << 20
HERE = str(Path(__file__).parent)


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
    monkeypatch.syspath_prepend(HERE)


def walk_steps(*names, **options):
    return walk([], steps=[f"tour_steps:{name}" for name in names], **{"budget": "16 MiB", **options})


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_hold(tmp_path, kind):
    """The tour of a few files holds, under the limit that was asked for, which is its promise above the baseline."""
    (tmp_path / "a.txt").write_text("one two two\nthree three three\n" * 1000)
    report = walk([Root(str(tmp_path))], budget="8 MiB", limit_kind=kind, steps=STEPS[1:2])
    (row,) = report.rows
    assert report.holds, report.verdict
    assert (report.exit_code, report.trouble) == (0, "")
    assert (row.step, row.items, row.bytes, row.complete) == ("words", 6000, 30_000, True)
    assert 0 < row.seen <= row.promised == report.promise_bytes == 8 * MIB
    assert report.limit_kind.startswith(kind)
    assert report.limit["above_baseline_bytes"] >= 8 * MIB
    assert report.baseline["rss_bytes"] > report.baseline["anon_bytes"] > MIB


@pytest.mark.parametrize("kind", KINDS)
def test_the_twin_that_holds_everything_is_stopped(kind):
    """A step that keeps all it reads is ended by the limit: the limit is real."""
    report = walk_steps("Everything", limit_kind=kind)
    assert (report.holds, report.exit_code, report.killed, report.rows) == (False, 4, True, [])
    assert report.running == "everything"
    assert "the tour died in step 'everything'" in report.verdict
    assert "16.0 MiB that it promised, and the limit" in report.verdict


@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_is_the_promise(kind):
    """13 MiB of 16 pass, 18 do not: the limit is not some larger figure."""
    assert walk_steps("Nearly", limit_kind=kind).holds
    report = walk_steps("TooMuch", limit_kind=kind)
    assert (report.exit_code, report.killed) == (4, True)


def test_a_step_that_holds_more_than_it_promised_fails():
    """Within the tour's limit, but above its own promise: exit code 1, and the other step's row is there."""
    report = walk_steps("Fine", "Liar")
    assert [row.step for row in report.rows] == ["fine", "liar"]
    assert [row.holds for row in report.rows] == [True, False]
    assert (report.exit_code, report.killed, report.trouble) == (1, False, "")
    assert "step 'liar' promised 4.0 MiB, and" in report.verdict


def test_a_step_that_is_left_out_is_told():
    """One with trouble, and one that the budget has no room for: a row that says why, promised nothing, and the tour holds."""
    report = walk_steps("Troubled", "Fine", "Roomy")
    assert [(row.step, row.promised, row.seen) for row in report.rows if row.step != "fine"] == [
        ("troubled", 0, 0),
        ("roomy", 0, 0),
    ]
    assert report.rows[0].notes == ("left out: it is broken",)
    assert report.rows[2].notes == (
        "left out: it needs 20.0 MiB, and the budget has 14.0 MiB for it: --budget 22MiB is enough",
    )
    assert (report.holds, report.promise_bytes) == (True, 16 * MIB)
    assert report.to_dict()["steps"][0]["left_out"] == "it is broken"


def test_steps_are_prepared_before_the_baseline():
    """What `prepare` holds is in the baseline and not in the step's figures; it has a folder of its own."""
    report = walk_steps("Prepared")
    (row,) = report.rows
    assert report.holds, report.verdict
    assert row.details["prepared"]
    assert row.seen < 20 * MIB < report.baseline["rss_bytes"]


def test_a_process_of_a_step_is_seen():
    """What a step's own child process held counts as seen: with too much of it the step does not hold."""
    report = walk_steps("Parent", budget="128 MiB")
    (row,) = report.rows
    assert 40 * MIB < row.details["other_processes_bytes"] <= row.seen
    assert "in processes of its own" in row.notes[0]
    assert report.holds == (row.seen <= row.promised)
    assert not walk_steps("LyingParent", budget="128 MiB").holds


@pytest.mark.slow
def test_the_whole_house_holds(tmp_path):
    """Words, a table, a store and documents in one process, below a limit of their promise: each seen less than promised."""
    pytest.importorskip("apsw")
    (tmp_path / "a.md").write_text("# Title\n\nmany words\n" * 100)
    (tmp_path / "b.html").write_text("<html><p>more words</p></html>")
    report = walk([Root(str(tmp_path))], seconds=5, limit_kind="rlimit_data")
    assert report.holds, report.verdict
    steps = ["table", "words", "documents", "flow", "store", "sync", "corpus", "live", "serve"]
    assert [row.step for row in report.rows] == steps
    rows, _words, documents, flow, entries, mirror, ingest, live, serve = report.rows
    assert rows.items >= 20_000
    assert rows.bytes > 40 * rows.items
    assert entries.items >= 500
    assert documents.items == 2 + 1  # and the page
    assert flow.items > 2
    assert (mirror.items, mirror.complete) == (2 + 2, True)
    assert (ingest.items, ingest.complete, ingest.details["places"] > 0) == (2, True, True)
    assert live.items > live.details["rows"] >= 250
    assert serve.items == 1_000 * (serve.items // 1_000) >= 20_000
    assert 10 * MIB < documents.details["other_processes_bytes"] < documents.seen <= documents.promised


def interrupted(*_args, **_options):
    raise KeyboardInterrupt


def test_folders_above_what_was_to_be_kept_go_with_it(tmp_path, monkeypatch):
    """When the tour is ended: those that it made and that are empty; not the one that was there."""
    monkeypatch.setattr(walking, "_go", interrupted)
    with pytest.raises(KeyboardInterrupt):
        walk_steps("Fine", keep=str(tmp_path / "a" / "b" / "kept"))
    assert os.listdir(tmp_path) == []


def test_folders_above_in_which_somebody_put_something_stay(tmp_path, monkeypatch):
    """They are no longer the tour's alone."""

    def joined(*_args, **_options):
        (tmp_path / "a" / "note").write_text("mine")
        raise KeyboardInterrupt

    monkeypatch.setattr(walking, "_go", joined)
    with pytest.raises(KeyboardInterrupt):
        walk_steps("Fine", keep=str(tmp_path / "a" / "b" / "kept"))
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["a", "note"]


def test_folders_above_one_that_cannot_be_made_go(tmp_path):
    """The name is too long for the file system; what was there before stays as it is."""
    (tmp_path / "there").mkdir()
    with pytest.raises(errors.UsageError, match="cannot be made"):
        walk_steps("Fine", keep=str(tmp_path / "there" / "a" / "b" / ("x" * 300)))
    with pytest.raises(errors.UsageError, match="cannot be made"):
        walk_steps("Fine", keep=str(tmp_path / "there"))
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_what_is_kept_keeps_its_folders(tmp_path):
    """A tour that came to its end removes none."""
    report = walk_steps("Fine", keep=str(tmp_path / "a" / "kept"))
    assert report.holds, report.verdict
    assert report.kept == str(tmp_path / "a" / "kept")
    assert os.path.isdir(report.kept)


def test_what_was_done_before_the_end_is_kept():
    """The table of a tour that died has the steps that were done."""
    report = walk_steps("Fine", "Everything")
    assert ([row.step for row in report.rows], report.running) == (["fine"], "everything")
    assert report.exit_code == 4


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("Raises", "KeyError: 'a plain bug'"),
        ("Exits", "called sys.exit(3)"),
        ("Dies", "killed by SIGKILL"),
    ],
)
def test_a_step_that_breaks_is_told(step, words):
    """An error, an exit and a kill by somebody else are not taken for the limit."""
    report = walk_steps(step)
    assert (report.exit_code, report.killed) == (4, False)
    assert words in report.verdict


def test_an_error_comes_with_its_traceback():
    """What nobody expected is shown with the line that raised it."""
    assert "tour_steps.py" in walk_steps("Raises").traceback


def test_a_step_that_never_ends_is_stopped(monkeypatch):
    """One that does not mind its time is killed."""
    monkeypatch.setattr(walking, "_MARGIN_S", 0.5)
    report = walk_steps("Sleeps", seconds=0.5)
    assert (report.exit_code, report.killed) == (4, False)
    assert "did not end within" in report.trouble


def test_a_step_that_asks_for_more_than_its_share_is_refused():
    """The budget refuses before the limit has to."""
    with pytest.raises(errors.BudgetExceeded, match=r"refused 1\.0 GiB for 'greedy'"):
        walk_steps("Greedy")


def test_a_budget_too_small_names_the_least_that_works(tmp_path):
    """The hint's budget does work, and one MiB less does not."""
    (tmp_path / "a.txt").write_text("one two\n")
    with pytest.raises(errors.UsageError, match="too small") as caught:
        walk([Root(str(tmp_path))], budget="1 MiB")
    least = caught.value.hint.split()[-1].rstrip(".")
    assert walk([Root(str(tmp_path))], budget=least).holds
    with pytest.raises(errors.UsageError, match="too small"):
        walk([Root(str(tmp_path))], budget=int(least.removesuffix("MiB")) * MIB - MIB)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget": "much"}, "is not a size"),
        ({"seconds": 0}, "more than 0"),
        ({"seconds": "soon"}, "is not a duration"),
        ({"limit_kind": "rope"}, "not known"),
        ({"steps": ["nowhere:Step"]}, "no step"),
    ],
)
def test_wrong_use_is_refused_before_anything_starts(options, words):
    """A clear error that says what to write."""
    with pytest.raises(errors.UsageError, match=words):
        walk([], **options)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    """Neither temporary files nor a control group stay, also after a kill."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    groups = []
    made = walking.make_limit
    monkeypatch.setattr(
        walking, "make_limit", lambda *args, **kwargs: groups.append(made(*args, **kwargs)) or groups[-1]
    )
    walk_steps("Everything")
    assert list(tmp_path.iterdir()) == []
    assert not groups[0].path or not os.path.exists(groups[0].path)


def test_what_a_killed_tour_left_is_removed(tmp_path, monkeypatch):
    """SIGKILL leaves the folder of the notes; a later tour removes it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "flatwater-tour-left"
    left.mkdir()
    (left / "notes").write_text("{}")
    os.utime(left, (1, 1))
    walk_steps("Fine", limit_kind="rlimit_data")
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_for_its_notes_it_says_so(tmp_path, monkeypatch):
    """The folder for temporary files cannot be written: an error with a way out, and no control group is made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    monkeypatch.setattr(walking, "make_limit", lambda *_args, **_kwargs: pytest.fail("made too early"))
    with pytest.raises(errors.BrokenError, match=r"a place for its notes.*TMPDIR"):
        walk_steps("Fine")


def test_this_process_is_not_limited(tmp_path):
    """The limit is the tour's alone."""
    if sys.platform != "linux":
        pytest.skip("no limits to compare")
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA), Path("/proc/self/cgroup").read_text()
    walk_steps("Fine", limit_kind="rlimit_data")
    assert (resource.getrlimit(resource.RLIMIT_DATA), Path("/proc/self/cgroup").read_text()) == before
