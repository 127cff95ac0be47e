"""Items in order, in memory and in runs on disk."""

from __future__ import annotations

import math
import pickle
import random
import resource
import signal
import subprocess
import sys
from itertools import islice
from threading import Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.sorting import Sort

KEYS = {"none": None, "half": lambda pair: pair[0] // 2, "text": lambda pair: str(pair[0]), "same": lambda _pair: 0}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.text(max_size=3))), st.sampled_from(sorted(KEYS)), st.booleans(),
    st.sampled_from([1, 300, 3_000, 1 << 20]), st.integers(1, 9),
)  # fmt: skip
def test_it_is_sorted(items, named, reverse, size, rows):
    """As `sorted` does it, stable in both directions, however little fits."""
    key = KEYS[named]
    found = list(Flow(items, batch_rows=rows).sort(key, bytes=size, reverse=reverse))
    assert found == sorted(items, key=key, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", ["2 KiB", "20 KiB", "1 MiB"])
def test_in_several_passes(size, reverse, monkeypatch):
    """Levels of runs are merged on the way, and what is left at the end until one merge has room for all."""
    monkeypatch.setattr(limits, "FLOW_SORT_RUNS_AT_ONCE", 4)
    monkeypatch.setattr(limits, "FLOW_SORT_RUNS_MAX", 6)
    rng = random.Random(1)
    items = [(rng.randrange(500), number) for number in range(2_500)]
    found = list(Flow(items, batch_rows=100).sort(lambda pair: pair[0], bytes=size, reverse=reverse))
    assert found == sorted(items, key=lambda pair: pair[0], reverse=reverse)


@pytest.mark.parametrize(
    "items",
    [
        [], [1], [7] * 3_000, list(range(3_000)), list(range(3_000, 0, -1)), [b"x" * size for size in range(2_000)],
        [b"small"] * 2_000 + [b"x" * 100_000] * 5, [b"x" * 100_000] * 5 + [b"small"] * 2_000,
        [float(at % 17) for at in range(999)] + [math.inf, -math.inf],
    ],
    ids=["none", "one", "equal", "sorted", "backwards", "growing", "heavy at the end", "heavy at first", "floats"],
)  # fmt: skip
def test_inputs_of_all_kinds(items):
    """An item that is larger than all bytes passes, too."""
    assert list(Flow(items).sort(bytes="8 KiB")) == sorted(items)
    assert list(Flow(items).sort(bytes="8 KiB", reverse=True)) == sorted(items, reverse=True)


def test_what_fits_is_not_written(monkeypatch):
    """No file is made; and none for what comes to nothing."""
    monkeypatch.setattr("flatwater.pipeline.sorting.SpillFile", None)
    assert list(Flow(range(10_000, 0, -1)).sort()) == list(range(1, 10_001))
    assert list(Flow([]).sort(bytes=1)) == []
    with pytest.raises(TypeError):
        list(Flow(range(10_000)).sort(bytes="10 KiB"))


def test_items_of_one_key_need_not_be_comparable():
    """Only keys are compared."""
    items = [{"a": number % 3, "b": number} for number in range(2_000)]
    found = list(Flow(items).sort(lambda item: item["a"], bytes="20 KiB"))
    assert found == sorted(items, key=lambda item: item["a"])


def test_the_key_is_asked_for_once():
    """Keys are written with their items."""
    asked = []

    def key(item):
        asked.append(item)
        return -item

    assert list(Flow(range(3_000)).sort(key, bytes="4 KiB")) == list(range(2_999, -1, -1))
    assert asked == list(range(3_000))


def test_nan_is_lost_nowhere():
    """Where it stands is not defined; all items come."""
    items = [float(at % 50) if at % 7 else math.nan for at in range(2_000)]
    found = list(Flow(items).sort(bytes="4 KiB"))
    assert sorted(map(repr, found)) == sorted(map(repr, items))


@pytest.mark.parametrize("size", ["1 KiB", "1 MiB"])
@pytest.mark.parametrize("strange", [None, "text", {}])
def test_keys_that_cannot_be_compared(size, strange, open_files):
    """The error names two of them; nothing stays open."""
    before = open_files()
    with pytest.raises(TypeError) as found:
        list(Flow([*range(1_000), strange], batch_rows=10).sort(bytes=size))
    assert repr(strange) in "".join(found.value.__notes__)
    assert not open_files() - before


def key_that_fails(item):
    """Not for every tenth."""
    if item % 10 == 3:
        raise ValueError("no key")
    return -item


@pytest.mark.parametrize("size", ["1 KiB", "1 MiB"])
def test_a_key_that_raises(size):
    """Ends the run with a note, or its item is passed over."""
    with pytest.raises(ValueError, match="no key") as found:
        list(Flow(range(500)).sort(key_that_fails, bytes=size))
    assert "item 4 (3)" in found.value.__notes__[0]
    seen = []
    report = Flow(range(500)).sort(key_that_fails, bytes=size).each(seen.append).run(on_error="skip")
    assert seen == [item for item in range(499, -1, -1) if item % 10 != 3]
    assert (report.items, report.skipped, report.stages[1].items_in, report.stages[1].skipped) == (450, 50, 500, 50)
    assert report.stages[1].bytes_out > 450 * 28


def test_an_item_that_cannot_be_pickled():
    """It may stay in memory; where it has to be written, the error says so."""
    items = [(number, Lock()) for number in range(200)]
    assert len(list(Flow(items).sort(lambda item: item[0]))) == 200
    with pytest.raises(Exception, match="pickle") as found:
        list(Flow(items).sort(lambda item: item[0], bytes="1 KiB"))
    assert "cannot be pickled" in found.value.__notes__[0]


def test_an_early_end_closes_all(open_files):
    """Neither files of runs nor the source stay open, wherever it ends."""
    before, is_closed = open_files(), []

    def source():
        try:
            yield from range(3_000)
        finally:
            is_closed.append(1)

    items = iter(Flow(source).sort(bytes="4 KiB"))
    assert list(islice(items, 3)) == [0, 1, 2]
    assert open_files() - before
    items.close()
    assert not open_files() - before
    assert is_closed == [1]


def test_a_full_disk_ends_the_run(open_files, tmp_path):
    """With an error that says what to do; nothing stays behind."""
    before = open_files()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limit[1]))
    try:
        with pytest.raises(errors.BrokenError, match=r"sort\(\).*folder=\.\.\., or TMPDIR"):
            list(Flow(range(10_000)).sort(bytes="10 KiB", folder=tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert not open_files() - before


def test_no_checkpoint(tmp_path):
    """Such a run is refused."""
    with pytest.raises(errors.UsageError, match=r"sort\(\) gives nothing before"):
        Flow(range(3)).sort().run(checkpoint=tmp_path / "job")


def test_it_is_a_stage_like_others():
    """Reusable, picklable, in the sum, refused where there is no room; wrong arguments are told at once."""
    flow = Flow(range(5, 0, -1)).sort(abs)
    assert list(flow) == list(pickle.loads(pickle.dumps(flow))) == list(flow) == [1, 2, 3, 4, 5]
    assert (Sort(None, 100).bytes_max(10), Sort(abs, 1).name, Sort(None, 1).name) == (110, "sort(abs)", "sort()")
    with Budget("1 MiB"), pytest.raises(errors.BudgetExceeded):
        list(flow)
    for wrong in ({"bytes": 0}, {"bytes": "much"}, {"key": 5}):
        with pytest.raises(errors.UsageError):
            Flow([]).sort(**wrong)


def test_a_run_that_is_stopped_while_it_hands_on(open_files):
    """Ends at the next batch, though its source has long ended."""
    before = open_files()
    run = Flow(range(5_000)).sort(bytes="10 KiB")._run()
    batches = run.batches()
    assert next(batches)[0] == 0
    run.stop()
    with pytest.raises(errors.ClosedError, match="was stopped"):
        next(batches)
    assert not open_files() - before


KILLED = """
import os, signal, sys
import flatwater as fw
for item in fw.Flow(range(5_000)).distinct(bytes="10 KiB", folder=sys.argv[1]).sort(bytes="10 KiB", folder=sys.argv[1]):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_killed_leaves_nothing(tmp_path):
    """Its files have no names."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
