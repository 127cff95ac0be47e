"""The directory of a store: recognised, described, locked between processes and threads."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from flatwater import errors, limits
from flatwater.store import directory as directories
from flatwater.store.directory import FORMAT, Description, Directory, write_whole

HOLD = (
    "import fcntl, os, sys; lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); "
    "fcntl.flock(lock, getattr(fcntl, sys.argv[2])); print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture(autouse=True)
def short_wait(monkeypatch):
    """Nobody waits for a lock here."""
    monkeypatch.setattr(limits, "STORE_LOCK_S", 0.05)


@contextlib.contextmanager
def held(file, kind):
    """Another process has this lock."""
    words = [sys.executable, "-c", HOLD, str(file), kind]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        yield
        other.stdin.close()


@pytest.fixture
def opened(tmp_path):
    """A function that opens a directory, closed at the end."""
    all_of_them = []

    def open_(path="s", *, backend=None, read_only=False, make=None):
        all_of_them.append(Directory(tmp_path / path, backend=backend, read_only=read_only, make=make))
        return all_of_them[-1]

    yield open_
    for each in all_of_them:
        each.close()


def can_lock(file, kind):
    """Whether another one could have the lock now."""
    with open(file, "rb+") as stream:
        try:
            fcntl.flock(stream, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


# --- what it is -------------------------------------------------------------------------------------------------------


def test_a_new_one(tmp_path, opened):
    """It has a description, two locks and the engine's directory; parents are made, too."""
    made = opened("a/b", backend="rocksdb")
    assert sorted(os.listdir(tmp_path / "a" / "b")) == ["rocksdb", "store.json", "store.lock", "store.work"]
    assert made.description == Description(FORMAT, "rocksdb")
    assert made.engine_path == str(tmp_path / "a" / "b" / "rocksdb")
    assert msgspec.json.decode((tmp_path / "a" / "b" / "store.json").read_bytes()) == {
        "format": FORMAT, "backend": "rocksdb", "store": "flatwater",
    }  # fmt: skip


def test_the_backend_is_remembered(opened):
    """Without a backend it is what is there, else LMDB; another one than what is there is refused."""
    opened("l").close()
    opened("r", backend="rocksdb").close()
    for name, backend in (("l", "lmdb"), ("r", "rocksdb")):
        made = opened(name)
        assert made.description.backend == backend
        made.close()
    with pytest.raises(errors.UsageError, match="made with backend='lmdb', not 'rocksdb'"):
        opened("l", backend="rocksdb")
    with pytest.raises(errors.UsageError, match="backend='tape' is not known"):
        opened("t", backend="tape")


def test_the_engines_files_come_first(tmp_path, opened):
    """They are made before the description: what has one and no files has lost them."""
    seen = []

    def make(backend, place):
        seen.append((backend, sorted(os.listdir(tmp_path / "s"))))
        Path(place, "data.mdb").write_bytes(b"x")

    opened(make=make).close()
    assert seen == [("lmdb", ["lmdb", "store.lock", "store.work"])]
    opened(make=make).close()
    assert len(seen) == 1
    (tmp_path / "s" / "lmdb" / "data.mdb").write_bytes(b"")
    with pytest.raises(errors.CorruptError, match=r"data\.mdb is empty") as caught:
        opened(make=make)
    assert "backup" in caught.value.hint
    (tmp_path / "s" / "lmdb" / "data.mdb").unlink()
    with pytest.raises(errors.CorruptError, match=r"data\.mdb is gone"):
        opened(make=make, read_only=True)
    assert opened().description.backend == "lmdb"  # who makes nothing does not look


def test_making_that_fails_is_begun_again(tmp_path, opened):
    """There is no description yet: what is left is used by the next one."""

    def make(_backend, _place):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(errors.BrokenError, match="no space left on device") as caught:
        opened(make=make)
    assert "Make room" in caught.value.hint
    assert not (tmp_path / "s" / "store.json").exists()
    assert opened().description.backend == "lmdb"


