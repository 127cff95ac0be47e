"""testing.marks: what the arguments of marks come to."""

from __future__ import annotations

import pytest

from flatwater.errors import UsageError
from flatwater.testing import marks


def asked(*found):
    return marks.asked_of({mark.name: mark for mark in (mark.mark for mark in found)})


def test_defaults():
    """Bare marks ask for the doublings of `flatwater prove`, and for eight rounds."""
    both = asked(pytest.mark.mem_constant, pytest.mark.mem_no_leaks)
    assert both.claim.sizes == (25_000, 50_000, 100_000, 200_000, 400_000)
    assert (both.claim.target, both.claim.budget_bytes, both.claim.repeat) == (None, 0, 1)
    assert (both.rounds, both.warmup, both.limit_bytes, both.metric) == (8, 2, 0, "rss")


def test_all_arguments():
    """Sizes, counts and durations may be written as people write them."""
    everything = asked(
        pytest.mark.mem_max("50 MiB", timeout="5s"),
        pytest.mark.mem_constant("1k..16k", target="1M", budget="64 MiB", metric="anon", repeat=3, timeout=30),
        pytest.mark.mem_no_leaks(rounds=4, warmup=0, timeout="1m"),
    )
    assert everything.limit_bytes == 50 << 20
    assert everything.claim.sizes[0] == 1_000
    assert (everything.claim.target, everything.claim.budget_bytes) == (1_000_000, 64 << 20)
    assert (everything.metric, everything.rounds, everything.timeout_s) == ("anon", 4, 60.0)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        (pytest.mark.mem_max(0), "too small"),
        (pytest.mark.mem_max("1 MiB", "1s", 3), "too many positional arguments. It takes: limit, timeout"),
        (pytest.mark.mem_max("1 MiB", timeout=0), "mem_max: timeout=0: more than 0"),
        (pytest.mark.mem_max("1 MiB", timeout="soon"), "mem_max: timeout: 'soon' is not a duration"),
        (pytest.mark.mem_constant(metric="pss"), "metric='pss' is not known"),
        (pytest.mark.mem_constant(sizes=[1, 2, 3]), "mem_constant: sizes: 3 of them"),
        (pytest.mark.mem_constant(budget="1 GiB"), "target and budget go together"),
        (pytest.mark.mem_constant(repeat=0), "repeat=0"),
        (pytest.mark.mem_no_leaks(rounds="8"), "rounds='8'"),
        (pytest.mark.mem_no_leaks(warmup=-1), "warmup=-1"),
    ],
)
def test_nonsense_is_refused(mark, words):
    """Each argument that makes no sense is named, with what it may be."""
    with pytest.raises(UsageError) as caught:
        asked(mark)
    assert words in str(caught.value)
    assert words in marks.trouble_with_arguments({mark.name: mark.mark})


def test_the_longest_time_counts():
    """Two marks with two timeouts give each process the longer one."""
    assert asked(pytest.mark.mem_max("1 MiB", timeout=5), pytest.mark.mem_no_leaks(timeout=9)).timeout_s == 9


def test_a_test_without_n_is_refused(request):
    """mem_constant is for tests that take the number of items; the reason says how."""
    words = marks.trouble_with(request.node, {"mem_constant": pytest.mark.mem_constant.mark})
    assert words.startswith("mem_constant: the test takes no n")


def test_other_items_are_refused(request):
    """What is no test function cannot be measured."""
    assert "marks test functions, and this is a Session" in marks.trouble_with(
        request.session, {"mem_max": pytest.mark.mem_max("1 MiB").mark}
    )
