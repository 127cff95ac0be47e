"""One file, copied and looked at."""

from __future__ import annotations

import hashlib
import threading

import pytest
from fakes import EPOCH, Fake, faulty

from flatwater.sync import transfer as transfers
from flatwater.sync.failures import ChangedFailure, GoneFailure, InTheWayFailure, RefusedFailure, TemporaryFailure
from flatwater.sync.retrying import Retrying, Stopped
from flatwater.sync.transfer import Transfer, content_md5, is_md5

DATA = b"some content" * 100


def pair(*, etags=(False, False), **options):
    source = Fake("fake://source", {b"a/file": DATA}, tells_etag=etags[0])
    destination = Fake("fake://destination", tells_etag=etags[1])
    return source, destination, Transfer(source, destination, **options)


@pytest.mark.parametrize("etags", [(False, False), (True, True), (True, False)])
@pytest.mark.parametrize("verify", ["size", "etag", "content"])
def test_copied(etags, verify):
    """The destination has it, the record describes both ends, nothing is open."""
    source, destination, transfer = pair(etags=etags, verify=verify)
    told = []
    copied = transfer.copy(b"a/file", 7, told.append)
    assert destination.contents() == source.contents()
    entry, there = source.find(b"a/file"), destination.find(b"a/file")
    record = copied.record
    assert (record.status.name, record.has_copy, record.generation) == ("SYNCED", True, 7)
    assert (record.size, record.mtime_ns, record.etag) == entry[1:]
    assert (record.copy_mtime_ns, record.copy_etag) == there[2:]
    assert (copied.bytes, told) == (len(DATA), [entry])
    assert (source.open, destination.open, destination.unfinished) == (0, 0, set())


@pytest.mark.parametrize("verify", ["size", "etag"])
@pytest.mark.parametrize("how", ["same size", "longer", "shorter", "gone", "truncated"])
def test_a_file_that_changes_while_it_is_copied(how, verify):
    """Nothing of it is published, and another try reads it from the beginning."""
    source, destination, transfer = pair(verify=verify)
    after = {"same size": DATA[::-1], "longer": DATA * 2, "shorter": DATA[:50]}

    def change(path, at):
        if at and source.on_chunk is change:
            source.on_chunk = lambda *_: None
            if how == "gone":
                del source.files[path]
            elif how != "truncated":
                source.put(path, after[how])

    source.on_chunk = change
    if how == "truncated":
        source.truncates.add(b"a/file")
    with pytest.raises(ChangedFailure):
        transfer.copy(b"a/file", 1, lambda _path: pytest.fail("it was published"))
    assert (destination.files, destination.unfinished, source.open) == ({}, set(), 0)
    source.truncates.clear()
    if how == "gone":
        with pytest.raises(GoneFailure):
            transfer.copy(b"a/file", 1)
    else:
        transfer.copy(b"a/file", 1)
        assert destination.contents() == source.contents()


@pytest.mark.parametrize(
    ("operation", "is_source"), [("read", True), ("chunk", True), ("write", False), ("part", False), ("publish", False)]
)
def test_a_try_that_fails_leaves_nothing(operation, is_source):
    """Neither open nor unfinished, whatever broke; the next try reads the source again."""
    source, destination, transfer = pair()
    (source if is_source else destination).faults = faulty(operation, TemporaryFailure("cut"), times=2)
    with pytest.raises(TemporaryFailure):
        transfer.copy(b"a/file", 1)
    assert (destination.files, destination.unfinished, source.open, destination.open) == ({}, set(), 0, 0)
    Retrying(3, 0.0001).call(lambda: transfer.copy(b"a/file", 1))
    assert destination.contents() == source.contents()
    assert source.calls["read"] >= (1 if operation == "read" else 3)


def test_what_arrived_otherwise_is_found(monkeypatch):
    """By its size, by an etag that is an MD5, by reading it again: each as far as was asked."""

    def spoil(destination, change):
        destination.afterwards = lambda _operation, path: destination.files.update(
            {path: (change(destination.files[path][0]), destination.files[path][1])}
        )

    for verify in ("size", "etag", "content"):
        source, destination, transfer = pair(etags=(False, True), verify=verify)
        spoil(destination, lambda data: data[:-1])
        with pytest.raises(TemporaryFailure, match="arrived with"):
            transfer.copy(b"a/file", 1)
    source, destination, transfer = pair(etags=(False, True), verify="etag")
    spoil(destination, lambda data: data[::-1])
    with pytest.raises(TemporaryFailure, match="MD5"):
        transfer.copy(b"a/file", 1)
    source, destination, transfer = pair(verify="content")
    spoil(destination, lambda data: data[::-1])
    with pytest.raises(TemporaryFailure, match="read again"):
        transfer.copy(b"a/file", 1)
    source, destination, transfer = pair(etags=(True, False))
    monkeypatch.setattr(source, "_entry", lambda path: Fake._entry(source, path)._replace(etag=b"0" * 32))
    with pytest.raises(TemporaryFailure, match="not read as the source has it"):
        transfer.copy(b"a/file", 1)
    assert destination.files == {}


