"""One LMDB file: short transactions, a map that grows, marks, damage in words, forks, and interrupts that leave nothing shut."""

from __future__ import annotations

import errno
import os
import threading

import lmdb
import pytest

from flatwater import errors, limits
from flatwater.store.engines import base, lmdb_upkeep
from flatwater.store.engines.lmdb import LmdbEngine

HEAD = b"\x02\x02\x03"
END = HEAD + base.ABOVE


@pytest.fixture
def made(tmp_path):
    """A function that opens the engine of one directory, with what is passed."""
    engines = []
    place = tmp_path / "lmdb"
    place.mkdir()

    def open_(**options):
        options.setdefault("sync", "off")
        engines.append(LmdbEngine(str(place), **options))
        return engines[-1]

    yield open_
    for each in engines:
        each.close()


def pairs_of(count, size=10):
    return [(HEAD + b"%06d" % at, b"%d" % at + b"x" * size) for at in range(count)]


def whole(engine, *, reverse=False):
    page = engine.page(HEAD, END, rows=10**6, bytes_max=1 << 40, reverse=reverse)
    assert page.is_last
    return page.entries


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 50, 3000], ids=str)
def test_the_map_grows_by_itself(made, rows):
    """A file that begins with 64 KiB takes 6 MB, in transactions of any size; nothing is lost or written twice."""
    engine = made(map_bytes=1 << 16)
    pairs = pairs_of(3000, 2000)
    for at in range(0, 3000, rows):
        engine.write([(HEAD, pairs[at : at + rows])])
    assert whole(engine) == pairs
    assert engine.count(HEAD, HEAD, END) == 3000
    assert engine.room().notes["map_bytes"] >= engine.room().file_bytes > 6_000_000
    engine.close()
    again = made(map_bytes=1 << 16)
    assert whole(again) == pairs
    again.write([(HEAD, pairs_of(4000, 2000))])
    assert len(whole(again)) == 4000


def test_a_transaction_that_is_undone_for_the_map_is_counted_once(made):
    """Entries are counted when they are committed, however often the work began."""
    engine = made(map_bytes=1 << 16)
    for number in range(60):
        engine.write([(HEAD, [(HEAD + b"%d" % number, b"x" * 10_000)])])
        assert engine.count(HEAD, HEAD, END) == number + 1


@pytest.mark.parametrize(
    "damage",
    [lambda size: size // 2, lambda size: 4096, lambda size: 100, lambda _size: 1],
    ids=["half", "page", "100", "1"],
)
def test_a_file_that_is_cut_off_is_damage(made, damage):
    """A file that lost its end, or nearly all, is refused with CorruptError when it is opened."""
    engine = made()
    engine.write([(HEAD, pairs_of(2000, 100))])
    engine.close()
    file = os.path.join(engine.path, "data.mdb")
    os.truncate(file, damage(os.path.getsize(file)))
    with pytest.raises(errors.CorruptError, match=r"cut off|damaged|no LMDB file") as refused:
        made()
    assert "backup" in refused.value.hint


def test_a_foreign_file_is_refused(made):
    """Bytes of something else in its place are CorruptError, not a crash."""
    engine = made()
    engine.write([(HEAD, pairs_of(10))])
    engine.close()
    with open(os.path.join(engine.path, "data.mdb"), "r+b") as file:
        file.write(b"something else " * 1000)
    with pytest.raises(errors.CorruptError, match="damaged, or no LMDB file"):
        made()


def test_check_finds_what_was_overwritten(made):
    """A page in the middle of the file that is not what it was is found, and said in words."""
    engine = made()
    engine.write([(HEAD, pairs_of(3000, 100))])
    assert engine.check() == []
    engine.close()
    with open(os.path.join(engine.path, "data.mdb"), "r+b") as file:
        file.seek(engine.page_bytes * 20)
        file.write(os.urandom(16) * 256)
    try:
        found = made().check()
    except errors.CorruptError:
        return
    assert found
    assert all(isinstance(each, str) for each in found)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (lmdb.CorruptedError("x"), errors.CorruptError, "damaged"), (lmdb.InvalidError("x"), errors.CorruptError, "damaged"),
        (lmdb.VersionMismatchError("x"), errors.CorruptError, "damaged"), (lmdb.ReadonlyError("x"), errors.UsageError, "reading"),
        (lmdb.ReadersFullError("x"), errors.LimitReached, "at once"), (lmdb.BadValsizeError("x"), errors.UsageError, "key"),
        (lmdb.Error("other"), errors.BrokenError, "other"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, Exception) else None,
)  # fmt: skip
def test_errors_are_ours(error, kind, said, tmp_path):
    """What LMDB says becomes one of our errors, by whose fault it is, with the path."""
    found = lmdb_upkeep.said(error, str(tmp_path))
    assert type(found) is kind
    assert said in str(found)
    assert str(tmp_path) in str(found)


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (errno.ENOSPC, errors.BrokenError, "full"), (errno.EDQUOT, errors.BrokenError, "full"), (errno.EFBIG, errors.BrokenError, "grow"),
        (errno.EIO, errors.BrokenError, "nothing of this transaction"), (errno.ENOENT, errors.CorruptError, "gone"),
        (errno.EROFS, errors.BrokenError, "read-only"), (errno.EACCES, errors.BrokenError, "denied"), (errno.EMFILE, errors.BrokenError, "too many"),
    ],
    ids=lambda part: errno.errorcode.get(part) if isinstance(part, int) else None,
)  # fmt: skip
def test_errors_of_the_system_are_said(code, kind, said, tmp_path):
    """A number of the system that LMDB passes on is said in words."""
    error = lmdb.DiskError("x")
    error.code = code
    found = lmdb_upkeep.said(error, str(tmp_path))
    assert type(found) is kind
    assert said in str(found)


