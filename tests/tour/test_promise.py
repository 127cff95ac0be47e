"""tour.promise: the promise as a sum, the baseline, and joining the limit."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from flatwater import errors, limits
from flatwater.tour.promise import Baseline, Limit, promise_of, rounding_bytes, why_left_out

MIB = 1 << 20
LIMITED = """
import json, resource
from flatwater.tour.promise import Baseline, Limit
baseline = Baseline.take()
held = Limit({kind!r}, 16 << 20, {procs_file!r}, {fall_back}).take(baseline)
print(json.dumps([held.kind, held.bytes - baseline.data, held.note]))
kept = [bytearray(1 << 20) for _ in range(12)]
try:
    bytearray(8 << 20)
except MemoryError:
    print("refused")
"""


def step(name, least, most):
    return SimpleNamespace(name=name, bytes_least=least, bytes_max=lambda room: min(room, most))


def limited(kind="rlimit_data", procs_file="", *, fall_back=True):
    code = LIMITED.format(kind=kind, procs_file=procs_file, fall_back=fall_back)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_steps_follow_one_another():
    """The promise is that of the largest step, and what no step holds."""
    steps = [step("a", MIB, 5 * MIB), step("b", MIB, 9 * MIB)]
    assert promise_of(64 * MIB, steps) == rounding_bytes() + 9 * MIB
    assert promise_of(8 * MIB, steps) == 8 * MIB


def test_the_promise_is_never_below_what_a_limit_can_be():
    """A tour that needs next to nothing promises the least that the kernel's limit takes."""
    assert promise_of(64 * MIB, [step("a", 0, 0)]) == limits.LIMIT_BYTES_MIN


def test_a_budget_below_the_least_is_refused():
    """The error names the step and the least in whole MiB."""
    with pytest.raises(errors.UsageError, match=r"'b' needs 8\.0 MiB\. The least that works is --budget 8MiB"):
        promise_of(7 * MIB, [step("a", MIB, MIB), step("b", 6 * MIB, 6 * MIB)])


def test_the_baseline_is_this_process():
    """Resident, anonymous and data are those of now."""
    baseline = Baseline.take()
    assert baseline.rss > baseline.anon > MIB
    assert baseline.reusable >= 0
    assert set(baseline.to_dict()) == {"rss_bytes", "anon_bytes", "data_bytes", "reusable_bytes", "doubt"}


def test_rlimit_data_counts_from_the_baseline():
    """12 MiB of 16 pass, 8 more are refused."""
    done = limited()
    assert done.stdout.splitlines() == [f'["rlimit_data", {16 * MIB}, ""]', "refused"], done.stderr


def test_a_group_that_cannot_be_joined_is_replaced(tmp_path):
    """RLIMIT_DATA holds instead, and it is said."""
    done = limited("cgroup v2", str(tmp_path / "gone" / "cgroup.procs"))
    kept, refused = done.stdout.splitlines()
    assert kept.startswith('["rlimit_data"')
    assert "cgroup v2 could not be joined: no such file or directory" in kept
    assert refused == "refused"


def test_a_group_that_was_asked_for_is_not_replaced(tmp_path):
    """Who asked for a control group gets an error, not another kind."""
    done = limited("cgroup v2", str(tmp_path / "gone" / "cgroup.procs"), fall_back=False)
    assert "BrokenError: cgroup v2 could not be joined" in done.stderr


def test_where_there_is_no_limit_it_is_said():
    """Nothing holds the promise, so nothing is claimed."""
    held = Limit("none", 16 * MIB).take(Baseline(1, 1, 1, 1))
    assert (held.kind, held.above_baseline) == ("none", -1)
    assert "no memory limit" in held.note
    untold = Limit("rlimit_data", 16 * MIB).take(Baseline(1, 1, -1, 1))
    assert untold.kind == "none"


def test_steps_that_can_be_left_out_ask_for_no_budget():
    """A step with `trouble` of its own, or with no room, neither raises the promise nor the least; alone it is asked for."""
    small, large = step("a", MIB, MIB), step("b", 40 * MIB, 40 * MIB)
    large.trouble = ""
    assert promise_of(16 * MIB, [small, large]) == max(limits.LIMIT_BYTES_MIN, rounding_bytes() + MIB)
    assert promise_of(64 * MIB, [small, large]) == rounding_bytes() + 40 * MIB
    with pytest.raises(errors.UsageError, match="'b' needs"):
        promise_of(16 * MIB, [large])
    large.trouble = "it is not there"
    assert promise_of(64 * MIB, [small, large]) < 40 * MIB
    assert [why_left_out(one, 64 * MIB) for one in (small, large)] == ["", "it is not there"]
