"""proof.ratio: how many times less, no more precisely than is known."""

from __future__ import annotations

import pytest

from flatwater.proof.ratio import Ratio, ratio, times_words

KIB, MIB = 1 << 10, 1 << 20
NOISE = 192 * KIB


def exact(size):
    return (size, size)


@pytest.mark.parametrize(
    ("first", "second", "figure"),
    [
        (64 * MIB, 4 * MIB, "16x"),
        (64 * MIB, 48 * MIB, "1.3x"),
        (4 * MIB, 64 * MIB, "16x more"),
        (640 * MIB, 4 * MIB, "160x"),
        (64 * MIB, 1 * MIB, "at least 53x"),  # 64x if the 192 KiB were nothing
        (64 * MIB, 0, "at least 340x"),
        (0, 64 * MIB, "at least 340x more"),
        (0, 0, "same"),
        (100 * KIB, 200 * KIB, "same"),
        (100 * MIB, 97 * MIB, "same"),
        (100 * MIB, 104 * MIB, "same"),
        (400 * KIB, 150 * KIB, "at least 1.1x"),
    ],
)
def test_the_figure(first, second, figure):
    """Two figures where the smaller peak is ten noises or more; below that a bound, rounded down; alike within noise or 5 %."""
    assert ratio(exact(first), exact(second), NOISE).figure == figure


@pytest.mark.parametrize("second", [-1.0, 0, 1, KIB, 100 * KIB, NOISE, MIB, 3 * MIB])
def test_a_bound_is_below_the_truth(second):
    """If the second were larger by all the noise, it would take so many times less still."""
    found = ratio(exact(50 * MIB), exact(second), NOISE)
    assert found.times <= 50 * MIB / max(second, 1)
    if found.at_least:
        assert found.times <= 50 * MIB / (max(second, 0) + NOISE)


def test_intervals_give_bounds():
    """The most that the smaller can be, the least that the larger can be; alike only where both ends are."""
    assert ratio((40 * MIB, 80 * MIB), (4 * MIB, 8 * MIB), NOISE) == Ratio("less", 4.8, at_least=True)
    assert ratio((40 * MIB, 80 * MIB), (41 * MIB, 79 * MIB), NOISE).direction == "alike"
    assert ratio((14 * MIB, 26 * MIB), (12 * MIB, 15 * MIB), NOISE).figure == "at least 1.0x"


def test_samples_that_overlap_do_not_tell():
    """Half as much must not be called the same because a busy machine sampled badly."""
    unknown = ratio((40 * MIB, 80 * MIB), (50 * MIB, 50 * MIB), NOISE)
    assert (unknown.direction, unknown.figure, unknown.words) == ("unknown", "not known", "cannot be told from")
    assert unknown.times_less is None
    assert ratio((12 * MIB, 15 * MIB), (14 * MIB, 26 * MIB), NOISE).direction == "unknown"


def test_intervals_that_do_not_meet():
    """More is a bound as well."""
    assert ratio((4 * MIB, 8 * MIB), (40 * MIB, 80 * MIB), NOISE).figure == "at least 4.8x more"


def test_both_directions_in_one_number():
    """Below 1 it is more."""
    assert ratio(exact(8 * MIB), exact(80 * MIB), NOISE).times_less == pytest.approx(0.1)
    assert ratio(exact(80 * MIB), exact(8 * MIB), NOISE).times_less == pytest.approx(10)
    assert ratio(exact(8 * MIB), exact(8 * MIB), NOISE).times_less == 1


def test_sentences():
    """Words that stand before a name."""
    assert ratio(exact(64 * MIB), exact(4 * MIB), NOISE).words == "takes 16x less than"
    assert ratio(exact(0), exact(64 * MIB), NOISE).words == "takes at least 340x more than"
    assert ratio(exact(0), exact(0), NOISE).words == "takes as much as"


def test_two_figures():
    """Whatever the size, and 9.95 is 10 already."""
    assert [times_words(times) for times in (1.04, 9.94, 9.96, 99.6, 100.4, 12_345)] == [
        "1.0x",
        "9.9x",
        "10x",
        "100x",
        "100x",
        "12,000x",
    ]
