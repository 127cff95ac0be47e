"""A remote in a dict, with every fault that a real one may have."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter

from flatwater.sync.entry import Attributes, Entry
from flatwater.sync.failures import Failure, GoneFailure, InTheWayFailure
from flatwater.sync.remote import Reading, Remote, Writing

EPOCH = 1_600_000_000_000_000_000  # long ago: nobody waits for such a file to settle


class Killed(BaseException):
    """The process ends here, and nothing more is done by it."""


class Kill:
    """Ends everything that asks it at the n-th step, as kill -9 does: whoever asks later does nothing more either."""

    def __init__(self):
        self.left = 0
        self.is_dead = False
        self.steps = 0
        self._lock = threading.Lock()

    def step(self):
        """One thing is about to be done."""
        with self._lock:
            self.steps += 1
            if self.left:
                self.left -= 1
                self.is_dead = self.is_dead or not self.left
            if self.is_dead:
                raise Killed

    def at(self, step):
        """It dies in so many steps; 0: never."""
        self.left, self.is_dead, self.steps = step, False, 0


class Fake(Remote):
    """Files in a dict: path -> (bytes, time). Thread-safe.

    Attributes:
        faults: called as `fault(operation, path)` before each operation; what it raises happens.
        afterwards: the same behind `publish` and `delete`, when they are done.
        unreadable: folders that cannot be listed, each with a "/" at its end.
        breaks: what a listing raises, by the number of the batch in front of which it does; once each.
        refused: paths that it cannot have, and why.
        is_gone: whether the root is not there.
        on_chunk: called as `on_chunk(path, position)` before each chunk that is read.
        published: paths that a sync wrote and did not delete again.
        calls: how often each operation was asked for.
    """

    kind = "fake"

    def __init__(
        self,
        url="fake://one",
        files=(),
        *,
        batch=2,
        tells_etag=False,
        keeps_mtime=True,
        has_folders=True,
        is_caseless=False,
    ):
        super().__init__(url)
        self.files = {}
        self.batch = batch
        self.tells_etag = self.tells_md5 = tells_etag
        self.keeps_mtime = keeps_mtime
        self.has_folders = has_folders
        self.is_caseless = is_caseless
        self.kill = Kill()
        self.faults = self.afterwards = self.on_chunk = lambda *_: None
        self.unreadable, self.breaks, self.refused = set(), {}, {}
        self.is_gone = self.is_shuffled = False
        self.truncates = set()
        self.published, self.unfinished, self.foreign_deleted = set(), set(), set()
        self.calls = Counter()
        self.open = 0
        self.time = EPOCH
        self.lock = threading.RLock()
        for path, data in dict(files).items():
            self.put(path, data)

    # --- for tests ----------------------------------------------------------------------------------------------------

    def put(self, path, data=b"text", mtime_ns=None):
        """Somebody writes a file; what is in its way goes."""
        with self.lock:
            self.time += 1_000_000_000
            for other in [each for each in self.files if self.conflicts(path, each)]:
                del self.files[other]
            self.files[path] = (data, self.time if mtime_ns is None else mtime_ns)

    def conflicts(self, path, other):
        """Whether one of them is a folder of the other."""
        return self.has_folders and (path.startswith(other + b"/") or other.startswith(path + b"/"))

    def contents(self):
        """Bytes by path."""
        return {path: data for path, (data, _time) in self.files.items()}

    def _entry(self, path):
        data, mtime_ns = self.files[path]
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest().encode() if self.tells_etag else b""
        return Entry(path, len(data), mtime_ns, etag)

    def _asked(self, operation, path=b""):
        self.kill.step()
        self.calls[operation] += 1
        self.pace.take()
        self.faults(operation, path)

    # --- as a remote --------------------------------------------------------------------------------------------------

    def batches(self, after=b"", before=b"", unread=None):
        self._asked("list", after)
        if self.is_gone:
            raise GoneFailure(f"{self.url} is not there.")
        told = set()
        last, number = after, 0
        while True:
            with self.lock:
                found = self._next(last, before, told, unread)
            if (error := self.breaks.pop(number, None)) is not None:
                raise error
            if not found:
                return
            self._asked("batch", found[0].path)
            last, number = found[-1].path, number + 1
            yield found[::-1] if self.is_shuffled else found

    def _next(self, last, before, told, unread):
        """The next batch, and folders on the way to it that cannot be read."""
        found = []
        for path in sorted(self.files):
            if path <= last or (before and path >= before):
                continue
            folder = next((each for each in sorted(self.unreadable) if path.startswith(each)), None)
            if folder is None:
                found.append(self._entry(path))
            elif folder not in told:
                told.add(folder)
                if unread is None:
                    raise Failure(f"{folder!r} cannot be listed.")
                unread(folder, Failure(f"{folder!r} cannot be listed."))
            if len(found) == self.batch:
                break
        return found

    def borders(self, levels):
        self._asked("borders")
        if self.is_gone:
            raise GoneFailure(f"{self.url} is not there.")
        with self.lock:
            return sorted({path.partition(b"/")[0] + b"/" for path in self.files if b"/" in path}) if levels else []

    def find(self, path):
        self._asked("find", path)
        with self.lock:
            return self._entry(path) if path in self.files else None

    def read(self, path):
        self._asked("read", path)
        with self.lock:
            if path not in self.files:
                raise GoneFailure(f"{path!r} is not there any more.")
            return FakeReading(self, path)

    def write(self, path, size, attributes):
        self._asked("write", path)
        with self.lock:
            if self.has_folders and any(path.startswith(each + b"/") for each in self.files):
                raise InTheWayFailure(f"{path!r} cannot be written: a file is in the way.")
            self.unfinished.add(path)
            self.open += 1
        return FakeWriting(self, path, attributes)

    def delete(self, paths):
        self._asked("delete", paths[0])
        outcomes = []
        for path in paths:
            try:
                self.faults("delete one", path)
            except Failure as failure:
                outcomes.append(failure)
                continue
            outcomes.append(None)
            with self.lock:
                place = self._place(path)
                if place in self.files and place not in self.published:
                    self.foreign_deleted.add(place)
                self.files.pop(place, None)
                self.published.discard(place)
        self.afterwards("delete", paths[0])
        return outcomes

    def _place(self, path):
        """Where it stands, if case makes no difference."""
        if not self.is_caseless:
            return path
        return next((each for each in self.files if each.lower() == path.lower()), path)

    def refusal(self, path):
        return self.refused.get(path) or super().refusal(path)

    def discard(self, path):
        self._asked("discard", path)
        self.unfinished.discard(path)

    def settle(self):
        self._asked("settle")

    def takes_cases_for_one(self):
        self.calls["case"] += 1
        return self.is_caseless

    def listing_bytes(self):
        return 1000

    def bytes_max(self, workers):
        return workers * 1000


class FakeReading(Reading):
    def __init__(self, remote, path):
        self._remote, self._path = remote, path
        self._data = remote.files[path][0]
        self._at = 0
        self.entry = remote._entry(path)
        self.attributes = Attributes(self.entry.mtime_ns, 0o644)
        self._is_open = True
        remote.open += 1

    def read(self, count):
        self._remote.kill.step()
        self._remote.on_chunk(self._path, self._at)
        self._remote.faults("chunk", self._path)
        if self._path in self._remote.truncates and self._at:
            return b""
        count = max(1, min(count, len(self._data) // 2))
        part = self._data[self._at : self._at + count]
        self._at += len(part)
        return part

    def is_unchanged(self):
        with self._remote.lock:
            return self._path in self._remote.files and self._remote._entry(self._path) == self.entry

    def close(self):
        with self._remote.lock:
            self._remote.open -= self._is_open
            self._is_open = False


class FakeWriting(Writing):
    def __init__(self, remote, path, attributes):
        self._remote, self._path, self._attributes = remote, path, attributes
        self._parts = []
        self._is_open = True

    def write(self, data):
        self._remote.kill.step()
        self._remote.faults("part", self._path)
        self._parts.append(bytes(data))

    def publish(self):
        remote, path = self._remote, self._path
        try:
            remote._asked("publish", path)
            with remote.lock:
                if remote.has_folders and any(each.startswith(path + b"/") for each in remote.files):
                    raise InTheWayFailure(f"{path!r} cannot be written: a folder has that name.")
                remote.time += 1_000_000_000
                mtime_ns = self._attributes.mtime_ns if remote.keeps_mtime else remote.time
                place = remote._place(path)
                remote.files[place] = (b"".join(self._parts), mtime_ns)
                remote.published.add(place)
            remote.afterwards("publish", path)
        except Failure:
            self.abandon()
            raise
        self._close()
        with remote.lock:
            return remote._entry(place)._replace(path=path)

    def abandon(self):
        if self._remote.kill.is_dead:
            return  # what a killed process had begun stays
        self._close()

    def _close(self):
        with self._remote.lock:
            self._remote.unfinished.discard(self._path)
            self._remote.open -= self._is_open
            self._is_open = False


def faulty(operation, failure, paths=None, times=1):
    """A `faults` that raises at an operation, so many times for each path; of all paths, or of these."""
    done = Counter()
    lock = threading.Lock()

    def fault(asked, path):
        if asked != operation or (paths is not None and path not in paths):
            return
        with lock:
            done[path] += 1
            if done[path] > times:
                return
        raise failure

    return fault


def statuses(state):
    """Name of the status by path, of an open state."""
    from flatwater.sync import record as records

    return {key[0]: records.unpacked(value).status.name for page in state.pages(b"", b"") for key, value in page}


def checked(state):
    """The counts, the work and the bytes to copy are what the records imply; nothing is wrong with the store."""
    from flatwater.sync import record as records
    from flatwater.sync.state import WORK_OF, Work
    from flatwater.sync.status import Status

    assert state._need().check() == []
    counts, work, copy_bytes, errors = [0] * len(Status), set(), 0, set()
    for page in state.pages(b"", b""):
        for (path,), value in page:
            record = records.unpacked(value)
            assert records.unpacked(record.packed()) == record
            counts[record.status] += 1
            if (kind := WORK_OF[record.status]) is not None:
                size = record.size if kind is Work.COPY and record.size != records.NO_SIZE else 0
                work.add((kind, path, size))
                copy_bytes += size
            if record.status is Status.ERROR:
                errors.add(path)
            assert record.status is not Status.SYNCED or record.has_copy
            assert record.status is not Status.DELETED_ON_SOURCE or record.has_copy
    assert state.run.counts == counts
    assert state.run.copy_bytes == copy_bytes
    assert {(kind, path, size) for kind in Work for page in state.todo(kind) for path, size in page} == work
    reasons = {key[0] for page in state.failures.batches() for key, _value in page}
    assert reasons == errors
