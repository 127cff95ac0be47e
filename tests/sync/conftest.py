"""The tests of syncs share servers on loopback, a fake remote, and retries that take no time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

import object_servers
import ssh_server

moto, moto_server, rclone = object_servers.moto, object_servers.moto_server, object_servers.rclone
sshd = ssh_server.sshd


@pytest.fixture(autouse=True)
def brief_retries(monkeypatch):
    """Waiting between two tries takes no time."""
    from flatwater import limits

    monkeypatch.setattr(limits, "SYNC_RETRY_S", 0.0001)