@pytest.mark.parametrize("act", ["compact", "trim"])
def test_a_file_that_cannot_be_opened_again_ends_in_words(made, monkeypatch, act):
    """If the file is gone when it is exchanged, the call says so and all others get ClosedError; nothing hangs."""
    engine = made()
    engine.write([(HEAD, pairs_of(10))])

    def refuse():
        raise errors.BrokenError("no more files")

    monkeypatch.setattr(engine, "_open", refuse)
    with pytest.raises(errors.BrokenError, match="no more files"):
        getattr(engine, act)()
    for call in (lambda: engine.get(HEAD), lambda: engine.write([(HEAD, pairs_of(1))]), engine.trim, engine.compact):
        with pytest.raises(errors.ClosedError, match="closed by an error"):
            call()
    engine.close()


def test_a_compaction_without_room_leaves_the_old_file(made, monkeypatch):
    """Whatever breaks the new file, the old one stays, works, and no rest lies about."""
    engine = made()
    pairs = pairs_of(1000, 100)
    engine.write([(HEAD, pairs)])
    opened = lmdb.open

    def full(path, *args, **options):
        if lmdb_upkeep.MAKING in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, *args, **options)

    monkeypatch.setattr(lmdb, "open", full)
    with pytest.raises(errors.BrokenError, match="no space left"):
        engine.compact()
    monkeypatch.undo()
    assert whole(engine) == pairs
    assert lmdb_upkeep.MAKING not in os.listdir(engine.path)
    engine.compact()
    assert whole(engine) == pairs


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_reverse", [False, True])
@pytest.mark.parametrize("size", [10, 5000], ids=["in pages", "on pages of their own"])
def test_pages_end_where_the_range_does(made, size, is_reverse):
    """Whatever lies beside it, a page has nothing beyond its range; is_last says whether more comes in it."""
    engine = made()
    engine.write([(HEAD, pairs_of(20, size))])
    engine.write([(head, [(head + b"x", b"neighbour")]) for head in (b"\x02\x02\x02", b"\x02\x02\x04")])
    keys = [key for key, _value in pairs_of(20)]
    options = {"bytes_max": 1 << 20, "reverse": is_reverse}
    for low, high in [
        (HEAD, END),
        (keys[3], keys[15]),
        (keys[3] + b"\x00", keys[15] + b"\x00"),
        (keys[7], keys[7]),
        (keys[9], keys[4]),
    ]:
        wanted = [key for key in keys if low <= key < high]
        wanted = wanted[::-1] if is_reverse else wanted
        for rows in (1, 5, 12, 100):
            page = engine.page(low, high, rows=rows, **options)
            assert [key for key, _value in page.entries] == wanted[:rows]
            assert page.is_last or len(page.entries) == rows


def test_marks_tell_whether_anything_was_committed(made):
    """Reading keeps the mark, each commit changes it, and no mark comes twice, not even in another file."""
    engine = made()
    marks = [engine.write([(HEAD, pairs_of(5))])]

    def now():
        return engine.page(HEAD, END, rows=1, bytes_max=1000, reverse=False).mark

    assert now() == now() == marks[0]
    for act in (lambda: engine.write([(HEAD, pairs_of(2, 3))]), engine.trim, engine.compact, engine.trim):
        act()
        assert now() not in marks
        marks.append(now())


