"""A directory and its copy on an S3 server, where nothing changed.

`sync apply` trusts its state, and asks the server nothing; with `--check-destination`, and in an audit, it lists the server, as
its peers must. The copy is of hard links, made before the server starts, and the state by a run that finds it there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.case import Bar, Case, Run
from benchmarks.sync import peers, servers, trees
from benchmarks.sync.peers import BUCKET, aws, flatwater, rclone, s5cmd

TRUSTING, LISTED, AUDIT = "flatwater sync apply", "flatwater sync apply --check-destination", "flatwater sync audit"
FAST, RCLONE = "rclone sync --size-only --fast-list", "rclone sync"
S5CMD, AWS = "s5cmd sync", "aws s3 sync --size-only"


def new_case(size: int, *, everybody: bool) -> Case:
    """The case at one size, with all contestants or with those that can do so many."""
    bars = [
        Bar("trusting its state takes at most 1/4 of rclone's CPU, by size and with --fast-list", 1 / 4, "x", peers.share(TRUSTING, FAST)),
        Bar("with the server listed, at most 1/2 of it", 1 / 2, "x", peers.share(LISTED, FAST)),
        Bar("an audit, at most 1/2 of it", 1 / 2, "x", peers.share(AUDIT, FAST)),
    ]  # fmt: skip
    if everybody:
        bars += [
            Bar("trusting its state takes at most 1/12 of the CPU of aws s3 sync", 1 / 12, "x", peers.share(TRUSTING, AWS)),
            Bar("and of that of s5cmd", 1 / 12, "x", peers.share(TRUSTING, S5CMD)),
        ]  # fmt: skip
    case = Case(
        f"A directory of {size:,} files of 200 bytes and its copy on an S3 server (rclone serve s3): nothing changed.",
        size=size, tiny=200, per="file", unit="us", commands=True, bars=tuple(bars),
    )  # fmt: skip

    def add(name: str, made: Callable[[str, str], list[str]], *programs: str, rounds_max: int = 1_000) -> None:
        absent = partial(servers.absent, "rclone", *programs)
        needs = ("lmdb", "obstore", "boto3")
        case.contestant(name, needs=needs, rounds_max=rounds_max, absent=absent)(partial(_setup, made))

    add(TRUSTING, lambda source, state: flatwater("apply", source, BUCKET, "--state", state))
    add(LISTED, lambda source, state: flatwater("apply", source, BUCKET, "--state", state, "--check-destination"))
    add(AUDIT, lambda source, state: flatwater("audit", source, BUCKET, "--state", state))
    add(FAST, lambda source, _: rclone("sync", "--size-only", "--fast-list", source, f"far:{trees.BUCKET}"))
    if everybody:
        add(RCLONE, lambda source, _: rclone("sync", source, f"far:{trees.BUCKET}"), rounds_max=1)
        add(S5CMD, lambda source, _: s5cmd("sync", f"{source}/", f"{BUCKET}/"), "s5cmd", rounds_max=1)
        add(AWS, lambda source, _: aws("sync", "--size-only", source, BUCKET), "aws", rounds_max=1)
    return case


def _setup(made: Callable[[str, str], list[str]], size: int) -> Run:
    source, served = trees.nested(size), trees.served(size)

    def adopt(ports: list[int], state: str) -> None:
        home = trees.home()
        server = servers.s3(str(served), *ports, home)
        peers.use_s3(server.port, home)
        peers.adopt(str(source), BUCKET, state, size)
        server.stop()

    ports, home = trees.adopted("no_change", size, 1, adopt)
    server = servers.s3(str(served), *ports, home)
    peers.use_s3(server.port, home)
    return peers.once(made(str(source), f"{home}/state"), trees.unchanged(served / trees.BUCKET))


case = new_case(100_000, everybody=True)
