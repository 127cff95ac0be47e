import asyncio
import copy
import gc
import logging
import pickle
import threading

import pytest

import flatwater as fw
from flatwater import errors

MIB = 1 << 20


@pytest.mark.parametrize("limit", [0, -1, "0", "12 XB", "", None, True, float("nan"), float("inf"), [], "1e400 MiB"])
def test_a_limit_that_is_no_size_is_refused(limit):
    """A budget of nothing, or of no size at all, is a mistake and is named so."""
    with pytest.raises(errors.UsageError, match="limit"):
        fw.Budget(limit)


@pytest.mark.parametrize("name", ["", None, 7])
def test_a_budget_has_a_name(name):
    """A name that says nothing is refused."""
    with pytest.raises(errors.UsageError, match="name"):
        fw.Budget("1 MiB", name=name)


def test_a_refusal_says_asked_held_limit_holders_and_what_to_do():
    """BudgetExceeded carries every figure, the largest holders first."""
    budget = fw.Budget("64 MiB")
    kept = [budget.reserve("40 MiB", "store.cache"), budget.reserve("21 MiB", "flow.pmap")]
    with pytest.raises(errors.BudgetExceeded) as caught:
        budget.reserve("4 MiB", "flow.pmap")
    error = caught.value
    assert (error.asked, error.held, error.limit) == (4 * MIB, 61 * MIB, 64 * MIB)
    assert error.holders == (("store.cache", 40 * MIB), ("flow.pmap", 21 * MIB))
    assert error.hint
    assert "refused 4.0 MiB for 'flow.pmap': 61.0 MiB of 64.0 MiB held (store.cache 40.0 MiB" in str(error)
    assert pickle.loads(pickle.dumps(error)).holders == error.holders
    assert budget.held == sum(reservation.bytes for reservation in kept)


def test_what_can_never_fit_is_refused_at_once():
    """More than the whole budget is refused without waiting and without shedding."""
    budget = fw.Budget(100)
    asked = []
    budget.on_pressure(lambda wanted: asked.append(wanted) or 0)
    with pytest.raises(errors.BudgetExceeded, match=r"more than the whole budget.*at least 101 B"):
        budget.reserve(101, "a", wait_s=3600)
    assert asked == []


@pytest.mark.parametrize("count", [-1, "-1", 1.5, True, None, "x", 10**400])
def test_bytes_that_are_no_size_are_refused(count):
    """A negative, fractional or boolean number of bytes is a mistake; nothing is held after it."""
    budget = fw.Budget(100)
    with pytest.raises(errors.FlatwaterError):
        budget.reserve(count, "a")
    assert budget.held == 0


@pytest.mark.parametrize("wait_s", [-1, float("nan"), float("inf"), "1", True, False, None, "", 10**9])
def test_a_wait_is_finite(wait_s):
    """Nobody waits for ever, and what is no time is refused whether there is room or not."""
    budget = fw.Budget(100)
    for _ in range(2):
        with pytest.raises(errors.UsageError, match="wait_s"):
            budget.reserve(1, "a", wait_s=wait_s)
        with pytest.raises(errors.UsageError, match="wait_s"):
            budget.share("a", 1, wait_s=wait_s)
        budget.try_reserve(100, "all")


@pytest.mark.parametrize("wait_s", [0, 0.0, -0.0])
def test_a_wait_of_nothing_is_none(wait_s):
    """Zero, however it is written, is what is meant without wait_s."""
    with fw.Budget(100).reserve(1, "a", wait_s=wait_s) as reservation:
        assert reservation.bytes == 1


@pytest.mark.parametrize("holder", ["", None, 3, [], ("a",)])
def test_a_holder_is_named(holder):
    """Bytes that nobody answers for are not given."""
    with pytest.raises(errors.UsageError, match="holder"):
        fw.Budget(100).reserve(1, holder)


def test_try_reserve_returns_none():
    """Those who have another way are not made to catch an error."""
    budget = fw.Budget(100)
    held = budget.try_reserve(60, "a")
    assert held is not None
    assert budget.try_reserve(41, "b") is None
    assert budget.held == 60


def test_exactly_the_limit_fits():
    """The limit itself is inside."""
    budget = fw.Budget(100)
    with budget.reserve(100, "a"):
        assert budget.free == 0
        with budget.reserve(0, "b"):
            assert budget.held == 100


