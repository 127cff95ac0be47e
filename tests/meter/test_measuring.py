"""meter.measure: what the process did meanwhile, in fresh processes where memory reused before would hide it."""

import asyncio
import gc
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
from flatwater.meter import measure as measured_class
from flatwater.meter import probe

MIB = 1 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="the reference platform")


def fresh(code, **env):
    """Run `code` in a fresh interpreter; what it prints as JSON."""
    program = "import json, flatwater as fw\nMIB = 1 << 20\n" + textwrap.dedent(code)
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, **env}
    )
    return json.loads(out.stdout)


@linux
def test_a_block_knows_its_peak_and_what_it_kept():
    """A spike of 64 MiB shows in the peak, and what stays of it in what is retained."""
    reading = fresh("""
        with fw.measure("load") as reading:
            spike = bytearray(64 * MIB)
            del spike
            kept = bytearray(16 * MIB)
        print(json.dumps(reading.to_dict()))
    """)
    assert reading["done"]
    assert reading["peak_kind"] == "exact"
    assert 63 * MIB < reading["delta"] < 70 * MIB
    assert 15 * MIB < reading["retained"] < 18 * MIB
    assert reading["external"] > 15 * MIB  # a large object lies outside the arenas
    assert reading["peak_rss"] > reading["rss_anon"] > 16 * MIB
    assert reading["doubt"] == ""


@linux
def test_small_python_objects_are_not_external():
    """What Python's own allocator took is not called native."""
    reading = fresh("""
        with fw.measure("load") as reading:
            kept = [str(number) for number in range(400_000)]
        print(json.dumps(reading.to_dict()))
    """)
    assert reading["retained"] > 20 * MIB
    assert reading["external"] < 8 * MIB  # the list of pointers is one large block
    assert reading["python_blocks"] > 390_000


@linux
def test_native_memory_is_external_even_when_python_traces():
    """With python=True external is what tracemalloc did not see, and the lines that hold the rest are named."""
    reading = fresh("""
        import ctypes
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        with fw.measure("load", python=True) as reading:
            block = libc.malloc(ctypes.c_size_t(32 * MIB))
            ctypes.memset(ctypes.c_void_p(block), 1, 32 * MIB)
            kept = bytearray(8 * MIB)
        import tracemalloc
        assert not tracemalloc.is_tracing()
        print(json.dumps(reading.to_dict()))
    """)
    assert 31 * MIB < reading["external"] < 36 * MIB
    assert reading["python_peak"] > 8 * MIB
    assert reading["top"][0]["place"] == "<string>:10"
    assert reading["top"][0]["bytes"] > 8 * MIB - 1024


@linux
def test_the_tracers_own_memory_is_not_external():
    """Small objects alone leave next to nothing outside Python's allocator, however much the tracer takes for them."""
    reading = fresh("""
        with fw.measure("load", python=True) as reading:
            kept = [{"n": number} for number in range(40_000)]
        print(json.dumps(reading.to_dict()))
    """)
    assert reading["retained"] > 18 * MIB  # the tracer is in it
    assert abs(reading["external"]) < 3 * MIB


def test_a_nested_measure_leaves_the_python_peak_of_the_outer_one():
    """The peak starts over for the inner one alone."""
    with fw.measure("outer", gc=False, python=True) as outer:
        spike = bytearray(20 * MIB)
        del spike
        with fw.measure("inner", gc=False, python=True) as inner:
            pass
    assert outer.python_peak > 20 * MIB
    assert inner.python_peak < 5 * MIB


def test_tracing_that_was_stopped_inside_is_a_doubt():
    """The block's end does not raise, and later measures trace again."""
    with fw.measure("stopped", gc=False, python=True) as reading:
        tracemalloc.stop()
    assert reading.done
    assert "stopped or cleared" in reading.doubt
    assert reading.python_peak == -1
    with fw.measure("after", gc=False, python=True) as after:
        kept = bytearray(MIB)
    assert after.python_peak > len(kept)
    assert not after.doubt
    assert not tracemalloc.is_tracing()


@linux
def test_nested_measures_each_know_their_own_peak():
    """The inner one resets the high-water mark; the outer one does not forget the spike before it."""
    outer, inner, after = fresh("""
        with fw.measure("outer") as outer:
            spike = bytearray(80 * MIB); del spike
            with fw.measure("inner") as inner:
                small = bytearray(10 * MIB); del small
            with fw.measure("after") as after:
                pass
        print(json.dumps([outer.to_dict(), inner.to_dict(), after.to_dict()]))
    """)
    assert outer["delta"] > 79 * MIB
    assert 9 * MIB < inner["delta"] < 14 * MIB
    assert after["delta"] < 2 * MIB
    assert not any(reading["overlapped"] for reading in (outer, inner, after))


def test_overlapping_measures_are_flagged():
    """Measures of two threads at once, or closed crosswise, include each other's work and say so."""
    inside, go_on = threading.Event(), threading.Event()
    readings = []

    def other():
        with fw.measure("other", gc=False) as reading:
            inside.set()
            go_on.wait(30)
        readings.append(reading)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(30)
    with fw.measure("mine", gc=False) as mine:
        pass
    go_on.set()
    thread.join(30)
    assert mine.overlapped
    assert readings[0].overlapped
    assert "another measure ran at the same time" in str(mine)


def test_tasks_that_interleave_are_flagged():
    """Two coroutines of one thread that end in the order they began overlap; nested ones do not."""

    async def first(step):
        with fw.measure("first", gc=False) as reading:
            await step.wait()
        return reading

    async def second(step):
        with fw.measure("second", gc=False) as reading:
            step.set()
            await asyncio.sleep(0.01)
        return reading

    async def scenario():
        step = asyncio.Event()
        return await asyncio.gather(first(step), second(step))

    one, two = asyncio.run(scenario())
    assert one.overlapped
    assert two.overlapped


