"""testing.points: what a point says where there is no figure, and that its place in a session does not matter."""

from __future__ import annotations

import sys

import pytest

pytestmark = pytest.mark.timeout(900)  # sessions with many processes, on a busy machine too

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

@pytest.mark.mem_max("16 MiB", timeout="3s")
def test_waits_for_ever():
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
        ("test_waits_for_ever", "did not end in 3.0 s and was killed"),
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
    rows = [str(number) * 3 for number in range(150_000)]
    assert len(rows) == 150_000

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
    assert first > 8 << 20
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
