"""Work on whole directories of RocksDB: copies, damage, estimates, and errors in words."""

from __future__ import annotations

import errno
import os

import pytest
import rocksdict

from flatwater import errors
from flatwater.store.engines import rocksdb_upkeep as upkeep
from flatwater.store.engines.rocksdb_options import Memory, Tuning


def files(*rows):
    """As RocksDB describes them: level, first key, last key, entries, deletions."""
    names = ("level", "start_key", "end_key", "num_entries", "num_deletions")
    return [{**dict(zip(names, row, strict=True)), "size": row[3] * 10} for row in rows]


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("IO error: No space left on device: While appending to file: /x/000004.log", errors.BrokenError, "Make room"),
        ("IO error: File too large: While appending", errors.BrokenError, "may not grow"),
        ("IO error: lock hold by current process, acquire time 1", errors.UsageError, "Share what has it open"),
        ("IO error: While lock file: /x/LOCK: Resource temporarily unavailable", errors.BrokenError, "another process"),
        ("IO error: While lock file: /x/LOCK: Permission denied", errors.BrokenError, "permission denied"),
        ("IO error: While open a file: Read-only file system", errors.BrokenError, "read_only=True"),
        ("IO error: While open a file: Too many open files", errors.BrokenError, "max_open_files"),
        ("IO error: While pread: Input/output error", errors.BrokenError, "Look at the disk"),
        ("Corruption: block checksum mismatch: in /x/000014.sst offset 0", errors.CorruptError, "from a backup"),
        ("Corruption: checksum mismatch", errors.CorruptError, 'sync="normal"'),
        ("Not implemented: Not supported operation in read only mode.", errors.UsageError, "open for reading"),
        ("Invalid argument: what is this", errors.BrokenError, "what is this"),
    ],
)
def test_errors_of_the_library_say_what_to_do(text, kind, words):
    """The library raises nothing but Exception, so the words decide."""
    found = upkeep.said(Exception(text), "/s")
    assert type(found) is kind
    assert words in str(found)


def test_errors_of_the_system_and_of_closed_databases_are_said_too():
    """An OSError by its number; a closed database is a ClosedError."""
    assert "Make room" in str(upkeep.said(OSError(errno.ENOSPC, "No space left on device"), "/s"))
    assert isinstance(upkeep.said(rocksdict.DbClosedError("closed"), "/s"), errors.ClosedError)


def test_what_is_no_error_of_the_library_stays_what_it_is():
    """A mistake in a program is not called a broken disk."""
    with pytest.raises(TypeError):
        upkeep.said(TypeError("x"), "/s")


def test_an_error_keeps_no_iterator_alive():
    """Its frames are let go of: an iterator in them would keep the files open."""
    with pytest.raises(Exception, match="Corruption") as caught:
        raise Exception("Corruption: x")  # noqa: TRY002 - as the library does
    upkeep.said(caught.value, "/s")
    assert caught.value.__traceback__ is None


# --- directories ------------------------------------------------------------------------------------------------------


def test_a_database_is_made_once(tmp_path):
    """Making it again leaves what is there."""
    place = str(tmp_path)
    assert upkeep.is_new(place)
    upkeep.create(place)
    assert not upkeep.is_new(place)
    before = sorted(os.listdir(place))
    upkeep.create(place)
    assert sorted(os.listdir(place)) == before


def test_table_files_without_the_one_that_names_them_are_damage(tmp_path):
    """A new, empty database beside them would hide what was lost."""
    (tmp_path / "000014.sst").write_bytes(b"x")
    with pytest.raises(errors.CorruptError, match="no CURRENT"):
        upkeep.is_new(str(tmp_path))


def test_a_view_is_a_directory_of_links_that_goes_without_a_trace(tmp_path):
    """The files themselves stay."""
    (tmp_path / "000014.sst").write_bytes(b"x")
    (tmp_path / "LOCK").write_bytes(b"")
    view = upkeep.view_of(str(tmp_path))
    assert os.listdir(view) == ["000014.sst"]
    upkeep.drop_view(view)
    assert not os.path.exists(view)
    assert (tmp_path / "000014.sst").read_bytes() == b"x"


def test_a_probe_leaves_nothing(tmp_path):
    """It only asks for room, and says if there is none."""
    upkeep.probe(str(tmp_path), 1 << 20)
    assert os.listdir(tmp_path) == []
    with pytest.raises(OSError, match=r"."):
        upkeep.probe(str(tmp_path), 1 << 62)
    assert os.listdir(tmp_path) == []


def opened(path, sync="off"):
    os.makedirs(path, exist_ok=True)
    return upkeep.opened(str(path), Memory(Tuning()), sync)


