"""Work on a whole LMDB file: made, completed, rewritten, exchanged, checked; and LMDB's errors in words."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import stat
import subprocess
import sys

import lmdb
import pytest

from flatwater import errors, limits
from flatwater.store.engines import lmdb_upkeep as upkeep

PAIRS = [(b"%06d" % number, b"v" * (number % 300)) for number in range(2_000)]


@pytest.fixture
def place(tmp_path):
    """The directory of an empty file."""
    made = tmp_path / "lmdb"
    made.mkdir()
    upkeep.create(str(made))
    return made


@pytest.fixture
def opened(place):
    """A function that opens an environment at `place`, closed at the end."""
    opened_ = []

    def open_(path=place, **options):
        opened_.append(lmdb.open(str(path), map_size=64 << 20, **options))
        return opened_[-1]

    yield open_
    for each in opened_:
        each.close()


@pytest.fixture
def filled(opened):
    """An environment with 2,000 entries, of which every second one was deleted."""
    env = opened()
    with env.begin(write=True) as txn:
        txn.cursor().putmulti(PAIRS)
    with env.begin(write=True) as txn:
        for key, _value in PAIRS[1::2]:
            txn.delete(key)
    return env


def entries(env):
    with env.begin() as txn:
        return list(txn.cursor())


def shorter(env):
    """Pages taken at the end and given back in one transaction: the file is shorter than it says."""
    with env.begin(write=True) as txn:
        for number in range(50):
            txn.put(b"a%d" % number, bytes(3_000))
    with env.begin(write=True) as txn:
        for number in range(50):
            txn.delete(b"a%d" % number)
    for number in range(5):
        with env.begin(write=True) as txn:
            txn.put(b"b%d" % number, b"1")
    with env.begin(write=True) as txn:
        txn.put(b"c", bytes(4_000_000))
        txn.delete(b"c")


def limited(call, size):
    """Call it in a forked process whose files may have so many bytes; the error's class and text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            call()
            os.write(writing, b"nothing raised")
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return said


# --- a new file -------------------------------------------------------------------------------------------------------


def test_create(place, opened):
    """It is an empty LMDB file of two pages, which others may read, and nothing lies beside it."""
    assert os.listdir(place) == ["data.mdb"]
    assert stat.S_IMODE((place / "data.mdb").stat().st_mode) == 0o644 & ~umask()
    assert upkeep.verify(str(place)) == []
    assert entries(opened()) == []


def umask():
    old = os.umask(0)
    os.umask(old)
    return old


def test_create_leaves_what_is_there(place, opened):
    """A file with entries stays; what a creation left that was killed is replaced."""
    env = opened()
    with env.begin(write=True) as txn:
        txn.put(b"a", b"1")
    env.close()
    upkeep.create(str(place))
    assert entries(opened()) == [(b"a", b"1")]
    (place / "data.mdb").unlink()
    (place / "data.mdb.tmp").write_bytes(b"half")
    upkeep.create(str(place))
    assert os.listdir(place).count("data.mdb.tmp") == 0
    assert upkeep.verify(str(place)) == []


def test_create_without_room(tmp_path):
    """It is said, and nothing is left."""
    assert limited(lambda: upkeep.create(str(tmp_path)), 100).startswith("BrokenError")
    assert os.listdir(tmp_path) == []
    with pytest.raises(errors.FlatwaterError):
        upkeep.create(str(tmp_path / "none"))


def test_the_lock_file_has_its_room(place, opened):
    """LMDB's table of readers lies on the disk before it is mapped, in its full size, and LMDB uses it."""
    upkeep.make_lock_file(str(place))
    lock = place / "lock.mdb"
    assert lock.stat().st_blocks * 512 >= lock.stat().st_size > 0
    size = lock.stat().st_size
    env = opened(max_readers=limits.STORE_READERS_MAX)
    assert env.info()["max_readers"] == limits.STORE_READERS_MAX
    assert lock.stat().st_size == size
    before = lock.stat().st_ino
    upkeep.make_lock_file(str(place))  # one that is there stays: others may have it open
    assert lock.stat().st_ino == before


def test_the_lock_file_without_room(place):
    """It is said, and none is left that would kill the process."""
    said = limited(lambda: upkeep.make_lock_file(str(place)), 100)
    assert said.startswith("BrokenError"), said
    assert "ulimit -f" in said
    assert os.listdir(place) == ["data.mdb"]


