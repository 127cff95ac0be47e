"""RocksDB keeps what it acknowledged, in pages of bounded bytes, whoever writes, closes or forks meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from itertools import pairwise

import pytest

from flatwater import errors
from flatwater.store.engines import base
from flatwater.store.engines.rocksdb import ENTRY_BYTES, RocksdbEngine

HEAD = b"\x02\x02\x03"
END = HEAD + base.ABOVE
ALL = {"rows": 1_000, "bytes_max": 8 << 20}
SMALL = {"write_buffer_size": "64 KiB", "max_write_buffers": 2, "block_cache_size": "2 MiB"}


def key(number: int) -> bytes:
    return HEAD + b"k%06d" % number


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "rocksdb"
    path.mkdir()
    return str(path)


@pytest.fixture
def engine(place):
    opened = RocksdbEngine(place, sync="off")
    yield opened
    opened.close()


def fill(engine, count, value=b"v"):
    for begin in range(0, count, 1_000):
        engine.write([(HEAD, [(key(at), value) for at in range(begin, min(count, begin + 1_000))])])


def walk(engine, *, reverse=False, rows=7, bytes_max=8 << 20):
    """All entries, page by page."""
    low, high = HEAD, END
    found = []
    while True:
        page = engine.page(low, high, rows=rows, bytes_max=bytes_max, reverse=reverse)
        found.append(page.entries)
        if page.is_last:
            return found
        last = page.entries[-1][0]
        low, high = (low, last) if reverse else (last + b"\x00", high)


# --- entries ----------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_and_the_last_of_several_for_one_key_holds(engine):
    """A batch goes in as a whole, in its order; deleting what is not there does nothing; a value may be empty."""
    engine.write(
        [(HEAD, [(key(1), b"a"), (key(1), b"b"), (key(2), b""), (key(3), b"c"), (key(3), None), (key(9), None)])]
    )
    assert engine.get(key(1)) == b"b"
    assert engine.get(key(2)) == b""
    assert engine.get(key(3)) is None
    assert engine.get_many([key(3), key(2), key(1), key(1)]) == [None, b"", b"b", b"b"]


def test_a_long_key_and_a_large_value_come_back(engine):
    """Keys of 100 KB and values of 5 MB are entries as any other."""
    long = HEAD + b"k" * 100_000
    engine.write([(HEAD, [(long, b"1"), (key(1), b"x" * 5_000_000)])])
    assert engine.get(long) == b"1"
    assert len(engine.get(key(1))) == 5_000_000
    assert [len(page) for page in walk(engine, bytes_max=1 << 20)] == [1, 1]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("is_flushed", [False, True])
def test_pages_have_all_entries_of_the_range_in_order(engine, reverse, is_flushed):
    """Whatever the rows of a page, every entry comes once, from the near end on, and none of other partitions."""
    engine.write([(b"\x02\x02\x02", [(b"\x02\x02\x02a", b"")]), (b"\x02\x02\x04", [(b"\x02\x02\x04a", b"")])])
    fill(engine, 100)
    if is_flushed:
        engine.trim()
    wanted = [(key(at), b"v") for at in range(100)]
    for rows in (1, 7, 50, 100, 101):
        assert sum(walk(engine, reverse=reverse, rows=rows), []) == (wanted[::-1] if reverse else wanted)  # noqa: RUF017
    part = engine.page(key(10), key(12), reverse=reverse, **ALL)
    assert sorted(part.entries) == wanted[10:12]
    assert part.is_last


@pytest.mark.parametrize("reverse", [False, True])
def test_a_page_keeps_its_bytes_whatever_the_sizes_of_values(engine, reverse):
    """Small entries and large ones side by side: no page is above its bytes, except by one entry that is alone."""
    sizes = [10, 200_000, 10, 10, 50_000, 90_000, 300_000, 5] * 5
    engine.write([(HEAD, [(key(at), b"x" * size) for at, size in enumerate(sizes)])])
    pages = walk(engine, reverse=reverse, rows=1_000, bytes_max=150_000)
    assert sorted(entry[0] for page in pages for entry in page) == [key(at) for at in range(len(sizes))]
    for page in pages:
        held = sum(len(name) + len(value) + base.ENTRY_BYTES for name, value in page)
        assert held <= 150_000 or len(page) == 1


def test_pages_are_full_where_a_large_value_was_once(engine):
    """One large entry in the past makes no short pages of small ones."""
    engine.write([(HEAD, [(key(0), b"x" * 1_000_000)])])
    fill(engine, 3_000)
    assert [len(page) for page in walk(engine, rows=1_000, bytes_max=1 << 20)][:3] == [1_000, 1_000, 1_000]


def test_how_large_an_entry_may_be_is_known_after_a_restart(place):
    """The note of the largest entry is written with it: the next process bounds its pages, too."""
    engine = RocksdbEngine(place, sync="normal")
    engine.write([(HEAD, [(key(at), b"x" * (8 * ENTRY_BYTES)) for at in range(50)])])
    engine.close()
    engine = RocksdbEngine(place, sync="normal")
    page = engine.page(HEAD, END, rows=1_000, bytes_max=100_000, reverse=False)
    engine.close()
    assert 1 <= len(page.entries) <= 3
    assert not page.is_last


def test_a_page_costs_no_walk_over_what_was_deleted_outside_of_it(engine):
    """A bound stops the iterator: 50,000 deleted entries behind the range, or below it, are not stepped over."""
    import rocksdict

    fill(engine, 50_000)
    engine.write([(b"\x02\x02\x02", [(b"\x02\x02\x02z", b"")]), (b"\x02\x02\x04", [(b"\x02\x02\x04a", b"")])])
    for begin in range(0, 50_000, 1_000):
        engine.write([(HEAD, [(key(at), None) for at in range(begin, begin + 1_000)])])
    seen = rocksdict.ReadOptions()
    seen.set_max_skippable_internal_keys(1_000)  # an iterator that steps over more fails
    cursor = engine._db.iter(seen)
    cursor.seek(HEAD)
    with pytest.raises(Exception, match="skip"):
        cursor.status()
    del cursor
    assert engine.page(b"\x02\x02\x02z", HEAD, reverse=False, **ALL).is_last
    assert engine.page(b"\x02\x02\x04", b"\x02\x02\x05", reverse=True, **ALL).entries == [(b"\x02\x02\x04a", b"")]


# --- versions ---------------------------------------------------------------------------------------------------------


def test_marks_are_equal_only_if_nothing_was_written_between(engine):
    """Reading leaves the mark; each write changes it."""
    first = engine.write([(HEAD, [(key(1), b"a")])])
    assert engine.page(HEAD, END, reverse=False, **ALL).mark == first
    assert engine.write([(HEAD, [(key(1), b"a")])]) != first


def test_replace_leaves_what_others_changed(engine):
    """With an old mark, values are compared: those that differ stay, the rest is written, and the mark is unknown."""
    mark = engine.write([(HEAD, [(key(at), b"old") for at in range(4)])])
    assert engine.replace(HEAD, [key(0)], [b"old"], [b"new"], mark)[1] == []
    engine.write([(HEAD, [(key(2), b"theirs"), (key(3), None)])])
    names = [key(at) for at in range(4)]
    found = engine.replace(HEAD, names, [b"new", b"old", b"old", b"old"], [None, b"1", b"2", b"3"], mark)
    assert found == (base.UNKNOWN, [2, 3])
    assert engine.get_many(names) == [None, b"1", b"theirs", None]


def test_nothing_comes_between_reading_and_writing_of_alter(engine):
    """Four threads that add one, 200 times each, make 800."""
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def add():
        for _ in range(200):
            engine.alter(lambda get: [(HEAD, [(key(0), b"%d" % (int(get(key(0)) or 0) + 1))])])

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(switch)
    assert engine.get(key(0)) == b"800"


# --- how many ---------------------------------------------------------------------------------------------------------


def test_small_partitions_and_parts_are_counted_one_by_one(engine):
    """Exact, with deletions, and without a flush."""
    fill(engine, 3_000)
    engine.write([(HEAD, [(key(at), None) for at in range(1_000)])])
    assert engine.count(HEAD, HEAD, END) == 2_000
    assert engine.count(HEAD, key(1_500), key(1_700)) == 200


@pytest.mark.slow
def test_large_partitions_are_estimated_from_the_files(place):
    """After a compaction to the entry, whatever stands beside the partition; with deletions since, to within a half."""
    engine = RocksdbEngine(place, sync="off")
    engine.write([(b"\x02\x02\x02", [(b"\x02\x02\x02%06d" % at, b"") for at in range(5_000)])])
    fill(engine, 120_000)
    engine.write([(b"\x02\x02\x04", [(b"\x02\x02\x04%06d" % at, b"") for at in range(5_000)])])
    engine.compact()
    assert engine.count(HEAD, HEAD, END) == 120_000
    for begin in range(0, 40_000, 1_000):
        engine.write([(HEAD, [(key(at), None) for at in range(begin, begin + 1_000)])])
    assert 40_000 <= engine.count(HEAD, HEAD, END) <= 120_000
    engine.close()


@pytest.mark.parametrize("options", [None, SMALL])
def test_borders_divide_a_range_about_equally(place, options):
    """From a walk over keys, and from the borders of many small files."""
    engine = RocksdbEngine(place, sync="off", options=options)
    for begin in range(0, 20_000, 500):
        engine.write([(HEAD, [(key(at), os.urandom(200)) for at in range(begin, begin + 500)])])
    borders = [HEAD, *engine.borders(HEAD, END, 4), END]
    counts = [engine.count(HEAD, low, high) for low, high in pairwise(borders)]
    engine.close()
    assert sum(counts) == 20_000
    assert len(counts) == 4
    assert max(counts) <= 7_500


# --- upkeep -----------------------------------------------------------------------------------------------------------


def test_room_names_what_is_held_and_compacting_gives_room_back(engine):
    """Cache, pinned blocks, write buffers and table readers are named; deleted entries leave the files."""
    fill(engine, 20_000, os.urandom(100))
    engine.trim()
    before = engine.room()
    assert set(before.held) == {"cache", "cache, pinned", "write buffers", "table readers"}
    assert before.entries == 20_000
    engine.write([(HEAD, [(key(at), None) for at in range(19_000)])])
    engine.trim()
    between = engine.room()  # RocksDB may compact by itself meanwhile
    assert between.used_bytes <= between.file_bytes
    engine.compact()
    after = engine.room()
    assert after.file_bytes < before.file_bytes / 4
    assert after.entries == 1_000
    assert engine.readers() == []


def test_the_cache_holds_what_it_may_and_trim_empties_it(place):
    """After reading more than the cache has room for, its use is within its size; trimmed, little is left."""
    engine = RocksdbEngine(place, sync="off", options=SMALL)
    for begin in range(0, 6_000, 100):
        engine.write([(HEAD, [(key(at), os.urandom(1_000)) for at in range(begin, begin + 100)])])
    walk(engine, rows=100)
    full = engine.room().held["cache"]
    assert (1 << 20) < full <= (2 << 20) * 1.1
    engine.trim()
    assert engine.room().held["cache"] < full / 2
    assert len(walk(engine, rows=1_000)) == 7  # and it is filled anew
    engine.close()


def test_options_hold_after_a_restart(place):
    """RocksDB notes the options of the last time; those that are given now are the ones it goes by."""
    RocksdbEngine(place, sync="off").close()
    engine = RocksdbEngine(place, sync="off", options=SMALL)
    fill(engine, 5_000, os.urandom(500))
    engine.trim()
    walk(engine)
    assert engine.room().held["cache"] > 1 << 20  # of this engine's own cache
    assert engine.tuning.block_cache_size == 2 << 20
    engine.close()


def test_files_for_people_do_not_pile_up(place):
    """However often a store is opened, RocksDB keeps two of its logs."""
    for _ in range(6):
        RocksdbEngine(place, sync="off").close()
    assert sum(name.startswith("LOG") for name in os.listdir(place)) <= 3


# --- opening, closing, other processes --------------------------------------------------------------------------------


def test_a_closed_engine_says_so_and_closing_twice_does_no_harm(place):
    """Each call after closing is a ClosedError."""
    engine = RocksdbEngine(place)
    engine.close()
    engine.close()
    for call in (
        lambda: engine.get(key(1)),
        lambda: engine.get_many([key(1)]),
        lambda: engine.page(HEAD, END, reverse=False, **ALL),
        lambda: engine.write([(HEAD, [(key(1), b"")])]),
        engine.room,
        engine.compact,
        engine.check,
        engine.sync,
        engine.trim,
    ):
        with pytest.raises(errors.ClosedError, match="it was closed"):
            call()


@pytest.mark.parametrize("sync", ["full", "normal", "off"])
def test_what_was_written_is_there_after_closing_at_any_level(place, sync):
    """Also at "off", where closing is what puts it on the disk."""
    engine = RocksdbEngine(place, sync=sync)
    fill(engine, 1_500)
    engine.sync()
    engine.close()
    engine = RocksdbEngine(place, sync=sync)
    assert engine.count(HEAD, HEAD, END) == 1_500
    engine.close()


def test_the_same_directory_twice_in_a_process_is_refused(engine, place):
    """The second one is told to share the first."""
    with pytest.raises(errors.UsageError, match="in this process already"):
        RocksdbEngine(place)


def test_reading_only_changes_nothing(place):
    """Two read side by side, see what the log has, too, and leave every file as it was; writing is refused."""
    engine = RocksdbEngine(place, sync="normal")
    fill(engine, 100)
    engine.close()
    before = {name: os.stat(os.path.join(place, name)).st_mtime_ns for name in os.listdir(place)}
    first, second = (RocksdbEngine(place, read_only=True) for _ in range(2))
    assert first.count(HEAD, HEAD, END) == second.count(HEAD, HEAD, END) == 100
    assert len(first.borders(HEAD, END, 4)) == 3
    assert first.check() == []
    for call in (lambda: first.write([(HEAD, [(key(1), b"")])]), first.compact):
        with pytest.raises(errors.UsageError, match="open for reading"):
            call()
    first.trim()
    first.close()
    second.close()
    assert {name: os.stat(os.path.join(place, name)).st_mtime_ns for name in os.listdir(place)} == before


def test_closing_while_others_read_and_write_ends_them_with_closed_errors(place):
    """Threads at work when it is closed get a ClosedError, and nothing worse."""
    engine = RocksdbEngine(place, sync="off")
    fill(engine, 2_000)
    problems = []
    rounds = [0, 0, 0, 0]

    def work(number):
        try:
            while True:
                walk(engine, rows=100, reverse=number % 2 == 0)
                engine.get_many([key(1), key(2)])
                engine.write([(HEAD, [(key(number), b"x")])])
                rounds[number] += 1
        except errors.ClosedError:
            pass
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while min(rounds) < 3:
        threads[0].join(0.01)
    engine.close()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert problems == []


def test_a_forked_child_cannot_use_it_and_does_no_harm(place):
    """In the child every call is a ClosedError and its end is quiet; the parent goes on."""
    engine = RocksdbEngine(place, sync="off")
    fill(engine, 10)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            engine.get(key(1))
        except errors.ClosedError:
            engine.close()
            del engine
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    fill(engine, 20)
    assert engine.count(HEAD, HEAD, END) == 20
    engine.close()


# --- faults -----------------------------------------------------------------------------------------------------------

WRITER = """
    import os, sys
    from flatwater.store.engines.rocksdb import RocksdbEngine
    engine = RocksdbEngine(sys.argv[1], sync=sys.argv[2])
    number = int(sys.argv[3])
    while True:
        engine.write([(b"\\x02\\x02\\x03", [(b"\\x02\\x02\\x03%08d-%d" % (number, at), b"x" * 100) for at in range(10)])])
        os.write(1, b"%d\\n" % number)
        number += 1
