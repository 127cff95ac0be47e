"""Asks who holds what in a process in which nothing else lives, and prints the answers as JSON; run as a script."""

from __future__ import annotations

import json
import threading

from flatwater.proof.leaks import holders

KEPT = {"rows": [["inner"]]}


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
    print(json.dumps({"growing": growing(), **local_variables()}))
