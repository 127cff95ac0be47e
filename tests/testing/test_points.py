"""testing.points: what a point says where there is no figure, and that its place in a session does not matter."""

from __future__ import annotations

import sys

import pytest

from flatwater import limits
from flatwater.proof.runs import Seen
from flatwater.testing import points

pytestmark = pytest.mark.timeout(900)  # sessions with many processes, on a busy machine too


class Item:
    nodeid = "test_it.py::test_one"


def measurer():
    return points.Measurer(Item(), metric="rss", timeout_s=1)


def report(longrepr, outcome="failed"):
    return pytest.TestReport(Item.nodeid, ("test_it.py", 0, "test_one"), {}, outcome, longrepr, "call")


def test_what_fails_a_test_after_its_call_counts():
    """A failure that other plugins find after the body has returned is the test's; passing against xfail(strict) is not."""
    seen = Seen(said={"began": {}, "ended": {}})
    with pytest.raises(points.TestSpoke, match="logged an error"):
        measurer()._check(0, seen, {"call": report("logged an error")}, 0)
    measurer()._check(0, seen, {"call": report("[XPASS(strict)] large as yet")}, 0)


@pytest.mark.parametrize(("stage", "kind"), [("exit", pytest.exit.Exception), ("interrupt", KeyboardInterrupt)])
def test_a_test_that_ends_its_session_ends_this_one(stage, kind):
    """pytest.exit() and KeyboardInterrupt mean what they mean without a mark, with their reason."""
    seen = Seen(said={"failed": {"stage": stage, "what": "stop please", "traceback": ""}})
    with pytest.raises(kind, match="stop please"):
        measurer()._check(0, seen, {}, 0)


def test_what_was_free_before_is_in_the_point():
    """All of it is in the upper end; but for the latest arena, which is untouched, it could hide growth."""
    began = {"rss": 40 << 20, "anon": 30 << 20, "reusable": 3 << 20}
    ended = {"peak": 50 << 20, "anon": 40 << 20, "cpu_s": 0.1, "wall_s": 0.1}
    point = measurer()._figures(7, Seen(said={"began": began, "ended": ended}))
    assert (point.grown_bytes, point.upper_bytes, point.reusable_bytes) == (10 << 20, 53 << 20, 2 << 20)
    point = measurer()._figures(7, Seen(said={"began": {**began, "reusable": 1000}, "ended": ended}))
    assert point.reusable_bytes == 0


def test_the_end_of_what_was_printed_is_read(tmp_path):
    """Of what a killed process printed the end is kept; streams that it did not use are left out."""
    (tmp_path / "stdout").write_bytes(b"first " + b"1" * limits.TESTING_SECTION_CHARS_MAX)
    (tmp_path / "stderr").write_bytes(b"")
    assert points._printed(str(tmp_path)) == [("Captured stdout call", "1" * limits.TESTING_SECTION_CHARS_MAX)]


WITHOUT_FIGURES = """
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import pytest

def burn():
    while True:
        pass

@pytest.mark.mem_max("16 MiB")
def test_child_process():
    subprocess.run([sys.executable, "-c", "pass"], check=True)

@pytest.mark.mem_max("16 MiB")
def test_thread_that_works_on():
    threading.Thread(target=burn, daemon=True).start()

@pytest.mark.mem_max("16 MiB", timeout="15s")
def test_waits_for_ever():
    print("about to wait")
    threading.Event().wait()

@pytest.mark.mem_max("16 MiB")
@pytest.mark.timeout(1.5)
def test_waits_too_long():
    time.sleep(600)

@pytest.fixture
def n():
    return 5

@pytest.mark.mem_constant("1k..16k")
def test_shadowed(n):
    pass

@pytest.mark.mem_max("16 MiB")
def test_forks_and_comes_back():
    if os.fork():
        os.wait()
"""