"""


@pytest.mark.slow
@pytest.mark.parametrize("sync", ["full", "normal", "off"])
def test_a_killed_process_loses_nothing_but_at_off_and_tears_no_batch(place, sync):
    """Kill -9 in the middle of writing, three times: what was acknowledged is there, each batch is whole."""
    number = 0
    acknowledged = set()
    for _ in range(3):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), place, sync, str(number)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        for _ in range(200):
            acknowledged.add(int(child.stdout.readline()))
        child.send_signal(signal.SIGKILL)
        acknowledged |= {int(line) for line in child.stdout.read().split(b"\n")[:-1]}
        child.wait()
        child.stdout.close()
        engine = RocksdbEngine(place, sync=sync)
        found = {}
        for page in walk(engine, rows=1_000):
            for name, _value in page:
                found.setdefault(int(name[3:11]), []).append(name)
        assert {len(names) for names in found.values()} <= {10}
        assert engine.check() == []
        if sync != "off":
            assert acknowledged <= set(found)
        engine.close()
        number = max(acknowledged) + 2


FULL = """
    import os, resource, sys
    from flatwater import errors
    from flatwater.store.engines.rocksdb import RocksdbEngine
    head = b"\\x02\\x02\\x03"
    options = {"write_buffer_size": "256 KiB", "max_write_buffers": 2, "block_cache_size": "2 MiB"}
    engine = RocksdbEngine(sys.argv[1], sync=sys.argv[2], options=options)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    number = 0
    try:
        while number < 10_000:
            engine.write([(head, [(head + b"%06d" % number, os.urandom(500))])])
            number += 1
    except errors.BrokenError as error:
        assert "may not grow" in str(error), error
    else:
        raise AssertionError("it was never full")
    for _ in range(3):
        try:
            engine.write([(head, [(head + b"x", b"")])])
        except errors.BrokenError:
            pass
        else:
            raise AssertionError("it is full, and took a write")
    assert engine.count(head, head, head + b"\\xff") == number
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    engine.write([(head, [(head + b"x", b"")])])
    assert engine.count(head, head, head + b"\\xff") == number + 1
    assert engine.check() == []
    engine.close()
    engine = RocksdbEngine(sys.argv[1], sync=sys.argv[2], options=options)
    assert engine.count(head, head, head + b"\\xff") == number + 1
    engine.close()
