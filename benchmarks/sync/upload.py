"""Small files to an S3 server that has none of them, eight transfers at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome
from benchmarks.sync import peers, servers, trees
from benchmarks.sync.peers import BUCKET, TRANSFERS, aws, flatwater, rclone, s5cmd

OURS, COPY, SYNC, AWS, S5CMD = "flatwater sync apply", "rclone copy", "rclone sync", "aws s3 sync", "s5cmd sync"
_TRANSFERS = ("--transfers", str(TRANSFERS))


def wall(outcome: Outcome) -> float:
    """Our time, as a part of that of rclone's."""
    return outcome.seconds(OURS, "wall_s") / outcome.seconds(COPY, "wall_s")


case = Case(
    "5,000 files of 200 bytes from a directory to an empty bucket of an S3 server (rclone serve s3), 8 at a time.",
    size=5_000, tiny=40, per="file", unit="us", commands=True,
    bars=(
        Bar("a file takes at most 1/2 of the CPU that rclone copy needs", 1 / 2, "x", peers.share(OURS, COPY)),
        Bar("at most 1/8 of what aws s3 sync needs", 1 / 8, "x", peers.share(OURS, AWS)),
        Bar("it takes no longer than rclone copy", 1, "x", wall),
    ),
)  # fmt: skip


def uploaded(made: Callable[[str, str], list[str]], size: int) -> Run:
    """One of them."""
    source, home, ports = trees.nested(size), trees.home(), servers.free_ports(1)
    bucket = Path(home) / "served" / trees.BUCKET
    bucket.mkdir(parents=True)
    server = servers.s3(str(bucket.parent), *ports, home)
    peers.use_s3(server.port, home)

    def check() -> None:
        assert trees.count(bucket) == size

    return peers.once(made(str(source), f"{home}/state"), check)


def _add(name: str, made: Callable[[str, str], list[str]], *programs: str, rounds_max: int = 1_000) -> None:
    absent = partial(servers.absent, "rclone", *programs)
    needs = ("lmdb", "obstore", "boto3")
    case.contestant(name, needs=needs, rounds_max=rounds_max, absent=absent)(partial(uploaded, made))


_add(OURS, lambda source, state: flatwater("apply", source, BUCKET, "--state", state, "--workers", str(TRANSFERS)))
_add(COPY, lambda source, _: rclone("copy", *_TRANSFERS, source, f"far:{trees.BUCKET}"))
_add(SYNC, lambda source, _: rclone("sync", *_TRANSFERS, source, f"far:{trees.BUCKET}"))
_add(AWS, lambda source, _: aws("sync", source, BUCKET), "aws", rounds_max=1)
_add(S5CMD, lambda source, _: s5cmd("sync", f"{source}/", f"{BUCKET}/"), "s5cmd", rounds_max=1)
