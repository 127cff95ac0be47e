"""proof.leaks.hunt: each kind of leak is found, and its twin that does not leak is clean."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.proof import leaks
from flatwater.proof.leaks import hunt
from flatwater.proof.leaks.separate import hunt_in_worker

PROGRAMS = Path(__file__).with_name("leaking.py")


def quick(action, *, undo=None, **options):
    """In a fresh process: its heap is small, and nothing else is busy in it."""
    back = f"{PROGRAMS}::{undo}" if undo else None
    return hunt_in_worker(f"{PROGRAMS}::{action}", undo=back, **{"rounds": 4, "warmup": 2, **options})


def cases(*rows):
    """Of each table a few run every time: a hunt takes a second."""
    return [pytest.param(*row, marks=[] if row[0] in QUICK else [pytest.mark.slow], id=row[0]) for row in rows]


QUICK = {"one_small_object", "cached", "native", "task_that_stays", "native_freed", "task_that_ends"}


def found(report):
    return [(leak.kind, leak.name, leak.count_per_round) for leak in report.leaks]


@pytest.mark.parametrize(
    ("action", "kind", "name", "count", "type_name"),
    cases(
        ("one_small_object", "container", "leaking.HOUSE.rows (list)", 1, "object"),
        ("dict_entry", "container", "leaking.HOUSE.table (dict)", 1, "str"),
        ("class_attribute", "container", "leaking.Registry.items (list)", 1, "leaking.Node"),
        (
            "default_argument",
            "container",
            "leaking.default_argument.__defaults__ -> tuple[0] (list)",
            1,
            "leaking.Node",
        ),
        ("append_in_closure", "container", "of variable 'rows' (list)", 1, "leaking.Node"),
        ("buffers", "container", "leaking.HOUSE.buffer (bytearray)", 2, ""),
        ("streams", "container", "leaking.HOUSE.stream (BytesIO)", 10, ""),
        ("cached", "cache", "leaking.squares (functools cache)", 1, "list"),
        ("linked_list", "objects", "leaking.Slim", 1, ""),
        ("string_that_grows", "objects", "str", 0, ""),
    ),
)
def test_what_python_holds(action, kind, name, count, type_name):
    """What gets longer a round is one leak, with its name, what it holds and the way to it."""
    report = quick(action)
    assert len(report.leaks) == 1, str(report)
    leak = report.leaks[0]
    assert (leak.kind, leak.count_per_round) == (kind, count)
    assert leak.name.endswith(name)
    assert type_name in {part.type_name for part in leak.parts} | {""}
    assert leak.chain
    assert report.ran == 2 + 4 + 4


@pytest.mark.parametrize(
    ("action", "kind", "name", "count"),
    cases(
        ("native", "native", "memory from malloc", 0),
        ("thread_that_stays", "threads", "threading.Event.wait", 1),
        ("task_that_stays", "tasks", "waits_for_ever, waiting at ", 1),
        ("file_that_stays", "descriptors", "file ", 1),
        ("sockets_that_stay", "descriptors", "socket", 2),
        ("collector_off", "cycles", "objects in cycles, and the collector is off", 4),
    ),
)
def test_what_else_stays(action, kind, name, count):
    """Native memory, threads, tasks, descriptors and cycles are one leak each, with a name."""
    report = quick(action)
    assert [(leak.kind, leak.count_per_round) for leak in report.leaks] == [(kind, count)], str(report)
    assert report.leaks[0].name.startswith(name)
    if kind == "native":
        assert 65536 <= report.leaks[0].bytes_per_round <= 66 * 1024
    if kind in {"tasks", "descriptors"}:
        assert "HOUSE." in report.leaks[0].chain[0]


@pytest.mark.slow
def test_blocks_that_nobody_holds():
    """Strings whose references C code never gives back show as blocks, though no object can be found."""
    report = quick("references_never_given_back")
    assert [leak.kind for leak in report.leaks] == ["blocks"], str(report)
    assert 10 <= report.leaks[0].count_per_round <= 21


@pytest.mark.slow
def test_pages_that_no_allocator_knows():
    """A mapping of 64 KiB a round shows as pages, beside the object that was never closed."""
    report = quick("pages")
    assert {leak.kind for leak in report.leaks} == {"native", "objects"}, str(report)
    assert report.leaks[0].kind == "native"
    assert 64_000 <= report.leaks[0].bytes_per_round <= 65_536


@pytest.mark.parametrize(
    "action",
    cases(
        ("native_freed",),
        ("pages_closed",),
        ("thread_that_ends",),
        ("task_that_ends",),
        ("whole_loop",),
        ("file_that_is_closed",),
        ("straight_tree",),
    ),
)
def test_twins_are_clean(action):
    """The same programs, when they give back what they took, leak nothing."""
    report = quick(action)
    assert report.holds, str(report)


@pytest.mark.slow
def test_undo_takes_it_back():
    """An action with its way back leaks nothing."""
    assert quick("one_small_object", undo="taken_back").holds


def test_cycles():
    """With the collector on, cycles are told with an example, and count as a leak only where that is asked for."""
    report = quick("tree")
    assert report.holds
    assert report.cycles.objects == 4
    assert "Node.children -> list[0] -> Node.parent -> Node" in str(report)
    assert [leak.kind for leak in quick("tree", cycles=True).leaks] == ["cycles"]
    assert quick("collector_off", cycles=False).holds


@pytest.mark.slow
def test_noise_is_no_leak():
    """Bounded caches that churn, imports on demand, classes made anew, logging and errors are no leaks."""
    report = quick("noise", rounds=8)
    assert report.holds, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [3, 5, 8, 13, 30])
def test_noise_of_any_length(rounds):
    """The same for few and for many rounds."""
    report = quick("noise", rounds=rounds)
    assert report.holds, str(report)


def test_a_leak_in_noise_is_found():
    """One small object a round among all that is the one leak that is told."""
    report = quick("leak_in_noise", rounds=8)
    assert found(report) == [("container", "leaking.HOUSE.rows (list)", 1)], str(report)


@pytest.mark.slow
def test_bounded_caches_that_fill():
    """A bounded functools cache, or Python's own cache of patterns, that still fills is a note, not a leak."""
    report = quick("bounded_cache")
    assert report.holds, str(report)
    assert any("many_squares" in note and "of 1,000 entries" in note for note in report.notes)
    report = quick("pattern")
    assert report.holds, str(report)


