import os
from pathlib import Path


def largest_files(root: Path) -> list[Path]:
    found = (Path(d) / n for d, _, names in os.walk(root) for n in names)
    return sorted(found, key=lambda p: p.stat().st_size)[-25:]


def main() -> None:
    for path in largest_files(Path.home()):
        print(path)
