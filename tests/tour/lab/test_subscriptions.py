"""tour.lab.subscriptions and its programs: all variants follow the same."""

from __future__ import annotations

from flatwater.tour.lab import registry
from flatwater.tour.lab.programs import subscriptions


def test_42_in_100_are_distinct():
    """Of a thousand queries 420 ask what no other kind asks, each at least twice."""
    asked = [subscriptions.wanted(number, 1_000) for number in range(1_000)]
    assert len(set(asked)) == 420
    assert all(asked.count(one) in {2, 3} for one in asked[:5])


def test_all_variants_find_the_same_followers(tmp_path, ended):
    """Of twenty rows ten are high enough, and each is followed by two or three in a hundred queries."""
    expected = (["ready", "all there"], sum(1 for n in range(100) if n % 42 < 20 and n % 42 % 2))
    assert ended(subscriptions.dicts(100)) == expected
    assert ended(subscriptions.objects(100)) == expected
    assert ended(subscriptions.database(str(tmp_path), 100)) == expected


def test_the_write_ups_figures_stand_beside():
    """500 bytes before and 50 after, and what its author wrote of the same later."""
    (experiment,) = registry.find(["subscriptions"])
    words = [figure.words for variant in experiment.variants for figure in variant.seed_figures]
    assert words == ["500 B each; 1,600 by ADR-017", "50 B each; 248 by ADR-017"]
