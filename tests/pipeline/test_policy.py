"""What happens to an item that fails: raised with its place, or passed over and told, in bounded bytes."""

from __future__ import annotations

import dataclasses

import pytest

from flatwater import errors, limits
from flatwater.pipeline.flow import Flow
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


def test_an_error_of_no_item_says_where_it_was():
    """Of the source, and of a function that takes all items; once, whatever stages are behind it."""

    def breaks(items):
        for n in items:
            if n == 2500:
                raise OSError("the disk")
            yield n

    with pytest.raises(OSError, match="the disk") as caught:
        Flow(breaks, range(3000)).map(str).filter(len).run()
    assert caught.value.__notes__ == ["flatwater: in breaks, source breaks behind item 2,000"]
    with pytest.raises(OSError, match="the disk") as caught:
        Flow(range(3000)).pipe(breaks).map(str).run(on_error="skip")
    assert caught.value.__notes__ == ["flatwater: in 1 pipe(breaks), source range behind item 3,000"]


def test_an_error_that_cannot_be_changed():
    """It is passed over as others are."""

    @dataclasses.dataclass(frozen=True)
    class FrozenError(Exception):
        code: int

    def refuses(n):
        raise FrozenError(n)

    assert Flow(range(3)).map(refuses).run(on_error="skip").skipped == 3


@pytest.mark.parametrize("verb", ["each", "to", "filter"])
def test_an_error_that_is_passed_over_keeps_no_batch(verb):
    """The report does not name the stage as one that does."""

    def fails(n):
        if n % 10 == 3:
            raise ValueError(n)
        return True

    report = getattr(Flow(range(5000)), verb)(fails).run(on_error="skip")
    assert (report.skipped, report.stages[1].batches_kept) == (500, 0)


def test_stop_iteration_of_an_iterable():
    """It ends the run with an error that says where, and not in silence."""

    class Ends:
        def __iter__(self):
            raise StopIteration("early")

    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        Flow([1]).flat_map(lambda _n: Ends()).run()
    assert "in stage 1 flat_map" in caught.value.__notes__[0]


def test_a_place_that_is_not_the_items_is_not_told(tmp_path):
    """Lines are read from the beginning of a batch on, which is no place of the line that fails."""
    import flatwater as fw

    path = tmp_path / "in.txt"
    path.write_text("1\nx\n3\n")
    with pytest.raises(ValueError, match="invalid literal") as caught:
        Flow(fw.lines(path)).map(int).run()
    (note,) = caught.value.__notes__
    assert "map(int), item 2 ('x')" in note
    assert "in.txt at item 2: ValueError" in note
