"""Some items of a pmap under way, and the window of bytes that all of them have together.

Covers:     what a part has and had, how full the window is while calls go on.
Not here:   when parts are begun (`pipeline.parallel`), who does them (there, and `pipeline.processes`).
Holds:      the items of a part, until they are begun; its results are held by its future.

What a part will weigh when it is done is foreseen by those before it. Where results become heavier, all at once, the parts that
are under way would take many times the window: each of them looks at the window between two calls, and ends early when that is
full. The rest of its items is a part again, and is begun when there is room, or when its results are the next ones.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from concurrent.futures import Future

    from flatwater.pipeline.place import Batch
    from flatwater.pipeline.report import Gauge


def shallow_bytes(value: object) -> int:
    """Of a value without what it refers to; 0 where it does not tell.

    >>> shallow_bytes(b"x" * 1000)
    1033
    """
    try:
        return sys.getsizeof(value)
    except Exception:  # noqa: BLE001 - it is any user's object
        return 0


@final
class Window:
    """Bytes of all parts. One thread begins and sees parts; each part tells by itself what it makes beyond what was foreseen.

    Attributes:
        bytes_max: that they may take.
        size: that they take, by what is foreseen of those under way.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.size = 0
        self._beyond: dict[int, int] = {}  # what parts under way made beyond that, by their addresses

    @property
    def is_full(self) -> bool:
        """Whether no part should make more than it has to; from any thread."""
        return self.size + sum([*self._beyond.values()]) > self.bytes_max

    def tell(self, share: Share) -> None:
        """A part has made more than was foreseen; from its thread."""
        self._beyond[id(share)] = share.made - share.foreseen

    def forget(self, share: Share) -> None:
        """Its part is seen by now: that one's own size is counted."""
        self._beyond.pop(id(share), None)


@final
class Share:
    """What a part may make, and has made so far. It does not know its part: an error of a call refers to it.

    Attributes:
        foreseen: bytes of the part's results.
        is_next: they are the next ones: it does one item at least, however full the window is.
        count: items that are done.
        made: bytes of what came out of them, without what that refers to.
    """

    __slots__ = ("_window", "count", "foreseen", "is_next", "made")

    def __init__(self, window: Window) -> None:
        self._window = window
        self.foreseen = self.count = self.made = 0
        self.is_next = False

    @property
    def may_begin(self) -> bool:
        """Whether anything should be done now; from the part's thread."""
        return self.is_next or not self._window.is_full

    @property
    def may_go_on(self) -> bool:
        """The same, behind the first item."""
        return not self.count or self.made <= self.foreseen or not self._window.is_full

    def most(self, workers: int) -> int:
        """The most that the part should make, in bytes, where nobody can look at the window meanwhile."""
        return self.foreseen + max(0, self._window.bytes_max - self._window.size) // workers

    def add(self, size: int) -> None:
        """An item is done, and has made so many bytes; from the part's thread."""
        self.count += 1
        self.made += size
        if self.made > self.foreseen:
            self._window.tell(self)


@final
class Part:
    """Some items under way, or their results.

    Attributes:
        gauge: counts its items, from their number in the run on.
        weight: bytes of its items, wherever they are: what its results are foreseen by.
        size: bytes that it takes now.
        share: of the window.
        box: its items, until it is begun.
        rest: items that it has not done.
        is_done: its results were seen, and `size` is theirs.
        took_s: seconds of its calls.
        future: its results.
    """

    __slots__ = ("box", "future", "gauge", "is_done", "rest", "share", "size", "took_s", "weight")

    def __init__(self, window: Window, gauge: Gauge, items: Batch, weight: int) -> None:
        self.gauge = gauge
        self.weight = weight
        self.size = 0
        self.share = Share(window)
        self.box = [items]
        self.rest: Batch = []
        self.is_done = False
        self.took_s = 0.0
        self.future: Future[Batch]
