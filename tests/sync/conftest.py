"""Servers for syncs between two of them, each on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

import object_servers
import ssh_server

moto, moto_server, rclone = object_servers.moto, object_servers.moto_server, object_servers.rclone
sshd = ssh_server.sshd
