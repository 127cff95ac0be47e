"""The worker's side of a pmap, called here: parts, failures, what cannot be sent."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading

import cloudpickle
import pytest

from flatwater.pipeline import serving
from flatwater.pipeline.arena import Arena, Message
from flatwater.pipeline.pieces import Piece

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


@pytest.fixture
def serve(monkeypatch):
    """A function that has a function called for items, and gives results and failures."""
    for name in serving._THREADS:
        monkeypatch.setenv(name, "3")  # so that it is put back
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(serving, "_servers", [])
    asks, answers = Arena.made(), Arena.made()

    def called(function, items, *, goes_on=True, result_bytes=10**9):
        serving.asked("prepare")(cloudpickle.dumps(function), asks.descriptor, answers.descriptor)
        answer = serving.asked("serve")(tuple(asks.put(items)), goes_on, result_bytes)
        results = answers.take(Message(*answer.message)) if answer.message else None
        return results, [(at, kind, pickle.loads(error)[1]) for at, kind, error in answer.failures]

    yield called
    asks.close()
    answers.close()


def test_what_has_made_enough_leaves_the_rest(serve):
    """The first item is done in any case."""
    assert len(serve(bytes, [1000] * 10, result_bytes=2500)[0]) == 3
    assert len(serve(bytes, [1000] * 10, result_bytes=0)[0]) == 1


def test_results_in_their_order(serve):
    """Of all items; of those in front of the first that failed, if nothing goes on."""
    assert serve(lambda n: n * n, list(range(100))) == ([n * n for n in range(100)], [])
    assert serve(lambda n: 1 // n, [1, 0, 1, 0]) == ([1, 1], [(at, "raised", "ZeroDivisionError: integer division or modulo by zero") for at in (1, 3)])  # fmt: skip
    results, failures = serve(lambda n: 1 // n, [1, 0, 1, 0], goes_on=False)
    assert (results, len(failures)) == ([1], 1)


def test_results_that_cannot_be_sent(serve):
    """Their items have failed, beside those that failed before."""

    def function(n):
        if n == 1:
            raise ValueError
        return threading.Lock() if n == 3 else n

    results, failures = serve(function, list(range(5)))
    assert results == [0, 2, 4]
    assert [(at, kind) for at, kind, _line in failures] == [(1, "raised"), (3, "unsendable")]


def test_items_that_cannot_be_read(serve):
    """The part as a whole is refused."""

    class Odd:
        def __reduce__(self):
            return int, ("no number",)

    results, failures = serve(str, [1, Odd()])
    assert results is None
    assert [(at, kind) for at, kind, _line in failures] == [(-1, "unreadable")]


def test_pieces_are_read_here(serve, tmp_path):
    """Their bytes are the items; a file that is not there is no failure of the function."""
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    number = path.stat().st_ino
    pieces = [Piece(str(path), 2, 3, number), Piece(str(tmp_path / "nothing"), 0, 1, 1), Piece(str(path), 9, 1, number)]
    results, failures = serve(bytes.decode, pieces)
    assert results == ["234", "9"]
    assert [(at, kind) for at, kind, _line in failures] == [(1, "broken")]


def test_memory_that_is_spent_is_the_process_s_to_tell(serve):
    """MemoryError passes through."""

    def function(n):
        raise MemoryError

    with pytest.raises(MemoryError):
        serve(function, [1])


def test_a_process_that_was_not_prepared(monkeypatch):
    """It says so: another one was here before."""
    monkeypatch.setattr(serving, "_servers", [])
    assert serving.serve((), True, 10**9) is None


def test_libraries_start_no_threads_of_their_own(serve):
    """Unless somebody said how many."""
    assert serve(lambda name: os.environ[name], list(serving._THREADS)) == (["1", "3", "3"], [])


def test_it_imports_next_to_nothing():
    """A worker's start is paid for by every run."""
    code = "import sys; before = set(sys.modules); import flatwater.pipeline.serving; print(*set(sys.modules) - before)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"subprocess", "asyncio", "msgspec", "threading", "cloudpickle", "concurrent.futures"} & set(found)
