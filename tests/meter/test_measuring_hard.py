"""meter.measure where it is hard: ended by collections, signals, other tasks and forks, and when nothing can be read."""

import asyncio
import contextlib
import gc
import inspect
import json
import os
import subprocess
import sys
import textwrap
import threading
import tracemalloc

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.meter import collector, measuring

MIB = 1 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="the reference platform")


def fresh(code, **env):
    """Run `code` in a fresh interpreter; what it prints as JSON."""
    program = "import json, flatwater as fw\nMIB = 1 << 20\n" + textwrap.dedent(code)
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, **env}
    )
    return json.loads(out.stdout)


class Node:
    """Lives in a cycle, so that the collector ends what it holds."""

    def __init__(self, held):
        self.me = self
        self.held = held


def open_measure():
    with fw.measure("collected", gc=False, python=True):
        yield


def test_a_collection_inside_the_books_does_no_harm():
    """A generator that the collector closes while this thread changes the books ends its measure, and nobody waits."""

    def run():
        rows = open_measure()
        next(rows)
        Node(rows)
        del rows
        with collector.lock:
            gc.collect()

    gc.collect()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert not measuring._registry._open
    assert not [callback for callback in gc.callbacks if "_on_collection" in repr(callback)]


def test_collections_and_signals_may_come_anywhere():
    """Thousands of measures that the collector ends, beside a signal handler that measures too: all of them end."""
    left = fresh("""
        import faulthandler, gc, signal
        faulthandler.dump_traceback_later(60, exit=True)
        gc.set_threshold(20, 2, 2)
        def rows():
            with fw.measure("rows", gc=False): yield 1
        class Node: pass
        def handler(*_):
            with fw.measure("handler", gc=False): pass
            if going: signal.setitimer(signal.ITIMER_REAL, 0.0005)
        going = fw.measure  # what is imported when it is first named is not imported in a handler
        signal.signal(signal.SIGALRM, handler)
        handler()
        for _ in range(1_000):
            node = Node(); node.me = node; node.rows = rows(); next(node.rows); del node
        going = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.collect()
        from flatwater.meter import collector, measuring
        print(json.dumps([len(measuring._registry._open), collector._listeners, len(gc.callbacks)]))
    """)
    assert left == [0, 0, 0]


@linux
def test_without_a_descriptor_left_the_programs_own_error_comes_through():
    """What cannot be read is a doubt, not an error of the block's end; the next measure is whole again."""
    error, reading, nested, after = fresh("""
        import os, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        taken = []
        error = nested = ""
        try:
            with fw.measure("load") as reading:
                kept = bytearray(16 * MIB)
                try:
                    while True:
                        taken.append(os.open("/dev/null", os.O_RDONLY))
                finally:
                    with fw.measure("nested") as nested:
                        pass
        except OSError as raised:
            error = type(raised).__name__
        for descriptor in taken:
            os.close(descriptor)
        with fw.measure("after") as after:
            os.closerange(3, 40)  # as programs do that become daemons
        print(json.dumps([error, reading.to_dict(), nested.to_dict(), after.to_dict()]))
    """)
    assert error == "OSError"
    assert reading["done"]
    assert reading["retained"] > 15 * MIB
    assert reading["peak_kind"] == "sampled"
    assert reading["peak_rss"] > 16 * MIB
    assert "could not be read" in reading["doubt"]
    assert "could not be read" in nested["doubt"]
    assert (after["doubt"], after["peak_kind"], after["overlapped"]) == ("", "exact", False)


def test_a_start_that_fails_leaves_nothing_open(monkeypatch):
    """Whatever breaks at the start, no window, no tracing and no callback stays."""

    def broken():
        raise errors.BrokenError("nothing can be read.")

    monkeypatch.setattr(measuring._registry, "sizes", broken)
    measured = fw.measure("broken", gc=False, python=True)
    with pytest.raises(errors.BrokenError), measured:
        pass
    assert not measuring._registry._open
    assert not measured._open
    assert not tracemalloc.is_tracing()
    assert not [callback for callback in gc.callbacks if "_on_collection" in repr(callback)]


