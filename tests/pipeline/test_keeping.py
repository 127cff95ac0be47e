"""A stage that keeps what it is given is named in the report, with what it keeps it in."""

from __future__ import annotations

from collections import defaultdict
from functools import cache, lru_cache, partial

import pytest

from flatwater.pipeline.flow import Flow

COUNT = 500
KEPT: list = []
TABLE = {number: number for number in range(2 * COUNT)}


class Holder:
    """Keeps what it is called with, and what its method is."""

    def __init__(self):
        self.rows = []

    def __call__(self, item):
        self.rows.append(item)
        return item

    def method(self, item):
        self.rows.append(item)
        return item


class Shared:
    """Keeps what its methods are given for all its kind."""

    rows: list = []  # noqa: RUF012 - a list such as this is what is looked for

    def method(self, item):
        self.rows.append(item)

    @classmethod
    def of_the_class(cls, item):
        cls.rows.append(item)


HOLDER = Holder()


@cache
def cached(item):
    return [item]


@lru_cache(maxsize=1000)
def cached_some(item):
    return [item]


def through_a_cache(item):
    return cached(-1 - item)


def keep(item):
    KEPT.append(item)
    return item


def through_an_object(item):
    return HOLDER.method(item)


def by_default(item, *, seen=defaultdict(list)):  # noqa: B006 - a cache such as this is what is looked for
    seen[item].append(item)


def into(rows, item):
    rows.append(item)
    return True


def passed_on(items):
    for item in items:
        KEPT.append(item)
        yield item


def collected(items):
    rows = []
    for item in items:
        rows.append(item)
        yield item


def looked_up(items):
    table = dict(TABLE)
    for item in items:
        yield table[item]


def in_tens(items):
    rows = []
    for item in items:
        rows.append(item)
        if len(rows) == 10:
            yield from rows
            rows = []


KEEPING = {
    "a global": (lambda flow: flow.map(keep), "1 map(keep) keeps what it is given: KEPT (list) is 500 entries"),
    "an object": (lambda flow: flow.map(Holder()), "1 map(Holder) keeps what it is given: self.rows (list)"),
    "a method": (lambda flow: flow.tap(HOLDER.method), "self.rows (list) is 500 entries longer after 500 items"),
    "a global object": (lambda flow: flow.each(through_an_object), "HOLDER.rows (list)"),
    "a default": (lambda flow: flow.each(by_default), "seen (defaultdict)"),
    "a class": (lambda flow: flow.each(Shared().method), "self.rows (list) is 500 entries"),
    "a method of a class": (lambda flow: flow.each(Shared.of_the_class), "self.rows (list) is 500 entries"),
    "a cache": (lambda flow: flow.map(cached), "1 map(cached) keeps what it is given: cached (cache) is 500 entries"),
    "a global cache": (lambda flow: flow.map(through_a_cache), "cached (cache) is 500 entries"),
    "an argument": (lambda flow: flow.filter(partial(into, [])), "an argument of into (list)"),
    "a list's method": (lambda flow: flow.tap([].append), "what it is bound to (list)"),
    "a generator": (lambda flow: flow.pipe(passed_on), "1 pipe(passed_on) keeps what it is given: KEPT (list)"),
    "a local": (lambda flow: flow.pipe(collected), "a local of collected (list)"),
    "threads": (lambda flow: flow.pmap(keep, workers=2), "keeps what it is given: KEPT (list)"),
    "a sink": (lambda flow: flow.to(keep), "1 to(keep) keeps what it is given: KEPT (list)"),
    "a key": (lambda flow: flow.sort(keep), "1 sort(keep) keeps what it is given: KEPT (list)"),
    "batches": (lambda flow: flow.batch(rows=10).map(keep), "2 map(keep) keeps what it is given: KEPT (list) is 50"),
}


@pytest.mark.parametrize("what", list(KEEPING))
def test_what_keeps_is_named(what):
    """With the container, and by how much it grew."""
    make, expected = KEEPING[what]
    report = make(Flow(range(COUNT), batch_rows=50)).run()
    assert expected in str(report)
    assert report.to_dict()["stages"][-1]["keeps"] == report.stages[-1].keeps != ""


def test_a_list_of_a_closure():
    """By its name there, and the stage that has it alone."""
    rows = []
    report = Flow(range(COUNT)).map(str).map(lambda text: rows.append(text) or text).filter(len).run()
    assert [each.keeps for each in report.stages if each.keeps] == ["rows (list) is 500 entries longer after 500 items"]


def test_what_does_not_grow_is_not_named():
    """A table that is looked into, lists that begin anew, counts of a few kinds, a cache that has a bound."""
    counts = defaultdict(int)

    def counted(number):
        counts[number % 7] += 1
        return TABLE[number]

    flow = (
        Flow(range(COUNT))
        .pipe(looked_up)
        .pipe(in_tens)
        .map(counted)
        .tap(cached_some)
        .batch(rows=10)
        .flat_map(list)
        .pipe(iter)
    )
    assert [each.keeps for each in flow.run().stages if each.keeps] == []


class Shy:
    """An object that does not want to be looked at."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    @property
    def __dict__(self):
        raise RuntimeError("no")


def test_an_object_that_does_not_want_to_be_looked_at():
    """Does not end the run."""
    shy = Shy()
    assert Flow(range(3)).map(lambda number: (number, shy)).run().items == 3
