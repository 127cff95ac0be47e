import os
from itertools import islice
from pathlib import Path


def usage(root: str) -> int:
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            total += os.path.getsize(os.path.join(folder, name))
    return total


def sample_files(root: Path) -> list[Path]:
    return list(islice(root.rglob("*.log"), 20))