def test_a_file_that_is_shorter_than_it_says(place, opened):
    """It is whole: it gets the length that it says it has, or is left alone by who only reads."""
    env = opened()
    shorter(env)
    file = place / "data.mdb"
    short = file.stat().st_size
    assert (env.info()["last_pgno"] + 1) * env.stat()["psize"] > short + 3_000_000
    before = entries(env)
    upkeep.complete(env, str(place), read_only=True)
    assert file.stat().st_size == short
    upkeep.complete(env, str(place), read_only=False)
    assert file.stat().st_size == (env.info()["last_pgno"] + 1) * env.stat()["psize"]
    assert entries(env) == before
    assert upkeep.verify(str(place)) == []


def test_a_file_that_is_as_long_as_it_says(filled, place):
    """Nothing is looked through, and nothing is written."""
    before = (place / "data.mdb").stat()
    upkeep.complete(filled, str(place), read_only=False)
    assert (place / "data.mdb").stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_was_cut_off(filled, place, opened, tmp_path, read_only):
    """It is said, with the size it has and the one it had; the file stays as it is."""
    shutil.copytree(place, tmp_path / "copy")
    os.truncate(tmp_path / "copy" / "data.mdb", 40 * 4_096)
    cut = opened(tmp_path / "copy")
    with pytest.raises(errors.CorruptError, match=r"is cut off: it has 160 KiB of \d+ KiB; .") as caught:
        upkeep.complete(cut, str(tmp_path / "copy"), read_only=read_only)
    assert "backup" in caught.value.hint
    assert (tmp_path / "copy" / "data.mdb").stat().st_size == 40 * 4_096


def test_clear(place):
    """What was left by one that was killed goes; the file stays."""
    (place / upkeep.MAKING).mkdir()
    (place / upkeep.MAKING / "data.mdb").write_bytes(b"half")
    (place / "data.mdb.tmp").write_bytes(b"half")
    upkeep.clear(str(place))
    upkeep.clear(str(place))
    assert os.listdir(place) == ["data.mdb"]


def test_make_durable(place, tmp_path):
    """It syncs what is there, and says what is not."""
    upkeep.make_durable(str(place))
    with pytest.raises(errors.BrokenError, match="could not be written: no such file"):
        upkeep.make_durable(str(tmp_path))


# --- compaction -------------------------------------------------------------------------------------------------------


def test_rewrite(filled, place, opened):
    """The new file has the same entries and less room; the old one is as it was; no lock file is made."""
    made = upkeep.rewrite(filled, str(place))
    assert os.listdir(made) == ["data.mdb"]
    assert entries(opened(made, lock=False)) == entries(filled) == PAIRS[::2]
    assert os.path.getsize(os.path.join(made, "data.mdb")) < (place / "data.mdb").stat().st_size
    assert upkeep.verify(made) == upkeep.verify(str(place)) == []


def test_rewrite_in_small_parts(filled, place, opened, monkeypatch):
    """However few bytes one transaction may write, all entries come."""
    monkeypatch.setattr(limits, "STORE_REWRITE_BYTES", 1)
    assert entries(opened(upkeep.rewrite(filled, str(place)), lock=False)) == PAIRS[::2]


def test_rewrite_takes_what_an_earlier_one_left(filled, place, opened):
    """It begins anew."""
    (place / upkeep.MAKING).mkdir()
    (place / upkeep.MAKING / "data.mdb").write_bytes(b"half")
    assert entries(opened(upkeep.rewrite(filled, str(place)), lock=False)) == PAIRS[::2]


