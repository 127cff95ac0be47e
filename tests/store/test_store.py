"""A store opens once, says what is wrong with its arguments, and ends in every way without leaving anything."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
import warnings

import msgspec
import pytest

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.store.store import Store


class User(msgspec.Struct):
    name: str


def entries(partition):
    return [pair for batch in partition.batches() for pair in batch]


# --- opening and closing ----------------------------------------------------------------------------------------------


def test_what_was_written_is_there_after_a_reopening(tmp_path, backend):
    """At every level of sync, what was written before close() is read by the next one; the backend is remembered."""
    for sync in ("full", "normal", "off"):
        with Store(tmp_path / "s", backend=backend, sync=sync) as store:
            store.put((sync,), b"1")
            assert (store.backend, store.sync_level, store.path) == (backend, sync, str(tmp_path / "s"))
    with Store(tmp_path / "s") as again:
        assert again.backend == backend
        assert [key for key, _value in entries(again)] == [("full",), ("normal",), ("off",)]


def test_a_new_store_is_lmdb(tmp_path):
    """Without a backend it is LMDB, at "full"."""
    with Store(tmp_path / "s") as store:
        assert (store.backend, store.sync_level) == ("lmdb", "full")


def test_typed_stores(tmp_path, backend):
    """A store of a type takes and gives that type, as do its partitions of another one."""
    with Store(tmp_path / "s", backend=backend, type=User, format="json") as store:
        store.put((1,), User("Ann"))
        numbers = store.partition("numbers", type=int)
        numbers.write({(1,): 5, (2,): None})
        assert (store.get((1,)), numbers.get((1,))) == (User("Ann"), 5)
        assert store.partition("main").get((1,)) == b'{"name":"Ann"}'
        with pytest.raises(errors.UsageError, match="None is no value"):
            numbers.put((1,), None)


def test_what_it_holds_is_reserved(tmp_path, backend):
    """Its bytes are taken from the ambient budget while it is open, and given back once."""
    with Budget("256 MiB") as budget:
        store = Store(tmp_path / "s", backend=backend)
        assert budget.held == store.bytes_max() > 0
        assert "store s" in str(budget.explain())
        store.close()
        store.close()
        assert budget.held == 0


def test_a_store_that_does_not_fit_is_refused(tmp_path, backend):
    """BudgetExceeded leaves nothing open: with a larger budget it opens at once."""
    with Budget("64 KiB") as budget:
        with pytest.raises(errors.BudgetExceeded) as refused:
            Store(tmp_path / "s", backend=backend)
        assert budget.held == 0
    with Store(tmp_path / "s", backend=backend) as store:  # while the error still holds its frames
        store.put((1,), b"")
    assert refused.value.held == 0


def test_every_method_of_a_closed_store_says_so(tmp_path, backend):
    """After close() each is ClosedError; closing again, its text and its numbers do no harm."""
    store = Store(tmp_path / "s", backend=backend)
    store.put(("a",), b"1")
    known, unknown = store.partition("main"), store.partition("unknown")
    walk = store.batches()
    store.close()
    store.close()
    calls = [
        store.partitions, store.compact, store.check, store.stats, store.sync, store.trim, store.__enter__,
        lambda: store.backup(tmp_path / "copy"), lambda: next(walk),
        lambda: store.write_to({known: [(("a",), b"")]}),
    ]  # fmt: skip
    for each in (store, known, unknown):
        calls += [
            lambda it=each: it.get(("a",)), lambda it=each: it.put(("a",), b""), lambda it=each: it.delete(("a",)),
            lambda it=each: ("a",) in it, lambda it=each: it.get_many([("a",)]), lambda it=each: it.write([(("a",), b"")]),
            lambda it=each: list(it.batches()), lambda it=each: it.ranges(3), lambda it=each: it.count_estimate(),
            lambda it=each: it.count_estimate(("a",)), each.clear, lambda it=each: it.update_each(lambda _key, _value: None),
        ]  # fmt: skip
    for call in calls:
        with pytest.raises(errors.ClosedError):
            call()
    assert not (tmp_path / "copy").exists()
    assert "main" in repr(store)
    assert store.bytes_max() > 0


def test_with_closes(tmp_path, backend):
    """At the end of `with`, through an error as well, it is closed and can be opened again."""
    with Budget("256 MiB") as budget:
        with pytest.raises(ZeroDivisionError):
            broken_off(tmp_path, backend)
        assert budget.held == 0
    with Store(tmp_path / "s") as again:
        assert again.get(("a",)) == b"1"


def broken_off(tmp_path, backend):
    with Store(tmp_path / "s", backend=backend) as store:
        store.put(("a",), b"1")
        len(entries(store)) / 0


def test_a_dropped_store_warns_and_closes(tmp_path, backend):
    """ResourceWarning names the path of a store that nobody closed; its bytes go back, and it opens again."""
    with Budget("256 MiB") as budget:
        stores = [Store(tmp_path / "s", backend=backend)]
        stores[0].put(("a",), b"1")
        with pytest.warns(ResourceWarning, match=r"unclosed store .*s'"):
            stores.clear()
        gc.collect()
        assert budget.held == 0
        with Store(tmp_path / "s") as again:
            assert again.get(("a",)) == b"1"


def test_a_store_that_was_refused_drops_in_silence(tmp_path):
    """An argument that is wrong leaves no warning behind."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for options in ({"sync": "fast"}, {"backend": "bbolt"}, {"format": "xml", "type": dict}, {"type": 5}):
            with pytest.raises(errors.UsageError):
                Store(tmp_path / "s", **options)
        gc.collect()
    assert not (tmp_path / "s").exists()


