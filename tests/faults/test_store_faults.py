"""Stores on full, read-only and forbidden disks, with broken files, several processes, forks and interrupts.

Each time a clear error, nothing acknowledged is lost, and the store can be used again once the reason is gone.
This file is also a program: `python test_store_faults.py NAME ...` runs the function of that name.
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import multiprocessing
import os
import random
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from flatwater import errors, limits
from flatwater.store import Store

BACKENDS = ("lmdb", "rocksdb")
LMDB = pytest.mark.parametrize("backend", ["lmdb"])
MAIN_FILES = {"lmdb": "data.mdb", "rocksdb": "CURRENT"}


@pytest.fixture(params=BACKENDS)
def backend(request, tmp_path_factory):
    """The name of a backend; a loud skip where its library is not installed."""
    try:
        Store(tmp_path_factory.mktemp("probe") / "s", backend=request.param).close()
    except errors.MissingExtra as error:
        pytest.skip(f"no {request.param}: {error}")
    return request.param


@pytest.fixture
def open_folder():
    """A directory that every user may look into: those of tmp_path belong to one."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield folder


def run(name, *arguments, before=(), status=0, timeout=100):
    """What one of this file's functions prints, in a process of its own."""
    words = [*before, sys.executable, "-W", "error::ResourceWarning", __file__, name, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == status, f"{done.returncode}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done.stdout.split("\n")[:-1]


def on_disk(disk, size):
    """Words that run a command with a small disk at `disk`, which nobody else sees; or a loud skip."""
    disk.mkdir()
    words = ["unshare", "--mount", "sh", "-ec", f'mount -t tmpfs -o size={size} none "{disk}"; exec "$@"', "sh"]
    tried = subprocess.run([*words, "true"], capture_output=True, check=False) if shutil.which("unshare") else None
    if tried is None or tried.returncode:
        pytest.skip("NO SMALL DISK HERE (it needs the right to mount): a full one and a read-only one were not tried")
    return words


def told(kind, call, *words):
    """Call it, and see that it raises this kind, in these words, with a hint."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value).__module__ == "flatwater.errors"
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{missing} not in: {caught.value}"
    return caught.value


def content(store):
    return dict(pair for each in store.batches() for pair in each)


def remains(folder):
    return [name for _folder, folders, files in os.walk(folder) for name in folders + files if "tmp" in name]


# --- full disks -------------------------------------------------------------------------------------------------------


def noise(number, size=1_000):
    """Bytes of their own, which nobody makes smaller."""
    return random.Random(number).randbytes(size)


def fill(store):
    """Write until the disk is full; how many entries were acknowledged."""
    number = 0
    while True:
        try:
            store.put(("a", number), noise(number))
        except errors.BrokenError as error:
            return number, str(error) if error.hint else "no hint"
        number += 1


def has(store, count):
    for number in range(count):
        assert store.get(("a", number)) == noise(number), number


def full_disk(disk, backend):
    ballast = os.path.join(disk, "ballast")
    with open(ballast, "wb") as file:
        file.write(bytes(24 << 20))
    with Store(os.path.join(disk, "other"), backend=backend) as other:
        other.put(("a",), b"1")
        other.backup(os.path.join(disk, "third"))
    store = Store(os.path.join(disk, "s"), backend=backend)
    store.partition("marks").write([((number,), b"0") for number in range(200)])
    count, said = fill(store)
    assert "is full" in said or "no space" in said.lower(), said
    has(store, count)
    told(
        errors.BrokenError,
        lambda: store.write([(("b", number), noise(number, 5_000)) for number in range(5_000)]),
        "full",
    )
    assert list(store.batches(("b",))) == []
    with contextlib.suppress(errors.BrokenError):
        store.partition("marks").update_each(lambda _key, _value: bytes(2_000), write_rows=10)
    told(errors.BrokenError, lambda: store.backup(os.path.join(disk, "copy")))
    with contextlib.suppress(errors.BrokenError):
        store.compact()
    with open(os.path.join(disk, "rest"), "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    for name in ("new", "third", "other"):  # made, opened for the first time, opened again
        with contextlib.suppress(errors.BrokenError), Store(os.path.join(disk, name), backend=backend) as another:
            another.get(("a",))
    told(errors.BrokenError, lambda: Store(os.path.join(disk, "newer"), backend=backend))
    assert not remains(disk)
    has(store, count)
    print("full", count)

    os.unlink(ballast)  # there is room
    os.unlink(os.path.join(disk, "rest"))
    store.put(("a", count), noise(count))
    store.write([(("b", number), b"1") for number in range(100)])
    assert store.partition("marks").update_each(lambda _key, _value: b"2").seen == 200
    assert store.compact().is_done
    store.backup(os.path.join(disk, "copy"))
    assert store.check() == []
    store.close()
    for name in ("s", "copy"):
        with Store(os.path.join(disk, name)) as again:
            has(again, count + 1)
            assert again.check() == []
            assert len(content(again)) == count + 101
    for name in ("new", "newer", "third", "other"):
        with Store(os.path.join(disk, name), backend=backend) as another:
            assert another.get(("a",)) == (b"1" if name in {"third", "other"} else None)
            another.put(("b",), b"2")
    assert not remains(disk)
    print("room again")


@pytest.mark.slow
def test_a_full_disk(tmp_path, backend):
    """Each verb says that the disk is full; all that was acknowledged is there; with room, the same object goes on."""
    said = run("full_disk", tmp_path / "d", backend, before=on_disk(tmp_path / "d", "48m"))
    assert said[-1] == "room again"
    assert int(said[-2].split()[1]) > 1_000


def small_files(path, backend):
    store = Store(path, backend=backend)
    store.partition("marks").write([((number,), b"0") for number in range(200)])
    least = max(os.path.getsize(os.path.join(path, backend, name)) for name in os.listdir(os.path.join(path, backend)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (least + (512 << 10), resource.RLIM_INFINITY))
    count, said = fill(store)
    assert "ulimit -f" in said or "too large" in said.lower(), said
    has(store, count)
    assert store.partition("marks").get((0,)) == b"0"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.put(("a", count), noise(count))
    assert store.check() == []
    store.close()
    with Store(path) as again:
        has(again, count + 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, resource.RLIM_INFINITY))
    told(errors.BrokenError, lambda: Store(path + "-new", backend=backend))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with Store(path + "-new", backend=backend) as new:
        new.put(("a",), b"1")
    assert not remains(os.path.dirname(path))
    print("went on after", count)


def test_files_that_may_not_grow(tmp_path, backend):
    """ulimit -f is told as such, what was acknowledged is there, and the same object goes on with a higher one."""
    assert int(run("small_files", tmp_path / "s", backend)[-1].split()[-1]) > 100


# --- broken files -----------------------------------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path, backend):
    """A closed store with 2,000 entries of 200 bytes."""
    with Store(tmp_path / "s", backend=backend, sync="off") as store:
        store.write([(("a", number), b"%d" % number + bytes(200)) for number in range(2_000)])
    return tmp_path / "s"


def opening(*paths):
    """Open each, to write and to read, go through all of it and check it: "ok", or the error's kind."""
    for path in paths:
        for read_only in (True, False):
            try:
                with Store(path, read_only=read_only) as store:
                    found = store.check()
                    count = sum(len(each) for each in store.batches()) if not found else 0
                    print("wrong" if found else f"ok {count}", flush=True)
            except errors.FlatwaterError as error:
                kind = type(error).__name__ if error.hint else "no hint"
                print(kind, str(error).replace("\n", " "), flush=True)


@LMDB
def test_a_file_that_was_cut_off(tmp_path, made):
    """Cut to nothing, to a few bytes, to one page or more: CorruptError names the file, and no process dies of it."""
    size = os.path.getsize(made / "lmdb" / "data.mdb")
    cuts = [0, 1, 100, 4_095, 4_096, 8_192, 3 * 4_096, size // 2, size - 4_096, size - 1]
    paths = []
    for cut in cuts:
        paths.append(shutil.copytree(made, tmp_path / f"cut-{cut}"))
        os.truncate(paths[-1] / "lmdb" / "data.mdb", cut)
    said = run("opening", *paths)
    assert len(said) == 2 * len(cuts)
    for line, path in zip(said, [path for path in paths for _ in range(2)], strict=True):
        assert line.startswith("CorruptError"), line
        assert str(path) in line
        assert "backup" in line
    assert [os.path.getsize(path / "lmdb" / "data.mdb") for path in paths] == cuts, "a broken file was written to"


def test_the_main_file_is_empty_or_gone(tmp_path, made, backend):
    """It is no new store: CorruptError, with the file's name."""
    paths = [shutil.copytree(made, tmp_path / name) for name in ("empty", "gone", "folder")]
    os.truncate(paths[0] / backend / MAIN_FILES[backend], 0)
    os.unlink(paths[1] / backend / MAIN_FILES[backend])
    shutil.rmtree(paths[2] / backend)
    for line in run("opening", *paths):
        assert line.startswith("CorruptError"), line
        assert MAIN_FILES[backend] in line


@LMDB
def test_random_bytes(tmp_path, made):
    """In the first pages it is no LMDB file; further inside check() says so, and opening does no harm."""
    paths = [shutil.copytree(made, tmp_path / name) for name in ("all", "heads", "inside")]
    noise = bytes(range(1, 256)) * 400
    (paths[0] / "lmdb" / "data.mdb").write_bytes(noise)
    for path, at in ((paths[1], 0), (paths[2], 20 * 4_096)):
        with open(path / "lmdb" / "data.mdb", "r+b") as file:
            file.seek(at)
            file.write(noise[: 2 * 4_096])
    said = run("opening", *paths)
    assert [line.split()[0] for line in said] == ["CorruptError"] * 4 + ["wrong"] * 2


def test_a_whole_file_that_is_shorter_than_it_says(tmp_path, backend):
    """Pages that were taken and given back in one write are not in the file; it is opened, walked and copied all the same."""
    path = tmp_path / "s"
    with Store(path, backend=backend, sync="off") as store:
        store.write([(("a", number), bytes(3_000)) for number in range(50)])
        store.write([(("a", number), None) for number in range(50)])
        for number in range(5):
            store.put(("b", number), b"1")
        store.write([(("c",), bytes(4_000_000)), (("c",), None)])
    for options in ({"read_only": True}, {}, {"read_only": True}, {}):
        with Store(path, **options) as store:
            assert content(store) == {("b", number): b"1" for number in range(5)}
            assert store.check() == []
    with Store(path) as store:
        store.write([(("c", number), bytes(3_000)) for number in range(2_000)])
        store.backup(tmp_path / "copy")
        store.compact()
        assert store.check() == []


def test_what_stands_at_the_path(tmp_path, backend):
    """A file, others' files, a file above, a link to nowhere: refused in words, and left as they are."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "theirs.txt").write_text("theirs")
    (tmp_path / "nowhere").symlink_to(tmp_path / "is" / "not")
    for read_only in (False, True):
        for name, kinds in (
            ("file", errors.UsageError),
            ("folder", errors.UsageError),
            ("file/s", errors.FlatwaterError),
            ("nowhere", errors.FlatwaterError),
            ("a" * 300, errors.FlatwaterError),
            ("nul\0", errors.UsageError),
        ):
            told(kinds, lambda: Store(tmp_path / name, backend=backend, read_only=read_only))  # noqa: B023 - at once
        told(errors.UsageError, lambda: Store("", backend=backend, read_only=read_only))  # noqa: B023 - at once
    told(errors.UsageError, lambda: Store(tmp_path / "none", read_only=True), "there is no store")
    assert (tmp_path / "file").read_text() == "mine"
    assert os.listdir(tmp_path / "folder") == ["theirs.txt"]
    assert sorted(os.listdir(tmp_path)) == ["file", "folder", "nowhere"]


def test_paths_of_every_kind(tmp_path, backend, monkeypatch):
    """A relative one survives a change of directory; missing parents are made; links, spaces, newlines, umlauts work."""
    monkeypatch.chdir(tmp_path)
    for path in ("plain", b"bytes", Path("object"), "a/b/c", "Straße\n \u4e2d", tmp_path / "whole"):
        with Store(path, backend=backend) as store:
            (tmp_path / "aside").mkdir(exist_ok=True)
            os.chdir(tmp_path / "aside")
            store.put(("a",), b"1")
            store.compact()
            os.chdir(tmp_path)
            os.rename(tmp_path / os.fsdecode(path), tmp_path / "moved")
            os.rename(tmp_path / "moved", tmp_path / os.fsdecode(path))
    (tmp_path / "link").symlink_to("plain")
    with Store("link") as store:
        assert store.get(("a",)) == b"1"
        told(errors.UsageError, lambda: Store("plain"), "in this process already")
    assert os.listdir(tmp_path / "aside") == []


def test_its_description_is_broken(tmp_path, made):
    """Nothing is changed, and the error says what it is: broken, of a newer version, or of another program."""
    file = made / "store.json"
    good = file.read_bytes()
    for text, kind, word in (
        (b"", errors.CorruptError, "cannot be read"),
        (b"\0\xff", errors.CorruptError, "cannot be read"),
        (good[:-5], errors.CorruptError, "cannot be read"),
        (b"[]", errors.UsageError, "no store of flatwater"),
        (b'{"name": "shop"}', errors.UsageError, "no store of flatwater"),
        (b'{"format": 1, "backend": "lmdb", "store": "other"}', errors.UsageError, "no store of flatwater"),
        (b'{"format": 1, "backend": "tape", "store": "flatwater"}', errors.CorruptError, "tape"),
        (b'{"format": 99, "backend": "tape", "store": "flatwater"}', errors.BrokenError, "has format 99"),
        (b'{"format": 98, "backend": {"kind": 1}, "more": [], "store": "flatwater"}', errors.BrokenError, "Upgrade"),
    ):
        file.write_bytes(text)
        for read_only in (False, True):
            told(kind, lambda: Store(made, read_only=read_only), word)  # noqa: B023 - at once
        assert file.read_bytes() == text
    file.write_bytes(good)
    with Store(made) as store:
        assert len(content(store)) == 2_000


def test_its_description_is_gone(made, backend):
    """What is in it is found again; read_only, which makes nothing, says what is missing."""
    (made / "store.json").unlink()
    told(errors.UsageError, lambda: Store(made, read_only=True), "store.json")
    with Store(made) as store:
        assert store.backend == backend
        assert len(content(store)) == 2_000


def test_refused_by_the_budget(tmp_path, backend):
    """Nothing stays open: with enough, the same process opens it."""
    from flatwater import Budget

    with Budget("64 KiB"):
        kept = told(errors.BudgetExceeded, lambda: Store(tmp_path / "s", backend=backend))
    with Store(tmp_path / "s", backend=backend) as store:
        store.put(("a",), b"1")
    assert kept.__traceback__ is not None  # and with it what stood in the frames


# --- rights -----------------------------------------------------------------------------------------------------------


def as_nobody():
    """From here on without root's right to everything."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65_534)
        os.setuid(65_534)


def without_rights(folder, backend):
    import_engine(backend)
    as_nobody()
    path = os.path.join(folder, "s")
    told(errors.BrokenError, lambda: Store(path), "permission denied", "read_only=True")
    told(errors.BrokenError, lambda: Store(os.path.join(folder, "new"), backend=backend), "permission denied")
    reading(path, backend)
    told(errors.BrokenError, lambda: Store(os.path.join(folder, "hidden")), "permission denied")
    told(errors.BrokenError, lambda: Store(os.path.join(folder, "hidden"), read_only=True), "permission denied")
    print("done")


def import_engine(backend):
    """What another user may have no right to import."""
    with tempfile.TemporaryDirectory() as folder, Store(folder, backend=backend) as store:
        store.stats()
        store.check()
        store.trim()


def reading(path, backend):
    """All that only reads works; all that writes is refused in words."""
    with Store(path, read_only=True) as store:
        assert store.backend == backend
        assert store.get(("a", 1)) == b"1"
        assert store.get_many([("a", 2), ("x",)]) == [b"2", None]
        assert len(content(store)) == store.count_estimate() == 100
        assert store.partitions() == ["main"]
        assert store.check() == []
        assert store.stats().entries >= 100
        assert len(store.ranges(3)) == 3
        store.trim()
        told(errors.UsageError, lambda: store.put(("a",), b"1"), "read")
        told(errors.UsageError, lambda: store.write([(("a",), b"1")]), "read")
        told(errors.UsageError, lambda: store.delete(("a", 1)), "read")
        told(errors.UsageError, lambda: store.partition("new").put(("a",), b"1"), "read")
        told(errors.UsageError, lambda: store.update_each(lambda _key, _value: b"2"), "read")
        told(errors.UsageError, store.compact, "read")
        copy = os.path.join(tempfile.mkdtemp(), "copy")
        store.backup(copy)
    with Store(copy) as store:
        assert len(content(store)) == 100
    shutil.rmtree(os.path.dirname(copy))


def hundred(path, backend):
    with Store(path, backend=backend) as store:
        store.write([(("a", number), b"%d" % number) for number in range(100)])


def test_without_the_right_to_write_or_read(open_folder, backend):
    """Writing is refused in words that name read_only=True, which works; what may not be read either is refused."""
    hundred(Path(open_folder, "s"), backend)
    hundred(Path(open_folder, "hidden"), backend)
    for folder, _folders, files in os.walk(Path(open_folder, "s")):
        os.chmod(folder, 0o555)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o444)
    os.chmod(Path(open_folder, "hidden"), 0)
    before = listing(Path(open_folder, "s"))
    assert run("without_rights", open_folder, backend)[-1:] == ["done"]
    assert listing(Path(open_folder, "s")) == before
    os.chmod(Path(open_folder, "hidden"), 0o755)


def listing(path):
    return sorted((str(each), each.stat().st_size, each.stat().st_mtime_ns) for each in path.rglob("*"))


def read_only_disk(disk, backend):
    hundred(os.path.join(disk, "s"), backend)
    with Store(os.path.join(disk, "s")) as store:
        store.backup(os.path.join(disk, "t"))  # nobody has opened it yet: there is no lock file
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for name in ("s", "t"):
        told(errors.BrokenError, lambda: Store(os.path.join(disk, name)), "read-only", "read_only=True")  # noqa: B023
        reading(os.path.join(disk, name), backend)
    told(errors.BrokenError, lambda: Store(os.path.join(disk, "new"), backend=backend), "read-only")
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    for name in ("s", "t", "new"):
        with Store(os.path.join(disk, name), backend=backend) as store:
            store.put(("b",), b"1")
    print("done")


def test_a_read_only_disk(tmp_path, backend):
    """Opening says so and names read_only=True, which works there; once it can be written, all is as before."""
    assert run("read_only_disk", tmp_path / "d", backend, before=on_disk(tmp_path / "d", "48m"))[-1:] == ["done"]


@LMDB
def test_compaction_keeps_owner_and_mode(tmp_path, made):
    """Root compacts a store of another user: it stays that user's."""
    file = made / "lmdb" / "data.mdb"
    os.chmod(file, 0o660)
    if os.geteuid() == 0:
        os.chown(file, 65_534, 65_534)
    before = file.stat()
    with Store(made) as store:
        store.compact()
    after = file.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (before.st_uid, before.st_gid, 0o660)
    assert after.st_ino != before.st_ino


# --- several processes ------------------------------------------------------------------------------------------------


class Other:
    """Another process that does what it is told, line by line; LMDB's map is small there."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "other", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, line):
        """Begin this; `answer` waits for it."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, line):
        self.tell(line)
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def other(path):
    limits.STORE_MAP_BYTES = 1 << 16
    space = {"path": path, "Store": Store, "os": os, "content": content, "limits": limits}
    for line in sys.stdin:
        try:
            answer = repr(eval(line, space))
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        print(answer.replace("\n", " "), flush=True)


@pytest.fixture
def others(tmp_path):
    """A function that starts another process for the store of this test."""
    started = []

    def start():
        started.append(Other(tmp_path / "s"))
        return started[-1]

    yield start
    for each in started:
        each.end()


SHORT = "setattr(limits, 'STORE_LOCK_S', 0.2)"  # where a refusal is what is waited for
FILL = "[s.write([((%r, n, i), bytes(200)) for i in range(10)]) for n in range(300)] and 'filled'"


@LMDB
def test_two_processes_write_at_once(tmp_path, others, backend):
    """Both get through, a third has it open meanwhile: each adopts the map that the others made larger."""
    first, second, third = others(), others(), others()
    for each in (first, second, third):
        assert each.ask("(s := Store(path, sync='off')) and 'open'") == "'open'"
    first.tell(FILL % "x")
    second.tell(FILL % "y")
    assert (first.answer(), second.answer()) == ("'filled'", "'filled'")
    for each in (third, first, second):
        assert each.ask("[sum(len(b) for b in s.batches((name,))) for name in 'xy']") == "[3000, 3000]"
        assert each.ask("s.get(('y', 299, 9)) == bytes(200)") == "True"
        assert each.ask("s.put(('z', os.getpid()), b'1')") == "None"
    assert first.ask("len(content(s)), s.check()") == "(6003, [])"
    assert third.ask("s.close()") == "None"
    assert first.ask("s.count_estimate() >= 3000") == "True"


def test_a_reader_beside_a_writer(others, backend):
    """read_only=True sees at once what another process writes to LMDB; a writer of RocksDB keeps it out, in words."""
    writer, reader = others(), others()
    assert writer.ask(f"(s := Store(path, {backend!r}, sync='off')) and s.put(('a',), b'1')") == "None"
    assert reader.ask(SHORT) == "None"
    opened = reader.ask("(s := Store(path, read_only=True)) and s.get(('a',))")
    if backend == "rocksdb":
        assert opened.startswith("BrokenError: another process has the store")
        assert writer.ask(FILL % "x") == "'filled'"
        assert writer.ask("s.close()") == "None"
        opened = reader.ask("(s := Store(path, read_only=True)) and s.get(('a',))")
    else:
        assert writer.ask(FILL % "x") == "'filled'"
    assert opened == "b'1'"
    assert reader.ask("sum(len(b) for b in s.batches(('x',)))") == "3000"
    assert reader.ask("s.get(('x', 299, 9)) == bytes(200)") == "True"
    assert "open for reading" in reader.ask("s.put(('a',), b'2')")
    assert "open for reading" in reader.ask("s.compact()")
    if backend == "lmdb":
        assert writer.ask("s.put(('a',), b'3'), s.check()") == "(None, [])"
        assert reader.ask("s.get(('a',))") == "b'3'"


@LMDB
def test_compacting_while_others_have_it_open(others, backend):
    """It is refused in words, nothing breaks, and both go on; alone it is done."""
    first, second = others(), others()
    for each in (first, second):
        assert each.ask("(s := Store(path, sync='off')) and 'open'") == "'open'"
    assert first.ask(FILL % "x") == "'filled'"
    assert first.ask(SHORT) == "None"
    said = first.ask("s.compact()")
    assert said.startswith("BrokenError: another process has the store")
    assert "End the other process" in said
    for each in (first, second):
        assert each.ask("s.put(('a', os.getpid()), b'1')") == "None"
        assert each.ask("sum(len(b) for b in s.batches(('x',)))") == "3000"
    assert second.ask("len(list(s.batches(('a',)))[0])") == "2"
    assert second.ask("s.close()") == "None"
    assert "is_done=True" in first.ask("s.compact()")
    assert second.ask("(s := Store(path)) and len(list(s.batches(('a',)))[0])") == "2"


@LMDB
def test_two_processes_compact_at_once(others, backend):
    """At most one does, and only alone: no write of either is lost."""
    first, second = others(), others()
    for each in (first, second):
        assert each.ask("(s := Store(path, sync='off')) and s.put(('a',), b'1')") == "None"
        assert each.ask(SHORT) == "None"
    first.tell("s.compact()")
    second.tell("s.compact()")
    assert {first.answer().split(":")[0], second.answer().split(":")[0]} == {"BrokenError"}
    assert first.ask("s.put(('first',), b'1')") == "None"
    assert second.ask("s.put(('second',), b'1')") == "None"
    assert first.ask("sorted(content(s))") == second.ask("sorted(content(s))") == "[('a',), ('first',), ('second',)]"


@LMDB
def test_several_processes_make_it_at_once(others, backend):
    """One makes it, all have it open, and nobody is refused."""
    each_one = [others() for _ in range(4)]
    for each in each_one:
        assert each.ask("1") == "1"
    for each in each_one:
        each.tell("(s := Store(path, sync='off')) and s.put((os.getpid(),), b'1')")
    assert [each.answer() for each in each_one] == ["None"] * 4
    assert {each.ask("len(content(s))") for each in each_one} == {"4"}


@pytest.mark.parametrize("backend", ["rocksdb"])
def test_a_second_writer_of_rocksdb(tmp_path_factory, others, backend):
    """It is refused in words, and let in when the first one was killed."""
    try:
        Store(tmp_path_factory.mktemp("probe") / "s", backend=backend).close()
    except errors.MissingExtra as error:
        pytest.skip(f"no {backend}: {error}")
    first, second = others(), others()
    assert first.ask("(s := Store(path, 'rocksdb')) and s.put(('a',), b'1')") == "None"
    assert second.ask(SHORT) == "None"
    assert second.ask("Store(path)").startswith("BrokenError: another process has the store")
    assert "is_done=True" in first.ask("s.compact()")
    assert second.ask("Store(path)").startswith("BrokenError: another process has the store")
    first.process.kill()
    first.process.wait()
    assert second.ask("(s := Store(path)) and s.get(('a',))") == "b'1'"


def test_one_that_was_killed_keeps_nobody_out(others, backend):
    """Neither its locks nor its read transaction stay: others write, compact, and list no reader."""
    first, second = others(), others()
    assert first.ask(f"(s := Store(path, {backend!r}, sync='normal')) and s.put(('a',), b'1')") == "None"
    first.process.kill()
    first.process.wait()
    assert second.ask("(s := Store(path)) and s.put(('b',), b'1')") == "None"
    assert second.ask("len(content(s)), s.stats().readers, s.check()") == "(2, [], [])"
    assert "is_done=True" in second.ask("s.compact()")


@LMDB
def test_readers_of_killed_processes(tmp_path, others, backend):
    """A read transaction that another process holds is listed with its process; when that is killed, it is gone."""
    writer, reader = others(), others()
    assert writer.ask("(s := Store(path, sync='off')) and s.put(('a',), b'1')") == "None"
    held = "(e := __import__('lmdb').open(path + '/lmdb', readonly=True, map_size=1 << 30)) and (t := e.begin()) and 'held'"
    assert reader.ask(held) == "'held'"
    assert writer.ask("[s.put(('a',), b'%d' % n) for n in range(5)] and 0") == "0"
    assert writer.ask("[(r.process, r.commits_behind) for r in s.stats().readers]") == f"[({reader.process.pid}, 5)]"
    reader.process.kill()
    reader.process.wait()
    assert writer.ask("s.stats().readers") == "[]"


# --- the same process, forks ------------------------------------------------------------------------------------------


def test_twice_in_one_process(tmp_path, backend):
    """It is refused in words, whatever the path looks like, and the first one goes on."""
    with Store(tmp_path / "s", backend=backend) as store:
        (tmp_path / "link").symlink_to("s")
        for path in ("s", "link"):
            for read_only in (False, True):
                told(
                    errors.UsageError,
                    functools.partial(Store, tmp_path / path, read_only=read_only),
                    "in this process",
                    "thread-safe",
                )
        store.put(("a",), b"1")
        assert store.check() == []
    with Store(tmp_path / "s") as store:
        assert store.get(("a",)) == b"1"
    shutil.rmtree(tmp_path / "s")
    with Store(tmp_path / "s", backend=backend) as store:
        os.rename(tmp_path / "s", tmp_path / "t")
        (tmp_path / "s").mkdir()
        if backend == "rocksdb":
            return  # which goes by the path
        with Store(tmp_path / "s", backend=backend) as another:  # other files, at the same path
            assert another.get(("a",)) is None


def in_fork(call):
    """What a function prints or raises in a forked child, which ends as Python does."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            call()
        except errors.FlatwaterError as error:
            print(type(error).__name__, flush=True)
        except BaseException as error:
            print("unexpected", repr(error), flush=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def forking(path, backend):
    store = Store(path, backend=backend)
    store.put(("a",), b"1")
    assert store.get(("a",)) == b"1"
    walk = store.batches()
    for call in (
        lambda: store.get(("a",)),
        lambda: store.put(("b",), b"1"),
        lambda: store.write([(("b",), b"1")]),
        lambda: list(store.batches()),
        lambda: list(walk),
        lambda: store.update_each(lambda _key, _value: b"2"),
        store.stats, store.check, store.compact, store.partitions, store.sync,
        lambda: store.partition("new").put(("b",), b"1"),
        lambda: store.backup(path + "-copy"),
    ):  # fmt: skip
        assert in_fork(call) == 0
    assert in_fork(store.close) == 0
    in_fork(lambda: dropped(globals()))
    print("parent", store.get(("a",)), content(store), store.check(), flush=True)
    store.put(("c",), b"1")
    store.compact()
    print("parent", content(store), os.path.exists(path + "-copy"), flush=True)
    reading_, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading_, 1)  # lives until its parent says so
        os._exit(0)
    store.close()
    words = [sys.executable, "-c", "import sys; from flatwater.store import Store; print(Store(sys.argv[1]).compact())"]
    print(subprocess.run([*words, path], check=True, capture_output=True, text=True).stdout.split(",")[0], flush=True)
    os.close(writing)
    os.waitpid(child, 0)


def dropped(_space):
    """The inherited store is collected."""
    import gc

    for each in gc.get_objects():
        if isinstance(each, Store):
            engine = each._space.engine
            each._space.engine = None
            each._engine = None
            del engine
    gc.collect()


def test_forked(tmp_path, backend):
    """Whatever a child calls is a ClosedError; the parent goes on, and a child that lives keeps nobody out after it."""
    said = run("forking", tmp_path / "s", backend)
    assert said[:13] == ["ClosedError"] * 13
    assert said[13:] == [
        "parent b'1' {('a',): b'1'} []",
        "parent {('a',): b'1', ('c',): b'1'} False",
        "compacted",
    ]


def writes_own(path, name):
    with Store(path) as store:
        for number in range(50):
            store.put((name, number), b"1")
    return "done"


def pools(path, backend):
    Store(path, backend=backend).close()
    for method in ("spawn", "forkserver", "fork"):
        if (method, backend) == ("fork", "rocksdb"):
            in_fork(lambda: told(errors.UsageError, lambda: Store(path), "spawn"))
            in_fork(lambda: Store(path))
            break
        with multiprocessing.get_context(method).Pool(2) as pool:
            names = [f"{method} {number}" for number in range(2)] if backend == "lmdb" else [method]
            print(*pool.starmap(writes_own, [(path, name) for name in names]), flush=True)
    with Store(path) as store:
        print(len(content(store)), store.check(), flush=True)


@pytest.mark.slow
def test_in_a_pool_of_processes(tmp_path, backend):
    """Each opens it for itself, however it was started; a Store itself cannot be sent there, and says so."""
    import pickle

    with Store(tmp_path / "p", backend=backend) as store:
        told(errors.UsageError, lambda: pickle.dumps(store), "path")
        told(errors.UsageError, lambda: pickle.dumps(store.partition("x")), "path")
    if backend == "lmdb":
        assert run("pools", tmp_path / "s", backend) == ["done done"] * 3 + ["300 []"]
    else:  # one at a time; none that was forked, for RocksDB's threads stay behind
        assert run("pools", tmp_path / "s", backend) == ["done"] * 2 + ["UsageError", "100 []"]


# --- threads, interrupts ----------------------------------------------------------------------------------------------


def test_closed_while_others_are_at_work(tmp_path, backend):
    """Readers, walkers and writers end with ClosedError, close() waits for who is inside, and all acknowledged is there."""
    for turn in range(5):
        store = Store(tmp_path / "s", backend=backend, sync="off")
        store.write([(("a", number), bytes(50)) for number in range(500)])
        acknowledged, ended = [], []
        begun = threading.Barrier(5)

        def at_work(call):
            begun.wait()  # noqa: B023 - of this turn
            try:
                while True:
                    call()
            except errors.ClosedError as error:
                ended.append(str(error))  # noqa: B023 - of this turn
            except BaseException as error:
                ended.append(error)  # noqa: B023 - of this turn

        def put():
            store.put(("b", turn, len(acknowledged)), b"1")  # noqa: B023 - of this turn
            acknowledged.append(None)  # noqa: B023 - of this turn

        calls = (
            lambda: store.get(("a", 1)),  # noqa: B023
            lambda: [len(each) for each in store.batches(rows=50)],  # noqa: B023
            put,
            lambda: store.update_each(lambda _key, value: value + b"1" if len(value) < 60 else value[:50]),  # noqa: B023
        )
        threads = [threading.Thread(target=at_work, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        begun.wait()
        while not acknowledged:
            pass
        store.close()
        for thread in threads:
            thread.join()
        assert [type(each) for each in ended] == [str] * 4, ended
        with Store(tmp_path / "s") as again:
            assert len(content(again.partition("main"))) >= 500
            assert sum(len(each) for each in again.batches(("b", turn))) in {len(acknowledged), len(acknowledged) + 1}
            assert again.check() == []


def interrupt_at(step):
    """KeyboardInterrupt in this thread at its `step`-th moment at which Python looks for signals.

    That is where a function of Python's begins, and where one of C's has returned.
    """
    left = step

    def count(_frame, event, _argument):
        nonlocal left
        left -= event in {"call", "c_return"}
        if left == 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(count)


def has_interrupt(error):
    """Whether it is one, or came while one was being handled (`shutil.rmtree` closes a file twice then)."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def interrupting(path, backend, name, stride):
    """Interrupt one verb at every `stride`-th step; the store must be usable each time, and nothing torn."""
    limits.STORE_MAP_BYTES = 1 << 16
    stride = int(stride)
    store = Store(path, backend=backend, sync="off")
    marks = store.partition("marks")
    marks.write([((number,), b"0") for number in range(60)])
    state = {"step": 0, "size": 10}

    def batch():
        state["size"] += 1
        return [(("batch", row), bytes(state["size"])) for row in range(10)]

    verbs = {
        "put": lambda: store.put(("a",), b"%d" % state["step"]),
        "get": lambda: store.get(("a",)),
        "write": lambda: store.write(batch()),
        "grow": lambda: store.write([(("batch", row), bytes(2_000 + state["step"] * 1_500)) for row in range(10)]),
        "update": lambda: marks.update_each(lambda _key, _value: b"%d" % state["step"], write_rows=25, rows=30),
        "walk": lambda: list(store.batches(rows=3)),
        "name": lambda: store.partition(f"name {state['step']}").put(("a",), b"1"),
        "compact": store.compact,
        "check": store.check,
        "trim": store.trim,
        "backup": lambda: store.backup(os.path.join(path + "-copies", "copy")),
    }
    verb = verbs[name]
    step = 0
    while True:
        step += stride
        state["step"] = step
        faulthandler.dump_traceback_later(20, exit=True)  # a hang
        interrupt_at(step)
        try:
            verb()
            sys.setprofile(None)
            break
        except BaseException as error:
            if not has_interrupt(error):
                raise
        finally:
            sys.setprofile(None)
        try:
            store.put(("after",), b"%d" % step)
            assert store.get(("after",)) == b"%d" % step
            sizes = {len(value) for each in store.batches(("batch",)) for _key, value in each}
            assert len(sizes) <= 1, f"torn: {sizes}"
            if os.path.exists(path + "-copies"):
                copies = os.listdir(path + "-copies")
                assert copies in ([], ["copy"]), copies
                for copy in copies:
                    Store(os.path.join(path + "-copies", copy)).close()
                shutil.rmtree(path + "-copies")
            thread = threading.Thread(target=store.put, args=(("thread",), b"%d" % step))
            thread.start()
            thread.join()
            assert store.get(("thread",)) == b"%d" % step
        except BaseException as error:
            print("after step", step, repr(error), flush=True)
            raise
    faulthandler.dump_traceback_later(20, exit=True)
    assert store.compact().is_done
    assert store.check() == []
    assert not remains(path)
    store.close()
    with Store(path) as again:
        assert again.check() == []
    print("interrupted", step // stride, flush=True)


STRIDES = {  # for a quick look, and for a slow one
    "put": (3, 1), "get": (1, 1), "write": (7, 1), "grow": (5, 1), "update": (11, 2), "walk": (5, 1), "name": (5, 1),
    "compact": (97, 29), "check": (101, 37), "trim": (97, 29), "backup": (11, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", STRIDES)
def test_interrupted_at_some_steps(tmp_path, backend, name):
    """Ctrl-C at any call inside of a verb: the store goes on in every thread, no lock is left held, nothing is torn."""
    said = run("interrupting", tmp_path / "s", backend, name, STRIDES[name][0])
    assert said[-1].startswith("interrupted"), said
    assert int(said[-1].split()[1]) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", STRIDES)
def test_interrupted_at_close_steps(tmp_path, backend, name):
    """So it is at steps that lie close together."""
    said = run("interrupting", tmp_path / "s", backend, name, STRIDES[name][1])
    assert int(said[-1].split()[1]) >= 5


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
