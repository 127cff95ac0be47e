"""proof.leaks.rounds: round trips, and what an action may not be."""

from __future__ import annotations

import asyncio
import functools
import io
import os
import signal
import subprocess
import sys

import pytest

from flatwater import errors
from flatwater.proof.leaks.rounds import ActionFailed, Rounds, check, name_of


def test_the_action_then_the_way_back():
    """Each round calls both, in that order."""
    calls = []
    with Rounds(lambda: calls.append("there"), lambda: calls.append("back")) as trips:
        trips.run()
        trips.run()
    assert calls == ["there", "back"] * 2
    assert trips.loop is None


def test_coroutines_share_one_loop():
    """All rounds run in one event loop, a plain undo beside an async action too; what stays is cancelled at the end."""
    loops, tasks = set(), []

    async def action():
        loops.add(asyncio.get_running_loop())
        tasks.append(asyncio.create_task(asyncio.sleep(3600)))

    def undo():
        loops.add(asyncio.get_running_loop())

    with Rounds(action, undo) as trips:
        trips.run()
        trips.run()
        assert len(loops) == 1
        assert not any(task.done() for task in tasks)
    assert all(task.cancelled() for task in tasks)


def test_a_failed_action_is_not_taken_back():
    """The error names the action, has the original as its cause, and undo is not called."""
    undone = []

    def action():
        raise ValueError("no such table\nand more")

    with (
        Rounds(action, lambda: undone.append(1)) as trips,
        pytest.raises(ActionFailed, match="no such table") as caught,
    ):
        trips.run()
    assert isinstance(caught.value.__cause__, ValueError)
    assert "test_a_failed_action_is_not_taken_back" in str(caught.value)
    assert undone == []


def test_a_failed_undo_and_an_exit_are_told():
    """An undo that raises, a sys.exit and a failing coroutine are failed actions too; MemoryError and Ctrl-C stay."""

    async def fails():
        raise OSError("gone")

    with (
        Rounds(lambda: None, lambda: sys.exit(3)) as trips,
        pytest.raises(ActionFailed, match=r"undo .* SystemExit: 3"),
    ):
        trips.run()
    with Rounds(fails, None) as trips, pytest.raises(ActionFailed, match="gone"):
        trips.run()
    for error in (MemoryError, KeyboardInterrupt):

        def stops(error=error):
            raise error

        with Rounds(stops, None) as trips, pytest.raises(error):
            trips.run()


class Outcome(BaseException):
    """As test runners have them."""


class UnprintableError(Exception):
    def __str__(self):
        raise TypeError("no text")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Outcome("skipped"), "Outcome: skipped"),
        (GeneratorExit(), "GeneratorExit"),
        (UnprintableError(), "cannot even be"),
    ],
)
def test_whatever_is_raised_is_a_failed_action(error, words):
    """Also what is no Exception, and what has no text; Ctrl-C alone is none."""

    def action():
        raise error

    async def coroutine():
        raise error

    for failing in (action, coroutine):
        with Rounds(failing, None) as trips, pytest.raises(ActionFailed, match=words) as caught:
            trips.run()
        assert caught.value.__cause__ is error


def test_a_cancelled_action_has_failed():
    """A coroutine that raises CancelledError, or cancels its own task, is told; Ctrl-C in one stays Ctrl-C."""

    async def raises():
        raise asyncio.CancelledError

    async def cancels():
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    for action in (raises, cancels):
        with Rounds(action, None) as trips, pytest.raises(ActionFailed, match="CancelledError"):
            trips.run()

    async def interrupted():
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(3600)

    with Rounds(interrupted, None) as trips, pytest.raises(KeyboardInterrupt):
        trips.run()


def generator():
    yield 1


async def async_generator():
    yield 1


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (5, "cannot be called"),
        (generator, "generator function"),
        (functools.partial(async_generator), "generator function"),
        (lambda x: x, "without arguments"),
    ],
)
def test_what_cannot_be_an_action(action, words):
    """What cannot be called, needs arguments or does nothing when called is refused before anything runs."""
    with pytest.raises(errors.UsageError, match=words):
        check(action, "action")


def test_what_returns_unrun_lines():
    """A function that returns a coroutine or a generator did nothing, and that is said."""

    async def inner():
        return 1

    for action in (lambda: inner(), lambda: generator()):  # noqa: PLW0108 - a lambda that hands on what is not run
        with Rounds(action, None) as trips, pytest.raises(errors.UsageError, match="ran none of its lines"):
            trips.run()


def test_a_running_loop_is_refused():
    """An async action inside a running event loop is refused with the way out."""

    async def main():
        with Rounds(main, None):
            pass

    with pytest.raises(errors.UsageError, match="to_thread"):
        asyncio.run(main())


def test_objects_that_are_called():
    """A partial, a bound method and an object with an async __call__ are actions."""

    class Job:
        ran = 0

        async def __call__(self):
            self.ran += 1

        def step(self):
            self.ran += 1

    job = Job()
    for action in (job, job.step, functools.partial(job.step)):
        with Rounds(action, None) as trips:
            trips.run()
    assert job.ran == 3
    assert name_of(functools.partial(job.step)).endswith("Job.step")


def test_a_forked_child_does_not_go_on(tmp_path):
    """A child that the action forked, and that returns from it, ends there."""
    code = (
        "import os\nfrom flatwater.proof.leaks.rounds import Rounds\n"
        "def forks():\n    if os.fork():\n        print(os.waitstatus_to_exitcode(os.wait()[1]))\n"
        "with Rounds(forks, None) as trips:\n    trips.run()\nprint('on', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["70", "on"]
    assert "forked" in done.stderr
    assert os.getpid()


def test_what_is_printed_is_no_growth(monkeypatch):
    """Lines that wait in the buffer of a standard stream are written at the end of each round."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="utf-8", write_through=False)
    monkeypatch.setattr(sys, "stdout", stream)
    with Rounds(lambda: print("loading"), None) as rounds:
        rounds.run()
        rounds.run()
    assert written.getvalue() == b"loading\n" * 2
