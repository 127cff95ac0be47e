"""proof.leaks.hunt: each kind of leak is found, and its twin that does not leak is clean."""

from __future__ import annotations

import gc
import subprocess
import sys
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


def found(report):
    return [(leak.kind, leak.name, leak.count_per_round) for leak in report.leaks]


def only(report, kind, name=""):
    """The one leak of that kind whose name ends so; a report of many kinds tells each once."""
    [leak] = [leak for leak in report.leaks if leak.kind == kind and leak.name.endswith(name)]
    return leak


def test_three_kinds_at_once():
    """A list, native memory and a task that grow together are one leak each, with name, size and the way to it."""
    report = quick("three_kinds", rounds=3)
    assert sorted(leak.kind for leak in report.leaks) == ["container", "native", "tasks"], str(report)
    rows, task, native = only(report, "container"), only(report, "tasks"), only(report, "native")
    assert (rows.name, rows.count_per_round) == ("leaking.HOUSE.rows (list)", 1)
    assert "object" in {part.type_name for part in rows.parts}
    assert task.name.startswith("waits_for_ever, waiting at ")
    assert task.count_per_round == 1
    assert "HOUSE." in task.chain[0]
    assert native.name.startswith("memory from malloc")
    assert 63 * 1024 <= native.bytes_per_round <= 66 * 1024  # the others' own blocks are near it
    assert report.ran == 2 + 3 + 3


PYTHON_HOLDS = (
    ("container", "leaking.HOUSE.rows (list)", 1, "object"),
    ("container", "leaking.HOUSE.table (dict)", 1, "str"),
    ("container", "leaking.Registry.items (list)", 1, "leaking.Node"),
    ("container", "leaking.default_argument.__defaults__ -> tuple[0] (list)", 1, "leaking.Node"),
    ("container", "of variable 'rows' (list)", 1, "leaking.Node"),
    ("container", "leaking.HOUSE.buffer (bytearray)", 2, ""),
    ("container", "leaking.HOUSE.stream (BytesIO)", 10, ""),
    ("cache", "leaking.squares (functools cache)", 1, "list"),
    ("objects", "str", 0, ""),
)


@pytest.mark.slow
def test_what_python_holds():
    """What gets longer a round is one leak, with its name, what it holds and the way to it."""
    report = quick("all_that_python_holds", rounds=3)
    assert len(report.leaks) == len(PYTHON_HOLDS), str(report)
    for kind, name, count, type_name in PYTHON_HOLDS:
        leak = only(report, kind, name)
        assert leak.count_per_round == count
        assert type_name in {part.type_name for part in leak.parts} | {""}
        assert leak.chain


@pytest.mark.slow
def test_objects_in_no_container():
    """A linked list that gets longer is one leak, of the type of its nodes."""
    report = quick("linked_list", rounds=3)
    assert found(report) == [("objects", "leaking.Slim", 1)], str(report)
    assert report.leaks[0].chain


@pytest.mark.slow
def test_what_else_stays():
    """Threads, descriptors and cycles are one leak each, with a name."""
    report = quick("other_kinds", rounds=3)
    assert sorted((leak.kind, leak.count_per_round) for leak in report.leaks) == [
        ("cycles", 4), ("descriptors", 1), ("descriptors", 2), ("threads", 1),
    ], str(report)  # fmt: skip
    assert only(report, "threads").name.startswith("threading.Event.wait")
    assert only(report, "cycles").name.startswith("objects in cycles, and the collector is off")
    by_count = {leak.count_per_round: leak for leak in report.leaks if leak.kind == "descriptors"}
    for count, name in ((1, "file "), (2, "socket")):
        assert by_count[count].name.startswith(name)
        assert "HOUSE." in by_count[count].chain[0]


@pytest.mark.slow
def test_native_memory_is_exact():
    """Alone, 64 KiB of native memory a round show to the byte but for the allocator's rounding."""
    report = quick("native", rounds=3)
    assert [leak.kind for leak in report.leaks] == ["native"], str(report)
    assert 65536 <= report.leaks[0].bytes_per_round <= 66 * 1024


@pytest.mark.slow
def test_blocks_that_nobody_holds():
    """Strings whose references C code never gives back show as blocks, though no object can be found."""
    report = quick("references_never_given_back", rounds=3)
    assert [leak.kind for leak in report.leaks] == ["blocks"], str(report)
    assert 10 <= report.leaks[0].count_per_round <= 21


@pytest.mark.slow
def test_pages_that_no_allocator_knows():
    """A mapping of 64 KiB a round shows as pages, beside the object that was never closed."""
    report = quick("pages", rounds=3)
    assert {leak.kind for leak in report.leaks} == {"native", "objects"}, str(report)
    assert report.leaks[0].kind == "native"
    assert 64_000 <= report.leaks[0].bytes_per_round <= 65_536


