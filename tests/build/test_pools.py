from __future__ import annotations

import gc
import json
import threading
import tracemalloc
import weakref

import pytest

from flatwater import limits
from flatwater.budget import Budget
from flatwater.build import builder, clear_pools, pool_stats, pools
from flatwater.errors import BudgetExceeded, ClosedError

FIELDS = ["a", "b", "c", "d", "e"]


@pytest.fixture(autouse=True)
def empty_pools():
    """Each test begins and ends with empty pools, and without those of dropped factories."""
    gc.collect()
    clear_pools()
    yield
    clear_pools()


def fill(create, count):
    """Have so many builders open at once, then build with each."""
    made = [create() for _ in range(count)]
    while made:
        one = made.pop()
        for field in FIELDS:
            one.set(field, 1)
        one.build()


def test_a_builder_is_used_again():
    """One after the other needs one builder."""
    create = builder(FIELDS, pooled=True).create
    before = pool_stats()
    for number in range(100):
        made = create().with_a(number).with_b(1).with_c(2).with_d(3).with_e(4).build()
        assert made == {"a": number, "b": 1, "c": 2, "d": 3, "e": 4}
    after = pool_stats()
    assert after.objects == 1
    assert after.created - before.created == 1
    assert after.reused - before.reused == 99


def test_stable_at_as_many_as_are_open():
    """After ten thousand builds, fifty at a time, there are fifty: as many as were ever open at once."""
    create = builder(FIELDS, pooled=True).create
    sizes = []
    for _ in range(200):
        fill(create, 50)
        sizes.append(pool_stats().objects)
    assert set(sizes) == {50}


def test_at_most_a_thousand_in_all():
    """Over several pools; beyond that the oldest go, whichever pool they are in."""
    factories = [builder(FIELDS, pooled=True) for _ in range(3)]
    for factory in factories:
        fill(factory.create, 400)
    assert pool_stats().objects == limits.BUILD_POOLED_MAX
    assert [factory._pool.figures().objects for factory in factories] == [200, 400, 400]
    assert factories[0]._pool.discarded == 200


def test_less_than_100_kb():
    """A thousand builders, and what holds them, as tracemalloc sees it; wide ones are fewer."""
    create = builder(FIELDS, pooled=True).create
    fill(create, 1)
    clear_pools()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        fill(create, 1_500)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    stats = pool_stats()
    assert stats.objects == 1_000
    assert grown <= 100_000
    assert grown <= stats.bytes <= 100_000
    names = [f"f{number}" for number in range(500)]
    wide = builder(names, pooled=True)
    made = [wide.create() for _ in range(100)]
    while made:
        one = made.pop()
        for name in names:
            one.set(name, None)
        one.build()
    assert pool_stats().bytes <= limits.BUILD_POOLS_BYTES_MAX == pools.bytes_max()
    assert 0 < wide._pool.figures().objects < 30


def test_no_value_gets_into_the_next_object():
    """A builder from the pool has nothing set, and its defaults are fresh."""
    import dataclasses

    @dataclasses.dataclass
    class Row:
        id: int
        tags: list = dataclasses.field(default_factory=list)
        note: str = ""

    factory = builder(Row, pooled=True)
    first = factory.create().with_id(1).with_tags(["secret"]).with_note("secret").build()
    made = factory.create()
    assert repr(made) == "<builder of Row: note=''>"
    second = made.with_id(2).build()
    assert (second.tags, second.note) == ([], "")
    del made
    with pytest.raises(ValueError, match="'id' is not set"):
        factory.create().with_note("x").build()
    assert first.tags == ["secret"]


def test_values_are_let_go():
    """What was built with is not kept alive by the pool."""

    class Heavy:
        pass

    factory = builder(["value"], pooled=True)
    heavy = Heavy()
    seen = weakref.ref(heavy)
    factory.create().with_value(heavy).build()
    del heavy
    assert seen() is None
    assert pool_stats().objects == 1


def test_who_keeps_a_builder_cannot_reach_anothers():
    """After `build()` it refuses everything, and it is never given to anybody while it is kept."""
    factory = builder(["id"], pooled=True)
    kept = factory.create().with_id(1)
    kept.build()
    for use in (lambda: kept.with_id(2), kept.reset, lambda: kept.set("id", 2), lambda: kept.build().keys()):
        with pytest.raises(ClosedError, match="has built its object"):
            use()
    other = factory.create()
    assert other is not kept
    assert pool_stats().objects == 0
    assert not hasattr(kept, "nothing")
    assert other.with_id(3).build() == {"id": 3}


def test_a_failed_build_is_no_end():
    """The builder stays with whoever has it."""
    made = builder(["id", "name"], pooled=True).create().with_id(1)
    with pytest.raises(ValueError, match="'name' is not set"):
        made.build()
    assert made.with_name("x").build() == {"id": 1, "name": "x"}


def test_pressure_empties_them():
    """The ambient budget of the factory's making asks the pools before it refuses, once for all of them."""
    budget = Budget("1 MiB")
    with budget:
        factories = [builder(FIELDS, pooled=True) for _ in range(3)]
    for factory in factories:
        fill(factory.create, 20)
    assert len(budget._shedders._registrations) == 1
    held = pool_stats().bytes
    assert budget.shed("1 KiB") == held > 0
    assert pool_stats().objects == 0
    fill(factories[0].create, 5)
    with pytest.raises(BudgetExceeded):
        budget.reserve("2 MiB", "too much")
    assert budget.try_reserve("1 MiB", "all") is not None
    assert factories[0].make(a=1, b=2, c=3, d=4, e=5)


def test_a_budget_may_die():
    """Pools do not keep it."""
    budget = Budget("1 MiB")
    with budget:
        factory = builder(FIELDS, pooled=True)
    seen = weakref.ref(budget)
    del budget
    gc.collect()
    assert seen() is None
    fill(factory.create, 2)


def test_a_pool_goes_with_its_factory():
    """Its builders and its row in the table as well."""
    factory = builder(["gone_with_it"], pooled=True)
    before = pool_stats().pools
    factory.create().with_gone_with_it(1).build()
    seen = weakref.ref(factory)
    del factory
    gc.collect()
    assert seen() is None
    assert pool_stats().pools == before - 1
    assert pool_stats().objects == 0


def test_the_figures_are_shown():
    """By schema and in all, as a table and for JSON."""
    factory = builder(FIELDS, pooled=True)
    fill(factory.create, 3)
    stats = pool_stats()
    assert stats.by_schema["dict"].objects == stats.objects == 3
    assert json.loads(json.dumps(stats.to_dict()))["by_schema"]["dict"]["objects"] == 3
    assert "dict" in str(stats).splitlines()[1]
    assert clear_pools() == stats.bytes
    assert clear_pools() == 0


def test_threads():
    """Many threads take and give back: no value crosses, and the figures add up."""
    factory = builder(["thread", "number"], pooled=True)
    before = pool_stats()
    wrong = []

    def work(thread):
        for number in range(1_500):
            made = factory.create().with_thread(thread).with_number(number).build()
            if made != {"thread": thread, "number": number}:
                wrong.append(made)
            if number % 500 == 0:
                clear_pools()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = pool_stats()
    assert wrong == []
    assert (after.created - before.created) + (after.reused - before.reused) == 6_000
    assert pools._kept == after.objects
    assert pools._kept_bytes == after.bytes
