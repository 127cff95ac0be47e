import os
from pathlib import Path


def remove_stale_artifacts(root: Path, cutoff: float) -> int:
    removed = 0
    files = list(root.rglob("*.whl"))
    for wheel in files:
        if wheel.stat().st_mtime < cutoff:
            os.remove(wheel)
            removed += 1
    return removed