def test_a_lost_description(tmp_path, opened):
    """What has an engine's files is of that backend; another one is refused, and nothing is made beside it."""
    (tmp_path / "s" / "rocksdb").mkdir(parents=True)
    (tmp_path / "s" / "rocksdb" / "CURRENT").write_text("x")
    with pytest.raises(errors.UsageError, match="has the files of 'rocksdb'"):
        opened(backend="lmdb")
    assert opened().description.backend == "rocksdb"
    assert not (tmp_path / "s" / "lmdb").exists()


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (b"", errors.CorruptError, "cannot be read"),
        (b"{", errors.CorruptError, "cannot be read"),
        (b"\xff\xfe", errors.CorruptError, "cannot be read"),
        (b'{"store":' + b"[" * 5_000, errors.UsageError, "is no store of flatwater"),
        (b"7", errors.UsageError, "is no store of flatwater"),
        (b'{"format": 1, "backend": "lmdb"}', errors.UsageError, "is no store of flatwater"),
        (b'{"format": 0, "backend": "lmdb", "store": "flatwater"}', errors.UsageError, "is no store of flatwater"),
        (b'{"format": "1", "backend": "lmdb", "store": "flatwater"}', errors.UsageError, "is no store of flatwater"),
        (b'{"format": 1, "store": "flatwater"}', errors.CorruptError, "cannot be read"),
        (b'{"format": 1, "backend": "tape", "store": "flatwater"}', errors.CorruptError, "'tape', which is no backend"),
        (
            b'{"format": %d, "backend": "lmdb", "store": "flatwater"}' % (FORMAT + 1),
            errors.BrokenError,
            f"knows formats up to {FORMAT}",
        ),
        (b'{"format": 99, "engine": {}, "store": "flatwater"}', errors.BrokenError, "has format 99"),
    ],
    ids=[
        "empty", "cut", "noise", "deep", "number", "unnamed", "format 0", "format as text", "no backend", "other backend",
        "next format", "far format",
    ],
)  # fmt: skip
def test_descriptions_that_are_refused(tmp_path, opened, text, kind, words):
    """Broken, foreign and newer ones are told apart, each with a hint, and stay as they are."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "store.json").write_bytes(text)
    for read_only in (False, True):
        with pytest.raises(kind, match=words) as caught:
            opened(read_only=read_only)
        assert type(caught.value) is kind
        assert caught.value.hint
    assert (tmp_path / "s" / "store.json").read_bytes() == text


def test_what_is_no_store(tmp_path, opened):
    """A file, others' files, a file above it, a link to nowhere, no path: each is said, and nothing is made there."""
    (tmp_path / "file").touch()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "a.txt").touch()
    (tmp_path / "link").symlink_to("nothing")
    (tmp_path / "empty").mkdir()
    for path, kind, words in (
        ("file", errors.UsageError, "is a file, and a store is a directory"),
        ("theirs", errors.UsageError, r"has other files in it, such as 'a.txt'"),
        ("file/s", errors.BrokenError, "not a directory"),
        ("link", errors.BrokenError, "file exists"),
        ("x" * 300, errors.BrokenError, "file name too long"),
        ("nul\0", errors.UsageError, "is no path"),
        ("\udcff", errors.UsageError, "no text in UTF-8"),
    ):
        with pytest.raises(kind, match=words) as caught:
            opened(path)
        assert caught.value.hint
    with pytest.raises(errors.UsageError, match="is no path"):
        Directory("", backend=None, read_only=False)
    for path, words in (("none", "there is no store"), ("empty", r"it has no store\.json"), ("theirs", "is no store")):
        with pytest.raises(errors.UsageError, match=words):
            opened(path, read_only=True)
    assert sorted(os.listdir(tmp_path)) == ["empty", "file", "link", "theirs"]
    assert os.listdir(tmp_path / "theirs") == ["a.txt"]


def test_directories_that_are_taken(tmp_path, opened):
    """An empty one, and the top of a disk."""
    (tmp_path / "s" / "lost+found").mkdir(parents=True)
    assert opened().description.backend == "lmdb"