def test_a_store_is_open_once_in_a_process(tmp_path, backend):
    """The second one is refused in words, and the first goes on."""
    with Store(tmp_path / "s", backend=backend) as store:
        store.put(("a",), b"1")
        with pytest.raises((errors.UsageError, errors.BrokenError), match=r"open|process"):
            Store(tmp_path / "s")
        assert store.get(("a",)) == b"1"
        store.put(("b",), b"2")
    with Store(tmp_path / "s") as again:
        assert len(entries(again)) == 2


def test_nothing_stays_open(tmp_path, backend, open_files):
    """Opening, writing, walking, compacting and closing leave no file open."""
    Store(tmp_path / "s", backend=backend).close()
    before = open_files()
    with Store(tmp_path / "s") as store:
        store.write([((at,), b"x" * 100) for at in range(100)])
        store.compact()
        store.trim()
        store.backup(tmp_path / "copy")
        assert entries(store)
    gc.collect()
    assert open_files() - before == set()


# --- partitions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "x" * 201, "ü" * 101, None, 5, b"a", "\ud800", ("a",)], ids=lambda name: repr(name)[:12]
)
def test_what_is_no_name_is_refused(store, name):
    """Names are texts of 1 to 200 bytes."""
    with pytest.raises(errors.UsageError, match="no name of a partition"):
        store.partition(name)


@pytest.mark.parametrize(
    "name", ["a", "x" * 200, "ü" * 100, "\x00", "\x01\xff", "main/sub", " "], ids=lambda name: repr(name)[:12]
)
def test_any_text_is_a_name(store, name):
    """Whatever the characters, the partition is found under its name again."""
    store.partition(name).put((name,), b"1")
    assert entries(store.partition(name)) == [((name,), b"1")]
    assert store.partitions() == [name]


def test_write_to_refuses_what_is_not_its_own(store, tmp_path):
    """Partitions of another store, and what is none, are refused before anything is written."""
    with Store(tmp_path / "other") as other:
        for key in (other, other.partition("p"), "main", None):
            with pytest.raises(errors.UsageError, match="no partition of this store"):
                store.write_to({store: [(("a",), b"1")], key: [(("a",), b"1")]})
        with pytest.raises(errors.UsageError):
            store.write_to({store: [(("a",), b"1")], store.partition("p"): [(("a",), "text")]})
    assert entries(store) == []