def test_waiting_is_served_in_order():
    """A large request at the head is not passed by a small one behind it."""
    budget = fw.Budget(100)
    first = budget.reserve(80, "first")
    order = []

    def want(name, count):
        with budget.reserve(count, name, wait_s=30):
            order.append(name)

    large = threading.Thread(target=want, args=("large", 95))
    large.start()
    _until(lambda: budget.waiting == 1)
    small = threading.Thread(target=want, args=("small", 10))
    small.start()
    _until(lambda: budget.waiting == 2)
    with pytest.raises(errors.BudgetExceeded, match="2 wait before it"):
        budget.reserve(1, "passer-by")
    first.release()
    large.join(30)
    small.join(30)
    assert order[0] == "large"
    assert budget.held == 0


def test_a_wait_ends_in_a_refusal_that_says_how_long():
    """After wait_s the waiter leaves the queue, and those behind it are served."""
    budget = fw.Budget(100)
    with budget.reserve(60, "a"):
        with pytest.raises(errors.BudgetExceeded, match="waited"):
            budget.reserve(50, "b", wait_s=0.01)
        assert budget.waiting == 0
        budget.reserve(40, "c").release()


def test_who_holds_may_not_wait():
    """Hold-and-wait is refused at once, as a refusal and as a mistake; what fits is given all the same."""
    budget = fw.Budget(100)
    with budget.reserve(50, "a"):
        with pytest.raises(errors.HoldAndWait, match="who holds may not wait") as caught:
            budget.reserve(60, "a", wait_s=60)
        assert isinstance(caught.value, errors.UsageError)
        assert isinstance(caught.value, errors.BudgetExceeded)
        assert pickle.loads(pickle.dumps(caught.value)).limit == 100
        budget.reserve(50, "a", wait_s=60).release()


def test_workers_of_one_name_may_all_wait():
    """Threads that all wait under one name wait for each other's bytes, not for their own."""
    budget = fw.Budget(100)
    done = []

    def work():
        with budget.reserve(60, "pmap.worker", wait_s=30):
            done.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 8
    assert budget.held == 0


def test_coroutines_wait_and_cancelling_takes_nothing():
    """A cancelled waiter leaves the queue, and the next one is served."""

    async def scenario():
        budget = fw.Budget(100)
        first = await budget.areserve(80, "first")
        cancelled = asyncio.create_task(budget.areserve(90, "cancelled", wait_s=30))
        behind = asyncio.create_task(budget.areserve(20, "behind", wait_s=30))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert budget.waiting == 2
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        async with await behind:
            assert budget.held == 100
        first.release()
        assert budget.held == 0
        with pytest.raises(errors.BudgetExceeded, match="more than the whole"):
            await budget.areserve(101, "x", wait_s=1)
        async with await budget.areserve(60, "y"):
            with pytest.raises(errors.BudgetExceeded, match="waited"):
                await budget.areserve(60, "z", wait_s=0.01)

    asyncio.run(scenario())


def test_a_waiter_granted_while_it_is_cancelled_gives_back():
    """Bytes granted in the same moment as a cancellation are not lost."""

    async def scenario():
        budget = fw.Budget(100)
        first = await budget.areserve(80, "first")
        waiting = asyncio.create_task(budget.areserve(90, "waiting", wait_s=30))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.release()  # granted now, before the task runs again
        assert budget.held == 90
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert budget.held == 0

    asyncio.run(scenario())


def test_a_loop_that_is_gone_loses_nothing():
    """Bytes granted to a coroutine whose loop was closed come back."""
    budget = fw.Budget(100)
    first = budget.reserve(80, "first")
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(budget.areserve(90, "waiting", wait_s=30))
    loop.run_until_complete(asyncio.sleep(0))
    assert budget.waiting == 1
    loop.close()
    first.release()
    assert budget.held == 0
    waiting._coro.close()
    assert budget.held == 0
    assert budget.reserve(100, "all").bytes == 100
    del waiting
    gc.collect()


