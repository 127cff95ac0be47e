"""Copy a folder, change it, and bring the copy in step again: only what changed is copied.

    python examples/backup_folder.py [files]

Budget: 64 MiB
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import flatwater as fw

BUDGET = "64 MiB"


def make(folder: Path, files: int) -> None:
    """Files to try it on, in folders of a hundred."""
    for number in range(files):
        path = folder / f"{number // 100:04}" / f"{number:06}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * 20, encoding="utf-8")


def main(files: int) -> None:
    """Make, copy, change, copy."""
    with tempfile.TemporaryDirectory() as home, fw.Budget(BUDGET):
        source, copy = Path(home, "photos"), Path(home, "backup")
        make(source, files)
        sync = fw.Sync(str(source), str(copy), state=str(Path(home, "state")))
        first = sync.apply()
        (source / "0000" / "000007.txt").write_text("another\n", encoding="utf-8")
        (source / "0000" / "000008.txt").unlink()
        second = sync.apply()
        assert sync.plan().is_empty
        assert (copy / "0000" / "000007.txt").read_text("utf-8") == "another\n"
        assert not (copy / "0000" / "000008.txt").exists()
        print(f"{first.copied:,} copied, then {second.copied} copied and {second.deleted} deleted")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3_000)
