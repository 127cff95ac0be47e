"""The tests of ingestion share documents, an embedder that counts, and what must be true of a corpus."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

import object_servers

moto, moto_server, rclone = object_servers.moto, object_servers.moto_server, object_servers.rclone


@pytest.fixture
def folder(tmp_path):
    """A directory for documents."""
    made = tmp_path / "documents"
    made.mkdir()
    return made
