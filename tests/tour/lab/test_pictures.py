"""tour.lab.pictures: the bars of a finding are its figures, with the write-up's beside them."""

from __future__ import annotations

import dataclasses

import pytest

from flatwater import units
from flatwater.tour.lab import pictures, registry
from flatwater.tour.lab.finding import Finding, Measured
from flatwater.tour.lab.observing import Moment, Observation

MIB = units.MIB
(RANGES,) = registry.find(["ranges"])
(CYCLES,) = registry.find(["cycles"])
(RETENTION,) = registry.find(["retention"])


def seen(peak, traced=-1, *moments):
    return Observation(1, peak, traced, 1.0, 1.0, moments)


def test_peaks_and_the_seeds():
    """A variant has its peak, its traced peak, its own size and the write-up's figure, in this order."""
    made = Moment("made", 0, 0, own_bytes=76 * MIB)
    one = Measured(RANGES.variants[0], seen(383 * MIB, -1, made), seen(9, 381 * MIB))
    bars = pictures.bars_of(Finding(RANGES, 10, small=False, measured=(one,)))
    assert [(kind, round(size / MIB)) for _label, size, kind in bars] == [
        ("peak RSS", 383), ("tracemalloc", 381), ("getsizeof", 76), ("seed: 381.46 MB", 381),
    ]  # fmt: skip


def test_a_seeds_bar_has_the_write_ups_words_and_one_colour(monkeypatch):
    """The axis counts in MiB and the write-up in MB: its own words stand beside the bar, and all such bars are alike."""
    calls = []
    monkeypatch.setattr(pictures.charts, "bars", lambda *args, **options: calls.append((args, options)))
    (tables,) = registry.find(["tables"])
    found = tuple(Measured(variant, seen(MIB)) for variant in tables.variants)
    assert pictures.draw(Finding(tables, 10, small=False, measured=found), "x.png")
    ((_args, options),) = calls
    seeds = [kind for kind in options["kinds"] if kind.startswith("seed")]
    assert seeds == ["seed: ~1.6 GB (Rails)", "seed: ~9 MB (Rails)"]
    assert {options["colours"][kind] for kind in seeds} == {pictures.SEED_COLOUR}


def test_a_small_run_has_no_seeds():
    """Figures of another size are not drawn beside ours."""
    one = Measured(RANGES.variants[0], seen(3 * MIB))
    assert [kind for *_rest, kind in pictures.bars_of(Finding(RANGES, 10, small=True, measured=(one,)))] == ["peak RSS"]


def test_moments_have_groups_of_their_own():
    """Each moment of each program is a label; what was seen there is its bars."""
    moments = (Moment("built", 9, 9, 8, 8), Moment("dropped", 7, 0, 6, 6))
    one = Measured(CYCLES.variants[0], seen(9, -1, *moments), seen(9, 9, *moments))
    bars = pictures.bars_of(Finding(CYCLES, 10, small=True, measured=(one,)))
    assert bars == [
        ("ring: built", 9, "RSS"), ("ring: built", 8, "tracemalloc"),
        ("ring: dropped", 7, "RSS"), ("ring: dropped", 6, "tracemalloc"),
    ]  # fmt: skip


def test_parts_that_are_nothing_are_not_drawn():
    """Pinned and kept memory get a bar where they are worth one."""
    moment = Moment("freed", 200 * MIB, 0, live=9 * MIB, pinned=190 * MIB, kept=MIB)
    one = Measured(RETENTION.variants[0], seen(9, -1, moment))
    bars = pictures.bars_of(Finding(RETENTION, 10, small=True, measured=(one,)))
    assert [kind for *_rest, kind in bars] == ["RSS", "pinned in arenas"]


def test_bytes_an_item_are_drawn_where_they_are_the_claim():
    """Where an experiment is about single items, a bar is the bytes of one, beside the write-up's; a variant without has none."""
    (builders,) = registry.find(["builders"])
    moments = (Moment("ready", 0, 0, 800), Moment("built", 0, 0, 1_360))
    one, two = (Measured(variant, seen(9, -1, *moments), seen(9, 99, *moments)) for variant in builders.variants[:2])
    batches = Measured(builders.variants[-1], seen(9), seen(9, 99))
    assert pictures.bars_of(Finding(builders, 10, small=False, measured=(one, two, batches))) == [
        ("a class, by hand", 56, "each, by tracemalloc"),
        ("Struct, fresh", 56, "each, by tracemalloc"),
        ("Struct, fresh", 60, "seed: ~60 B each (Node)"),
    ]


def test_nothing_measured_is_nothing_drawn(tmp_path):
    """A finding that was skipped, or failed, or whose platform tells nothing makes no file."""
    path = tmp_path / "x.png"
    failed = Measured(RANGES.variants[0], failure="it died")
    unknown = Measured(RANGES.variants[0], seen(-1))
    for finding in (
        Finding(RANGES, 1, small=True, skipped="no"),
        *(Finding(RANGES, 1, True, (m,)) for m in (failed, unknown)),
    ):
        assert pictures.draw(finding, str(path)) is False
    assert not path.exists()


def test_a_chart_is_a_png(tmp_path):
    """What has figures becomes a picture."""
    pytest.importorskip("matplotlib")
    path = tmp_path / "x.png"
    one = Measured(dataclasses.replace(RANGES.variants[0], label="<b>$x"), seen(MIB))
    assert pictures.draw(Finding(RANGES, 1, small=True, measured=(one,)), str(path)) is True
    assert path.read_bytes().startswith(b"\x89PNG")
