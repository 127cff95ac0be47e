"""The servers' own tests see their fixtures, whoever else does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from database_servers import mariadb, mariadb_database, postgres, postgres_database  # noqa: F401 - fixtures
