"""A listing of one folder of an SFTP server: bounded, and not believed what it cannot be."""

from __future__ import annotations

import sys
import tracemalloc
from itertools import islice
from pathlib import Path

import asyncssh
import pytest

from flatwater import limits
from flatwater.sync.failures import (
    Failure,
    RefusedFailure,
)  # fmt: skip
from flatwater.sync.remotes.sftp_scan import Scan

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

import ssh_server
from contract import paths, written

bad, remote, root, sshd = ssh_server.bad, ssh_server.remote, ssh_server.root, ssh_server.sshd


@pytest.mark.parametrize("name", [b"../up", b"a/b", b"", b"zero\x00"])
def test_a_name_that_leads_elsewhere(bad, name):
    """A server that tells it is not believed anything of that folder."""
    kind, remote = bad
    kind.names = (name,)
    with pytest.raises(Failure, match="is no name"):
        paths(remote)


def test_a_large_folder_is_listed_in_bounded_memory(remote, root, monkeypatch):
    """At no time are more names handed over than the limit says, and one answer of the server is looked at."""
    for number in range(20_000):
        (root / f"{number:05}").touch()
    sizes = []
    real = Scan.items

    async def items(self):
        found = await real(self)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(Scan, "items", items)
    assert paths(remote) == [b"%05d" % number for number in range(20_000)]
    assert max(sizes) <= limits.SYNC_SFTP_NAMES
    listing = remote._folder(b"")
    tracemalloc.start()
    try:
        assert sum(1 for _ in islice(listing, 5_000)) == 5_000
        assert tracemalloc.get_traced_memory()[1] < 3 * limits.SYNC_SFTP_NAMES * 600
    finally:
        tracemalloc.stop()
    listing.close()  # in the middle
    assert remote.find(b"00000") is not None


def test_a_folder_that_cannot_be_listed(bad):
    """Ends the listing, or is told, and the others come."""
    server, remote = bad
    for path in (b"a/1", b"b/2", b"c/3"):
        written(remote, path)
    real = server.scandir

    async def refusing(self, path):
        if path.endswith(b"/b"):
            raise asyncssh.SFTPPermissionDenied("no")
        async for name in real(self, path):
            yield name

    server.scandir = refusing
    with pytest.raises(RefusedFailure, match="b/ cannot be listed: permission denied"):
        paths(remote)
    told = []
    assert paths(remote, unread=lambda folder, error: told.append(folder)) == [b"a/1", b"c/3"]
    assert told == [b"b/"]
