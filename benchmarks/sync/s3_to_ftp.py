"""From an S3 server to an FTP server, where nothing changed: the source is listed by both, the destination by rclone alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.case import Bar, Case, Run
from benchmarks.sync import peers, servers, trees
from benchmarks.sync.peers import BUCKET, flatwater, rclone

OURS, LISTED = "flatwater sync apply", "flatwater sync apply --check-destination"
FAST = "rclone sync --size-only --fast-list"

case = Case(
    "100,000 files of 200 bytes on an S3 server (rclone serve s3) and their copies on an FTP server (pyftpdlib): nothing changed.",
    size=100_000, tiny=200, per="file", unit="us", commands=True,
    bars=(
        Bar("trusting its state takes at most 1/4 of rclone's CPU, by size and with --fast-list", 1 / 4, "x", peers.share(OURS, FAST)),
    ),
)  # fmt: skip


def setup(made: Callable[[str, str], list[str]], size: int) -> Run:
    """One of them."""
    served = trees.served(size)
    copies = served / trees.BUCKET

    def adopt(ports: list[int], state: str) -> None:
        home = trees.home()
        kept = [servers.s3(str(served), ports[0], home), servers.ftp(str(copies), ports[1])]
        peers.use_s3(ports[0], home)
        peers.adopt(BUCKET, peers.ftp_url(ports[1]), state, size)
        for server in kept:
            server.stop()

    ports, home = trees.adopted("s3_to_ftp", size, 2, adopt)
    servers.s3(str(served), ports[0], home)
    servers.ftp(str(copies), ports[1])
    peers.use_s3(ports[0], home)
    peers.use_ftp(ports[1])
    return peers.once(made(peers.ftp_url(ports[1]), f"{home}/state"), trees.unchanged(copies))


def _add(name: str, made: Callable[[str, str], list[str]]) -> None:
    needs = ("lmdb", "obstore", "boto3", "pyftpdlib")
    case.contestant(name, needs=needs, absent=partial(servers.absent, "rclone"))(partial(setup, made))


_add(OURS, lambda url, state: flatwater("apply", BUCKET, url, "--state", state))
_add(LISTED, lambda url, state: flatwater("apply", BUCKET, url, "--state", state, "--check-destination"))
_add(FAST, lambda _url, _state: rclone("sync", "--size-only", "--fast-list", f"far:{trees.BUCKET}", "ftp:"))
