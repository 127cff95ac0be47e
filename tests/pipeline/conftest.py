"""A Redis server for the streams that flows read."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

from redis_server import redis, redis_server  # noqa: F401 - fixtures