def test_a_closed_budget_refuses_and_wakes_those_who_wait():
    """Closing ends every wait with ClosedError; what is held can still be given back."""
    budget = fw.Budget(100)
    held = budget.reserve(80, "a")
    caught = []

    def wait():
        try:
            budget.reserve(50, "b", wait_s=60)
        except errors.ClosedError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    _until(lambda: budget.waiting == 1)
    budget.close()
    budget.close()
    thread.join(30)
    assert len(caught) == 1
    with pytest.raises(errors.ClosedError):
        budget.reserve(1, "c")
    with pytest.raises(errors.ClosedError), budget:
        pass
    held.release()
    assert budget.held == 0


def test_a_share_takes_its_bytes_at_once_and_gives_them_back():
    """A share is one holder in its parent; its own holders show inside."""
    budget = fw.Budget(100, name="job")
    with budget.share("sync", 60) as share:
        assert budget.held == 60
        with pytest.raises(errors.BudgetExceeded):
            budget.reserve(41, "x")
        with share.reserve(50, "listing"):
            lines = [(line.name, line.now, line.depth) for line in budget.explain().lines]
            assert lines == [("sync", 60, 0), ("listing", 50, 1)]
            with pytest.raises(errors.BudgetExceeded) as caught:
                share.reserve(11, "y")
            assert caught.value.limit == 60
    assert budget.held == 0


def test_a_share_closed_early_gives_back_when_its_last_holder_does():
    """Bytes that are still promised inside a closed share stay counted."""
    budget = fw.Budget(100)
    share = budget.share("s", 60)
    held = share.reserve(10, "late")
    share.close()
    assert budget.held == 60
    held.release()
    assert budget.held == 0


def test_a_forgotten_share_is_found():
    """A share dropped without closing gives its bytes back, and it is said."""
    budget = fw.Budget(100)
    budget.share("s", 60)
    gc.collect()
    assert budget.held == 0
    assert budget.explain().orphans == (1, 60)


def test_an_orphan_is_returned_and_reported(caplog):
    """A reservation that was collected unreleased is a bug that costs no bytes and is named."""
    budget = fw.Budget(100)
    with caplog.at_level(logging.WARNING, "flatwater.budget"):
        budget.reserve(70, "forgetful")
        gc.collect()
        with budget.reserve(100, "next"):
            assert budget.held == 100
    assert "forgetful" in caplog.text
    assert "dropped without release" in caplog.text
    assert "1 reservations (70 B) were dropped" in str(budget.explain())


def test_the_ambient_budget_is_the_innermost():
    """`with` nests, in this thread alone, and tasks inherit it."""
    outer, inner = fw.Budget(100, name="outer"), fw.Budget(50, name="inner")
    seen = []

    async def task():
        seen.append(fw.Budget.current())

    with outer:
        with inner:
            assert fw.Budget.current() is inner
            asyncio.run(task())
        thread = threading.Thread(target=lambda: seen.append(fw.Budget.current()))
        thread.start()
        thread.join()
        assert fw.Budget.current() is outer
    assert seen[0] is inner
    assert seen[1].name == "detected"
    assert fw.Budget.current() is fw.Budget.current()


def test_a_budget_is_neither_pickled_nor_copied():
    """Its bytes belong to one process; the error says what to do instead."""
    budget = fw.Budget(100)
    for send in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(errors.UsageError, match="lump"):
            send(budget)
        with pytest.raises(errors.UsageError, match="pickled"):
            send(budget.reserve(1, "a"))


def test_names_made_per_item_do_not_grow_without_end():
    """Ten thousand holders that hold nothing any more are not remembered; those that hold are."""
    budget = fw.Budget("1 GiB")
    kept = [budget.reserve(1, f"kept-{n}") for n in range(1_500)]
    for n in range(10_000):
        budget.reserve(1, f"gone-{n}").release()
    assert len(budget.holders()) <= 1_500 + fw.limits.BUDGET_HOLDERS_MAX
    assert sum(now for _, now, _ in budget.holders()) == budget.held == len(kept)


def test_a_budget_larger_than_memory_says_so(caplog):
    """It is allowed, and it cannot be kept: that is said where the budget is explained."""
    budget = fw.Budget("4096 TiB", name="dream")
    assert "larger than this machine's memory" in str(budget.explain())
    assert "dream" in caplog.text


def _until(condition):
    """Other threads get there; the test's own time limit is the bound."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.001)