"""


@pytest.mark.parametrize("sync", ["full", "normal", "off"])
def test_a_store_that_could_not_grow_is_usable_again_once_there_is_room(place, sync):
    """What was acknowledged stays readable while it is full, and later; the next write after there is room goes in."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), place, sync],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_damage_is_an_error_and_never_a_short_page(place):
    """Where a block cannot be read, a page, a count and a look-up fail with the file's name, instead of ending early."""
    engine = RocksdbEngine(place, sync="off")
    fill(engine, 5_000, os.urandom(100))
    engine.compact()
    engine.close()
    (table,) = [name for name in os.listdir(place) if name.endswith(".sst")]
    with open(os.path.join(place, table), "r+b") as file:
        file.seek(os.path.getsize(file.name) // 3)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0xFF]))
    engine = RocksdbEngine(place, sync="off")
    for reverse in (False, True):
        with pytest.raises(errors.CorruptError, match=table):
            walk(engine, rows=500, reverse=reverse)
    with pytest.raises(errors.CorruptError, match=table):
        engine.count(HEAD, HEAD, END)
    assert [finding.partition(":")[0] for finding in engine.check()] == [table]
    engine.close()
    RocksdbEngine(place, sync="off").close()  # no error above keeps the files open


def test_damage_in_the_log_is_refused_at_full_and_dropped_with_what_follows_at_normal(place, tmp_path):
    """A flipped byte in the middle of the log is no torn end: "full" names it, with the way out that "normal" is."""
    import shutil

    engine = RocksdbEngine(place, sync="full")
    for at in range(200):
        engine.write([(HEAD, [(key(at), b"x" * 100)])])
    crashed = str(tmp_path / "crashed")
    shutil.copytree(place, crashed)
    engine.close()
    (log,) = [name for name in os.listdir(crashed) if name.endswith(".log")]
    with open(os.path.join(crashed, log), "r+b") as file:
        file.seek(os.path.getsize(file.name) // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(errors.CorruptError) as caught:
        RocksdbEngine(crashed, sync="full")
    assert 'sync="normal"' in caught.value.hint
    engine = RocksdbEngine(crashed, sync="normal")
    assert 90 <= engine.count(HEAD, HEAD, END) <= 110
    engine.close()
    RocksdbEngine(crashed, sync="full").close()


def test_a_log_that_ends_in_the_middle_of_a_write_opens_without_that_write(place, tmp_path):
    """A torn end is what a crash leaves: everything in front of it is there, at "full" as well."""
    import shutil

    engine = RocksdbEngine(place, sync="full")
    for at in range(20):
        engine.write([(HEAD, [(key(at), b"x" * 100), (key(at + 100), b"x")])])
    crashed = str(tmp_path / "crashed")
    shutil.copytree(place, crashed)
    engine.close()
    (log,) = [name for name in os.listdir(crashed) if name.endswith(".log")]
    path = os.path.join(crashed, log)
    os.truncate(path, os.path.getsize(path) - 20)
    engine = RocksdbEngine(crashed, sync="full")
    assert engine.count(HEAD, HEAD, END) == 38
    engine.close()


def test_a_store_that_cannot_be_opened_again_at_once_is_tried_with_the_next_write(place, monkeypatch):
    """Meanwhile reads say why; nothing that was acknowledged is lost, at "off" as well."""
    from flatwater.store.engines import rocksdb_upkeep

    engine = RocksdbEngine(place, sync="off")
    fill(engine, 100)
    opened = rocksdb_upkeep.opened

    def broken(*arguments, view="", **options):
        if view:  # what is read to carry over what is in write buffers
            return opened(*arguments, view=view, **options)
        raise errors.BrokenError("the disk is full once more.")

    monkeypatch.setattr(rocksdb_upkeep, "opened", broken)
    engine._ill = errors.BrokenError("it was full.")
    for _ in range(2):
        with pytest.raises(errors.BrokenError, match="once more"):
            engine.write([(HEAD, [(key(200), b"x")])])
    with pytest.raises(errors.BrokenError, match="once more"):
        engine.get(key(1))
    monkeypatch.undo()
    engine.write([(HEAD, [(key(200), b"x")])])
    assert engine.count(HEAD, HEAD, END) == 101
    engine.close()


def test_a_write_waits_for_write_buffers_outside_of_the_library(engine, monkeypatch):
    """While all are full it is tried again, and other threads run; after a minute it is an error."""
    from flatwater.store.engines import rocksdb

    commit, left = engine._commit, [3]

    def full(batch):
        left[0] -= 1
        return commit(batch) if left[0] < 0 else None

    monkeypatch.setattr(engine, "_commit", full)
    engine.write([(HEAD, [(key(1), b"x")])])
    assert engine.get(key(1)) == b"x"
    left[0] = 10**6
    monkeypatch.setattr(rocksdb, "STALL_S", 0.0)
    with pytest.raises(errors.BrokenError, match="write buffers were full"):
        engine.write([(HEAD, [(key(2), b"x")])])
    assert engine.get(key(2)) is None


def test_nobody_reads_before_what_was_in_write_buffers_is_carried_over(place):
    """At "off", while files are opened again after the disk was full: other threads find every acknowledged entry."""
    engine = RocksdbEngine(place, sync="off")
    fill(engine, 2000)
    missing, ended = [], threading.Event()

    def read():
        at = 0
        while not ended.is_set():
            at = (at + 7) % 2000
            if engine.get(key(at)) is None:
                missing.append(at)

    thread = threading.Thread(target=read)
    thread.start()
    for _turn in range(2):  # fewer than make RocksDB merge files, which it does not do when it is ill
        engine._ill = errors.BrokenError("it was full.")
        engine.write([(HEAD, [(key(2000), b"x")])])
    ended.set()
    thread.join()
    assert missing == []
    engine.close()


@pytest.mark.parametrize("sync", ["full", "normal", "off"])
@pytest.mark.parametrize("what", ["sync", "backup"])
def test_what_puts_on_disk_begins_anew_after_a_full_disk(place, tmp_path_factory, sync, what):
    """With room again, sync() and backup() work without a write before them."""
    engine = RocksdbEngine(place, sync=sync)
    fill(engine, 100)
    engine._ill = errors.BrokenError("it was full.")
    if what == "sync":
        engine.sync()
    else:
        engine.backup(str(tmp_path_factory.mktemp("copy")))
    assert engine._ill is None
    assert engine.count(HEAD, HEAD, END) == 100
    engine.close()
