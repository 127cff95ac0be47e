"""What the cases of this folder sync: trees of small files, second trees of hard links to them, and states that know both.

Trees and states are made once for each size. No run changes a tree: a run
that was to change nothing is asked whether it did.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.sync import servers

from benchmarks import kept

FILE_BYTES = 200
IN_FOLDER = 1_000
WHEN_S = 1_700_000_000  # of each file: a whole second, as protocols tell times
KEPT_VERSION = 1
BUCKET = "bucket"


def folder() -> Path:
    """Where everything is kept."""
    return kept.folder("trees", KEPT_VERSION)


def home() -> str:
    """A folder for one round."""
    return tempfile.mkdtemp()


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills; made once."""
    made = folder() / name
    if not made.exists():
        temporary = folder() / f"{name}.{os.getpid()}"
        temporary.mkdir()
        make(temporary)
        temporary.rename(made)
    return made


def nested(size: int, file_bytes: int = FILE_BYTES) -> Path:
    """So many files, a thousand in each folder."""

    def make(root: Path) -> None:
        for first in range(0, size, IN_FOLDER):
            below = root / f"folder-{first // IN_FOLDER:05d}"
            below.mkdir()
            for number in range(first, min(first + IN_FOLDER, size)):
                handle = os.open(below / f"{number % IN_FOLDER:04d}-file.dat", os.O_WRONLY | os.O_CREAT, 0o644)
                os.write(handle, b"%020d" % number * (file_bytes // 20))
                os.utime(handle, (WHEN_S, WHEN_S))
                os.close(handle)

    return made_once(f"nested-{size}-{file_bytes}", make)


def served(size: int) -> Path:
    """A folder in which `BUCKET` has hard links to all of them."""
    source = nested(size)

    def make(root: Path) -> None:
        subprocess.run(["cp", "-al", str(source), str(root / BUCKET)], check=True)

    return made_once(f"served-{size}", make)


def flat(size: int, name: str) -> Path:
    """Hard links to all of them in one folder."""
    source = nested(size)

    def make(root: Path) -> None:
        for below in source.iterdir():
            for file in os.scandir(below):
                os.link(file.path, f"{root}/{below.name}-{file.name}")

    return made_once(f"flat-{size}-{name}", make)


def unchanged(root: Path) -> Callable[[], None]:
    """A function that finds out whether anything was written below a folder since now: a folder's time tells of new names."""

    def times() -> list[int]:
        return [each.stat().st_mtime_ns for each in (root, *sorted(root.iterdir())) if each.is_dir()]

    before = times()

    def check() -> None:
        assert times() == before, "files were written where nothing was to be done"

    return check


def count(root: Path) -> int:
    """Of files in the folders of a folder."""
    return sum(len(os.listdir(each)) for each in root.iterdir())


def adopted(name: str, size: int, ports: int, adopt: Callable[[list[int], str], None]) -> tuple[list[int], str]:
    """Ports for servers, and a copy of a state that knows them, in a folder of its own.

    The state is made once, by a run that is not measured. It is of remotes with these ports, so both are kept.

    Args:
        name: of the case.
        size: of its trees.
        ports: how many.
        adopt: makes the state, with servers on these ports.
    """
    made = folder() / f"adopted-{name}-{size}"
    told = made / "ports.json"
    known: list[int] = json.loads(told.read_text()) if told.exists() else []
    if not told.exists() or not all(map(servers.is_free, known)):
        shutil.rmtree(made, ignore_errors=True)
        known = servers.free_ports(ports)

        def make(root: Path) -> None:
            adopt(known, str(root / "state"))
            (root / "ports.json").write_text(json.dumps(known))

        made_once(made.name, make)
    place = home()
    shutil.copytree(made / "state", f"{place}/state")
    return known, place