def test_a_decorated_function_keeps_its_readings():
    """Each call is a measure of its own; the last hundred are kept."""

    @fw.measure("sum", gc=False)
    def total(count):
        """Adds up."""
        return sum(range(count))

    assert total.__doc__ == "Adds up."
    assert [total(count) for count in (1, 10, 100)] == [0, 45, 4950]
    assert [reading.done for reading in total.readings] == [True] * 3
    for _ in range(150):
        total(1)
    assert len(total.readings) == fw.limits.READINGS_KEPT_MAX


def test_recursion_and_errors():
    """A function that calls itself measures each call, and an exception passes through with the reading filled in."""

    @fw.measure("down", gc=False)
    def down(depth):
        if not depth:
            raise ArithmeticError("bottom")
        down(depth - 1)

    with pytest.raises(ArithmeticError, match="bottom"):
        down(3)
    assert len(down.readings) == 4
    assert all(reading.done for reading in down.readings)


def test_coroutines_and_generators_are_measured_while_they_run():
    """A decorated generator is measured from its first item to its last, a coroutine until it returns."""

    @fw.measure("rows", gc=False)
    def rows():
        sent = yield 1
        yield sent
        return "end"

    @fw.measure("answer", gc=False)
    async def answer():
        await asyncio.sleep(0)
        return 42

    @fw.measure("ticks", gc=False)
    async def ticks():
        yield 1
        yield 2

    generator = rows()
    assert len(rows.readings) == 0
    assert next(generator) == 1
    assert not rows.readings[0].done
    assert generator.send("x") == "x"
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "end"
    assert rows.readings[0].done

    async def scenario():
        return await answer(), [tick async for tick in ticks()]

    assert asyncio.run(scenario()) == (42, [1, 2])
    assert answer.readings[0].done
    assert ticks.readings[0].done


def test_around_an_iterator():
    """Items pass through, and the reading ends with the last of them, or when the loop is left."""
    measured = fw.measure("scan", gc=False)
    assert list(measured(range(5))) == [0, 1, 2, 3, 4]
    assert measured.reading.done
    scan = measured(range(5))
    assert next(scan) == 0
    assert not measured.reading.done
    scan.close()
    assert measured.reading.done

    async def ticks():
        yield 1

    async def scenario():
        return [tick async for tick in measured(ticks())]

    assert asyncio.run(scenario()) == [1]


@pytest.mark.parametrize("name", ["", None, 7, print])
def test_a_measure_is_named(name):
    """A nameless measure is refused with the way to write it."""
    with pytest.raises(errors.UsageError, match=r"fw\.measure"):
        fw.measure(name)


def test_what_cannot_be_measured_is_refused():
    """Neither a function nor an iterable."""
    with pytest.raises(errors.UsageError, match="neither"):
        fw.measure("x")(7)


def test_without_clear_refs_the_peak_is_sampled_and_says_so(monkeypatch):
    """Where the high-water mark cannot be reset, an old peak is not taken for this one's."""
    monkeypatch.setattr(probe, "reset_peak_rss", lambda: False)
    with fw.measure("load", gc=False) as reading:
        pass
    assert reading.peak_kind == "sampled"
    assert "cannot be reset" in reading.doubt
    assert reading.peak_rss <= fw.usage().rss_peak


@linux
def test_peak_anon_is_sampled_meanwhile():
    """A spike that lasts until the next sample is seen by the sampling thread."""
    reading = fresh("""
        import time
        from flatwater.meter import measuring
        with fw.measure("load") as reading:
            spike = bytearray(32 * MIB)
            [window] = measuring._registry._open
            while window.anon_peak < len(spike):  # on a busy machine the thread may come late
                time.sleep(0.005)
            del spike
        print(json.dumps(reading.to_dict()))
    """)
    assert reading["peak_anon"] > 32 * MIB
    assert reading["retained"] < 4 * MIB


def test_pauses_are_counted_by_generation():
    """Collections that the program ran into count with their time; those of the measure itself do not."""
    gc.disable()  # or Python may begin one of its own meanwhile, which counts too
    try:
        with fw.measure("pauses") as reading:
            gc.collect(0)
            gc.collect(2)
    finally:
        gc.enable()
    assert reading.gc_collections == (1, 0, 1)
    assert reading.gc_pause_s[2] > 0
    assert not [callback for callback in gc.callbacks if "_on_collection" in repr(callback)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_fork_inside_a_measure():
    """The child of a fork leaves its parent's measure without harm and can measure for itself."""
    with fw.measure("parent", gc=False) as reading:
        child = os.fork()
        if not child:
            with fw.measure("child", gc=False) as own:
                pass
            os._exit(0 if own.done else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert reading.done


def test_their_number_is_bounded(monkeypatch):
    """Iterators that are never exhausted are found, and nothing stays registered for the one refused."""
    monkeypatch.setattr(fw.limits, "MEASURES_MAX", 3)
    scans = [fw.measure("scan", gc=False)(range(5)) for _ in range(4)]
    for scan in scans[:3]:
        next(scan)
    with pytest.raises(errors.LimitReached, match="exhaust or close"):
        next(scans[3])
    for scan in scans:
        scan.close()
    with fw.measure("again", gc=False):
        pass
    assert not [callback for callback in gc.callbacks if "_on_collection" in repr(callback)]
    assert measured_class is fw.measure
