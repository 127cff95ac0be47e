"""One page of rows for a request: what stands on it, whether there is more, and the token for the next.

Covers:     `Page`.
Not here:   reading it (`tables.reading`).
Holds:      the page's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, final, overload

from flatwater import errors
from flatwater.source.tables.reading import Key, Reading

Item = TypeVar("Item")


@final
class Page(Sequence[Item], Generic[Item]):
    """Rows of one page; a sequence.

    Attributes:
        rows: the list.
        has_more: whether there were more rows behind the last one.
        token: for the next page; None where there were no more.
    """

    __slots__ = ("has_more", "rows", "token")

    def __init__(self, rows: list[Item], token: str | None) -> None:
        self.rows = rows
        self.token = token
        self.has_more = token is not None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.rows)

    @overload
    def __getitem__(self, at: int) -> Item: ...
    @overload
    def __getitem__(self, at: slice) -> list[Item]: ...
    def __getitem__(self, at: int | slice) -> Item | list[Item]:
        return self.rows[at]

    def __repr__(self) -> str:
        return f"<Page of {len(self.rows)} rows{', and more' if self.has_more else ''}>"


def refuse_arrow(as_: object) -> None:
    """Raise where rows are wanted one by one, and a record batch is none of them.

    Raises:
        UsageError: as said.
    """
    if as_ == "arrow":
        raise errors.UsageError(
            'rows that are looked at one by one cannot be as_="arrow".',
            hint='Take batches(as_="arrow"), or pyarrow.RecordBatch.from_pylist(page.rows).',
        )


def read_page(reading: Reading, sign: Callable[[Key, Key | None], str]) -> Page[Any]:
    """The next page of a reading; looks one row further to know whether there is more."""
    rows = reading.next_batch()
    if not rows:
        return Page([], None)
    position = reading.position
    assert position is not None
    reading.batch_bytes = reading.batch_rows = 1
    return Page(rows, sign(position, None) if reading.next_batch() else None)
