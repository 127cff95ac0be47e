"""tour.trial: what came of a step alone, and of its twin."""

from __future__ import annotations

import pytest

from flatwater.tour.trial import Run, Trial

MIB = 1 << 20


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("done", "finished within the limit (3.0 MiB), 1.5 s"),
        ("killed", "killed at 8.0 MiB, 1.5 s"),
        ("refused", "MemoryError at 8.0 MiB, 1.5 s"),
        ("slow", "not done after 1.5 s, at 3.0 MiB"),
        ("failed", "failed at 3.0 MiB, 1.5 s"),
    ],
)
def test_how_a_twin_ended(kind, words):
    """In a few words for the table."""
    assert Trial("a", 8 * MIB, Run("done", 1.0, MIB), Run(kind, 1.5, 3 * MIB)).naive_words == words


def test_a_step_without_a_twin():
    """A dash, and null as JSON."""
    trial = Trial("a", 8 * MIB, Run("done", 1.0, MIB))
    assert (trial.naive_words, trial.to_dict()["naive"]) == ("-", None)


@pytest.mark.parametrize(
    ("kind", "seen", "holds"), [("done", 8, True), ("done", 9, False), ("killed", 8, False), ("done", -1, False)]
)
def test_whether_a_step_held(kind, seen, holds):
    """It came to its end, and no more was seen than it promised; what is not known does not hold."""
    assert Trial("a", 8 * MIB, Run(kind, 1.0, seen * MIB if seen > 0 else -1)).holds is holds
