"""proof.leaks.holders: the shortest way from a name."""

from __future__ import annotations

import threading

from flatwater.proof.leaks import holders

KEPT = {"rows": [["inner"]]}


class Thing:
    pass


class Registry:
    things = [Thing()]  # noqa: RUF012 - the mistake that is looked for


def test_ways_from_modules_and_classes():
    """What a module or a class holds is reached by its name, by the fewest steps."""
    held = holders.Holders(frozenset())
    label, way = held.way(id(KEPT["rows"][0]))
    assert label == f"{__name__}.KEPT"
    assert way == [KEPT, KEPT["rows"], KEPT["rows"][0]]
    assert held.depth(id(KEPT)) == 1
    assert held.holder(id(KEPT["rows"][0])) == label
    assert held.way(id(Registry.things[0]))[0] == f"{__name__}.Registry"
    assert held.object_of(id(KEPT)) is KEPT


def test_growing_containers_are_holders():
    """The nearest growing container on the way is the holder of what is below it, not of itself."""
    rows = KEPT["rows"]
    held = holders.Holders(frozenset([id(rows)]))
    assert held.holder(id(rows[0])) == f"#{id(rows)}"
    assert held.holder(id(rows)) == f"{__name__}.KEPT"


def test_local_variables_and_closures():
    """A local variable of a running function, and of another thread, is a name; what nobody holds has none."""
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
    assert "'local'" in held.way(id(local))[0]
    assert "in thread" in held.way(seen[0])[0]
    assert held.way(12345) == (holders.UNREACHED, [])
    assert held.holder(12345) == holders.UNREACHED
    assert 12345 not in held
