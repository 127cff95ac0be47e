"""tour.lab.running: programs in fresh processes; what goes wrong is told, and stops nothing else."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from flatwater import errors, units
from flatwater.tour.lab import registry, running
from flatwater.tour.lab.experiment import Variant
from flatwater.tour.lab.inputs import Inputs

(FILES,) = registry.find(["files"])
WHOLE, CHUNKS, _BY_HAND = FILES.variants
PROGRAMS = "flatwater.tour.lab.programs"


def ran(*variants, small=True, **more):
    steps = []
    with Inputs() as inputs:
        options = {"traced": False, "claims": FILES.claims[:1], **more}
        experiment = dataclasses.replace(FILES, variants=variants, **options)
        return running.run_experiment(experiment, inputs, small=small, on_step=steps.append), steps


def test_two_programs_and_their_traced_runs():
    """Each has a process of its own, plain and traced, under a limit; the bounded one took less; the steps are told."""
    found, steps = ran(WHOLE, CHUNKS, traced=True)
    whole, chunks = found.measured
    assert found.state == "held", found.failures
    assert whole.plain.answer == chunks.plain.answer == whole.traced.answer
    assert whole.traced.traced_peak > 950_000
    assert chunks.traced.traced_peak < 90_000
    assert whole.limit_kind
    assert whole.start_rss > units.MIB
    assert steps == [
        "files: whole", "files: whole, under tracemalloc",
        "files: FileChunks of 1 KiB", "files: FileChunks of 1 KiB, under tracemalloc",
    ]  # fmt: skip


def test_programs_that_answer_differently_are_worth_nothing():
    """Two that do not do the same work are not compared."""
    found, _steps = ran(WHOLE, Variant("none", f"{PROGRAMS}.files:whole", ("/dev/null",)))
    assert found.state == "failed"
    assert "they answered 0, " in found.failures[0]


@pytest.mark.parametrize(
    ("program", "args", "says"),
    [
        ("files:whole", ("/no/such/file",), "FileNotFoundError"),
        ("files:nothing", (), "AttributeError"),
        ("ranges:as_list", (100_000_000,), "needed more than its worker's limit of 256 MiB"),
    ],
)
def test_a_program_that_fails_is_named(program, args, says):
    """An error, a program that is not there and one that needs more than its limit: the others still run."""
    found, _steps = ran(Variant("bad", f"{PROGRAMS}.{program}", args), CHUNKS)
    assert found.state == "failed"
    assert found.failures[0].startswith("bad: ")
    assert says in found.failures[0]
    assert found.measured[1].plain is not None


def test_a_program_that_does_not_end_is_ended(monkeypatch):
    """After the time-out its process is killed, and that is its failure."""
    monkeypatch.setattr(running, "LAB_TIMEOUT_S", 0.5)
    found, _steps = ran(Variant("slow", f"{PROGRAMS}.ranges:as_range", (10**12,)))
    assert "did not end in 500 ms" in found.failures[0]


def test_what_there_is_no_memory_for_is_skipped(monkeypatch):
    """Before anything runs, with both figures and who says so."""
    monkeypatch.setattr(running, "room", lambda: (100 * units.MIB, "available on this machine"))
    found, steps = ran(WHOLE, CHUNKS)
    assert (found.state, found.measured, steps) == ("skipped", (), [])
    assert found.skipped == "it needs 256 MiB of memory, and 100 MiB are left (available on this machine)"


def test_what_there_is_no_library_for_is_skipped(monkeypatch):
    """With the line that installs it; nothing runs, and nothing has failed."""
    monkeypatch.setitem(sys.modules, "apsw", None)
    found, steps = ran(WHOLE, CHUNKS, needs_extra=("tables", "apsw"))
    assert (found.state, found.measured, steps) == ("skipped", (), [])
    assert "pip install 'flatwater[tables]'" in found.skipped


def test_room_is_the_least_that_anybody_allows():
    """The machine, the control group and RLIMIT_DATA: a positive number, and who says it."""
    count, whose = running.room()
    assert count > 0
    assert whose


def test_an_input_that_cannot_be_made_is_a_failure(monkeypatch):
    """The experiment fails with the reason, and no program runs."""

    def refuse(*_):
        raise errors.BrokenError("no space.")

    monkeypatch.setattr(Inputs, "fill", refuse)
    found, _steps = ran(WHOLE, CHUNKS)
    assert (found.state, found.failures, found.measured) == ("failed", ("no space.",), ())


def test_unknown_names_are_refused_before_anything_runs():
    """Asking for an experiment that is not there raises at once, not at the first step."""
    with pytest.raises(errors.UsageError, match="no experiment 'nothing'"):
        running.run_lab(["files", "nothing"])