def test_rewrite_without_room(filled, place, monkeypatch):
    """It is said, the old file is as it was, and nothing is left."""
    before = (place / "data.mdb").stat()
    code = (
        "import resource, sys, lmdb; from flatwater.store.engines import lmdb_upkeep\n"
        "env = lmdb.open(sys.argv[1], map_size=64 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))\n"
        "lmdb_upkeep.rewrite(env, sys.argv[1])"
    )
    words = [sys.executable, "-c", code, str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].startswith("flatwater.errors.BrokenError"), done.stderr
    assert "nothing of this transaction was written" in done.stderr
    assert sorted(os.listdir(place)) == ["data.mdb", "lock.mdb"]
    after = (place / "data.mdb").stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    monkeypatch.setattr(
        os, "mkdir", lambda _path: (_ for _ in ()).throw(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    )
    with pytest.raises(errors.BrokenError, match="could not be rewritten: no space left") as caught:
        upkeep.rewrite(filled, str(place))
    assert "Make room" in caught.value.hint


def test_put_in_place(filled, place, opened):
    """It stands in the place of the old one, with its owner and its rights."""
    os.chmod(place / "data.mdb", 0o640)
    if os.geteuid() == 0:
        os.chown(place / "data.mdb", 65_534, 65_534)
    before = (place / "data.mdb").stat()
    made = upkeep.rewrite(filled, str(place))
    filled.close()
    upkeep.put_in_place(made, str(place))
    after = (place / "data.mdb").stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert sorted(os.listdir(place)) == ["data.mdb", "lock.mdb"]
    assert entries(opened()) == PAIRS[::2]


def test_put_in_place_that_fails(filled, place, monkeypatch):
    """The old file is as it was, it is said why, and nothing is left."""
    made = upkeep.rewrite(filled, str(place))
    before = (place / "data.mdb").stat().st_ino
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(errors.BrokenError, match=r"data\.mdb could not be exchanged: input/output error"):
        upkeep.put_in_place(made, str(place))
    assert (place / "data.mdb").stat().st_ino == before
    assert not os.path.exists(made)


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_verify(filled, place):
    """Nothing is wrong with a whole file; a page of noise, a cut and a foreign file are found; a missing one is an error."""
    assert upkeep.verify(str(place)) == []
    filled.close()
    whole = (place / "data.mdb").read_bytes()
    for broken in (
        whole[: 2 * 4_096] + bytes(range(256)) * (len(whole) // 256 - 32),
        whole[: 30 * 4_096],
        b"no LMDB file" * 2_000,
        b"",
    ):
        (place / "data.mdb").write_bytes(broken)
        found = upkeep.verify(str(place))
        assert found
        assert all(isinstance(each, str) for each in found)
    (place / "data.mdb").unlink()
    with pytest.raises(errors.BrokenError, match="could not be read: no such file"):
        upkeep.verify(str(place))


def test_readers_of(filled):
    """Processes and transactions of LMDB's table, with how many commits they are behind; a slot that is free is none."""
    assert upkeep.readers_of("(no active readers)\n", 5) == {}
    table = (
        "    pid     thread     txnid\n      4847 7f3d6cfccb80 3\n      4847 7f3d6cfccb81 -\n       12 7f3d6cfccb80 9\n"
    )
    assert upkeep.readers_of(table, 7) == {(4847, 3): 4, (12, 9): 0}
    with filled.begin() as txn:
        assert upkeep.readers_of(filled.readers(), txn.id()) == {(os.getpid(), txn.id()): 0}


def test_free_room(tmp_path):
    """For people, also where nobody knows."""
    assert re.fullmatch(r"[\d.]+ \w+", upkeep.free_room(str(tmp_path)))
    assert upkeep.free_room(str(tmp_path / "none")) == "who knows how much"


def coded(code):
    error = lmdb.Error("mdb_txn_commit")
    error.code = code
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (lmdb.CorruptedError("x"), errors.CorruptError, "is damaged"),
        (lmdb.InvalidError("x"), errors.CorruptError, "no LMDB file"),
        (lmdb.VersionMismatchError("x"), errors.CorruptError, "is damaged"),
        (lmdb.PageNotFoundError("x"), errors.CorruptError, "is damaged"),
        (lmdb.BadValsizeError("x"), errors.UsageError, "a key of this length"),
        (lmdb.ReadonlyError("x"), errors.UsageError, "open for reading"),
        (lmdb.ReadersFullError("x"), errors.LimitReached, "STORE_READERS_MAX|read transactions"),
        (lmdb.PanicError("x"), errors.BrokenError, "x"),
        (lmdb.Error("The environment 'a' is already open in this process."), errors.UsageError, "this process already"),
        (lmdb.Error("Attempt to operate on closed/deleted/dropped object."), errors.ClosedError, "was closed"),
        (coded(errno.ENOSPC), errors.BrokenError, "is full: nothing of this transaction was written"),
        (coded(errno.EDQUOT), errors.BrokenError, "is full"),
        (coded(errno.EFBIG), errors.BrokenError, "ulimit -f"),
        (coded(errno.EIO), errors.BrokenError, r"is full \([\d.]+ \w+ free\), broken"),
        (coded(errno.ENOENT), errors.CorruptError, "is gone"),
        (coded(errno.EACCES), errors.BrokenError, "permission denied"),
        (coded(errno.EROFS), errors.BrokenError, "read-only file system"),
        (coded(errno.ENOMEM), errors.BrokenError, "cannot allocate memory"),
    ],
)
def test_errors_in_words(tmp_path, error, kind, words):
    """Each one is of the kind whose fault it is, and names the path."""
    said = upkeep.said(error, str(tmp_path))
    assert type(said) is kind
    assert re.search(words, str(said)), str(said)
    assert str(tmp_path) in str(said)
