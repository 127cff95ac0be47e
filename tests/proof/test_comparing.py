"""proof.comparing: scenarios measured in turn, each in fresh processes, and what becomes of one that fails."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.proof.comparing import NAME_LETTERS_MAX, SCENARIOS_MAX, compare
from flatwater.proof.points import ScenarioFailed, ScenarioUnfit

HELPERS = runpy.run_path(str(Path(__file__).with_name("compared.py")))
compared, fails_from = HELPERS["compared"], HELPERS["fails_from"]
MIB = 1 << 20
JOBS = """
def load(n):
    rows = [str(i) * 3 for i in range(n)]
    return len(rows)

def stream(n):
    return sum(len(str(i) * 3) for i in range(n))

def dies(n):
    if n >= 80_000:
        raise MemoryError("no more")
    return sum(len(str(i) * 3) for i in range(n))
"""


@pytest.fixture
def jobs(tmp_path):
    """A file of scenarios."""
    path = tmp_path / "jobs.py"
    path.write_text(JOBS)
    return path


@pytest.mark.slow
def test_a_list_beside_a_stream(jobs):
    """Real processes: the stream is flat and many times smaller, the list grows and spends its budget, the claim holds."""
    seen = []
    found = compare(
        {"all": f"{jobs}::load", "stream": f"{jobs}::stream"},
        sizes="10k..160k", target="10M", budget="256 MiB", on_run=lambda name, n: seen.append((name, n)),
    )  # fmt: skip
    assert found.holds, str(found)
    assert [found.proofs[name].verdict for name in ("all", "stream")] == ["grows", "constant"]
    assert found.n == 160_000
    row = found.table()[1]
    assert row.times.at_least
    assert 15 < row.times.times < 200
    assert found.proofs["all"].fails_at < 10_000_000
    assert seen[:4] == [("all", 10_000), ("stream", 10_000), ("all", 20_000), ("stream", 20_000)]


@pytest.mark.slow
def test_one_that_dies_and_a_command(jobs):
    """The one that dies keeps its points and its traceback; a command beside it is measured as before."""
    script = jobs.with_name("squares.py")
    script.write_text("import sys\nprint(sum(i * i for i in range(int(sys.argv[1]))))\n")
    found = compare(
        {"stream": f"{jobs}::stream", "dies": f"{jobs}::dies", "command": [sys.executable, str(script), "{n}"]},
        sizes="20k..320k", repeat=1,
    )  # fmt: skip
    assert (found.outcome, found.holds) == ("failed", False)
    assert isinstance(found.failures["dies"], ScenarioFailed)
    assert found.failures["dies"].n == 80_000
    assert "MemoryError: no more" in found.failures["dies"].output
    assert [point.n for point in found.points("dies")] == [20_000, 40_000]
    assert set(found.proofs) == {"stream", "command"}
    assert found.proofs["command"].points[-1].base_bytes == 0


def test_they_run_in_turn():
    """A B A B at each size, as often as is asked, and a further size only for the one that needs it."""
    seen = []
    compared(
        {"flat": lambda n: MIB, "fades": lambda n: 8 * MIB * n / (n + 80_000)},
        repeat=2, on_run=lambda name, n: seen.append((name, n)),
    )  # fmt: skip
    assert seen[:8] == [(name, n) for n in (10_000, 20_000) for _ in range(2) for name in ("flat", "fades")]
    assert len(seen) > 20
    assert {name for name, _n in seen[20:]} == {"fades"}


def test_repeated_runs_are_one_point():
    """Each point says of how many runs it is; a command has three unless told otherwise, and then so have all."""
    twice = compared({"a": lambda n: MIB, "b": lambda n: MIB}, repeat=2)
    assert {point.runs for point in twice.points("b")} == {2}
    commands = compared({"a": lambda n: MIB, "b": lambda n: MIB}, commands={"b"})
    assert {point.runs for name in "ab" for point in commands.points(name)} == {3}
    once = compared({"a": lambda n: MIB, "b": lambda n: MIB})
    assert {point.runs for point in once.points("b")} == {1}


def test_one_failure_loses_nothing_else():
    """The others are proved; the failed one is not run again, and keeps the points before."""
    error = ScenarioFailed("b at n=40,000 failed: ValueError.", n=40_000)
    seen = []
    found = compared(
        {"a": lambda n: 100 * n, "b": fails_from(40_000, error), "c": lambda n: MIB},
        on_run=lambda name, n: seen.append((name, n)),
    )  # fmt: skip
    assert found.failures == {"b": error}
    assert set(found.proofs) == {"a", "c"}
    assert [point.n for point in found.points("b")] == [10_000, 20_000]
    assert [n for name, n in seen if name == "b"] == [10_000, 20_000, 40_000]
    assert found.n == 160_000


def test_a_failure_at_a_further_size():
    """One that fails only where its verdict needs more sizes is undecided, and its points up to there are kept."""
    error = errors.LimitReached("b took too long.", what="timeout", limit=1.0)
    found = compared({"a": lambda n: MIB, "b": fails_from(200_000, error, lambda n: 8 * MIB * n / (n + 80_000))})
    assert (found.failures, found.proofs["b"].verdict) == ({}, "undecided")
    assert [point.n for point in found.points("b")][-1] == 160_000
    assert found.proofs["b"].notes == ["a further size was tried, and gave no figure: b took too long."]


def test_a_name_that_is_none_ends_it_at_once():
    """What cannot be measured at the first size is a slip of the pen: the others are not run for an hour before it is told."""
    seen = []
    with pytest.raises(ScenarioUnfit, match="b is none"):
        compared(
            {"a": lambda n: MIB, "b": fails_from(1, ScenarioUnfit("b is none."))},
            on_run=lambda name, n: seen.append(name),
        )
    assert seen == ["a", "b"]


def test_all_may_fail():
    """There is no size to compare at, and that is said; nothing is raised."""
    found = compared({name: fails_from(1, ScenarioFailed(f"{name} died.", n=1)) for name in "ab"})
    assert found.n is None
    assert found.outcome == "failed"
    assert "a and b failed" in found.because
    with pytest.raises(errors.ProofFailed, match="a and b failed"):
        found.check()


@pytest.mark.parametrize(
    ("scenarios", "message"),
    [
        ({}, "no scenario"),
        ({"a": len}, "one scenario"),
        ([len, max], "no mapping"),
        ({"a": len, "": max}, "'' is not a name"),
        ({"a": len, "b\nc": max}, "is not a name"),
        ({"a": len, 3: max}, "3 is not a name"),
        ({"a": len, "b" * (NAME_LETTERS_MAX + 1): max}, "at most 120 letters"),
        ({str(number): len for number in range(SCENARIOS_MAX + 1)}, "at most 20"),
        ({"a": len, "b": "nothing.py::f"}, "scenario 'b': 'nothing.py': there is no such file"),
        ({"a": len, "b": ["true"]}, "has no {n} in it"),
        ({"a": len, "b": 3}, "scenario 'b': 3 cannot be run"),
    ],
)
def test_wrong_scenarios(scenarios, message):
    """Refused before anything runs, naming the one that is wrong."""
    with pytest.raises(errors.UsageError) as caught:
        compare(scenarios)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": "10..5"}, "does not rise"),
        ({"metric": "vms"}, "metric='vms' is not known"),
        ({"repeat": 0}, "repeat=0"),
        ({"repeat": True}, "repeat=True"),
        ({"budget": "1"}, "too small"),
        ({"target": "-5"}, "target"),
        ({"timeout": 0}, "timeout"),
        ({"setup": ["make", "{n}"]}, "setup goes with functions"),
    ],
)
def test_wrong_options(options, message):
    """Refused before anything runs."""
    with pytest.raises(errors.UsageError) as caught:
        compare({"a": len, "b": max}, **options)
    assert message in str(caught.value)


def test_setup_and_a_command():
    """A set-up beside a command is refused."""
    with pytest.raises(errors.UsageError, match="setup goes with functions"):
        compare({"a": len, "b": ["true", "{n}"]}, setup=len)