@pytest.mark.parametrize("is_other_disk", [False, True])
def test_a_copy_is_a_database_of_one_moment(tmp_path, monkeypatch, is_other_disk):
    """On the same disk with shared files, on another one as files of its own; later writes are not in it."""
    db = opened(tmp_path / "a")
    db[b"abc"] = b"1"
    target = tmp_path / "b"
    target.mkdir()
    if is_other_disk:
        real = os.stat
        monkeypatch.setattr(
            os, "stat", lambda path, *a, **k: real(path, *a, **k) if path != str(target) else real("/proc", *a, **k)
        )
    upkeep.copy(db, str(tmp_path / "a"), str(target), read_only=False)
    monkeypatch.undo()
    db[b"abc"] = b"2"
    db.close()
    assert upkeep.COPYING not in os.listdir(tmp_path / "a")
    copied = opened(target)
    assert copied[b"abc"] == b"1"
    copied.close()


def test_what_is_in_no_file_is_found_by_comparing(tmp_path):
    """New entries, changed ones and deletions that are in write buffers only."""
    db = opened(tmp_path / "a")
    for key in (b"aaa", b"bbb", b"ccc", b"ddd"):
        db[key] = b"old"
    db.flush()
    db[b"000"] = b"new"
    db[b"bbb"] = b"new"
    del db[b"ccc"]
    db[b"zzz"] = b"new"
    found = upkeep.unwritten(db, str(tmp_path / "a"), Memory(Tuning()))
    assert found == [(b"000", b"new"), (b"bbb", b"new"), (b"ccc", None), (b"zzz", b"new")]
    db.flush()
    assert upkeep.unwritten(db, str(tmp_path / "a"), Memory(Tuning())) == []
    db.close()


def test_checking_names_every_file_that_is_damaged(tmp_path):
    """Behind damage it goes on with the next file; a key of no partition is named, too."""
    db = opened(tmp_path / "a")
    for part in range(3):
        for at in range(500):
            db[b"%d-%05d" % (part, at)] = os.urandom(100)
        db.flush()
    assert upkeep.findings(db) == []
    tables = sorted(name for name in os.listdir(tmp_path / "a") if name.endswith(".sst"))
    db.close()
    for name in (tables[0], tables[2]):
        with open(tmp_path / "a" / name, "r+b") as file:
            file.seek(10_000)
            file.write(b"\xff\x00\xff")
    db = opened(tmp_path / "a")
    assert [words.partition(":")[0] for words in upkeep.findings(db)] == [tables[0], tables[2]]
    db[b"x"] = b""
    assert any("belongs to no partition" in words for words in upkeep.findings(db))
    db.close()


# --- estimates --------------------------------------------------------------------------------------------------------


def never(low, high):
    assert low >= high, "nothing is to be counted"
    return 0


def test_whole_files_count_with_all_they_have():
    """What is inside of the range needs no walk; what is outside does not count."""
    found = files((6, b"b", b"c", 100, 0), (6, b"d", b"e", 200, 0), (6, b"m", b"n", 400, 0), (0, b"b", b"d", 10, 5))
    assert upkeep.entries_of(found, b"a", b"f", never) == 300


def test_files_across_an_end_are_counted():
    """The part of the first and the last file that is in the range, and nothing else."""
    asked = []

    def counted(low, high):
        asked.append((low, high))
        return 7

    found = files((6, b"a", b"c", 100, 0), (6, b"d", b"e", 200, 0), (6, b"f", b"z", 400, 0))
    assert upkeep.entries_of(found, b"b", b"g", counted) == 7 + 200 + 7
    assert asked == [(b"b", b"c\x00"), (b"f", b"g")]


def test_one_file_with_the_whole_range_is_counted():
    """No estimate is better than a walk over one file."""
    assert upkeep.entries_of(files((6, b"a", b"z", 100, 0)), b"b", b"c", lambda low, high: 9) == 9
    assert upkeep.entries_of([], b"b", b"c", lambda low, high: 0) == 0


def test_deleted_entries_do_not_count_as_bytes_in_use():
    """A deletion is small, and takes one entry of any file, also while it is in a write buffer."""
    assert upkeep.live_bytes(files((6, b"a", b"b", 100, 0))) == 1_000
    assert upkeep.live_bytes(files((0, b"a", b"b", 100, 30))) == 1_000 * 40 // 70
    assert (
        upkeep.live_bytes(files((6, b"a", b"b", 100, 0), (0, b"a", b"b", 50, 50)))
        == upkeep.live_bytes(files((6, b"a", b"b", 100, 0), (0, b"a", b"b", 0, 0)), 50) + 250
    )
    assert upkeep.live_bytes(files((6, b"a", b"b", 100, 0)), 40) == 600
    assert upkeep.live_bytes(files((0, b"a", b"b", 100, 100))) == 0


def test_borders_are_ends_of_files_about_as_far_from_each_other():
    """Of a hundred files, and only inside of the range."""
    found = files(*[(6, b"%03d" % at, b"%03d-" % at, 10, 0) for at in range(100)])
    assert upkeep.borders_of(found, b"", b"z", 4) == [b"024-", b"049-", b"074-"]
    assert upkeep.borders_of(found[50:], b"050", b"z", 2) == [b"074-"]
