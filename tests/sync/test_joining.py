"""A listing beside records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flatwater.sync.entry import Entry
from flatwater.sync.joining import Join

PATHS = st.sets(st.sampled_from([b"%02d" % number for number in range(30)]))


def cut(items, sizes):
    """In pieces of these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(items):
        size = sizes[turn % len(sizes)]
        pieces.append(items[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


@given(PATHS, PATHS, PATHS, *[st.lists(st.integers(1, 7), min_size=1, max_size=4)] * 2, st.booleans())
def test_each_path_is_told_once_with_what_there_is(files, kept, other, batches, pages, leaves):
    """However both sides are cut: what deviates is told in order, what is the same is not told at all."""
    told = []
    records = [((path,), b"other" if path in other else b"same") for path in sorted(kept)]
    join = Join(
        iter(cut(records, pages)), lambda _entry, value: value == b"same", lambda *found: told.append(found),
        (lambda path: path < b"15") if leaves else None,
    )  # fmt: skip
    for batch in cut([Entry(path, 1) for path in sorted(files)], batches):
        join.feed(batch)
    join.finish()
    join.finish()
    wanted = []
    for path in sorted(files | kept):
        value = None if path not in kept else b"other" if path in other else b"same"
        entry = Entry(path, 1) if path in files else None
        if (entry and value == b"same") or (entry is None and leaves and path < b"15"):
            continue
        wanted.append((path, entry, value))
    assert told == wanted
