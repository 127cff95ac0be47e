import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import threading

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.budget.ledger import SHUT
from flatwater.budget.waiting import ThreadWaiter


def test_attention_is_paid_once_and_then_the_fast_path_is_back():
    """An orphan sends the next call the slow way; after it nothing is left to look at."""
    budget = fw.Budget(100)
    budget.reserve(10, "a")
    gc.collect()
    assert budget._attention
    budget.reserve(10, "b").release()
    assert not budget._attention
    assert budget.explain().orphans == (1, 10)


def test_waiters_keep_attention_until_the_last_is_served():
    """As long as somebody waits, every release looks at the queue."""
    budget = fw.Budget(100)
    first, second = budget.reserve(50, "a"), budget.reserve(50, "b")
    thread = threading.Thread(target=lambda: budget.reserve(100, "c", wait_s=30).release())
    thread.start()
    while not budget.waiting:
        pass
    first.release()
    assert budget._attention
    second.release()
    thread.join(30)
    assert not budget._attention
    assert budget.held == 0


def test_a_shut_ledger_has_room_for_nothing():
    """Closing is one comparison on the fast path: even no bytes do not fit."""
    budget = fw.Budget(100)
    budget.close()
    assert budget._room == SHUT
    assert budget._held + 0 > SHUT


def test_a_wait_in_vain_says_who_stood_before_it():
    """One that would have fitted, but for a larger waiter in front, reads so in its refusal."""
    budget = fw.Budget(10)
    stop = threading.Event()

    def wait_in_front():
        with contextlib.suppress(errors.ClosedError):
            budget.reserve(10, "large", wait_s=30)
        stop.set()

    with budget.reserve(1, "a"):
        thread = threading.Thread(target=wait_in_front)
        thread.start()
        _until(lambda: budget.waiting == 1)
        with pytest.raises(errors.BudgetExceeded, match="waited 10 ms behind 1 other"):
            budget.reserve(1, "small", wait_s=0.01)
        budget.close()
        thread.join(30)
    assert stop.is_set()


def test_a_refusal_is_of_one_moment(monkeypatch):
    """Bytes that come back just before the refusal are given; no refusal says that nothing is held where nothing fitted."""
    budget = fw.Budget(100)
    held = budget.reserve(60, "worker")
    before = fw.Budget._try

    def try_and_let_another_release(self, *args, **kwargs):
        got = before(self, *args, **kwargs)
        held.release()
        return got

    monkeypatch.setattr(fw.Budget, "_try", try_and_let_another_release)
    with budget.reserve(60, "here") as reservation:
        assert (reservation.bytes, budget.held) == (60, 60)


def test_an_exception_while_bytes_are_granted_gives_them_back(monkeypatch):
    """A signal handler that raises in the moment of the grant: nothing is held after it, and nothing is called an orphan."""
    budget = fw.Budget(100)
    held = budget.reserve(80, "first")

    def interrupted(_waiter, _seconds):
        held.release()  # grants
        assert budget.held == 60
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadWaiter, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        budget.reserve(60, "second", wait_s=30)
    gc.collect()
    assert (budget.held, budget.waiting, budget.explain().orphans) == (0, 0, (0, 0))


def test_who_holds_what_it_waited_for_may_not_wait_under_another_name():
    """The same thread or task, two names: it would wait for itself. Once it gave the first back it may wait again."""
    budget = fw.Budget(100)
    with budget.reserve(50, "a", wait_s=60):
        with pytest.raises(errors.HoldAndWait, match=r"this thread or task already holds.*Reserve once") as caught:
            budget.reserve(60, "b", wait_s=60)
        assert (caught.value.asked, caught.value.held) == (60, 50)

    async def scenario():
        async with await budget.areserve(50, "a", wait_s=60):
            with pytest.raises(errors.HoldAndWait, match="this thread or task"):
                await budget.areserve(60, "b", wait_s=60)

    asyncio.run(scenario())
    with budget.reserve(60, "c"), pytest.raises(errors.BudgetExceeded, match="waited"):
        budget.reserve(60, "b", wait_s=0.01)
    assert budget._owners == {}


def test_a_new_thread_is_not_taken_for_one_that_ended():
    """Threads whose idents are used again hold nothing of what their predecessors hold, and may wait."""
    budget = fw.Budget(10)
    got = []

    def produce():
        got.append(budget.reserve(5, "job", wait_s=30))

    for _ in range(2):
        thread = threading.Thread(target=produce)
        thread.start()
        thread.join(30)
    thread = threading.Thread(target=produce)
    thread.start()
    _until(lambda: budget.waiting == 1 or not thread.is_alive())
    got[0].release()
    thread.join(30)
    assert len(got) == 3
    assert budget.held == 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_use_after_fork_is_refused():
    """A child of a fork gets an error that names the parent, even where a thread held the lock; releasing is silent."""
    budget = fw.Budget(100, name="mine")
    held = budget.reserve(10, "a")
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def child():
        held.release()
        try:
            budget.reserve(1, "b")
        except errors.ClosedError as error:
            answers.put(str(error))
        fresh = fw.Budget(10)
        answers.put(fresh.reserve(10, "c").bytes)

    with budget._lock:  # as a thread of the parent would, at the moment of the fork
        process = context.Process(target=child)
        process.start()
    process.join(30)
    assert process.exitcode == 0
    assert f"belongs to process {os.getpid()}" in answers.get()
    assert answers.get() == 10
    assert budget.held == 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_nothing_of_a_budget_is_used_after_a_fork():
    """Shedding, registering and the gate are refused like reserving; a share and what it holds vanish in silence."""
    budget = fw.Budget("1 MiB", name="mine")
    share = budget.share("sh", "64 KiB")
    kept = [share.reserve(10, "a"), budget.reserve(10, "b")]
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def child():
        said = []
        logging.getLogger("flatwater.budget").warning = lambda *args: said.append(args)
        uses = [
            lambda: budget.shed(5),
            lambda: budget.on_pressure(lambda _wanted: 0),
            lambda: budget.gate.pause("x"),
            lambda: share.gate.wait(0),
            lambda: asyncio.run(budget.gate.wait_async(0)),
            lambda: budget.share("t", 1),
            lambda: budget.try_reserve(1, "c"),
        ]
        refused = 0
        for use in uses:
            try:
                use()
            except errors.ClosedError as error:
                refused += f"process {os.getppid()}" in str(error)
        kept.clear()
        share.close()
        gc.collect()
        answers.put((refused, len(uses), len(said) + budget.explain().orphans[0] + share.explain().orphans[0]))

    process = context.Process(target=child)
    process.start()
    process.join(30)
    assert answers.get() == (7, 7, 0)
    assert budget.held == (64 << 10) + 10
    for reservation in kept:
        reservation.release()


def _until(condition):
    """Other threads get there; the test's own time limit is the bound."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.001)
