import contextlib
import dis
import gc
import inspect
import signal
import sys
import threading
import time

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.budget.ledger import Ledger
from flatwater.budget.reservation import Reservation

SHORT_S = 0.15  # of each loop; the slow variants run for longer
BUSY = [SHORT_S, pytest.param(1.5, marks=pytest.mark.slow)]
SIGNAL = getattr(signal, "SIGUSR1", None)
needs_signals = pytest.mark.skipif(SIGNAL is None, reason="no user signals on this platform")


@contextlib.contextmanager
def signals(handler, pause_s=0.0002):
    """The handler runs in this thread, again and again, at moments that nobody chose."""
    target = threading.get_ident()
    stop = threading.Event()
    handled = threading.Event()

    def on_signal(_number, frame):
        try:
            handler(frame)
        finally:
            handled.set()

    def send():
        while not stop.wait(pause_s):
            handled.clear()
            signal.pthread_kill(target, SIGNAL)
            handled.wait(1)

    before = signal.signal(SIGNAL, on_signal)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        signal.signal(SIGNAL, before)


@pytest.mark.parametrize("seconds", BUSY)
def test_finalizers_release(seconds):
    """Objects in cycles that release in `__del__` are collected in the middle of reserving, and every byte comes back."""
    budget = fw.Budget("1 GiB")

    class Buffer:
        def __init__(self):
            self.held = budget.reserve(10, "buffer")
            self.me = self

        def __del__(self):
            self.held.release()

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        Buffer()
    gc.collect()
    assert budget.held == 0
    assert budget.holders()[0][:2] == ("buffer", 0)


@pytest.mark.parametrize("seconds", BUSY)
def test_collected_generators_release(seconds):
    """A generator that is collected inside its `with` releases inside any call of the budget."""
    budget = fw.Budget("1 GiB")

    def holding(cycle):
        with budget.reserve(7, "generator"):
            yield cycle

    def drop_one():
        cycle = []
        cycle.append(holding(cycle))
        next(cycle[0])

    before = gc.get_threshold()
    gc.set_threshold(50)
    try:
        end, n = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            n += 1
            drop_one()
            budget.reserve(3, f"new{n}").release()
            budget.try_reserve(1, "tried").release()
            if n % 50 == 0:
                budget.holders()
                budget.explain()
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert budget.held == sum(now for _, now, _ in budget.holders()) == 0


def test_a_finalizer_may_release_what_was_noted_as_dropped():
    """Of one piece of garbage, the reservation may be finalized first: releasing it afterwards counts once."""
    budget = fw.Budget(100)
    held = budget.reserve(10, "a")
    held.__del__()
    held.release()
    assert (budget.held, budget.explain().orphans) == (0, (0, 0))


@needs_signals
@pytest.mark.parametrize("seconds", BUSY)
@pytest.mark.parametrize("limit", ["1 GiB", 100])
def test_signal_handlers_ask_and_release(seconds, limit):
    """A handler that reads, reserves and releases at any moment neither hangs nor loses a byte, also where others wait."""
    budget = fw.Budget(limit)
    budget.explain()  # imports what it needs
    kept, torn, calls = [], [], [0]

    def handler(_frame):
        calls[0] += 1
        table = budget.explain()
        if sum(line.now for line in table.lines) != table.held or len(budget.holders()) < len(table.lines):
            torn.append(table)
        if kept:
            kept.pop().release()
        else:
            got = budget.try_reserve(5, f"handler{calls[0] % 100}")
            kept.extend([got] if got else [])

    stop = threading.Event()

    def wait():
        while not stop.is_set():
            budget.reserve(60, "waiter", wait_s=30).release()

    threads = [threading.Thread(target=wait) for _ in range(2)] if limit == 100 else []
    for thread in threads:
        thread.start()
    with signals(handler):
        end, n = time.monotonic() + seconds, 0
        while time.monotonic() < end or not calls[0]:
            n += 1
            with contextlib.suppress(errors.BudgetExceeded):
                budget.reserve(10, "main").release()
                with budget.reserve(1, f"main{n % 100}") as reservation:
                    reservation.resize(2)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert calls[0] > 0
    assert torn == []
    assert not any(thread.is_alive() for thread in threads)
    assert budget.held == sum(reservation.bytes for reservation in kept)
    assert (budget.waiting, budget._owners) == (0, {})