@pytest.mark.slow
def test_what_is_ignored():
    """A leak that is named is left out."""
    assert quick("one_small_object", ignore=["leaking.HOUSE"]).holds


def test_in_this_process():
    """An action named by a text runs in this process, and is clean."""
    report = leaks.find_leaks("time:monotonic", rounds=3, warmup=0)
    assert (report.action, report.holds) == ("time.monotonic", True), str(report)


@pytest.mark.slow
def test_a_local_variable():
    """A local list that a lambda appends to is found, with the name of the variable."""
    rows = []
    report = leaks.find_leaks(lambda: rows.append({"n": len(rows)}), rounds=3, warmup=1)
    assert [(leak.kind, leak.count_per_round) for leak in report.leaks] == [("container", 1)], str(report)
    assert "rows" in " ".join(report.leaks[0].chain)


@pytest.mark.parametrize(
    "options",
    [
        {"rounds": 2},
        {"rounds": True},
        {"rounds": "8"},
        {"rounds": 10**9},
        {"warmup": -1},
        {"ignore": [5]},
        {"ignore": [""]},
    ],
)
def test_figures_that_make_no_sense(options):
    """Impossible figures are refused before anything runs."""
    ran = []
    with pytest.raises(errors.UsageError):
        leaks.find_leaks(lambda: ran.append(1), **options)
    assert ran == []


def test_one_hunt_at_a_time():
    """A hunt inside a hunt is refused clearly, and the next one works."""
    with pytest.raises(leaks.ActionFailed, match="another find_leaks") as caught:
        leaks.find_leaks(lambda: leaks.find_leaks(int))
    assert isinstance(caught.value.__cause__, errors.UsageError)
    assert hunt._busy.acquire(blocking=False)
    hunt._busy.release()


def test_the_collector_is_left_alone():
    """Where the action switches it off and fails, the collector and its garbage are as before."""
    state = gc.isenabled(), gc.get_threshold(), gc.get_debug(), list(gc.garbage), list(gc.callbacks)

    def fails():
        gc.disable()
        raise ValueError("no")

    with pytest.raises(leaks.ActionFailed):
        leaks.find_leaks(fails)
    assert (gc.isenabled(), gc.get_threshold(), gc.get_debug(), list(gc.garbage), list(gc.callbacks)) == state


@pytest.mark.slow
def test_the_seeds_lab():
    """A million objects in one circle, the collector off: 1,000,000 objects that only a collection frees."""
    report = quick("lab", rounds=3, warmup=0, timeout_s=110)
    assert [(leak.kind, leak.count_per_round) for leak in report.leaks] == [("cycles", 1_000_000)]
    assert report.leaks[0].bytes_per_round >= 50_000_000