@pytest.fixture(scope="module")
def seen(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("points")
    folder.joinpath("test_it.py").write_text(WITHOUT_FIGURES)
    return run(folder, "-n", "2")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_child_process", "it started other processes, and their memory is not in its own"),
        ("test_thread_that_works_on", "it returned while a thread that it started still works"),
        ("test_waits_for_ever", "did not end in 15.0 s and was killed"),
        ("test_waits_too_long", "Timeout (>1.5s) from pytest-timeout"),
        ("test_shadowed", "the n that it takes is another fixture's"),
        ("test_forks_and_comes_back", "it started other processes"),
    ],
)
def test_no_figure_is_no_pass(seen, name, words):
    """A test whose memory cannot be told fails, with the reason and what to do."""
    name = next(known for known in seen.cases if known.startswith(name))
    assert seen.outcome(name) == "failed"
    assert words in seen.words(name)


HUNGRY = """
import pytest

KEPT = []

def work():
    rows = [str(number) * 3 for number in range(450_000)]
    assert len(rows) == 450_000

@pytest.mark.mem_max("200 MiB")
def test_first():
    work()

@pytest.mark.parametrize("number", range(300))
def test_hungry(number):
    rows = [str(value) for value in range(20_000)]
    KEPT.append(rows[::100])

@pytest.mark.mem_max("200 MiB")
def test_last():
    work()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the mark can only be reset there")
def test_the_place_in_a_session_does_not_matter(session):
    """Before and after 300 hungry tests, the same test takes the same to 5 % or 512 KiB."""
    seen = session(HUNGRY, "-q")
    assert seen.code == 0, seen.text
    first, last = (
        int(seen.cases[name].properties["mem_peak_above_start_bytes"]) for name in ("test_first", "test_last")
    )
    assert first > 24 << 20
    assert abs(first - last) <= max(0.05 * first, 512 << 10)


COSTLY = """
import pytest

@pytest.mark.mem_constant(sizes="20k..320k", target="10M", budget="128 MiB")
def test_spends_its_budget(n):
    assert len([str(number) for number in range(n)]) == n
"""


@pytest.mark.slow
def test_a_forecast(session):
    """With a target and a budget, the failure says what the peak is there, and where the budget is spent."""
    seen = session(COSTLY)
    words = seen.words("test_spends_its_budget")
    assert "at n=10,000,000 the peak is" in words
    assert "of a budget of 128 MiB: it is spent at n=" in words


@pytest.mark.slow
def test_what_a_killed_test_printed_is_shown(seen):
    """The output of a process that had to be killed is there, to say how far it came."""
    assert "about to wait" in seen.text


AFTERWARDS = """
import threading
import pytest

@pytest.mark.mem_max("50 MiB")
def test_subtests(subtests):
    for number in range(3):
        with subtests.test(number=number):
            assert number != 1

@pytest.mark.mem_no_leaks(rounds=3, warmup=0)
def test_subtests_in_rounds(subtests):
    with subtests.test(number=1):
        assert 3 < 2

@pytest.mark.mem_max("50 MiB")
def test_thread():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()

@pytest.mark.mem_max("50 MiB")
def test_judged_by_a_hook():
    pass

@pytest.mark.mem_max("50 MiB")
def test_exits():
    pytest.exit("stop please")

def test_after_it():
    pass
"""
JUDGE = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and "hook" in item.name and report.passed:
        report.outcome, report.longrepr = "failed", "the hook's words"
    return report
"""


@pytest.mark.slow
@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_failures_after_the_call(session, tmp_path):
    """Subtests, threads and hooks fail a marked test as any other; pytest.exit() in it ends the session."""
    (tmp_path / "conftest.py").write_text(JUDGE)
    seen = session(AFTERWARDS, "-W", "error")
    for name, words in [
        ("test_subtests", "assert 1 != 1"),
        ("test_subtests_in_rounds", "assert 3 < 2"),
        ("test_thread", "ZeroDivisionError"),
        ("test_judged_by_a_hook", "the hook's words"),
    ]:
        assert seen.cases[name].outcome == "failed"
        assert words in seen.cases[name].text
    assert "of the test (number='1'), in a process of its own" in seen.text
    assert "Exit: stop please" in seen.text
    assert "test_after_it" not in seen.cases
