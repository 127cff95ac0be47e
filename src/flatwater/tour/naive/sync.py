"""The naive twin of `sync`: both listings as dicts, and files read whole.

Covers:     listing, comparing, copying, and comparing once more.
Not here:   the same with two sorted streams (`tour.steps.mirror_documents`).
Holds:      the names of all files on both sides, and one file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flatwater.tour.inputs import Root
from flatwater.tour.naive.paths import below

if TYPE_CHECKING:
    from flatwater.tour.twin import Task


def run(task: Task) -> int:
    """Mirror the folders that the step did, as many bytes, twice; how many files were copied."""
    target = Path(task.folder) / "target"
    room = task.bytes
    copied = 0
    for number, root in enumerate([task.made, *(root.path for root in task.roots if not root.suffixes)]):
        if not Path(root).is_dir():
            continue
        destination = target / str(number)
        for _again in range(2):
            source = listed(Path(root))
            there = listed(destination)
            for name, size in source.items():
                if there.get(name) != size and size <= room:
                    (destination / name).parent.mkdir(parents=True, exist_ok=True)
                    (destination / name).write_bytes((Path(root) / name).read_bytes())
                    room -= size
                    copied += 1
    return copied


def listed(folder: Path) -> dict[str, int]:
    """The size of each file below a folder, by its path in it."""
    paths = [Path(path) for path in below([Root(str(folder))])]
    return {str(path.relative_to(folder)): path.stat().st_size for path in paths}