def test_a_path_that_is_relative(tmp_path, opened, monkeypatch):
    """It stays right when the process changes its directory; bytes and path objects are paths, too."""
    monkeypatch.chdir(tmp_path)
    made = Directory(b"s", backend=None, read_only=False)
    monkeypatch.chdir("/")
    assert made.path == str(tmp_path / "s")
    with made.exclusive("try it"):
        pass
    made.close()


def test_a_description_that_cannot_be_written(tmp_path, opened, monkeypatch):
    """The old one stays, and nothing is left beside it."""
    made = opened()
    old = (tmp_path / "s" / "store.json").read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _file: (_ for _ in ()).throw(OSError(errno.EIO, "no")))
    with pytest.raises(OSError, match="no"):
        made.describe(Description(FORMAT, "rocksdb"))
    assert (tmp_path / "s" / "store.json").read_bytes() == old
    assert made.description.backend == "lmdb"
    assert not (tmp_path / "s" / "store.json.tmp").exists()


def test_a_file_is_written_whole(tmp_path):
    """The new one takes the place of the old one; where it cannot, it is gone again."""
    for content in (b"old", b"new and longer", b""):
        write_whole(str(tmp_path / "file"), content)
        assert (tmp_path / "file").read_bytes() == content
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(str(tmp_path / "folder"), b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


# --- locks ------------------------------------------------------------------------------------------------------------


def test_two_that_have_it_open(tmp_path, opened):
    """Others can open it, and nobody can have it alone; afterwards all can."""
    lock = tmp_path / "s" / "store.lock"
    made = opened()
    assert can_lock(lock, fcntl.LOCK_SH)
    assert not can_lock(lock, fcntl.LOCK_EX)
    made.close()
    made.close()
    assert can_lock(lock, fcntl.LOCK_EX)


def test_while_another_process_is_at_work(tmp_path, opened):
    """Opening is refused after a while, in words; when the other one ends, however it ends, it is not."""
    opened().close()
    with held(tmp_path / "s" / "store.lock", "LOCK_EX"):
        for read_only in (False, True):
            with pytest.raises(
                errors.BrokenError, match=r"another process has the store .* not possible to open it"
            ) as caught:
                opened(read_only=read_only)
            assert "End the other process" in caught.value.hint
    opened()


def test_alone(tmp_path, opened):
    """Nobody can open it meanwhile, and all can afterwards."""
    lock = tmp_path / "s" / "store.lock"
    made = opened()
    with made.exclusive("compact it"):
        assert not can_lock(lock, fcntl.LOCK_SH)
    assert can_lock(lock, fcntl.LOCK_SH)
    assert not can_lock(lock, fcntl.LOCK_EX)
    with (
        pytest.raises(errors.BrokenError, match="cannot be used: no space left") as caught,
        made.exclusive("compact it"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "Make room" in caught.value.hint
    assert can_lock(lock, fcntl.LOCK_SH)


def test_not_alone(tmp_path, opened):
    """It is refused, its own lock is held as before, and a second one that tries is not let in meanwhile."""
    made = opened()
    lock, work = tmp_path / "s" / "store.lock", tmp_path / "s" / "store.work"
    with held(lock, "LOCK_SH"):
        with pytest.raises(errors.BrokenError, match="not possible to compact it now"), made.exclusive("compact it"):
            raise AssertionError("it was not alone")
        assert not can_lock(lock, fcntl.LOCK_EX)
    assert not can_lock(lock, fcntl.LOCK_EX)
    with held(work, "LOCK_EX"):  # another one tries, and has given its lock up for it
        with pytest.raises(errors.BrokenError, match="not possible to compact it now"), made.exclusive("compact it"):
            raise AssertionError("both were let in")
        assert not can_lock(lock, fcntl.LOCK_EX)
    with made.exclusive("compact it"):
        pass


def test_threads_take_turns(opened):
    """Two threads are never alone at the same time, and the first to end does not let others in."""
    made = opened()
    inside, most = [], []

    def work():
        for _ in range(20):
            with made.exclusive("try it"):
                inside.append(None)
                most.append(len(inside))
                most.append(can_lock(Path(made.path, "store.lock"), fcntl.LOCK_SH))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, False] * 60


def test_keeping_it(tmp_path, opened):
    """What only one can use stays locked, also after work that asked to be alone."""
    made = opened()
    lock = tmp_path / "s" / "store.lock"
    made.keep()
    assert not can_lock(lock, fcntl.LOCK_SH)
    with made.exclusive("compact it"):
        assert not can_lock(lock, fcntl.LOCK_SH)
    assert not can_lock(lock, fcntl.LOCK_SH)
    made.close()
    assert can_lock(lock, fcntl.LOCK_EX)


def test_alone_is_not_for_all(opened):
    """Not for one that only reads, and not after the end."""
    made = opened()
    made.close()
    with pytest.raises(errors.ClosedError, match="was closed"), made.exclusive("compact it"):
        pass
    reader = opened(read_only=True)
    with pytest.raises(errors.UsageError, match="open for reading"), reader.exclusive("compact it"):
        pass


def test_made_by_two_at_once(tmp_path, opened, monkeypatch):
    """The second one waits for the first, and takes what that has made."""
    (tmp_path / "s").mkdir()
    monkeypatch.setattr(limits, "STORE_LOCK_S", 30.0)
    code = (
        "import sys; from flatwater.store.directory import Directory\n"
        "def make(backend, place): print('making', flush=True); sys.stdin.read(); open(place + '/CURRENT', 'w').write('x')\n"
        "made = Directory(sys.argv[1], backend='rocksdb', read_only=False, make=make)\n"
        "print(made.description.backend, flush=True)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "s")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"making\n"
        results = []
        thread = threading.Thread(target=lambda: results.append(opened(make=functools.partial(pytest.fail, "twice"))))
        thread.start()
        other.stdin.close()
        thread.join()
        assert other.stdout.read() == b"rocksdb\n"
    assert [each.description.backend for each in results] == ["rocksdb"]


def test_twice_in_one_process(tmp_path, opened):
    """It is refused in words, by any path, until the first one is closed; files that were exchanged are others."""
    made = opened()
    (tmp_path / "link").symlink_to("s")
    for path in ("s", "link"):
        for read_only in (False, True):
            with pytest.raises(errors.UsageError, match="open in this process already") as caught:
                opened(path, read_only=read_only)
            assert "thread-safe" in caught.value.hint
    assert not can_lock(tmp_path / "s" / "store.lock", fcntl.LOCK_EX)
    os.rename(tmp_path / "s", tmp_path / "t")
    opened().close()
    made.close()
    opened("t").close()


def test_a_child_does_not_keep_it(tmp_path, opened):
    """A forked process has no part in the lock: when its parent ends, others get in; and it can open it for itself."""
    made = opened()
    reading, writing = os.pipe()
    answer, answering = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(writing)
            os.write(answering, b"closed" if made._lock is None else b"open")
            os.read(reading, 1)  # until its parent has looked
            Directory(made.path, backend=None, read_only=False).close()
            os.write(answering, b" opened")
        finally:
            os._exit(0)
    os.close(answering)
    assert os.read(answer, 100) == b"closed"
    assert not can_lock(tmp_path / "s" / "store.lock", fcntl.LOCK_EX)
    made.close()
    assert can_lock(tmp_path / "s" / "store.lock", fcntl.LOCK_EX)
    os.close(writing)
    assert os.read(answer, 100) == b" opened"
    os.waitpid(child, 0)
    os.close(reading)
    os.close(answer)


def test_no_file_stays_open(tmp_path, opened, open_files):
    """Neither after the end, nor after a refusal."""
    before = open_files()
    opened().close()
    (tmp_path / "s" / "store.json").write_bytes(b"")
    with pytest.raises(errors.CorruptError):
        opened()
    assert open_files() - before == set()


def test_errors_in_words():
    """Each reason comes with what to do about it, as far as there is something."""
    for number, words in (
        (errno.EACCES, "read_only=True"),
        (errno.EROFS, "read_only=True"),
        (errno.ENOSPC, "Make room"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EIO, ""),
    ):
        error = directories.said(OSError(number, os.strerror(number)), "somewhere")
        assert isinstance(error, errors.BrokenError)
        assert os.strerror(number).lower() in str(error)
        assert words in error.hint
