import gc
import threading

import pytest

import flatwater as fw
from flatwater import errors


class Cache:
    """Entries of one size, each a reservation."""

    def __init__(self, budget, entries, size):
        self.entries = [budget.reserve(size, "cache") for _ in range(entries)]
        self.asked = []
        self.handle = None

    def shed(self, wanted):
        self.asked.append(wanted)
        freed = 0
        while self.entries and freed < wanted:
            entry = self.entries.pop()
            freed += entry.bytes
            entry.release()
        return freed


def test_a_refusal_is_avoided_by_shedding():
    """The cache is asked for what is missing, and no more."""
    budget = fw.Budget(100)
    cache = Cache(budget, entries=10, size=10)
    handle = budget.on_pressure(cache.shed, name="cache")
    with budget.reserve(25, "job"):
        assert cache.asked == [25]
        assert budget.held == 95
    assert (handle.name, handle.freed) == ("cache", 30)


def test_shedders_are_asked_in_turn_until_enough_is_free():
    """The second is asked for the rest, the third not at all."""
    budget = fw.Budget(100)
    caches = [Cache(budget, entries=3, size=10) for _ in range(3)]
    handles = [budget.on_pressure(cache.shed) for cache in caches]
    with budget.reserve(60, "job"):
        assert [cache.asked for cache in caches] == [[50], [20], []]
    assert [handle.freed for handle in handles] == [30, 20, 0]


def test_a_shedder_that_fails_is_logged_and_freed_nothing(caplog):
    """Somebody else's bug does not hide the refusal."""
    budget = fw.Budget(100)
    budget.reserve(100, "a", wait_s=0)
    held = budget.reserve(0, "b")

    def broken(_wanted):
        raise RuntimeError("cache is broken")

    budget.on_pressure(broken)
    hold = budget.try_reserve(100, "a")
    gc.collect()
    assert hold is None or hold.bytes == 100
    with budget.reserve(budget.free, "full"), pytest.raises(errors.BudgetExceeded):
        budget.reserve(1, "c")
    assert "cache is broken" in caplog.text
    held.release()


def test_a_shedder_is_not_asked_inside_itself():
    """One that reserves in its own budget is refused, not called again."""
    budget = fw.Budget(100)
    held = budget.reserve(100, "all")
    calls = []

    def shed(wanted):
        calls.append(wanted)
        assert budget.try_reserve(10, "inner") is None
        return 0

    budget.on_pressure(shed)
    assert budget.try_reserve(10, "outer") is None
    assert calls == [10]
    held.release()


def test_one_that_reports_nothing_is_taken_at_what_left():
    """None as an answer is measured by the bytes that left the budget."""
    budget = fw.Budget(100)
    held = budget.reserve(80, "a")
    handle = budget.on_pressure(lambda _wanted: held.release())
    with budget.reserve(50, "b"):
        assert handle.freed == 80


def test_a_dropped_cache_takes_its_registration_along():
    """A bound method is held weakly by the budget, strongly by the handle; a lambda lives."""
    budget = fw.Budget(100)
    cache = Cache(budget, entries=1, size=10)
    calls = []
    budget.on_pressure(cache.shed)
    budget.on_pressure(lambda wanted: calls.append(wanted) or 0)
    for entry in cache.entries:
        entry.release()
    del cache, entry
    gc.collect()
    with budget.reserve(100, "all"):
        assert budget.try_reserve(1, "x") is None
    assert calls == [1]


def test_a_handle_keeps_and_cancels():
    """While the handle lives its object does; after cancel it is not asked."""
    budget = fw.Budget(100)
    handle = budget.on_pressure(Cache(budget, entries=10, size=10).shed)
    gc.collect()
    with budget.reserve(10, "a"):
        pass
    assert handle.freed == 10
    handle.cancel()
    handle.cancel()
    with budget.reserve(budget.free, "b"):
        assert budget.try_reserve(50, "c") is None
    assert handle.freed == 10


def test_shed_asks_shares_too():
    """A watcher that wants memory back asks the whole tree of budgets."""
    budget = fw.Budget(100)
    share = budget.share("inner", 50)
    outer, inner = Cache(budget, 3, 10), Cache(share, 4, 10)
    handles = budget.on_pressure(outer.shed), share.on_pressure(inner.shed)
    assert budget.shed(60) == 60
    assert [handle.freed for handle in handles] == [30, 30]


async def shed_later(_wanted):
    return 0


@pytest.mark.parametrize("shedder", [None, 7, "text", shed_later])
def test_a_shedder_can_be_called(shedder):
    """What cannot be called, or would have to be awaited, is refused when it is registered."""
    with pytest.raises(errors.UsageError, match=r"called|await"):
        fw.Budget(100).on_pressure(shedder)


def test_their_number_is_bounded():
    """One for each cache entry is a leak, and is named."""
    budget = fw.Budget(100)
    handles = [budget.on_pressure(lambda _: 0) for _ in range(fw.limits.BUDGET_SHEDDERS_MAX)]
    with pytest.raises(errors.LimitReached, match="not one for each entry"):
        budget.on_pressure(lambda _: 0)
    handles[0].cancel()
    budget.on_pressure(lambda _: 0)


def test_two_threads_do_not_run_one_shedder_side_by_side():
    """A cache's shedder need not be thread-safe against itself."""
    budget = fw.Budget(1000)
    inside, most = [0], [0]
    lock = threading.Lock()

    def shed(_wanted):
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.002)
        with lock:
            inside[0] -= 1
        return 0

    budget.on_pressure(shed)
    with budget.reserve(1000, "all"):
        threads = [threading.Thread(target=budget.try_reserve, args=(1, "x")) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert most == [1]


def test_one_that_reports_too_much_does_not_stop_the_asking():
    """What is free decides, not what a shedder says: the honest one behind it is asked, for reserving and for growing."""
    budget = fw.Budget(100)
    cache = Cache(budget, entries=10, size=10)
    budget.on_pressure(lambda _wanted: 1 << 40)
    budget.on_pressure(cache.shed)
    got = budget.try_reserve(25, "job")
    assert got.bytes == 25
    got.resize(45)
    assert cache.asked == [25, 15]
    got.release()