@pytest.mark.parametrize("at", ["source", "destination"])
def test_etags_that_only_look_like_an_md5(monkeypatch, at):
    """A store that encrypts has other etags: it is asked, and what is none is not compared."""
    source, destination, transfer = pair(etags=(at == "source", at == "destination"))
    remote = source if at == "source" else destination
    monkeypatch.setattr(remote, "_entry", lambda path: Fake._entry(remote, path)._replace(etag=b"0" * 32))
    with pytest.raises(TemporaryFailure, match="MD5 is another one"):
        transfer.copy(b"a/file", 1)
    monkeypatch.setattr(remote, "is_md5_told", lambda _path: False)
    transfer.copy(b"a/file", 1)
    assert destination.contents() == source.contents()


def test_paths_that_the_destination_cannot_have():
    """Nothing is read for them."""
    source, destination, transfer = pair()
    for path, reason in ((b"../up", "no name"), (b"nul", "it is a device")):
        destination.refused[b"nul"] = "it is a device"
        with pytest.raises(RefusedFailure, match=reason):
            transfer.copy(path, 1)
    assert source.calls["read"] == 0


def test_what_is_in_the_way():
    """It stays as it is, and that it was is said."""
    _source, destination, transfer = pair()
    destination.put(b"a", b"mine")
    with pytest.raises(InTheWayFailure):
        transfer.copy(b"a/file", 1)
    assert destination.contents() == {b"a": b"mine"}


def test_the_end_of_a_run_gives_it_up():
    """At the next chunk, and nothing is left."""
    stop = threading.Event()
    source, destination, transfer = pair(stop=stop)
    source.on_chunk = lambda _path, _at: stop.set()
    with pytest.raises(Stopped):
        transfer.copy(b"a/file", 1)
    assert (destination.files, destination.unfinished, source.open) == ({}, set(), 0)


class Inside(Fake):
    """A store that copies by itself."""

    def copies_inside(self, source):
        return True

    def copy_inside(self, source, entry, path):
        self._asked("inside", path)
        self.put(path, source.files[path][0])
        return self._entry(path)


@pytest.mark.parametrize(
    ("options", "is_inside"), [({}, True), ({"needs_md5": True}, False), ({"verify": "content"}, False)]
)
def test_a_store_that_copies_by_itself(options, is_inside):
    """It does, unless the content has to be seen: for its sum, or to look at what arrived."""
    source, destination = Inside("fake://source", {b"a": DATA}), Inside("fake://destination")
    copied = Transfer(source, destination, **options).copy(b"a", 1)
    assert destination.contents() == source.contents()
    assert (destination.calls["inside"] > 0, copied.bytes) == (is_inside, 0 if is_inside else len(DATA))
    assert bool(copied.record.md5) is not is_inside
    del source.files[b"a"]
    with pytest.raises(GoneFailure):
        Transfer(source, destination, **options).copy(b"a", 1)


def test_a_file_of_just_now_settles(monkeypatch):
    """Its time is waited out, so that a change in the same tick would be seen; old ones and such of the future are not."""
    source, _destination, transfer = pair()
    slept = []
    monkeypatch.setattr(transfers.time, "sleep", slept.append)
    monkeypatch.setattr(transfers.time, "time_ns", lambda: EPOCH)
    for age_ns, waits in ((0, True), (10_000_000, True), (10**9, False), (-(10**9), False)):
        slept.clear()
        source.put(b"a/file", DATA, EPOCH - age_ns)
        transfer.copy(b"a/file", 1)
        assert bool(slept) is waits, age_ns


def test_the_md5_of_a_file():
    """Of all its bytes, and of one version."""
    source = Fake(files={b"a": DATA})
    assert content_md5(source, b"a") == hashlib.md5(DATA).digest()
    source.on_chunk = lambda path, at: source.put(path, DATA[::-1]) if at == 0 else None
    with pytest.raises(ChangedFailure):
        content_md5(source, b"a")
    assert is_md5(b"0" * 32)
    assert not is_md5(b"0" * 32 + b"-2")
    assert not is_md5(b"A" * 32)
