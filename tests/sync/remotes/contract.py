"""What every remote does: a test class for each of them inherits these and gives a fixture `remote`, empty at first."""

from __future__ import annotations

import os

import pytest

from flatwater import limits
from flatwater.sync.entry import Attributes, Entry
from flatwater.sync.failures import GoneFailure, InTheWayFailure

MTIME = 1_700_000_001_000_000_000  # a whole second: every remote that keeps times keeps this one


USUAL = Attributes(MTIME, 0o640)


def written(remote, path, data=b"text", attributes=USUAL):
    """Put a file there as a sync does; what the remote tells of it."""
    writing = remote.write(path, len(data), attributes)
    for start in range(0, len(data), 65_536):
        writing.write(bytearray(data[start : start + 65_536]))
    return writing.publish()


def content(remote, path, count=1000):
    """The bytes of a file, and what it said of itself."""
    with remote.read(path) as reading:
        parts = []
        while part := reading.read(count):
            assert len(part) <= count
            parts.append(bytes(part))
        assert reading.is_unchanged()
        return b"".join(parts), reading.entry, reading.attributes


def paths(remote, *args, **options):
    """What a listing has, in its order."""
    return [entry.path for batch in remote.batches(*args, **options) for entry in batch]


class Contract:
    """Tests of a remote."""

    def test_an_empty_one_lists_nothing(self, remote):
        """No file, no batch, no border."""
        assert list(remote.batches()) == []
        assert remote.borders(1) == []

    def test_written_listed_found_read(self, remote):
        """One file, told in the same way by each of them."""
        told = written(remote, b"a/b/one.txt", b"hello")
        ((entry,),) = remote.batches()
        assert entry.path == b"a/b/one.txt"
        assert entry.size == 5
        assert remote.find(b"a/b/one.txt") == entry
        data, read, attributes = content(remote, b"a/b/one.txt", 2)
        assert (data, read.size) == (b"hello", 5)
        if remote.tells_etag:
            assert entry.etag
            assert told.etag == entry.etag == read.etag
        assert told.size == 5
        if remote.keeps_mtime:
            assert entry.mtime_ns == told.mtime_ns == read.mtime_ns == MTIME
            assert attributes.mtime_ns == MTIME

    @pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_001])
    def test_every_size_comes_back(self, remote, size):
        """Empty files, small ones, such as take several parts."""
        data = os.urandom(size)
        assert written(remote, b"file", data).size == size
        assert content(remote, b"file", 100_000)[0] == data

    def test_byte_order_of_whole_paths(self, remote, monkeypatch):
        """Not of the names of each folder; from behind any path on, and up to any."""
        monkeypatch.setattr(limits, "SYNC_BATCH", 3)
        wanted = sorted(
            [b"a.b", b"a/c", b"a/c.d/e", b"a-", b"a0", b"b", b"A", b"a/b/c", b"a/b/d", b"z/z", b"a b/1", b"%41"]
        )
        for path in reversed(wanted):
            written(remote, path)
        assert paths(remote) == wanted
        for after in [*wanted, b"a", b"a/", b"a/b", b"a/bb", b"zz", b"0"]:
            assert paths(remote, after) == [path for path in wanted if path > after], after
            assert paths(remote, b"a", after) == [path for path in wanted if b"a" < path < after], after

    def test_borders_are_paths_between_which_all_files_are(self, remote):
        """Ranges between neighbours are the whole listing."""
        wanted = sorted([b"a/1", b"a/2", b"b/x/1", b"b/y/2", b"c", b"d/1"])
        for path in wanted:
            written(remote, path)
        for levels in (1, 2):
            borders = remote.borders(levels)
            assert borders == sorted(set(borders))
            found = []
            for after, before in zip([b"", *borders], [*borders, b""], strict=True):
                found += paths(remote, after, before)
            assert found == wanted

    @pytest.mark.parametrize(
        "path", ["ümläut/日本.txt".encode(), b"with space", b"a+b%20c&d=e", b"quote'\"", b"q?#[]*", b"back\\slash", b"-dash", b".hidden",
                 b"~tilde", b"tail ", b"a;b:c,d", b"n" * 200]
    )  # fmt: skip
    def test_names_that_are_odd(self, remote, path):
        """They come back as they were."""
        assert remote.refusal(path) == ""
        written(remote, path, path)
        assert paths(remote) == [path]
        assert content(remote, path)[0] == path
        assert remote.find(path) == next(iter(remote.batches()))[0]
        assert remote.delete([path]) == [None]
        assert paths(remote) == []

    @pytest.mark.parametrize(
        "path", [b"../up", b"/absolute", b"a//b", b"a/./b", b"a/..", b"", b"zero\x00", b"folder/", b"n" * 256]
    )
    def test_paths_that_lead_elsewhere(self, remote, path):
        """Are refused where there are folders."""
        if remote.has_folders:
            assert remote.refusal(path)

    def test_nobody_sees_it_before_it_is_published(self, remote):
        """What stood there stays until then; what was abandoned leaves nothing."""
        written(remote, b"d/file", b"before")
        writing = remote.write(b"d/file", 5, Attributes())
        writing.write(b"after")
        assert content(remote, b"d/file")[0] == b"before"
        assert paths(remote) == [b"d/file"]
        writing.abandon()
        writing.abandon()
        assert content(remote, b"d/file")[0] == b"before"
        again = remote.write(b"d/file", 5, Attributes())
        again.write(b"after")
        again.publish()
        assert content(remote, b"d/file")[0] == b"after"
        assert paths(remote) == [b"d/file"]

    def test_what_a_killed_run_left_is_overwritten_or_discarded(self, remote):
        """It is in no listing, and no later run stumbles over it."""
        writing = remote.write(b"d/file", 6, Attributes())
        writing.write(b"kille")
        del writing
        assert paths(remote) == []
        assert written(remote, b"d/file", b"whole").size == 5
        remote.discard(b"d/file")
        remote.discard(b"d/other")
        assert content(remote, b"d/file")[0] == b"whole"

    def test_deleting(self, remote):
        """What is not there is deleted already; folders go with their last file, and the root stays."""
        for path in (b"a/b/c", b"a/d", b"e"):
            written(remote, path)
        assert remote.delete([b"a/b/c", b"a/b/none", b"none/none", b"e/below"]) == [None] * 4
        assert paths(remote) == [b"a/d", b"e"]
        assert remote.delete([b"a/d", b"e"]) == [None, None]
        assert paths(remote) == []
        written(remote, b"again")

    def test_many_are_deleted_at_once(self, remote):
        """More than one request of an object store can have."""
        wanted = [b"many/%04d" % number for number in range(30)]
        for path in wanted:
            written(remote, path, b"")
        assert remote.delete(wanted) == [None] * len(wanted)
        assert paths(remote) == []

    def test_what_is_not_there(self, remote):
        """Is said when it is opened."""
        assert remote.find(b"none") is None
        assert remote.find(b"none/below") is None
        with pytest.raises(GoneFailure):
            remote.read(b"none")
        with pytest.raises(GoneFailure):
            remote.read(b"none/below")

    def test_files_and_folders_of_one_name(self, remote):
        """What is in the way is said as such, and stays as it is."""
        if not remote.has_folders:
            pytest.skip("an object store has no folders")
        written(remote, b"file")
        written(remote, b"folder/below")
        with pytest.raises(InTheWayFailure):
            written(remote, b"file/below")
        with pytest.raises(InTheWayFailure):
            written(remote, b"folder")
        assert paths(remote) == [b"file", b"folder/below"]
        assert remote.delete([b"file/below"]) == [None]
        assert paths(remote) == [b"file", b"folder/below"]

    def test_a_file_that_changes_while_it_is_read(self, remote):
        """Is not taken for unchanged, or cannot be read on."""
        written(remote, b"file", b"x" * 3_000_000, Attributes(MTIME))
        from flatwater.sync.failures import Failure

        with remote.read(b"file") as reading:
            reading.read(1000)
            written(remote, b"file", b"y" * 3_000_001, Attributes(MTIME + 5_000_000_000))
            try:
                size = 1000
                while part := reading.read(100_000):
                    assert bytes(part[:1]) in {b"x", b"y"}
                    size += len(part)
            except Failure:
                return
            if reading.is_unchanged():
                assert size == reading.entry.size == 3_000_000  # the version that was opened, to its end

    def test_it_says_where_it_is_without_secrets(self, remote):
        """For messages, and for the state."""
        assert remote.url
        assert "secret" not in remote.url
        assert "secret" not in repr(remote)

    def test_entries_are_entries(self, remote):
        """With bytes and whole numbers, as they are packed into a state."""
        written(remote, b"file")
        ((entry,),) = remote.batches()
        assert isinstance(entry, Entry)
        assert [type(value) for value in entry] == [bytes, int, int, bytes]

    def test_it_can_be_closed_and_used_again(self, remote):
        """It opens what it needs."""
        written(remote, b"file")
        remote.close()
        assert paths(remote) == [b"file"]
        assert remote.bytes_max(8) > 0
        remote.settle()
