"""One directory without folders, a million files in it, and its copy: nothing changed. What is held is asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome
from benchmarks.sync import peers, servers, trees
from benchmarks.sync.peers import flatwater, rclone

OURS, LISTED = "flatwater sync apply", "flatwater sync apply --check-destination"
RCLONE, RSYNC = "rclone sync --size-only --dry-run", "rsync -a --dry-run"


def anon_mb(outcome: Outcome) -> float:
    """Of ours, the most."""
    return max(each["anon_peak_bytes"] for name in (OURS, LISTED) for each in outcome.rounds[name]) / 1e6


case = Case(
    "One flat directory of 1,000,000 files and its copy: nothing changed.",
    size=1_000_000, tiny=500, per="file", unit="us", commands=True,
    bars=(Bar("anonymous memory stays within 64 MB", 64, "MB", anon_mb),),
)  # fmt: skip


def setup(made: Callable[[str, str, str], list[str]], size: int) -> Run:
    """One of them."""
    source, copy = trees.flat(size, "source"), trees.flat(size, "copy")

    def adopt(_ports: list[int], state: str) -> None:
        peers.adopt(str(source), str(copy), state, size)

    _ports, home = trees.adopted("flat", size, 0, adopt)
    servers.remover(home)
    return peers.once(made(str(source), str(copy), f"{home}/state"), trees.unchanged(copy))


def _add(name: str, made: Callable[[str, str, str], list[str]], *programs: str, rounds_max: int = 1_000) -> None:
    absent = partial(servers.absent, *programs)
    case.contestant(name, needs=("lmdb",), rounds_max=rounds_max, absent=absent)(partial(setup, made))


_add(OURS, lambda source, copy, state: flatwater("apply", source, copy, "--state", state))
_add(LISTED, lambda source, copy, state: flatwater("apply", source, copy, "--state", state, "--check-destination"))
_add(RCLONE, lambda source, copy, _: rclone("sync", "--size-only", "--dry-run", source, copy), "rclone", rounds_max=1)
_add(RSYNC, lambda source, copy, _: ["rsync", "-a", "--dry-run", f"{source}/", copy], "rsync", rounds_max=1)
