"""Read paths such as `items[].price` into a tree of what to take.

Covers:     names, lists, escaped dots and brackets, paths that contradict each other.
Not here:   taking (`build.picking`).
Holds:      a node for each part of a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import final

from flatwater import errors, limits

_PART = re.compile(r"(?P<list>\[\])|(?P<dot>\.?)(?P<name>(?:[^.\[\]\\]|\\[.\[\]\\])+)")
_ESCAPED = re.compile(r"\\(.)")


@final
class Node:
    """What is taken of one value.

    Attributes:
        parts: by name; none where the value is taken whole.
        item: what is taken of each item, if the value is a list.
        path: as it was written, up to here.
    """

    __slots__ = ("item", "parts", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.parts: dict[str, Node] = {}
        self.item: Node | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is said of what is inside."""
        return not self.parts and self.item is None


def tree_of(paths: Iterable[str]) -> Node:
    r"""The tree of `paths`.

    Raises:
        UsageError: one is no path, or takes a part of what another takes whole; names both.

    >>> tree = tree_of(["id", "items[].price", r"a\.b"])
    >>> list(tree.parts), tree.parts["items"].item.parts["price"].path
    (['id', 'items', 'a.b'], 'items[].price')
    """
    if isinstance(paths, (str, bytes)) or not isinstance(paths, Iterable):
        raise errors.UsageError(f"{paths!r} is no list of paths.", hint='Pass a list, such as ["id", "user.name"].')
    root = Node("")
    ends: dict[int, str] = {}  # nodes that a path ends at, by identity: all live as long as the root
    count = 0
    for path in paths:
        count += 1
        if count > limits.BUILD_PATHS_MAX:
            raise errors.UsageError(
                f"more than {limits.BUILD_PATHS_MAX:,} paths.", hint="Name what holds them, and take it whole."
            )
        node = root
        for name in split(path):
            if id(node) in ends:
                raise _contradiction(ends[id(node)], path)
            node = _below(node, name, path)
        if not node.is_whole:
            raise _contradiction(path, _first_below(node))
        ends[id(node)] = path
    if not count:
        raise errors.UsageError("no paths: nothing would ever pass.", hint='Name what passes, such as ["id"].')
    return root


def split(path: str) -> list[str | None]:
    r"""The parts of a path: names, and None for "each item of the list".

    >>> split(r"items[].unit\.price")
    ['items', None, 'unit.price']
    """
    if not isinstance(path, str) or not path or len(path) > limits.BUILD_PATH_CHARS_MAX:
        shown = repr(path)[:80]
        raise errors.UsageError(
            f"{shown} is no path.", hint=r'Write names with dots, as in "user.name" or "items[].price".'
        )
    parts: list[str | None] = []
    at = 0
    while at < len(path):
        found = _PART.match(path, at)
        if found is None or not (found["list"] or bool(found["dot"]) == bool(parts)):
            raise _unreadable(path, at)
        parts.append(None if found["list"] else _ESCAPED.sub(r"\1", found["name"]))
        at = found.end()
    if len(parts) > limits.BUILD_PATH_DEPTH_MAX:
        raise errors.UsageError(f"{path[:60]!r} is {len(parts)} deep; at most {limits.BUILD_PATH_DEPTH_MAX}.")
    return parts


def _below(node: Node, name: str | None, path: str) -> Node:
    """The node of one more part; new ones are entered."""
    if (name is None and node.parts) or (name is not None and node.item is not None):
        raise errors.UsageError(
            f"{path!r}: {node.path or 'the value'} is a list in one path and has names in another.",
            hint="Write [] after it in all of them, or in none.",
        )
    if name is None:
        if node.item is None:
            node.item = Node(f"{node.path}[]")
        return node.item
    if name not in node.parts:
        written = "".join(f"\\{sign}" if sign in ".[]\\" else sign for sign in name)
        node.parts[name] = Node(f"{node.path}.{written}" if node.path else written)
    return node.parts[name]


def _first_below(node: Node) -> str:
    while not node.is_whole:
        node = node.item or next(iter(node.parts.values()))
    return node.path


def _contradiction(whole: str, part: str) -> errors.UsageError:
    return errors.UsageError(
        f"{whole!r} takes all of it, and {part!r} only a part.",
        hint="Leave one of the two out: what is meant must be said.",
    )


def _unreadable(path: str, at: int) -> errors.UsageError:
    return errors.UsageError(
        f"{path[:80]!r} is no path: character {at + 1} cannot stand there.",
        hint=r'Write "user.name", "items[].price", "[].id"; and \. \[ \] \\ for those signs in a name.',
    )
