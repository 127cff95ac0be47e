"""What a listing tells of a file."""

from flatwater.sync.entry import Entry


def test_entries_stand_in_the_order_of_their_paths():
    """As bytes, whatever their other fields are."""
    entries = [Entry(b"a/c", 1), Entry(b"a.b", 9), Entry(b"a", 5, 3)]
    assert [entry.path for entry in sorted(entries)] == [b"a", b"a.b", b"a/c"]
