"""Keys that are longer than the engine below takes: cut in pieces, and in order all the same.

Covers:     finding, writing, walking, replacing, whatever the length up to 64 KiB.
Not here:   the engine below (`engines.lmdb`, which takes 511 bytes).
Holds:      what the engine below holds.

A key of more than 480 bytes is cut there. Its front and a 00 make the key of a link, which no other key can look like:
all others have 480 bytes or fewer. The link's value is a number, and under that number stands the rest, cut again if need
be. Keys with the same front share the link. A link sorts where its keys belong, so a walk that meets one goes through
what stands under its number, and then on. Links stay when their last key is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, Protocol, TypeVar, final

from flatwater import limits
from flatwater.store.engines import base

CUT: Final = 480
_LINK_BYTES = CUT + 1
_NODE = base.SYSTEM + b"\x00"  # then a number, then the rest of a key
_LAST = base.SYSTEM + b"\x01node"  # the last number that was given
_NODE_BYTES = len(_NODE) + 8
_key_of = itemgetter(0)
Get = Callable[[bytes], bytes | None]
Pages = Callable[..., base.Page]
Result = TypeVar("Result")


class Below(base.Engine, Protocol):
    """An engine that takes shorter keys."""

    def look(self, call: Callable[[Get, Pages], Result]) -> Result:
        """What `call` makes of reads of one version: it is given `get` and `page`."""
        ...


@final
class LongKeys:
    """An engine over one that takes shorter keys. Thread-safe as that one."""

    def __init__(self, inner: Below) -> None:
        self._inner = inner
        self._has_links = False

    # --- one key ------------------------------------------------------------------------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        if len(key) <= CUT:
            return self._inner.get(key)
        place = _placed(key, self._inner.get)
        return None if place is None else self._inner.get(place)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values, all of one version."""
        if not keys or max(map(len, keys)) <= CUT:
            return self._inner.get_many(keys)

        def found(get: Get, _page: Pages) -> list[bytes | None]:
            places = [_placed(key, get) for key in keys]
            return [None if place is None else get(place) for place in places]

        return self._inner.look(found)

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, groups: Sequence[base.Group]) -> int:
        """Put and delete, all or nothing; the last of several for one key holds. Returns the mark afterwards."""
        if all(max(map(len, map(_key_of, pairs)), default=0) <= CUT for _head, pairs in groups):
            return self._inner.write(groups)
        self._inner.alter(lambda get: _linked(groups, get))
        self._has_links = True
        return base.UNKNOWN

    def replace(
        self, head: bytes, keys: Sequence[bytes], olds: Sequence[bytes], news: Sequence[bytes | None], since: int
    ) -> tuple[int, list[int]]:
        """Put `news` in place of `olds` in one transaction, where these still stand; None deletes."""
        if max(map(len, keys)) > CUT:
            keys = [key if len(key) <= CUT else _placed(key, self._inner.get) or key[:CUT] for key in keys]
        return self._inner.replace(head, keys, olds, news, since)

    # --- walking ------------------------------------------------------------------------------------------------------

    def page(self, low: bytes, high: bytes, *, rows: int, bytes_max: int, reverse: bool) -> base.Page:
        """Entries with low <= key < high, from the near end, as many as fit; at least one, if there is one."""
        if not self._has_links and max(len(low), len(high)) <= CUT:
            found = self._inner.page(low, high, rows=rows, bytes_max=bytes_max, reverse=reverse)
            if not _has_link(found):
                return found
            self._has_links = True
        return self._inner.look(lambda _get, read: _Look(read, reverse=reverse).page(low, high, rows, bytes_max))

    def _linked_now(self) -> bool:
        if not self._has_links:
            self._has_links = self._inner.get(_LAST) is not None
        return self._has_links

    def borders(self, low: bytes, high: bytes, parts: int) -> list[bytes]:
        """Keys that divide a range into about equal parts; keys that share a link count as one."""
        near, far = low[:CUT], high[:CUT]
        return [key for key in self._inner.borders(near, far, parts) if len(key) != _LINK_BYTES]

    def count(self, head: bytes, low: bytes, high: bytes) -> int:
        """How many entries a range has, as the engine below says; with long keys in it, by a walk."""
        if (low, high) == (head, head + base.ABOVE) or not self._linked_now():
            return self._inner.count(head, low, high)
        counted = 0
        while True:
            page = self.page(low, high, rows=limits.STORE_BATCH_ROWS, bytes_max=limits.STORE_BATCH_BYTES, reverse=False)
            counted += len(page.entries)
            if page.is_last:
                return counted
            low = page.entries[-1][0] + b"\x00"

    # --- what the engine below does ----------------------------------------------------------------------------------

    def bytes_max(self) -> int:
        """The most it holds in memory, in bytes, beside pages of the file that the system may take back."""
        return self._inner.bytes_max()

    def write_bytes_max(self, rows: int, size: int) -> int:
        """The most that a write of so many entries takes in memory, with so many bytes in keys and values."""
        return self._inner.write_bytes_max(rows, size)

    def alter(self, function: Callable[[Get], Sequence[base.Group]]) -> None:
        """Write what `function` returns, which may read with what it is given; nothing comes between. Short keys only."""
        self._inner.alter(function)

    def look(self, call: Callable[[Get, Pages], Any]) -> Any:
        """What `call` makes of reads of one version: it is given `get` and `page`. Short keys only."""
        return self._inner.look(call)

    def room(self) -> base.Room:
        """What it takes."""
        return self._inner.room()

    def readers(self) -> list[base.Reader]:
        """Read transactions that keep free room from being used."""
        return self._inner.readers()

    def compact(self) -> None:
        """Give free room on disk back to the system."""
        self._inner.compact()

    def backup(self, path: str) -> None:
        """Write a whole copy, of one version, to an empty directory."""
        self._inner.backup(path)

    def check(self) -> list[str]:
        """What is wrong with the files, in words."""
        return self._inner.check()

    def sync(self) -> None:
        """Make everything durable that was written."""
        self._inner.sync()

    def trim(self) -> None:
        """Give memory back that is not needed now."""
        self._inner.trim()

    def close(self) -> None:
        """End; more than once does no harm."""
        self._inner.close()