# --- upkeep -----------------------------------------------------------------------------------------------------------


def test_a_backup_is_a_store(opened, tmp_path, backend):
    """It has what was there at that moment, opens by itself, and nothing is left beside it."""
    store = opened(type=User)
    store.put((1,), User("Ann"))
    store.partition("p").write([((at,), b"x" * 3000) for at in range(100)])
    store.backup(tmp_path / "copy")
    store.put((2,), User("Bob"))
    with Store(tmp_path / "copy", type=User) as copy:
        assert copy.backend == backend
        assert entries(copy) == [((1,), User("Ann"))]
        assert len(entries(copy.partition("p"))) == copy.partition("p").count_estimate() == 100
        assert copy.check() == []
        copy.put((3,), User("Cem"))
    assert sorted(os.listdir(tmp_path)) == ["copy", "s"]
    with pytest.raises(errors.UsageError, match="exists"):
        store.backup(tmp_path / "copy")


def test_a_backup_that_cannot_be_written_leaves_nothing(store, tmp_path):
    """Where the directory is a file, it is said, and nothing is there afterwards."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(errors.BrokenError, match="could not be written"):
        store.backup(tmp_path / "file" / "copy")
    assert sorted(os.listdir(tmp_path)) == ["file", "s"]


def test_a_healthy_store_checks_clean(store):
    """check() of an empty store, and of one with values of all sizes, finds nothing."""
    assert store.check() == []
    store.write([((at,), b"x" * at * 37) for at in range(300)])
    store.write([((at,), None) for at in range(0, 300, 3)])
    assert store.check() == []


def test_large_values_that_shrink_at_once_are_no_damage(store):
    """Several values for one key in one write, by whatever name of its partition, leave a store that checks clean."""
    store.write([(("a",), b"x" * 20_000), (("b",), b"2"), (("a",), b"1")])
    assert store.check() == []
    store.write_to({store.partition("p"): [(("a",), b"x" * 20_000)], store.partition("p"): [(("a",), b"1")]})
    assert (store.get(("a",)), store.partition("p").get(("a",))) == (b"1", b"1")
    assert store.check() == []


def test_read_only_reads(opened, tmp_path):
    """Everything that reads works; whatever writes is UsageError, and nothing changes."""
    store = opened()
    store.write([((at,), b"1") for at in range(50)])
    store.close()
    with Store(tmp_path / "s", read_only=True) as reader:
        assert (len(entries(reader)), reader.get((7,)), reader.count_estimate()) == (50, b"1", 50)
        assert (len(reader.ranges(3)), reader.partitions(), reader.check()) == (3, ["main"], [])
        assert reader.stats().entries == 50
        for write in (
            lambda: reader.put((1,), b""), lambda: reader.delete((1,)), lambda: reader.write([((1,), None)]),
            lambda: reader.partition("new").put((1,), b""), reader.clear, reader.compact,
            lambda: reader.update_each(lambda _key, _value: b"2"),
        ):  # fmt: skip
            with pytest.raises(errors.UsageError, match="open for reading"):
                write()
    with pytest.raises(errors.UsageError, match="no store at"):
        Store(tmp_path / "none", read_only=True)
    assert not (tmp_path / "none").exists()


def test_a_store_cannot_be_pickled(store):
    """Neither it nor its partitions: its path can be sent."""
    for each in (store, store.partition("p")):
        with pytest.raises(errors.UsageError, match="cannot be pickled") as refused:
            pickle.dumps(each)
        assert "path" in refused.value.hint


def test_options_are_rocksdb_s(tmp_path):
    """LMDB has none to set, and says so."""
    with pytest.raises(errors.UsageError, match="options are RocksDB's"):
        Store(tmp_path / "s", backend="lmdb", options={"block_cache_size": "32 MiB"})
    Store(tmp_path / "s").close()


def test_a_child_of_a_fork_opens_its_own_or_is_refused(tmp_path, backend):
    """In a child, the parent's store is ClosedError, another one works or is refused in words; nothing waits for ever."""
    store = Store(tmp_path / "s", backend=backend)
    store.put(("a",), b"1")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)  # what waits for ever is ended by it
            try:
                store.get(("a",))
            except errors.ClosedError:
                code = 2
            store.close()
            try:
                with Store(tmp_path / "own", backend=backend) as own:
                    own.put(("b",), b"2")
                    code = 0 if own.get(("b",)) == b"2" and code == 2 else 3
            except errors.UsageError as error:
                code = 0 if "fork" in str(error) and code == 2 else 4
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.put(("b",), b"2")
    assert entries(store) == [(("a",), b"1"), (("b",), b"2")]
    assert store.check() == []
    store.close()