@linux
def test_the_child_of_a_fork_doubts_its_parents_measure():
    """It cannot know the peak before the fork, and says so instead of calling nothing exact."""
    child, parent = fresh("""
        import os, sys
        out, into = os.pipe()
        with fw.measure("parent") as reading:
            spike = bytearray(16 * MIB)
            pid = os.fork()
            if not pid:
                more = bytearray(32 * MIB)
                del more
        if not pid:
            os.write(into, json.dumps(reading.to_dict()).encode())
            os._exit(0)
        os.waitpid(pid, 0)
        print(json.dumps([json.loads(os.read(out, 65536)), reading.to_dict()]))
    """)
    assert "forked" in child["doubt"]
    assert child["peak_kind"] == "sampled"
    assert child["peak_rss"] > 48 * MIB
    assert child["cpu_s"] >= 0
    assert (parent["doubt"], parent["peak_kind"]) == ("", "exact")


def test_one_object_in_several_tasks_and_generators():
    """Who leaves gets the reading of what it entered itself, in whatever order they end."""
    measured = fw.measure("shared", gc=False)
    order = []

    async def task(number, mine, before, *, is_stack):
        await before.wait()
        if is_stack:  # enters and leaves in functions of its own
            with contextlib.ExitStack() as stack:
                reading = stack.enter_context(measured)
                await mine.wait()
        else:
            with measured as reading:
                await mine.wait()
        order.append((number, reading.done))

    async def scenario(*, is_stack):
        begin = asyncio.Event()
        ends = [asyncio.Event() for _ in range(3)]
        tasks = [asyncio.create_task(task(number, end, begin, is_stack=is_stack)) for number, end in enumerate(ends)]
        begin.set()
        await asyncio.sleep(0)
        for number in (0, 2, 1):
            ends[number].set()
            await tasks[number]

    for is_stack in (False, True):
        order.clear()
        asyncio.run(scenario(is_stack=is_stack))
        assert order == [(0, True), (2, True), (1, True)]

    def generator():
        with measured as reading:
            yield reading
        yield reading

    first, second = generator(), generator()
    with measured as around:
        one, two = next(first), next(second)
        next(first)
        assert (one.done, two.done, around.done) == (True, False, False)
    assert (two.done, around.done) == (False, True)
    second.close()
    assert two.done
    assert not measured._open


def test_an_asynchronous_generator_behaves_as_without_it():
    """What is sent, thrown and closed goes to the one inside, whose end is over when aclose returns."""
    happened = []

    async def plain():
        got = "nothing"
        try:
            while True:
                try:
                    got = yield got
                except KeyError as error:
                    got = f"caught {error}"
                if got == "end":
                    return
        finally:
            await asyncio.sleep(0)
            happened.append("closed")

    async def use(function):
        happened.clear()
        rows = function()
        seen = [await anext(rows), await rows.asend("sent"), await rows.athrow(KeyError("k"))]
        await rows.aclose()
        seen += happened
        rows = function()
        await anext(rows)
        try:
            await rows.asend("end")
        except StopAsyncIteration:
            seen.append("stopped")
        rows = function()
        await anext(rows)
        try:
            await rows.athrow(ValueError("through"))
        except ValueError as error:
            seen.append(str(error))
        return seen + happened

    decorated = fw.measure("plain", gc=False)(plain)
    measured = fw.measure("around", gc=False)
    expected = asyncio.run(use(plain))
    assert asyncio.run(use(decorated)) == expected
    assert asyncio.run(use(lambda: measured(plain()))) == expected
    assert [reading.done for reading in decorated.readings] == [True] * 3
    assert inspect.isasyncgenfunction(decorated)


def test_an_object_whose_call_is_a_coroutine():
    """It is measured until the coroutine returns."""

    class Answer:
        async def __call__(self):
            await asyncio.sleep(0.02)
            return 42

    answer = fw.measure("answer", gc=False)(Answer())
    assert asyncio.run(answer()) == 42
    assert answer.readings[0].wall_s > 0.015
    assert inspect.iscoroutinefunction(answer)