@final
class _Look:
    """Pages of one version, in one direction, with what stands under links in their places."""

    def __init__(self, read: Pages, *, reverse: bool) -> None:
        self._read = read
        self._reverse = reverse

    def page(self, low: bytes, high: bytes, rows: int, bytes_max: int, above: int = 0) -> base.Page:
        """As an engine's. Under links, each entry takes `above` bytes more, of the fronts that are put back."""
        rows = max(1, min(rows, bytes_max // (above + base.ENTRY_BYTES)))
        near = low if len(low) <= CUT else low[:CUT] + b"\x00"
        far = high if len(high) <= CUT else high[:CUT] + b"\x00\x00"
        while True:
            found = self._read(near, far, rows=rows, bytes_max=bytes_max, reverse=self._reverse)
            if not _has_link(found):
                return found
            made = self._whole(found, low, high, rows, bytes_max, above)
            if made.entries or found.is_last:
                return made
            last = found.entries[-1][0]  # links without keys, all of them
            near, far = (near, last) if self._reverse else (last + b"\x00", far)

    def _whole(self, found: base.Page, low: bytes, high: bytes, rows: int, bytes_max: int, above: int) -> base.Page:
        """A page with what stands under its links, as far as it fits."""
        made = base.Page([], is_last=False, mark=found.mark)
        left = bytes_max
        for key, value in found.entries:
            is_cut = False
            new = [(key, value)]
            if len(key) == _LINK_BYTES:
                front = key[:CUT]
                first, last = _range_under(front, value, low, high)
                below = self.page(first, last, rows - len(made.entries), max(1, left), above + CUT)
                new = [(front + rest[_NODE_BYTES:], stored) for rest, stored in below.entries]
                is_cut = not below.is_last
            size = sum(above + len(each) + len(stored) + base.ENTRY_BYTES for each, stored in new)
            if made.entries and new and size > left:
                return made
            made.entries += new
            left -= size
            if is_cut or (len(made.entries) >= rows and key is not found.entries[-1][0]):
                return made
        made.is_last = found.is_last
        return made


def _has_link(page: base.Page) -> bool:
    return max(map(len, map(_key_of, page.entries)), default=0) >= _LINK_BYTES


def _range_under(front: bytes, number: bytes, low: bytes, high: bytes) -> tuple[bytes, bytes]:
    """Where the rests of those keys of a range stand that have this front."""
    node = _NODE + number
    first = node + low[CUT:] if low.startswith(front) else node
    last = node + high[CUT:] if high.startswith(front) and len(high) > CUT else _after(node)
    return first, last


def _placed(key: bytes, get: Get) -> bytes | None:
    """Where the engine below has a long key; None if a link is missing on the way."""
    while len(key) > CUT:
        number = get(key[:CUT] + b"\x00")
        if number is None:
            return None
        key = _NODE + number + key[CUT:]
    return key


def _linked(groups: Sequence[base.Group], get: Get) -> list[base.Group]:
    """`groups` as the engine below takes them, and before them the links that are missing."""
    new: dict[bytes, bytes] = {}
    given = int.from_bytes(get(_LAST) or b"", "big")

    def found(link: bytes) -> bytes | None:
        return new.get(link) or get(link)

    def linked(link: bytes) -> bytes:
        nonlocal given
        number = found(link)
        if number is None:
            given += 1
            number = new[link] = given.to_bytes(8, "big")
        return number

    placed: list[base.Group] = []
    for head, pairs in groups:
        written: list[base.Write] = []
        for key, value in pairs:
            place: bytes | None = key
            if len(key) > CUT:
                place = _placed(key, found if value is None else linked)
            if place is not None:
                written.append((place, value))
        placed.append((head, written))
    if new:
        placed.insert(0, (base.SYSTEM, [*new.items(), (_LAST, given.to_bytes(8, "big"))]))
    return placed


def _after(node: bytes) -> bytes:
    return (int.from_bytes(node, "big") + 1).to_bytes(len(node), "big")
