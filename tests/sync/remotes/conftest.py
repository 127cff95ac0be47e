"""The tests of remotes share a contract."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

from ftp_server import ftp_certificate, ftp_server  # noqa: F401 - fixtures
