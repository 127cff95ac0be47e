"""tour.lab.experiment: what every experiment of the house must say."""

from __future__ import annotations

import importlib

import pytest

from flatwater import units
from flatwater.tour import lab
from flatwater.tour.lab import Input

EXPERIMENTS = lab.all_experiments()
SIZES = {
    "ranges": 10_000_000, "cycles": 1_000_000, "files": 100_000_000, "pipeline": 100_000_000,
    "tables": 1_000_000, "order": 1_000_000, "retention": 1_000_000,
    "builders": 100_000, "pool": 10_000, "states": 100_000, "families": 50,
    "sessions": 1_000, "notifications": 1_000, "subscriptions": 10_000,
}  # fmt: skip


def test_the_sizes_are_the_seeds():
    """Each experiment has the size at which its write-up ran; of objects by mode a hundred thousand, as its example measures."""
    assert {experiment.name: experiment.size for experiment in EXPERIMENTS} == SIZES


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_an_experiment_is_complete(experiment):
    """It says where it comes from and what it shows, compares spots that it has, and stays within 2.5 GiB."""
    assert experiment.title
    assert experiment.seed
    assert experiment.what_it_shows.endswith(".")
    assert experiment.why_different.format(each=1, costs="").endswith(".")
    assert len(experiment.variants) >= 2
    assert experiment.claims
    assert experiment.needs_bytes <= 2.5 * units.GIB
    for claim in experiment.claims:
        assert claim.times > 1 or claim.larger.is_seed
        assert claim.larger != claim.smaller
        assert max(claim.larger.variant, claim.smaller.variant) < len(experiment.variants)
        assert bool(claim.larger.moment) == experiment.by_moment
        assert claim.figure != "traced" or experiment.traced


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_programs_can_be_imported_and_say_what_they_do(experiment):
    """Each program is a plain function of the programs' folder, with a sentence of its own."""
    for variant in experiment.variants:
        module, _, name = variant.program.partition(":")
        function = getattr(importlib.import_module(module), name)
        assert module.startswith("flatwater.tour.lab.programs.")
        assert function.__doc__
        assert any(isinstance(arg, Input) for arg in variant.args)


def test_every_seed_figure_of_the_issue_is_there():
    """76.29, 381.46, 122.07, 0.00, 95.47 MB, 7.4 KB, 196.39 MB, 45 KB, 1.6 GB, 9 MB, 60, 80, 120 B, 50, and the live tables' stand beside ours."""
    words = " ".join(f.words for e in EXPERIMENTS for variant in e.variants for f in variant.seed_figures)
    for figure in ("76.29", "381.46", "122.07", "0.00 MB", "95.47", "7.4 KB", "196.39", "45.35 KB", "1.6 GB", "9 MB"):
        assert figure in words
    for figure in ("~60 B", "~80 B", "~120 B", "~50 builders"):
        assert figure in words
    for figure in ("50-200 MB/s", "<1 MB", "100 KB", "1 KB", "60 GB/hour", "<100 MB/hour", "500 B", "50 B"):
        assert figure in words
