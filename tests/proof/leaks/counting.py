"""Counts the heap of a process in which nothing else lives, and prints the figures as JSON; run as a script."""

from __future__ import annotations

import functools
import gc
import io
import json

from flatwater.proof.leaks import census


class Thing:
    pass


class Broken:
    def __sizeof__(self):
        raise RuntimeError("it does not know")


class Registry(dict):
    def __len__(self):
        raise RuntimeError("not to be asked")


@functools.cache
def square(number):
    return number * number


def by_type():
    gc.collect()
    before = census.take()
    kept = [Thing() for _ in range(50)]
    table = [{index: f"text {index}" for index in range(1000, 1200)}]
    after = census.take()
    assert len(kept) + len(table) == 51
    return {
        "things": after.counts["__main__.Thing"] - before.counts.get("__main__.Thing", 0),
        "strings": after.counts["str"] - before.counts["str"],
        "string_bytes": after.sizes["str"] - before.sizes["str"],
        "objects": after.objects - before.objects,
        "complete": after.complete,
    }


def lengths_fills_and_broken_sizes():
    square(2)
    square(3)
    buffer = io.BytesIO()
    buffer.write(b"12345")
    closed = io.StringIO()
    closed.close()
    broken = Broken()
    kept = [Registry(a=1), {"untracked": 1}, buffer, closed, bytearray(7)]
    taken = census.take()
    return {
        "lengths": [taken.lengths.get(id(obj)) for obj in kept],
        "length": taken.lengths[id(kept)],
        "fill": taken.fills[id(square)],
        "broken": taken.counts["__main__.Broken"],
        "broken_bytes": [taken.sizes["__main__.Broken"], census.shallow(broken)],
    }


def its_own_figures():
    first = census.take()
    second = census.take()
    third = census.take()
    return {"ints": third.counts["int"] - second.counts["int"], "containers": len(first.lengths)}


def what_is_set_apart():
    kept = [Thing() for _ in range(5)]
    gc.freeze()
    holder = [kept]
    taken = census.take()
    gc.unfreeze()
    assert len(holder) == 1
    return {"things": taken.counts["__main__.Thing"], "length": taken.lengths[id(kept)]}


def past_the_bound():
    census.OBJECTS_MAX = 1000
    taken = census.take()
    return {"complete": taken.complete, "objects": taken.objects}


if __name__ == "__main__":
    looks = (by_type, lengths_fills_and_broken_sizes, its_own_figures, what_is_set_apart, past_the_bound)
    print(json.dumps({look.__name__: look() for look in looks}))
