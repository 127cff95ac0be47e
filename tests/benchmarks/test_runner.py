"""Benchmarks do not rot: every case runs, what is stored can be read, and the page is what the results say."""

from __future__ import annotations

import json
import re
import sys
import time
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # `python -m benchmarks` runs from here too

from benchmarks.__main__ import main  # noqa: E402 - the same
from benchmarks.case import CASES, Bar, Case, load  # noqa: E402 - the same

from benchmarks import outcome, page, plan, runner  # noqa: E402 - after the path is known

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="benchmarks read /proc")


def record(name="house/import", rounds=None, size=10):
    """A record with made-up figures."""
    return {
        "case": name,
        "when": "2026-01-01T00:00:00+00:00",
        "size": size,
        "machine": {"cpu": "a CPU", "cores": 2, "memory_bytes": 1 << 30, "kernel": "Linux 6"},
        "load_1m": 0.5,
        "versions": {"python": "CPython 3.11"},
        "left_out": {},
        "rounds": rounds or {},
    }


def one(cpu_s, **figures):
    return {
        "cpu_s": cpu_s,
        "wall_s": 2 * cpu_s,
        "figures": figures,
        "anon_peak_bytes": 1 << 20,
        "file_peak_bytes": 1 << 21,
    }


LONG = {
    "run/native",
    "run/objects",
    "run/start",
    "watch/overhead",
    "tables/objects",
    "tables/postgres",
    "tables/wide",
    "build/node",
    "build/builders",
    "documents/pdf_text",
    "sync/no_change",
    "sync/no_change_1m",
    "sync/upload",
    "sync/s3_to_ftp",
    "ingest/growth",
    "lint/speed",
}  # many processes: with the slow tests


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in LONG else []) for n in CASES])
def test_every_case_runs(name):
    """Each case runs at its tiny size with every contestant that is installed, and names those that are not."""
    case = load(name)
    done = runner.measure(name, repeats=1, tiny=True)
    assert set(done["rounds"]) | set(done["left_out"]) == set(case.contestants)
    for contestant, rounds in done["rounds"].items():
        assert len(rounds) == 1
        assert rounds[0]["cpu_s"] > 0
        assert rounds[0]["anon_peak_bytes"] >= 0
        assert set(rounds[0]["figures"]) <= set(case.figures), contestant
    for contestant, why in done["left_out"].items():
        assert "not installed" in why or "no memory cgroup" in why, contestant
    result = outcome.Outcome(json.loads(json.dumps(done)))
    assert [row[0] for row in result.rows()] == list(done["rounds"])
    assert len(result.bars()) == len(case.bars)
    if done["left_out"]:
        warnings.warn(f"{name} ran without {', '.join(done['left_out'])}", stacklevel=1)  # loudly, in the summary


def test_every_case_has_a_first_and_a_title():
    """A case is told by one sentence, and compares at least two contestants."""
    for name in CASES:
        case = load(name)
        assert case.title.endswith(".")
        assert len(case.contestants) > 1
        assert case.first in case.contestants


def test_the_page_is_what_the_results_say():
    """docs/benchmarks.md is the page that the newest results generate."""
    assert page.PAGE.read_text("utf-8") == page.render(), "run: python -m benchmarks.page"