def test_twins_are_clean():
    """Programs that give back what they took leak nothing; cycles among it are told with an example, and are no leak."""
    report = quick("twins")
    assert report.holds, str(report)
    assert report.cycles.objects == 4
    assert "Node.children -> list[0] -> Node.parent -> Node" in str(report)


@pytest.mark.slow
def test_a_loop_and_a_thread_that_end_are_clean():
    """A round with an event loop that it makes and closes, and a thread that it waits for, leaks nothing."""
    report = quick("loop_and_thread_that_end")
    assert report.holds, str(report)


@pytest.mark.slow
def test_undo_takes_it_back():
    """An action with its way back leaks nothing."""
    assert quick("one_small_object", undo="taken_back").holds


@pytest.mark.slow
def test_cycles_as_asked_for():
    """They count where that is asked for, and do not, though the collector is off, where they are not wanted."""
    assert [leak.kind for leak in quick("tree", cycles=True).leaks] == ["cycles"]
    assert quick("collector_off", cycles=False).holds


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [3, 8])
def test_noise_is_no_leak(rounds):
    """Bounded caches that churn, imports on demand, classes made anew, logging and errors are no leaks, however long."""
    report = quick("noise", rounds=rounds)
    assert report.holds, str(report)


@pytest.mark.slow
def test_a_leak_in_noise_is_found():
    """One small object a round among all that is the one leak that is told."""
    report = quick("leak_in_noise", rounds=5)
    assert found(report) == [("container", "leaking.HOUSE.rows (list)", 1)], str(report)


@pytest.mark.slow
def test_bounded_caches_that_fill():
    """A bounded functools cache, or Python's own cache of patterns, that still fills is a note, not a leak."""
    report = quick("caches_that_fill")
    assert report.holds, str(report)
    assert any("many_squares" in note and "of 1,000 entries" in note for note in report.notes)


@pytest.mark.slow
def test_what_is_ignored():
    """A leak that is named is left out."""
    assert quick("one_small_object", rounds=3, ignore=["leaking.HOUSE"]).holds


IN_THIS_PROCESS = """
from flatwater.proof import leaks
report = leaks.find_leaks("time:monotonic", rounds=4, warmup=2)
assert (report.action, report.holds) == ("time.monotonic", True), str(report)
"""

LOCAL_VARIABLE = """
from flatwater.proof import leaks
def test():
    rows = []
    report = leaks.find_leaks(lambda: rows.append({"n": len(rows)}), rounds=3, warmup=1)
    assert [(leak.kind, leak.count_per_round) for leak in report.leaks] == [("container", 1)], str(report)
    assert "rows" in " ".join(report.leaks[0].chain)
test()
"""

EXAMPLE = """
import doctest
from flatwater.proof import leaks
[test] = doctest.DocTestFinder(recurse=False).find(leaks.find_leaks, "find_leaks", module=False, globs=vars(leaks).copy())
test.globs["find_leaks"] = leaks.find_leaks
for example in test.examples:
    example.options.clear()
result = doctest.DocTestRunner().run(test)
assert (result.failed, result.attempted) == (0, 3), result
"""


def run_alone(code):
    """In the process that hunts, but not in pytest's, whose heap takes minutes to go through."""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)


def test_in_this_process():
    """An action named by a text runs in the process that asks, and is clean."""
    run_alone(IN_THIS_PROCESS)


MANY = """
from flatwater.proof import leaks
class Row: pass
ROWS = []
def load():
    ROWS.append([Row() for _ in range({objects})])
report = leaks.find_leaks(load, rounds=6, warmup=1)
assert report.leaks[0].name == "__main__.ROWS (list)", str(report)
assert (report.ran, report.rounds) == ({ran}, {rounds}), report.ran
assert ("__main__.Row", {objects}) in [(part.type_name, part.objects) for part in report.leaks[0].parts], str(report)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("objects", "ran", "rounds"), [(5_000, 10, 3), (500, 13, 6)])
def test_fewer_rounds_where_much_grows(objects, ran, rounds):
    """Where thousands of objects stay on each round, evenly, three rounds more are enough; else it is as many again."""
    run_alone(MANY.format(objects=objects, ran=ran, rounds=rounds))


@pytest.mark.slow
@pytest.mark.parametrize("code", [LOCAL_VARIABLE, EXAMPLE], ids=["a local variable", "the example"])
def test_lists_that_lambdas_append_to(code):
    """A local list that a lambda appends to is found by the name of the variable; the documented example is true."""
    run_alone(code)


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
