"""cli.reports.run_text: the summary says what was measured, what it means, and nothing a terminal would obey."""

from __future__ import annotations

import shlex
import subprocess

import click
import pytest

from flatwater import units
from flatwater.cli.reports import run_text
from flatwater.meter.suspects import Frame, Suspect
from flatwater.watch.result import RunResult

MIB = units.MIB


class FakeRun:
    def __init__(self, result):
        self.result = result
        self.timeline = result.timeline


def result_of(*argv, **figures):
    result = RunResult(list(argv) or ["job"])
    for name, value in figures.items():
        setattr(result, name, value)
    return result


def text_of(result):
    return click.unstyle(run_text.render(result))


def suspect(source_file="job.py", line=3, growth=50 * MIB, function="load", inner=None):
    frame = Frame(source_file, line, function)
    return Suspect(frame, inner or frame, growth_bytes=growth, asks=2, stack=(frame,), largest_bytes=growth)


def test_an_exact_peak_is_called_exact():
    """One process: one figure, exact; the anonymous part is always called sampled."""
    words = run_text.peak_words(result_of(samples=9, peak_rss=70 * MIB, peak_rss_upper=70 * MIB, peak_anon=64 * MIB))
    assert words == "70.0 MiB resident (exact), 64.0 MiB anonymous (sampled every 10 ms)"


def test_a_trees_peak_is_an_interval():
    """Several processes: both ends, and how many there were."""
    figures = {"peak_kind": "interval", "samples": 9, "peak_rss": 80 * MIB, "peak_rss_upper": 120 * MIB, "processes": 3}
    assert "80.0 MiB to 120 MiB resident (interval, 3 processes)" in run_text.peak_words(result_of(**figures))


def test_what_was_never_sampled_has_only_an_upper_end():
    """A program that ended before the first sample is given no figure that nobody saw."""
    words = run_text.peak_words(result_of(peak_kind="interval", peak_rss_upper=8 * MIB))
    assert words == "at most 8.0 MiB resident: it ended before it could be sampled"


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({"exit_code": 0}, "exit 0"),
        ({"exit_code": 255}, "exit 255"),
        ({"exit_code": 139, "signal": 11}, "ended by SIGSEGV: exit 139"),
        ({"exit_code": 191, "signal": 63}, "ended by signal 63: exit 191"),
        ({"exit_code": 0, "budget_bytes": 64 * MIB}, "stayed inside 64.0 MiB: exit 0"),
        ({"exit_code": 137, "killed": True, "budget_bytes": 64 * MIB}, "killed by the budget of 64.0 MiB: exit 137"),
        ({"exit_code": 1, "refused": True, "budget_bytes": 64 * MIB}, "most likely refused memory"),
    ],
)
def test_the_verdict_says_how_it_ended(figures, says):
    """Killed, refused, ended by a signal (also one without a name), or by itself: each in its own words."""
    verdict = click.unstyle(run_text.verdict(result_of(**figures)))
    assert says in verdict
    assert ("stayed inside" in verdict) == ("stayed inside" in says)


def test_the_way_a_budget_is_held_is_said():
    """RLIMIT_DATA says that it is each process's own; a cgroup that it is the tree's; the reason stands beside it."""
    assert run_text.limit_words(result_of(limit_kind="cgroup v2")) == "cgroup v2, the whole tree"
    words = run_text.limit_words(result_of(limit_kind="rlimit_data", limit_note="why"))
    assert "each process on its own" in words
    assert words.endswith("(why)")


def test_the_next_command_keeps_the_budget():
    """After a kill the profile is proposed under the same budget: without it, it might take the machine along."""
    killed = result_of("python", "job.py", killed=True, exit_code=137, budget_bytes=64 * MIB, suspects=[suspect()])
    expected = "flatwater run --budget 64MiB --profile profile.json -- python job.py"
    assert run_text.next_command(killed) == expected
    killed.budget_bytes += 1
    assert f"--budget {64 * MIB + 1} " in run_text.next_command(killed)