def test_results_name_no_place():
    """Stored results tell the machine's make, not its name or a path of it."""
    for path in outcome.RESULTS.rglob("*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            stored = json.loads(line)
            assert set(stored["machine"]) == {"cpu", "cores", "memory_bytes", "kernel"}
            assert not re.search(r'"/\w', json.dumps([stored["machine"], stored["versions"]]))


def test_figures_are_medians_and_ratios_are_within_rounds():
    """One slow round moves neither the median nor the ratio to the first contestant."""
    ours, bare = "import flatwater", "bare python"
    rounds = {
        bare: [one(1.0, import_ms=0, resident_mib=8), one(9.0, import_ms=0, resident_mib=8), one(1.0, import_ms=0, resident_mib=8)],
        ours: [one(2.0, import_ms=5, resident_mib=9), one(18.0, import_ms=6, resident_mib=9), one(2.2, import_ms=7, resident_mib=9)],
    }  # fmt: skip
    result = outcome.Outcome(record(rounds=rounds))
    assert result.seconds(bare) == pytest.approx(0.1)  # per interpreter, of ten
    assert result.ratio(ours) == 2.0
    assert result.figure(ours, "import_ms") == 6
    assert [(measured, kept) for _text, measured, kept in result.bars()] == [
        ("6.00 ms of 40 ms (rounds 5.00 to 7.00)", True),
        ("1.00 MiB of 4.77 MiB (rounds 1.00 to 1.00)", True),
    ]


def test_who_took_part_in_fewer_rounds_is_compared_in_those(monkeypatch):
    """A slow contestant runs in the first rounds alone: its bar goes by these."""
    case = Case("A title.", size=1, tiny=1, bars=(Bar("fast", 1.0, "x", lambda outcome: outcome.ratio("a", "b")),))
    for name in ("a", "b"):
        case.contestant(name)(lambda size: lambda: None)
    monkeypatch.setattr(outcome, "load", lambda name: case)
    result = outcome.Outcome(record("x/y", {"a": [one(1.0), one(9.0)], "b": [one(2.0)]}))
    assert result.bars() == [("fast", "0.500 x of 1 x (one round)", True)]


def test_a_missed_bar_is_said(monkeypatch):
    """A value above its limit is missed, and a bar whose contestant was left out is not taken for kept."""
    case = Case("A title.", size=1, tiny=1, bars=(
        Bar("fast", 1.0, "s", lambda outcome: outcome.seconds("a")),
        Bar("faster", 1.0, "s", lambda outcome: outcome.seconds("b")),
    ))  # fmt: skip
    case.contestant("a")(lambda size: lambda: None)
    monkeypatch.setattr(outcome, "load", lambda name: case)
    result = outcome.Outcome(record("x/y", {"a": [one(2.0)]}))
    assert result.bars() == [("fast", "2.00 s of 1 s (one round)", False), ("faster", "not measured", False)]
    assert "**missed**" in page._section(result)


def test_the_newest_result_counts(monkeypatch, tmp_path):
    """Results are appended, and the last line is the one that is shown."""
    monkeypatch.setattr(outcome, "RESULTS", tmp_path)
    assert outcome.newest("house/import") is None
    outcome.append(record(size=1))
    outcome.append(record(size=2))
    assert outcome.newest("house/import").record["size"] == 2
    assert len(outcome.path_of("house/import").read_text("utf-8").splitlines()) == 2


def test_a_case_that_fails_says_why(monkeypatch):
    """A contestant that dies before its report is an error with its last words."""
    with pytest.raises(runner.CaseFailed, match="nobody"):
        runner.one_round("house/import", load("house/import"), "nobody", 1)


def test_a_case_that_hangs_is_ended_with_all_it_started(monkeypatch):
    """A contestant that takes too long is killed, and so is the program that it started."""
    size = 987_654_321  # hours; and no other process has it among its arguments
    monkeypatch.setattr(runner, "CHILD_S_MAX", 0.2)
    with pytest.raises(runner.CaseFailed, match=r"was ended after 0\.2 s"):
        runner.one_round("run/objects", load("run/objects"), "python", size)
    for _ in range(500):  # the kernel needs a moment to take a killed process apart
        alive = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(size).encode() in content_of(path)]
        if not alive:
            break
        time.sleep(0.01)
    assert alive == []


def content_of(path):
    """Of a file in /proc, nothing if its process has ended; a zombie has no arguments."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_missing_peer_is_left_out():
    """A contestant whose package is absent is named, not run."""
    case = Case("A title.", size=1, tiny=1)
    case.contestant("peer", needs=("no_such_package_here",))(lambda size: lambda: None)
    assert case.contestants["peer"].missing() == "no_such_package_here is not installed"
    assert case.first == "peer"


def test_a_goal_says_who_is_compared(monkeypatch):
    """Ours first, then the peer, each with its CPU; a bar of one contestant has no peer."""
    bars = (
        Bar("faster than the other", 1, "x", lambda result: result.ratio("fast", "slow")),
        Bar("at most two seconds", 2, "s", lambda result: result.seconds("fast")),
    )
    monkeypatch.setattr(outcome, "load", lambda _: Case("work", size=1, tiny=1, bars=bars))
    one_of_two, alone = outcome.Outcome(record(rounds={"slow": [one(2.0)], "fast": [one(1.0)]}, size=1)).goals()
    assert (one_of_two.ours, one_of_two.peer, one_of_two.measured, one_of_two.goal) == (
        "fast: 1.00 s",
        "slow: 2.00 s",
        "0.500 x",
        "1 x",
    )
    assert (alone.ours, alone.peer, alone.kept) == ("fast: 1.00 s", "", True)


def test_a_quick_round_is_a_part_of_the_whole(monkeypatch):
    """By what the newest one took; never less than the tiny one, nor more than the whole."""
    case = Case("work", size=1_000, tiny=10)
    monkeypatch.setattr(plan, "load", lambda _: case)
    for wall_s, size in ((30.0, 100), (3_000.0, 10), (0.3, 1_000)):
        rounds = {"one": [one(1.0) | {"wall_s": wall_s}]}
        monkeypatch.setattr(
            plan.outcome, "newest", lambda _, rounds=rounds: outcome.Outcome(record(rounds=rounds, size=1_000))
        )
        assert plan.quick_size("house/import") == size


@pytest.mark.parametrize(
    "words", [["--tiny", "--quick"], ["--resume", "house/import"], ["--resume", "--quick"], ["no/case"]]
)
def test_words_that_do_not_go_together_are_refused(words):
    """Before anything runs."""
    from click.testing import CliRunner

    assert CliRunner().invoke(main, words).exit_code == 2
