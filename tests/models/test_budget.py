"""The budget beside a model: what it holds, under any order of calls, with threads, and with coroutines."""

import asyncio
import random
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import flatwater as fw
from flatwater import errors

LIMIT = 1_000
COUNTS = st.integers(0, LIMIT + 50)
HOLDERS = st.sampled_from(["a", "b", "c", "d"])


class BudgetModel(RuleBasedStateMachine):
    """One thread: the budget beside a dict of what should be held."""

    def __init__(self):
        super().__init__()
        self.budget = fw.Budget(LIMIT)
        self.live = []  # (reservation, its share or the budget)
        self.shares = []
        self.peak = 0
        self.shed = []
        self.budget.on_pressure(self.give_back)

    def give_back(self, wanted):
        """Releases what the rule `cache` made."""
        freed = 0
        while self.shed and freed < wanted:
            entry = self.shed.pop()
            freed += entry.bytes
            entry.release()
        return freed

    def held(self, budget):
        own = sum(reservation.bytes for reservation, where in self.live if where is budget)
        if budget is self.budget:
            own += sum(share.limit for share in self.shares) + sum(entry.bytes for entry in self.shed)
        return own

    @rule(count=COUNTS, holder=HOLDERS)
    def reserve(self, count, holder):
        sheddable = sum(entry.bytes for entry in self.shed)
        fits = self.held(self.budget) - sheddable + count <= LIMIT
        got = self.budget.try_reserve(count, holder)
        assert (got is not None) == fits
        if got is not None:
            self.live.append((got, self.budget))

    @rule(count=st.integers(1, 100))
    def cache(self, count):
        if self.budget.free >= count:
            self.shed.append(self.budget.reserve(count, "cache"))

    @rule(count=st.integers(1, 400))
    def share(self, count):
        try:
            self.shares.append(self.budget.share("share", count))
        except errors.BudgetExceeded as error:
            assert error.held + count > LIMIT  # noqa: PT017 - it fits as often as not

    @precondition(lambda self: self.shares)
    @rule(data=st.data(), count=COUNTS, holder=HOLDERS)
    def reserve_in_share(self, data, count, holder):
        share = self.shares[data.draw(st.integers(0, len(self.shares) - 1))]
        fits = self.held(share) + count <= share.limit
        got = share.try_reserve(count, holder)
        assert (got is not None) == fits
        if got is not None:
            self.live.append((got, share))

    @precondition(lambda self: self.shares)
    @rule(data=st.data())
    def close_share(self, data):
        share = self.shares[data.draw(st.integers(0, len(self.shares) - 1))]
        for reservation, where in self.live:
            if where is share:
                reservation.release()
        self.live = [(reservation, where) for reservation, where in self.live if where is not share]
        share.close()
        self.shares.remove(share)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), count=COUNTS)
    def resize(self, data, count):
        reservation, where = self.live[data.draw(st.integers(0, len(self.live) - 1))]
        before = reservation.bytes
        try:
            reservation.resize(count)
        except errors.BudgetExceeded:
            assert reservation.bytes == before
            assert self.held(where) - before + count > where.limit
        else:
            assert reservation.bytes == count

    @precondition(lambda self: self.live)
    @rule(data=st.data(), twice=st.booleans())
    def release(self, data, twice):
        index = data.draw(st.integers(0, len(self.live) - 1))
        reservation, _ = self.live.pop(index)
        for _ in range(1 + twice):
            reservation.release()

    @precondition(lambda self: self.live)
    @rule()
    def forget(self):
        """A reservation dropped without release comes back."""
        self.live.pop()

    @invariant()
    def holds_what_it_should(self):
        for budget in (self.budget, *self.shares):
            assert budget.held == self.held(budget) <= budget.limit
            assert sum(now for _, now, _ in budget.holders()) == budget.held
            assert budget.held <= budget.peak <= budget.limit

    def teardown(self):
        for reservation, _ in self.live:
            reservation.release()
        for share in self.shares:
            share.close()
        for entry in self.shed:
            entry.release()
        assert self.budget.held == 0


BudgetModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBudgetModel = BudgetModel.TestCase

PLANS = st.lists(
    st.lists(st.tuples(st.integers(1, LIMIT), st.integers(0, 3)), min_size=1, max_size=6), min_size=2, max_size=6
)


@given(plans=PLANS, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_threads(plans, seed):
    """Threads that wait, resize and release: never above the limit, back to zero, everybody served, nobody stuck."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        run_threads(plans, seed)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_threads_soak(seed):
    """The same with sixteen threads and many more steps."""
    chance = random.Random(seed)
    plans = [[(chance.randint(1, LIMIT), chance.randrange(4)) for _ in range(60)] for _ in range(16)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        run_threads(plans, seed)
    finally:
        sys.setswitchinterval(before)


def run_threads(plans, seed):  # noqa: C901 - one scenario
    budget = fw.Budget(LIMIT)
    too_much, served, problems = [], [], []
    shared = threading.local()

    def work(index, plan):
        chance = random.Random(seed + index)
        try:
            for count, action in plan:
                name = "shared" if index % 2 else f"t{index}"
                with budget.reserve(count, name, wait_s=60) as reservation:
                    if budget.held > LIMIT or budget.peak > LIMIT:
                        too_much.append(budget.held)
                    if action == 1:
                        reservation.resize(chance.randrange(count + 1))
                    elif action == 2:
                        shared.extra = budget.try_reserve(chance.randrange(50), "extra")
                        if shared.extra is not None:
                            shared.extra.release()
                    elif action == 3:
                        reservation.release()
                served.append(index)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=item, daemon=True) for item in enumerate(plans)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert not any(thread.is_alive() for thread in threads), "somebody is stuck"
    assert problems == []
    assert too_much == []
    assert len(served) == sum(map(len, plans))
    assert (budget.held, budget.waiting) == (0, 0)
    assert budget.explain().orphans == (0, 0)


@given(plans=PLANS, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_coroutines(plans, seed):
    """Tasks that wait, some of them cancelled at any moment: the same promises, and a cancelled one holds nothing."""
    budget = fw.Budget(LIMIT)
    served, cancelled = [], []

    async def work(index, plan, chance):
        for count, action in plan:
            async with await budget.areserve(count, f"t{index}", wait_s=60) as reservation:
                assert budget.held <= LIMIT
                await asyncio.sleep(0)
                if action == 1:
                    reservation.resize(chance.randrange(count + 1))
                if action == 2:
                    await asyncio.sleep(0)
        served.append(index)

    async def scenario():
        chance = random.Random(seed)
        tasks = [asyncio.create_task(work(index, plan, chance)) for index, plan in enumerate(plans)]
        victims = chance.sample(range(len(tasks)), k=len(tasks) // 3)
        for victim in victims:
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            if tasks[victim].cancel():
                cancelled.append(victim)
        done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 60)
        assert all(answer is None or isinstance(answer, asyncio.CancelledError) for answer in done), done

    asyncio.run(scenario())
    assert set(served) | set(cancelled) == set(range(len(plans)))
    assert (budget.held, budget.waiting) == (0, 0)
    assert budget.explain().orphans == (0, 0)


def test_threads_and_coroutines_share_one_queue():
    """Both kinds of waiters are served by one budget."""
    budget = fw.Budget(LIMIT)
    served = []

    def thread_work(index):
        for _ in range(20):
            with budget.reserve(700, f"thread{index}", wait_s=60):
                served.append("thread")

    async def task_work(index):
        for _ in range(20):
            async with await budget.areserve(600, f"task{index}", wait_s=60):
                await asyncio.sleep(0)
                served.append("task")

    async def tasks():
        await asyncio.gather(*(task_work(index) for index in range(4)))

    threads = [threading.Thread(target=thread_work, args=(index,), daemon=True) for index in range(4)]
    threads.append(threading.Thread(target=asyncio.run, args=(tasks(),), daemon=True))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert (served.count("thread"), served.count("task")) == (80, 80)
    assert budget.held == 0
