"""Two sorted streams side by side: a listing that comes in batches, and the records of the same range of paths.

Covers:     which path is in which of them, in one pass; what is the same in both costs no call; all ranges of a listing.
Not here:   what follows from it (`sync.scanning`, `sync.auditing`), listing (`sync.listing`), records (`sync.state`).
Holds:      a page of records for each range that is being listed, beside the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import final

from flatwater.budget.budget import Budget
from flatwater.sync.entry import Entry
from flatwater.sync.listing import Listing, Part
from flatwater.sync.state import Range, State

Pages = Iterator[list[tuple[tuple[bytes], bytes]]]
Same = Callable[[Entry, bytes], bool]
Deviates = Callable[[bytes, Entry | None, bytes | None], None]


@final
class Join:
    """One range. For one thread.

    Args:
        pages: records, in the order of their paths.
        same: whether a file and its record need no look.
        deviates: called with each other path, in their order: with the file or None, and the record or None.
        leaves_alone: whether a record without a file is to be passed over in silence.
    """

    def __init__(
        self, pages: Pages, same: Same, deviates: Deviates, leaves_alone: Callable[[bytes], bool] | None = None
    ) -> None:
        self._pages = pages
        self._same = same
        self._deviates = deviates
        self._leaves_alone = leaves_alone
        self._page: list[tuple[tuple[bytes], bytes]] = []
        self._at = 0
        self._is_over = False

    def feed(self, batch: list[Entry]) -> None:
        """The next files of the listing."""
        same, deviates = self._same, self._deviates
        at_file = 0
        while at_file < len(batch):
            if self._at == len(self._page) and not self._turn():
                for entry in batch[at_file:]:
                    deviates(entry.path, entry, None)
                return
            page, at = self._page, self._at
            count = min(len(batch) - at_file, len(page) - at)
            stop = at_file + count
            files = batch[at_file:stop] if count < len(batch) else batch
            records = page[at : at + count] if count < len(page) else page
            if [entry[0] for entry in files] == [pair[0][0] for pair in records]:  # as nearly always
                for entry, (_key, value) in zip(files, records, strict=True):
                    if not same(entry, value):
                        deviates(entry.path, entry, value)
                self._at += count
                at_file = stop
                continue
            at_file = self._step(batch, at_file, stop)

    def _step(self, batch: list[Entry], at_file: int, stop: int) -> int:
        """Go on one by one until a file and a record meet again; where in the batch that is."""
        page, at = self._page, self._at
        try:
            while at_file < stop and at < len(page):
                entry = batch[at_file]
                (path,), value = page[at]
                if entry.path == path:
                    if not self._same(entry, value):
                        self._deviates(path, entry, value)
                    at += 1
                    at_file += 1
                elif entry.path < path:
                    self._deviates(entry.path, entry, None)
                    at_file += 1
                else:
                    self._missing(path, value)
                    at += 1
        finally:
            self._at = at
        return at_file

    def finish(self) -> None:
        """The listing of the range is over: all records that are left have no file."""
        while True:
            for (path,), value in self._page[self._at :]:
                self._missing(path, value)
            self._at = len(self._page)
            if not self._turn():
                return

    def _missing(self, path: bytes, value: bytes) -> None:
        if self._leaves_alone is None or not self._leaves_alone(path):
            self._deviates(path, None, value)

    def _turn(self) -> bool:
        """The next page of records."""
        if self._is_over:
            return False
        self._page = []
        self._at = 0
        self._page = next(self._pages, [])
        self._is_over = not self._page
        return not self._is_over


def joined(
    state: State,
    listing: Listing,
    ranges: list[Range],
    same: Same,
    deviates: Deviates,
    takes: Callable[[bytes], bool] | None,
) -> Generator[Part, None, None]:
    """All ranges of a listing beside the records of the same ranges; each part comes out when all of it was looked at.

    Args:
        state: has the records.
        listing: of these ranges.
        ranges: from where they are on.
        same: whether a file and its record need no look.
        deviates: called with each other path of a range, in their order.
        takes: records of paths that are left out are passed over in silence; None: none is left out.
    """
    leaves_alone = None if takes is None else lambda path: not takes(path)
    joins: dict[int, Join] = {}
    gate = Budget.current().gate
    with closing(listing.parts()) as parts:
        for part in parts:
            gate.wait()
            join = joins.get(part.number)
            if join is None:
                asked = ranges[part.number]
                pages = state.pages(asked.start, asked.before)
                join = joins[part.number] = Join(pages, same, deviates, leaves_alone)
            join.feed(part.batch)
            if part.is_last:
                join.finish()
                del joins[part.number]
            yield part
