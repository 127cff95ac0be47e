"""A first copy from directory to directory. Ours alone knows afterwards what it copied, and has made it durable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.case import Case, Run
from benchmarks.sync import peers, servers, trees
from benchmarks.sync.peers import TRANSFERS, flatwater, rclone

FILE_BYTES = 2_000

case = Case(
    "A first copy of 20,000 files of 2 KB from directory to directory.",
    size=20_000, tiny=100, per="file", unit="us", commands=True,
)  # fmt: skip


def copied(made: Callable[[str, str, str], list[str]], size: int) -> Run:
    """One of them."""
    source, home = trees.nested(size, FILE_BYTES), trees.home()
    servers.remover(home)
    copy = Path(home) / "copy"

    def check() -> None:
        assert trees.count(copy) == size

    return peers.once(made(str(source), str(copy), f"{home}/state"), check)


def _add(name: str, made: Callable[[str, str, str], list[str]], *programs: str) -> None:
    case.contestant(name, needs=("lmdb",), absent=partial(servers.absent, *programs))(partial(copied, made))


_add("flatwater sync apply", lambda source, copy, state: flatwater("apply", source, copy, "--state", state))
_add(
    "flatwater sync apply, nothing durable",
    lambda source, copy, state: flatwater("apply", source, copy, "--state", state, "--durability", "off"),
)
_add("rclone copy", lambda source, copy, _: rclone("copy", "--transfers", str(TRANSFERS), source, copy), "rclone")
_add("cp -a", lambda source, copy, _: ["cp", "-a", source, copy])
_add("rsync -a", lambda source, copy, _: ["rsync", "-a", f"{source}/", copy], "rsync")
