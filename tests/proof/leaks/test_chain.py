"""proof.leaks.chain: ways in words."""

from __future__ import annotations

import itertools
from collections import deque

from flatwater.proof.leaks import chain


class Node:
    def __init__(self, **values):
        self.__dict__.update(values)


class Slotted:
    __slots__ = ("child", "empty")


def test_keys_indexes_attributes():
    """A key, an index, an attribute, a slot and a set each have their words."""
    leaf = Node()
    slotted = Slotted()
    slotted.child = leaf
    row = [None, slotted]
    owner = Node(rows=row)
    table = {("k", 3): owner}
    way = [table, owner, row, slotted, leaf]
    assert chain.words("app.TABLE", way) == ("app.TABLE[('k', 3)]", "Node.rows", "list[1]", "Slotted.child", "Node")
    assert chain.words("app.Q", [deque([leaf]), leaf]) == ("app.Q[0]", "Node")
    assert chain.words("app.S", [{leaf}, leaf]) == ("app.S{...}", "Node")
    assert chain.words("app.X", [leaf]) == ("app.X",)


def test_an_objects_own_dict_is_no_step():
    """The dict of an object, or the namespace of a class, is passed over."""

    class Registry:
        items = [Node()]  # noqa: RUF012 - the mistake that is looked for

    leaf = Registry.items[0]
    owner = Node(rows=Registry.items)
    assert chain.words("app.owner", [owner, owner.__dict__, owner.rows, leaf]) == ("app.owner.rows", "list[0]", "Node")
    assert chain.words("app.owner", [owner, owner.__dict__]) == ("app.owner.__dict__", "dict")
    namespace = dict(vars(Registry))
    assert chain.words("app.Registry", [Registry, namespace, Registry.items]) == ("app.Registry.items", "list")


def test_closures_defaults_and_generators():
    """A closure names its variable, a default its place, a generator its local variable."""
    rows = [Node()]

    def keep():
        return rows

    def default(acc=rows):
        return acc

    def generate():
        kept = rows[0]
        yield kept

    steps = chain.words("app.keep", [keep, keep.__closure__, keep.__closure__[0], rows])
    assert "of variable 'rows'" in " ".join(steps)
    assert chain.words("app.f", [default, default.__defaults__, rows]) == ("app.f.__defaults__", "tuple[0]", "list")
    running = generate()
    next(running)
    assert chain.words("app.g", [running, rows[0]]) == ("app.g variable 'kept'", "Node")


def test_long_ways_and_keys_are_cut():
    """A way of a hundred steps, a key of a thousand characters and a strange key stay readable."""
    nodes = [Node() for _ in range(100)]
    for one, following in itertools.pairwise(nodes):
        one.following = following
    steps = chain.words("app.HEAD", nodes)
    assert len(steps) == chain.STEPS_MAX + 1
    assert "(90 more)" in steps
    long = {"x" * 1000: nodes[0], Node(): nodes[1]}
    assert len(chain.words("app.D", [long, nodes[0]])[0]) < 60
    assert chain.words("app.D", [long, nodes[1]])[0] == "app.D[<Node>]"


def test_hostile_objects():
    """Objects that pretend to be others, or whose attributes raise, do no harm."""

    class Proxy:
        @property
        def __class__(self):
            raise RuntimeError("unbound")

        def __getattr__(self, name):
            raise RuntimeError(name)

        def __eq__(self, other):
            raise RuntimeError("no")

        __hash__ = object.__hash__

    proxy = Proxy()
    assert chain.words("app.P", [[proxy], proxy, Node()]) == ("app.P[0]", Proxy.__qualname__, "Node")


def test_holds_only():
    """A list whose new content is of one kind says so; an old list, or a mixed one, does not."""
    one, two = Node(), Slotted()
    assert chain.holds_only([one, 5], (Node,), {id(one)})
    assert not chain.holds_only([one, two], (Node,), {id(one), id(two)})
    assert not chain.holds_only([one], (Node,), set())


def test_only_what_is_shown_is_named(monkeypatch):
    """Of a way of a hundred thousand steps no more are put into words than are shown."""
    named = []
    short_name = chain._short_name
    monkeypatch.setattr(chain, "_short_name", lambda obj: named.append(1) or short_name(obj))
    row = []
    assert "(99991 more)" in chain.words("app.X", [row] * 100_001)
    assert len(named) <= 2 * chain.STEPS_MAX
