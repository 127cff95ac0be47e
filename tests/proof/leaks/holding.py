"""Asks who holds what in a process in which nothing else lives, and prints the answers as JSON; run as a script."""

from __future__ import annotations

import contextvars
import json
import sys
import threading

from flatwater.proof.leaks import holders

KEPT = {"rows": [["inner"]], "number": 123_456}


class Thing:
    pass


class Registry:
    things = [Thing()]  # noqa: RUF012 - the mistake that is looked for


def by_name(held):
    label, way = held.way(id(KEPT["rows"][0]))
    return {
        "label": label,
        "way": way == [KEPT, KEPT["rows"], KEPT["rows"][0]],
        "depth": held.depth(id(KEPT)),
        "holder": held.holder(id(KEPT["rows"][0])),
        "in_class": held.way(id(Registry.things[0]))[0],
        "object": held.object_of(id(KEPT)) is KEPT,
    }


def growing():
    rows = KEPT["rows"]
    held = holders.Holders(frozenset([id(rows)]))
    return {"inner": held.holder(id(rows[0])) == f"#{id(rows)}", "rows": held.holder(id(rows))}


def left_out():
    """Without the texts and numbers that are not asked for."""
    all_of_it = holders.Holders(frozenset())
    some = holders.Holders(frozenset(), wanted=frozenset(["int"]))
    text, number = KEPT["rows"][0][0], KEPT["number"]
    keys = [id(KEPT["rows"]), id(KEPT), 12345]
    return {
        "all": [id(text) in all_of_it, id(number) in all_of_it],
        "some": [id(text) in some, id(number) in some],
        "each": list(some.holders(keys)) == [some.holder(key) for key in keys],
        "place": some.place(id(KEPT)) < some.place(id(KEPT["rows"])) < some.place(id(KEPT["rows"][0])),
    }


def alive():
    """Who holds a thread: what the program keeps it in, before what Python does."""
    go = threading.Event()
    mine, nobodys = (threading.Thread(target=go.wait) for _ in range(2))
    KEPT["threads"] = {"mine": mine}
    for thread in (mine, nobodys):
        thread.start()
    try:
        held = holders.Holders(frozenset())
        found = held.keeper(id(mine)) == id(KEPT["threads"]), held.way(held.keeper(id(nobodys)))[0]
        return *found, held.keeper(id(KEPT))
    finally:
        go.set()
        mine.join()
        nobodys.join()


VARIABLE = contextvars.ContextVar("VARIABLE")


def growing_modules():
    """The modules, and a module's own names, are holders where they grow, and no way leads through them elsewhere."""
    thing = Thing()
    VARIABLE.set([thing])
    mine = sys.modules[__name__].__dict__
    plain, held = holders.Holders(frozenset()), holders.Holders(frozenset([id(mine), id(sys.modules)]))
    return {
        "plain": [id(mine) in plain, id(sys.modules) in plain],
        "modules": held.way(id(sys.modules))[0],
        "globals": held.way(id(mine))[0],
        "inside": held.holder(id(KEPT)) == f"#{id(mine)}",
        "in_context": plain.way(id(VARIABLE.get()))[0],
    }


def local_variables():
    local = Thing()
    go, ready = threading.Event(), threading.Event()

    def run():
        in_thread = Thing()
        seen.append(id(in_thread))
        ready.set()
        go.wait()

    seen = []
    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    try:
        held = holders.Holders(frozenset())
    finally:
        go.set()
        thread.join()
    nobody = {"way": held.way(12345), "holder": held.holder(12345), "is_in": 12345 in held}
    return {
        "local": held.way(id(local))[0],
        "in_thread": held.way(seen[0])[0],
        "nobody": nobody,
        "by_name": by_name(held),
    }


if __name__ == "__main__":
    found = {"growing": growing(), "left_out": left_out(), "alive": alive(), "modules": growing_modules()}
    print(json.dumps({**found, **local_variables()}))