def test_one_partition_twice_and_a_long_key_in_one_write(opened):
    """A large value that shrinks in the same transaction leaves no page that the check misses."""
    store = opened()
    one, other = store.partition("p"), store.partition("p")
    store.write_to({one: [((1,), bytes(100_000))], other: [((1,), b"small"), (("L" * 600,), b"z")]})
    assert (one.get((1,)), one.get(("L" * 600,)), store.check()) == (b"small", b"z", [])


def test_a_write_that_is_refused_makes_no_partition(opened):
    """Everything is looked at before the first of several partitions is made."""
    store = opened()
    one, two = store.partition("one"), store.partition("two")
    with pytest.raises(errors.UsageError):
        store.write_to({one: [((1,), b"1")], two: [((1,), "no bytes")]})
    assert store.partitions() == []
    store.write_to({one: [((1,), b"1")], two: [((1,), None)]})
    assert store.partitions() == ["one"]


def test_backups_to_one_place_at_once(opened, tmp_path):
    """One of them makes it, the others are refused, and the copy is a store; a stranger's directory beside it stays."""
    store = opened()
    store.write([((at,), bytes(500)) for at in range(2000)])
    stranger = tmp_path / f"copy.flatwater-tmp-{2**30}-0"
    stranger.mkdir()
    (stranger / "mine.txt").write_text("mine")
    done, refused = [], []

    def backup():
        try:
            store.backup(tmp_path / "copy")
            done.append(1)
        except errors.FlatwaterError as error:
            refused.append(error)

    threads = [threading.Thread(target=backup) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused)) == (1, 2)
    assert all(isinstance(error, (errors.UsageError, errors.BrokenError)) for error in refused)
    with Store(tmp_path / "copy", read_only=True) as copy:
        assert copy.count_estimate() == 2000
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy", stranger.name]
    assert (stranger / "mine.txt").read_text() == "mine"


def test_refused_options_make_no_store(tmp_path):
    """Options of another backend, or unknown ones: the store can then be made as the hint says."""
    with pytest.raises(errors.UsageError, match="backend='rocksdb'"):
        Store(tmp_path / "s", options={"block_cache_size": "8 MiB"})
    with pytest.raises(errors.UsageError, match="no option"):
        Store(tmp_path / "s", backend="rocksdb", options={"a": 1})
    with Store(tmp_path / "s", backend="rocksdb", options={"block_cache_size": "8 MiB"}) as store:
        assert store.backend == "rocksdb"


@pytest.mark.parametrize("path", [None, 3, "", "a\0b"])
def test_what_is_no_path(store, path):
    """It is refused in words, for a store and for a copy of one."""
    with pytest.raises(errors.UsageError, match="no path"):
        Store(path)
    with pytest.raises(errors.UsageError, match="no path"):
        store.backup(path)
