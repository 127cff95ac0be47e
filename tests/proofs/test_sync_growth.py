"""A sync of more and more files, of which none changed: constant, beside a twin that keeps them."""

from __future__ import annotations

import os

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def remote_of(n, held=None):
    """A source of n files that exist only while they are listed."""
    from flatwater import limits
    from flatwater.sync.entry import Entry
    from flatwater.sync.remote import Remote

    class Generated(Remote):
        kind = "generated"
        tells_etag = True

        def batches(self, after=b"", before=b"", unread=None):
            first = int(after.rpartition(b"/")[2]) + 1 if after else 0
            for start in range(first, n, limits.SYNC_BATCH):
                numbers = range(start, min(n, start + limits.SYNC_BATCH))
                batch = [
                    Entry(b"folder/%05d/%09d" % (at // 1000, at), at, 10**18 + at, b"%032x" % at) for at in numbers
                ]
                if held is not None:
                    held.extend(batch)
                yield batch

        def find(self, path):
            raise NotImplementedError

        read = write = delete = find

        def listing_bytes(self):
            return 1000

        def bytes_max(self, workers):
            return workers * 1000

    return Generated(f"generated://{n}")


def state_of(folder, n):
    """The path of a state in which all of them are synced, made when it is first asked for."""
    from flatwater.sync.record import Record
    from flatwater.sync.state import Change, Pair, State
    from flatwater.sync.status import Status

    path = os.path.join(folder, str(n))
    if not os.path.exists(path):
        with State(path, Pair(f"generated://{n}", os.path.join(folder, "to")), durability="off") as state:
            for batch in remote_of(n).batches():
                state.commit(
                    Change(entry.path, None, Record(Status.SYNCED, True, 1, entry.size, entry.mtime_ns, entry.etag))
                    for entry in batch
                )
    return path


def scenario(folder, *, kept):
    def run(n):
        from flatwater.sync.sync import Sync

        held = [] if kept else None
        report = Sync(
            remote_of(n, held),
            os.path.join(folder, "to"),
            state_of(folder, n),
            durability="off",
            levels=0,
            list_workers=1,
            workers=1,
            bytes="1 MiB",
        ).apply()
        if (report.files, report.copied, report.new, report.changed) != (n, 0, 0, 0):
            raise ValueError(str(report))

    return run


def proof_of(folder, *, kept, sizes):
    return fw.prove(
        scenario(folder, kept=kept), on_run=lambda n: state_of(folder, n), sizes=sizes, metric="anon", resolution="16 B"
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the states of the proofs are."""
    return str(tmp_path_factory.mktemp("states"))


def test_a_sync_without_changes_is_flat(folder):
    """Anonymous memory does not rise with the files; pages of the state are the system's."""
    proof = proof_of(folder, kept=False, sizes="25k..400k")
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


def test_its_leaking_twin_is_rejected(folder):
    """The same with a listing that is kept is found to grow."""
    proof = proof_of(folder, kept=True, sizes="12500..200k")
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)