@pytest.mark.parametrize(("peak", "budget"), [(1, "4MiB"), (2 * MIB, "4MiB"), (100 * MIB, "126MiB")])
def test_a_proposed_budget_is_one_that_is_taken(peak, budget):
    """It lies a quarter above the peak, and is never one that the command itself would refuse."""
    result = result_of("job", peak_rss=peak, peak_rss_upper=peak)
    assert run_text.next_command(result) == f"flatwater run --budget {budget} -- job"


def test_nothing_is_proposed_after_a_failure():
    """A program that failed for its own reasons is not given a budget."""
    assert run_text.next_command(result_of("job", peak_rss=MIB, peak_rss_upper=MIB, exit_code=3)) == ""


def test_suspects_are_named_with_their_share():
    """Share, growth, place and the text of the line; what is below one per cent is left out."""
    result = result_of(
        exit_code=137, killed=True, budget_bytes=64 * MIB, suspects_growth=100 * MIB,
        suspects=[suspect(growth=75 * MIB, inner=Frame("lib.py", 1, "dumps")), suspect(line=9, growth=MIB // 2)],
    )  # fmt: skip
    text = text_of(result)
    assert " 75%   75.0 MiB  job.py:3 load > dumps" in text
    assert "job.py:9" not in text


def test_a_program_within_its_budget_has_no_suspects():
    """Small growth of a program that held its budget is nobody's fault."""
    assert "suspect" not in text_of(result_of(suspects=[suspect(growth=MIB)], suspects_growth=MIB))
    assert "suspect" in text_of(result_of(suspects=[suspect()], suspects_growth=50 * MIB))


def test_a_removed_directory_is_no_traceback(tmp_path, monkeypatch):
    """Absolute paths stay absolute when there is no directory to shorten them against."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = result_of(suspects=[suspect(str(tmp_path / "job.py"))], suspects_growth=50 * MIB)
    assert f"{tmp_path}/job.py:3" in text_of(result)


def test_nothing_of_the_programs_reaches_the_terminal_as_a_control(tmp_path):
    """Escape sequences in arguments, file names, source lines and notes are shown, not obeyed."""
    hostile = tmp_path / "a\x1b]0;gone\x07.py"
    hostile.write_text("x = '\x1b[2J'  # \u202e\n")
    result = result_of(
        "echo", "\x1b[31m", "two\nlines", "\udcff", notes=["left \x1b[0m"], profile="p\x1b.json: open it",
        suspects=[suspect(str(hostile), line=1)], suspects_growth=50 * MIB,
    )  # fmt: skip
    text = text_of(result)
    assert set("\x1b\x07\u202e\udcff").isdisjoint(text)
    assert "\\x1b[2J" in text
    assert "\nlines" not in text


@pytest.mark.parametrize(
    "argv", [["a b", "it's", ""], ["\x1b[31m", "\x01f"], ["two\nlines\ttab\\n"], ["'\n\\"], ["\udcff\udcfe", "é\u202e"]]
)
def test_a_shown_command_can_be_typed_again(argv):
    """bash reads back exactly the words that were run, bytes that are no text included."""
    command = "printf '%s\\0' " + run_text.command_words(argv)
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1] == argv


def test_a_plain_command_is_quoted_as_ever():
    """Words that can be printed look as shlex quotes them."""
    argv = ["python", "job.py", "--name", "it's", "größe"]
    assert run_text.command_words(argv) == shlex.join(argv)


def test_a_long_command_is_cut():
    """A megabyte of arguments does not fill the terminal."""
    assert len(text_of(result_of("x" * 1_000_000, exit_code=1))) < 2000


def test_the_live_line_shows_memory_against_the_budget():
    """Before the first sample it says so; then now, budget, share, and the rate of the last second."""
    result = result_of(budget_bytes=100 * MIB)
    assert run_text.live_line(FakeRun(result)) == "flatwater: starting"
    for tick in range(21):
        result.timeline.add(tick / 10, rss=tick * MIB, anon=tick * MIB)
    assert run_text.live_line(FakeRun(result)) == "flatwater: 20.0 MiB of 100 MiB (20 %), +10.0 MiB/s, 2.0 s"
