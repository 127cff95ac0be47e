"""What happens to an item that fails: raised with its place, or passed over and told, in bounded bytes."""

from __future__ import annotations

import pytest

from flatwater import errors, limits
from flatwater.pipeline.policy import Policy, shown
from flatwater.pipeline.report import Gauge


def test_raise_adds_where_it_was():
    """The error is the function's own, with one note."""
    error, policy = KeyError("name"), Policy("raise")
    with pytest.raises(KeyError) as caught:
        policy.failed(Gauge("3 map(f)"), 12_345, {"a": 1}, error)
    assert caught.value is error
    assert error.__notes__ == ["flatwater: in stage 3 map(f), item 12,345 ({'a': 1}): KeyError('name')"]
    assert policy.count == 0


def test_skip_keeps_the_first_and_counts_all():
    """However many fail, and however large they are."""
    policy, gauge = Policy("skip"), Gauge("1 map(f)")
    for number in range(10_000):
        policy.failed(gauge, number + 1, ["x" * 1000] * 1000, ValueError("y" * 10_000))
    assert (policy.count, gauge.skipped, len(policy.kept)) == (10_000, 10_000, limits.FLOW_FAILURES_KEPT)
    assert max(len(str(failure)) for failure in policy.kept) < limits.FLOW_FAILURE_BYTES // 2
    assert policy.bytes_max() == limits.FLOW_FAILURES_KEPT * limits.FLOW_FAILURE_BYTES


def test_an_unknown_policy():
    """It is refused with those there are."""
    with pytest.raises(errors.UsageError, match="raise, skip"):
        Policy("ignore")


class Rude:
    def __repr__(self):
        raise RuntimeError("no")


def test_anything_is_shown_in_few_letters():
    """Nothing large is made for it, and nothing is raised."""
    for value in ("x" * 10**6, b"x" * 10**6, list(range(10**5)), {"a": "x" * 10**6}, Rude(), 10**5000):
        assert 0 < len(shown(value)) <= 130
