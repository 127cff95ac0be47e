"""A sync against a model: what the state calls each file, what is copied, what is deleted, whatever fails or ends it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from flatwater import limits
from flatwater.budget.budget import Budget
from flatwater.sync import record as records
from flatwater.sync import state as states
from flatwater.sync.deleting import DeleteGuard
from flatwater.sync.failures import Failure, RefusedFailure, RemoteFailure, TemporaryFailure
from flatwater.sync.state import Pair, State
from flatwater.sync.sync import Sync

sys.path.insert(0, str(Path(__file__).parent.parent / "sync"))

from fakes import Fake, Killed, checked

NAMES = [b"a", b"a/b", b"a/c/d", b"a.b", b"b/1", b"b/2", b"b/3", b"c", b"\xff/\n", b"z"]
FOLDERS = [b"a/", b"b/", b"\xff/"]
paths = st.sampled_from(NAMES)
texts = st.sampled_from([b"", b"1", b"2", b"long" * 20])
few = st.sets(paths, max_size=3)
changes = st.dictionaries(paths, texts, min_size=1, max_size=4)
KINDS = st.sampled_from([RefusedFailure, TemporaryFailure])


class SyncMachine(RuleBasedStateMachine):
    """A source and a destination in dicts, a state on disk, and what each path must be called in it.

    The model of a path is `(status, version, has_copy)`: the source's version that was copied, if it is known.
    """

    @initialize(
        tells_etag=st.booleans(), keeps_mtime=st.booleans(), levels=st.integers(0, 1), listers=st.integers(1, 2),
        files=st.dictionaries(paths, texts, min_size=5), mine=few,
    )  # fmt: skip
    def begin(self, tells_etag, keeps_mtime, levels, listers, files, mine):
        self.folder = tempfile.mkdtemp()
        self.source = Fake("fake://source", tells_etag=tells_etag)
        self.destination = Fake("fake://destination", keeps_mtime=keeps_mtime)
        self.destination.time += 10**15
        self.options = {"levels": levels, "list_workers": listers, "workers": 2, "tries": 2, "durability": "off"}
        self.model, self.copies = {}, {}
        self.is_killed = False
        for path, data in files.items():
            self.source.put(path, data)
        for path in mine:
            self.destination.put(path, b"mine", self.source.time)

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # --- what others do -----------------------------------------------------------------------------------------------

    @rule(written=changes, removed=few)
    def change_the_source(self, written, removed):
        """Files are written, in place of folders or of files, and others are removed."""
        for path, data in written.items():
            self.source.put(path, data)
        for path in removed - set(written):
            self.source.files.pop(path, None)

    @rule(path=paths, other=paths)
    def rename_at_source(self, path, other):
        if path in self.source.files:
            found = self.source.files.pop(path)
            self.source.put(other, *found)

    @rule()
    def empty_the_source(self):
        self.source.files.clear()

    @rule(path=paths, data=texts, is_same=st.booleans())
    def alter_at_destination(self, path, data, is_same):
        """Somebody writes a file there, maybe the source's: it is his own, unless a sync had put one there."""
        if not any(self.destination.conflicts(path, each) for each in self.destination.files):
            found = self.source.files.get(path)
            self.destination.put(path, *found if is_same and found else (data,))

    @rule(path=paths)
    def remove_at_destination(self, path):
        self.destination.files.pop(path, None)

    # --- a sync -------------------------------------------------------------------------------------------------------

    def sync(self, **options):
        return Sync(self.source, self.destination, f"{self.folder}/state", **{**self.options, **options})

    def version(self, path):
        entry = self.source._entry(path)
        return (entry.size, entry.etag) if self.source.tells_etag else (entry.size, entry.mtime_ns)

    def scanned(self, unread=()):
        """The model after a listing; whether that was complete."""
        model = dict(self.model)
        is_complete = True
        hidden = {path for path in self.source.files if path.startswith(tuple(unread))} if unread else set()
        is_complete = not hidden
        for path in set(model) | set(self.source.files):
            status, version, has_copy = model.get(path, (None, None, False))
            if path in self.source.files and path not in hidden:
                if status in {"SYNCED", "TEMP_DELETED"} and version == self.version(path):
                    model[path] = "SYNCED", version, has_copy
                elif status != "ERROR":
                    model[path] = "NEW", None, has_copy
            elif status is not None and status != "DELETED_ON_SOURCE":
                model[path] = "TEMP_DELETED", version if status in {"SYNCED", "TEMP_DELETED"} else None, has_copy
        if is_complete:
            for path, (status, _version, has_copy) in list(model.items()):
                if status == "TEMP_DELETED" and has_copy:
                    model[path] = "DELETED_ON_SOURCE", None, True
                elif status == "TEMP_DELETED":
                    del model[path]
        return model, is_complete

    def looked(self, model):
        """The model after a look at the destination."""
        model = dict(model)
        for path, (status, _version, has_copy) in list(model.items()):
            if status == "SYNCED" and self.differs(path):
                model[path] = "NEW", None, True
            elif status == "NEW" and not has_copy and path in self.destination.files and self.adopts(path):
                model[path] = "SYNCED", self.version(path), True
        return model

    def differs(self, path):
        """Whether it can be seen that the destination has another one than was copied."""
        there, copy = self.destination.files.get(path), self.copies.get(path)
        if there is None or copy is None:
            return True
        return len(there[0]) != len(copy[0]) or (self.destination.keeps_mtime and there[1] != copy[1])

    def adopts(self, path):
        entry, there = self.source._entry(path), self.destination._entry(path)
        return (
            not self.source.tells_etag and self.destination.keeps_mtime and (entry.size, entry.mtime_ns) == (there.size, there.mtime_ns)
        )  # fmt: skip

    def done(self, model, *, is_complete, failing, max_delete):
        """The model after copying and deleting, the destination's files then, what was copied, deleted, and refused."""
        model, files = dict(model), dict(self.destination.contents())
        copied, failed = set(), set()

        def copy(todo, *, is_last):
            blocked = []
            for path in sorted(todo):
                has_copy = model[path][2]
                if path not in self.source.files:
                    continue  # below a folder that could not be listed, and gone
                is_below_a_file = any(path.startswith(each + b"/") for each in files)  # seen before anything is read
                if path in failing and not is_below_a_file:
                    model[path] = "ERROR", None, has_copy
                    failed.add(path)
                elif any(self.destination.conflicts(path, each) for each in files):
                    model[path] = "ERROR" if is_last else "NEW", None, False
                    (failed.add if is_last else blocked.append)(path)
                else:
                    files[path] = self.source.files[path][0]
                    model[path] = "SYNCED", self.version(path), True
                    copied.add(path)
            return blocked

        blocked = copy([path for path, each in model.items() if each[0] in {"NEW", "ERROR"}], is_last=False)
        wanted = [path for path, each in model.items() if each[0] == "DELETED_ON_SOURCE"] if is_complete else []
        is_refused = len(wanted) > max_delete
        if not is_refused:
            for path in wanted:
                files.pop(path, None)
                del model[path]
        copy(blocked, is_last=True)
        return model, files, copied, failed, [] if is_refused else wanted, is_refused

    @rule(
        written=changes, removed=few, lost=few, failing=few, kind=KINDS, unread=st.sets(st.sampled_from(FOLDERS), max_size=1), max_delete=st.sampled_from([0, 1, 100]),
        is_checked=st.booleans(), cut=st.none() | st.integers(0, 3),
    )  # fmt: skip
    def apply(self, written, removed, lost, failing, kind, unread, max_delete, is_checked, cut):
        """To its end: with files that cannot be read, folders that cannot be listed, a listing that breaks once."""
        self.settle_what_was_killed()
        self.change_the_source(written, removed)
        for path in lost:
            self.remove_at_destination(path)
        altered = {path for path, copy in self.copies.items() if copy != self.destination.files.get(path)}
        model, is_complete = self.scanned(unread)
        if is_checked:
            model = self.looked(model)
        model, files, copied, failed, deleted, is_refused = self.done(
            model, is_complete=is_complete, failing=failing, max_delete=max_delete
        )
        self.source.unreadable = set(unread)
        self.source.breaks = {} if cut is None else {cut: TemporaryFailure("cut")}

        def fault(operation, path):
            if operation == "chunk" and path in failing:
                raise kind("it fails")

        self.source.faults = fault
        sync, events = self.sync(max_delete=max_delete, check_destination=is_checked), []
        try:
            report = sync.apply(event=events.append)
            assert not is_refused
        except DeleteGuard as error:
            assert is_refused
            report = error.report
        finally:
            self.source.faults, self.source.unreadable, self.source.breaks = lambda *_: None, set(), {}
        assert sorted(each["path"] for each in events if each["event"] == "copied") == sorted(map(os.fsdecode, copied))
        assert report.copied == len(copied)
        assert {path for path, _reason in report.failures} == failed
        assert report.failed == len(failed)
        assert report.deleted == len(deleted)
        assert self.destination.contents() == files
        if not failing and not unread and not is_refused and is_complete and not failed:
            assert report.is_complete
            known = set(self.source.files) - (altered - copied)
            assert {path: files[path] for path in known} == {path: self.source.files[path][0] for path in known}
        self.model = model
        self.remember()

    def remember(self):
        """What the destination has of each synced file, as the copy was told."""
        self.copies = {path: self.copies.get(path) for path, each in self.model.items() if each[1] is not None}
        with self.opened() as state:
            for page in state.pages(b"", b""):
                for (path,), value in page:
                    record = records.unpacked(value)
                    if record.status.name != "SYNCED":
                        continue
                    there = self.destination.files.get(path)
                    time = record.copy_mtime_ns
                    if (
                        there is not None
                        and len(there[0]) == record.size
                        and (not self.destination.keeps_mtime or there[1] == time)
                    ):
                        self.copies[path] = there
                    elif path not in self.copies:
                        self.copies[path] = None

    @rule(max_delete=st.sampled_from([0, 1, 100]))
    def plan(self, max_delete):
        """It changes nothing, and says what apply would do."""
        self.settle_what_was_killed()
        before = self.on_disk(), dict(self.destination.files)
        told = []
        plan = self.sync(max_delete=max_delete).plan(told.append)
        assert (self.on_disk(), dict(self.destination.files)) == before
        model, is_complete = self.scanned()
        wanted = {path for path, each in model.items() if each[0] in {"NEW", "ERROR"}}
        gone = {path for path, each in model.items() if each[0] == "DELETED_ON_SOURCE"}
        assert {each.path for each in told if each.action != "delete"} == wanted
        assert {each.path for each in told if each.action == "delete"} == gone
        assert plan.new + plan.changed + plan.pending + plan.retry == len(wanted)
        assert plan.delete == len(gone)
        assert bool(plan.guard) == (len(gone) > max_delete)
        assert plan.is_empty == (not wanted and not gone)
        assert is_complete

    @rule()
    def audit(self):
        """It says what differs, and changes nothing."""
        self.settle_what_was_killed()
        before = self.on_disk(), dict(self.destination.files)
        audit = self.sync().audit()
        assert (self.on_disk(), dict(self.destination.files)) == before
        synced = {path for path, each in self.model.items() if each[0] == "SYNCED"}
        there = set(self.destination.files)
        assert audit.missing == len(synced - there)
        assert audit.unknown == len(there - set(self.model))
        assert audit.pending == len(set(self.model) - synced)
        assert audit.fine + audit.altered == len(synced & there)
        assert audit.altered == sum(self.differs(path) for path in synced & there)

    @rule()
    def apply_twice(self):
        """The second one copies nothing, and writes no record of a file."""
        self.settle_what_was_killed()
        try:
            self.sync(max_delete=100).apply()
            changes = []
            commit = State.commit
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(
                    State,
                    "commit",
                    lambda state, found=(), **more: (
                        changes.extend(found := list(found)) or commit(state, found, **more)
                    ),
                )
                report = self.sync(max_delete=100).apply()
            if not report.failed:
                assert (report.copied, report.deleted, changes) == (0, 0, [])
        finally:
            self.reload()

    @rule(
        failure=st.sampled_from([Failure, RemoteFailure]),
        at=st.integers(0, 3),
        where=st.sampled_from(["list", "write", "publish", "settle"]),
    )
    def a_remote_fails(self, failure, at, where):
        """The run ends, nothing was deleted after a listing that did not end, and the next one goes on."""
        self.settle_what_was_killed()
        before = dict(self.destination.files)
        if where == "list":
            self.source.breaks = {at: failure("broken")}
        else:
            left = [at]

            def fault(operation, _path):
                if operation == where:
                    left[0] -= 1
                    if left[0] < 0:
                        raise RemoteFailure("down")

            self.destination.faults = fault
        try:
            self.sync(max_delete=100).apply()
        except Failure:
            if where == "list":
                assert self.destination.files == before
        finally:
            self.source.breaks, self.destination.faults = {}, lambda *_: None
        self.is_killed = True
        self.reload()

    @rule(step=st.integers(1, 60), is_commit=st.booleans(), is_after=st.booleans())
    def killed(self, step, is_commit, is_after):
        """At the n-th thing that is asked of a remote, or before or after the n-th write of the state."""
        self.settle_what_was_killed()
        kill = self.source.kill = self.destination.kill
        kill.at(0 if is_commit else step)
        count = [0]

        def dying(function):
            def write(*args, **options):
                count[0] += 1
                if kill.is_dead:
                    raise Killed
                if is_commit and count[0] == 1 + step // 4:
                    if is_after:
                        function(*args, **options)
                    kill.is_dead = True
                    raise Killed
                return function(*args, **options)

            return write

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(states.Store, "write_to", dying(states.Store.write_to))
            patch.setattr(states.Store, "write", dying(states.Store.write))
            with contextlib.suppress(Killed, DeleteGuard):
                self.sync(max_delete=100).apply()
        kill.at(0)
        self.is_killed = True
        self.reload()

    def settle_what_was_killed(self):
        """A run behind one that was killed is looked at as two: the model begins with what is known after it."""
        if not self.is_killed:
            return
        try:
            self.sync(max_delete=100).apply()
        finally:
            self.is_killed = False
            self.reload()
        assert self.destination.unfinished == set()

    def opened(self):
        return State(f"{self.folder}/state", Pair(self.source.url, self.destination.url), read_only=True)

    def reload(self):
        """The model from the state: what must hold of it by itself is asked by the invariants."""
        before, self.model = self.model, {}
        with self.opened() as state:
            for page in state.pages(b"", b""):
                for (path,), value in page:
                    record = records.unpacked(value)
                    is_known = (
                        record.status.name in {"SYNCED", "TEMP_DELETED"}
                        and record.size != records.NO_SIZE
                        and not record.is_marked
                    )
                    version = (
                        (record.size, record.etag if self.source.tells_etag else record.mtime_ns) if is_known else None
                    )
                    self.model[path] = record.status.name, version, record.has_copy
                    if record.has_copy and path not in self.destination.published and self.looks_copied(path, record):
                        self.destination.published.add(path)  # it was killed in front of copying it: it cannot know
                    if before.get(path, ("",))[0] == "ERROR":
                        assert record.status.name != "SYNCED" or path in self.destination.published
        self.remember()

    def looks_copied(self, path, record):
        """Whether somebody else's file looks as what was to be copied there, or nothing is told of that."""
        if path not in self.destination.files or not record.is_marked:
            return path not in self.destination.files
        there = self.destination._entry(path)
        return there.size == record.size and (not self.destination.keeps_mtime or there.mtime_ns == record.mtime_ns)

    def on_disk(self):
        found = {}
        for folder, _folders, names in os.walk(f"{self.folder}/state"):
            for name in names:
                if "lock" not in name:
                    found[name] = Path(folder, name).read_bytes()
        return found

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def the_state_is_the_model(self):
        if not hasattr(self, "folder"):
            return
        with self.opened() as state:
            if state._store is None:
                return
            checked(state)
            found = {}
            for page in state.pages(b"", b""):
                for (path,), value in page:
                    record = records.unpacked(value)
                    found[path] = record.status.name, record.has_copy
        assert found == {path: (status, has_copy) for path, (status, _version, has_copy) in self.model.items()}

    @invariant()
    def nobody_elses_file_was_deleted(self):
        if hasattr(self, "folder"):
            assert self.destination.foreign_deleted == set()
            assert (self.source.open, self.source.calls["write"], self.source.calls["delete"]) == (
                self.source.open,
                0,
                0,
            )

    @invariant()
    def nothing_unfinished_is_left(self):
        if hasattr(self, "folder") and not self.is_killed:
            assert self.destination.unfinished == set()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No pauses, and pages so small that there are several."""
    monkeypatch.setattr(limits, "SYNC_RETRY_S", 0.0001)
    monkeypatch.setattr(limits, "SYNC_BATCH", 3)
    monkeypatch.setattr(limits, "SYNC_COMMIT_ROWS", 2)
    monkeypatch.setattr(limits, "SYNC_TASK_FILES", 2)


def test_a_sync_is_its_model():
    """Any run of changes, faults, kills and runs leaves what the model says."""
    run(25, 25)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_sync_is_its_model_for_long():
    """The same with more and longer runs."""
    run(150, 50)


def run(examples, steps):
    few = settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=list(HealthCheck))
    with Budget("1 GiB"):
        run_state_machine_as_test(SyncMachine, settings=few)