def test_replace_compares_when_others_came(made):
    """With the mark of the last commit it writes; else it leaves what is not as it was read, and says which."""
    engine = made()
    pairs = pairs_of(4)
    mark = engine.write([(HEAD, pairs)])
    keys, olds = zip(*pairs, strict=True)
    mark, missed = engine.replace(HEAD, keys[:2], olds[:2], [b"a", None], mark)
    assert (missed, engine.get_many(keys)) == ([], [b"a", None, olds[2], olds[3]])
    engine.write([(HEAD, [(keys[2], b"other")])])
    after, missed = engine.replace(HEAD, keys[1:], olds[1:], [b"b", b"b", b"b"], mark)
    assert (after, missed) == (base.UNKNOWN, [0, 1])
    assert engine.get_many(keys) == [b"a", None, b"other", b"b"]
    assert engine.count(HEAD, HEAD, END) == 3


# --- processes and interrupts -----------------------------------------------------------------------------------------


def test_a_child_of_a_fork_is_refused_and_the_parent_goes_on(made):
    """In the child every call is ClosedError, while a thread of the parent was writing, too; closing there harms nobody."""
    engine = made()
    engine.write([(HEAD, pairs_of(10))])
    with engine._door.writing:  # as if a thread were in the middle of a write
        child = os.fork()
        if child == 0:
            code = 1
            try:
                refused = 0
                for call in (
                    lambda: engine.get(HEAD),
                    lambda: engine.write([(HEAD, [])]),
                    engine.trim,
                    engine.compact,
                    engine.check,
                ):
                    try:
                        call()
                    except errors.ClosedError as error:
                        refused += "forked" in str(error)
                engine.close()
                code = 0 if refused == 5 else 2
            finally:
                os._exit(code)
    ended = threading.Event()
    killer = threading.Timer(20, lambda: ended.is_set() or os.kill(child, 9))
    killer.start()
    status = os.waitpid(child, 0)[1]
    ended.set()
    killer.cancel()
    assert os.waitstatus_to_exitcode(status) == 0
    engine.write([(HEAD, pairs_of(20))])
    assert len(whole(engine)) == 20


@pytest.mark.parametrize("act", ["trim", "compact", "grow", "close"])
def test_an_interrupt_while_it_waits_leaves_nothing_shut(made, monkeypatch, act):
    """KeyboardInterrupt while others are still inside comes through, and everybody goes on afterwards."""
    engine = made(map_bytes=1 << 16)
    engine.write([(HEAD, pairs_of(10))])
    token = object()
    engine._door.inside.add(token)  # somebody who is reading

    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    acts = {"grow": lambda: engine.write([(HEAD, pairs_of(100, 5000))])}
    with pytest.raises(KeyboardInterrupt):
        acts.get(act, getattr(engine, act, None))()
    monkeypatch.undo()
    engine._door.inside.discard(token)
    assert engine.get(HEAD + b"000003") == b"3" + b"x" * 10
    engine.write([(HEAD, pairs_of(100, 5000))])
    assert len(whole(engine)) == 100


def test_a_second_one_in_this_process_is_refused(made):
    """LMDB must not be open twice: the second one is told, and the first goes on."""
    engine = made()
    with pytest.raises(errors.UsageError, match="open in this process already"):
        made()
    engine.write([(HEAD, pairs_of(1))])
    assert len(whole(engine)) == 1


def test_what_it_takes_is_a_sum(made):
    """The bytes that are promised are those of limits.py and of the pages that one commit may change."""
    engine = made()
    assert engine.bytes_max() >= limits.STORE_LMDB_BYTES + limits.STORE_COMMIT_ROWS * engine.page_bytes
    assert engine.write_bytes_max(10_000, 1 << 20) >= 10_000 * engine.page_bytes


def test_a_value_that_shrinks_in_one_transaction_is_no_damage(made):
    """A large value and a smaller one for the same key, in one write, leave a file that checks clean, with no page too many."""
    engine = made()
    for small in (b"1", b"y" * 9000, b""):
        engine.write([(HEAD, [(HEAD + b"a", b"x" * 20_000), (HEAD + b"b", b"z"), (HEAD + b"a", small)])])
        engine.write([(HEAD, [(HEAD + b"c", b"x" * 20_000)]), (HEAD, [(HEAD + b"c", small)])])
        assert engine.get_many([HEAD + b"a", HEAD + b"c"]) == [small, small]
        assert engine.check() == []
        engine.write([(HEAD, [(HEAD + b"a", None), (HEAD + b"c", None)])])
        assert engine.check() == []
