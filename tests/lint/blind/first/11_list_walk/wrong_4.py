import os
from datetime import datetime, timedelta


def purge_spool(spool: str, days: int = 7) -> None:
    limit = (datetime.now() - timedelta(days=days)).timestamp()
    with os.scandir(spool) as it:
        entries = list(it)
    for entry in entries:
        if entry.is_file() and entry.stat().st_mtime < limit:
            os.unlink(entry.path)