@needs_signals
def test_a_handler_that_raises_leaves_the_lock_to_others():
    """Ctrl-C at any moment of reserving and releasing: another thread still gets its bytes."""
    budget = fw.Budget("1 GiB")
    at_work = (Budget.reserve.__code__, Reservation.release.__code__)
    stopped = 0

    def handler(frame):
        if frame.f_code in at_work:
            raise KeyboardInterrupt

    with signals(handler):
        end = time.monotonic() + SHORT_S
        while time.monotonic() < end or not stopped:
            try:
                budget.reserve(10, "main").release()
            except KeyboardInterrupt:
                stopped += 1
    answers = []
    thread = threading.Thread(target=lambda: answers.append(budget.try_reserve(10, "other")), daemon=True)
    thread.start()
    thread.join(10)
    assert stopped
    assert [reservation.bytes for reservation in answers] == [10]
    assert budget.held == 10


def test_what_comes_back_inside_serves_those_who_wait():
    """A release in the middle of the thread's own work is seen by those who wait when that work ends."""
    budget = fw.Budget(100)
    held = budget.reserve(100, "a")
    served = threading.Event()
    thread = threading.Thread(target=lambda: (budget.reserve(60, "b", wait_s=30).release(), served.set()))
    thread.start()
    while not budget.waiting:
        time.sleep(0.001)
    with budget._lock:  # as a method of the budget would, when a finalizer interrupts it
        held.release()
        assert not served.is_set()
        assert budget.waiting == 1
    budget.holders()
    thread.join(30)
    assert served.is_set()


def test_nobody_waits_or_sheds_inside():
    """From inside, a reservation that does not fit is refused at once: others could not release, and shedders are foreign."""
    budget = fw.Budget(100)
    asked = []
    budget.on_pressure(lambda wanted: asked.append(wanted) or 0)
    with budget.reserve(100, "a"), budget._lock:
        assert budget.try_reserve(1, "b") is None
        with pytest.raises(errors.BudgetExceeded, match="signal handler"):
            budget.reserve(1, "b", wait_s=60)
        assert budget.shed(10) == 0
    assert asked == []


# What follows is what makes the above hold at every moment, not only at those that a test met.

_MAY_INTERRUPT = (
    "CALL",
    "PRECALL",
    "RESUME",
    "JUMP_BACKWARD",
    "FOR_ITER",
    "SEND",
    "YIELD",
    "IMPORT",
    "BUILD",
    "LIST",
    "MAKE",
)


def _stretch(function, first, last):
    """Names of the instructions between the calls in the lines that contain `first` and `last`."""
    lines, start = inspect.getsourcelines(function)
    begin = next(n for n, line in enumerate(lines, start) if first in line)
    end = next(n for n, line in enumerate(lines, start) if last in line and n > begin)
    line, names = 0, []
    for instruction in dis.get_instructions(function):
        starts = instruction.positions.lineno
        line = starts or line
        if begin < line < end:
            names.append((line, instruction.opname))
    return names


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="it is about CPython's instructions")
@pytest.mark.parametrize(
    ("function", "first", "last"),
    [
        (Budget.reserve, "lock.acquire()", "except KeyError"),
        (Reservation.release, "lock.acquire()", "except BaseException"),
        (Ledger._book, "count = got.bytes", "return True"),
        (Ledger._take_back, "del self._orphans[0]", "return count"),
    ],
)
def test_figures_that_belong_together_change_without_a_call(function, first, last):
    """Between the lock and the last store stand only instructions at which CPython runs nothing else in this thread."""
    names = _stretch(function, first, last)
    assert len(names) > 20
    assert [found for found in names if found[1].startswith(_MAY_INTERRUPT)] == []
