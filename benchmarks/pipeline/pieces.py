"""Three stages over the pieces of a file: lower case, a checksum, a count."""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Iterable, Iterator

from benchmarks.case import Bar, Case, Run

from benchmarks import kept

PLAIN = "plain generators"
FLOW = "a flow of the same functions"
PEER = "streamable"
PIECE_BYTES = 64 * 1024

case = Case(
    "A file in pieces of 64 KiB, each translated and summed up, by the same functions; the file lies in the page cache.",
    size=1024,
    tiny=1,
    per="MiB",
    unit="ms",
    figures={"peak_mb": "MB resident"},
    bars=(
        Bar("a flow takes at most 1.1 of the CPU of plain generators", 1.1, "x", lambda outcome: outcome.ratio(FLOW, PLAIN)),
        Bar("and no more than streamable", 1.0, "x", lambda outcome: outcome.ratio(FLOW, PEER)),
        Bar("and half of the memory that streamable takes, above plain generators", 0.5, "x", lambda outcome:
            (outcome.figure(FLOW, "peak_mb") - outcome.figure(PLAIN, "peak_mb"))
            / (outcome.figure(PEER, "peak_mb") - outcome.figure(PLAIN, "peak_mb"))),
    ),
)  # fmt: skip

LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")


def a_file(size: int) -> str:
    """A text of so many bytes."""
    path = str(kept.folder("words") / f"{size}.txt")
    if not os.path.exists(path):
        chance = random.Random(size)
        words = [
            "".join(chance.choices("abcdefghijklmnopqrstuvwxyzABCDEF", k=chance.randint(2, 11))) for _ in range(20_000)
        ]
        with open(path + ".part", "wb") as file:
            while file.tell() < size:
                text = " ".join(chance.choices(words, k=50_000)).encode() + b"\n"
                file.writelines([text] * 8)  # further apart than what a compressor remembers
            file.truncate(size)
        os.replace(path + ".part", path)
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass
    return path


def read(path: str) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def lowered(piece: bytes) -> bytes:
    return piece.translate(LOWER)


def checksum(piece: bytes) -> int:
    return zlib.crc32(piece)


def resident_mb() -> float:
    """The most that this process has had in memory so far, in MB."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith("VmHWM:"))


def measured(size: int, sums: Iterable[int]) -> Run:
    def run() -> dict[str, float]:
        count = sum(1 for _sum in sums)
        assert count == (size << 20) // PIECE_BYTES, count
        return {"peak_mb": resident_mb()}

    return run


@case.contestant(PLAIN)
def plain(size: int) -> Run:
    path = a_file(size << 20)

    def lower(pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield lowered(piece)

    def summed(pieces: Iterable[bytes]) -> Iterator[int]:
        for piece in pieces:
            yield checksum(piece)

    return measured(size, summed(lower(read(path))))


@case.contestant(PEER, needs=("streamable",))
def streamable(size: int) -> Run:
    from streamable import stream

    path = a_file(size << 20)
    return measured(size, stream(read(path)).map(lowered).map(checksum))


@case.contestant(FLOW)
def flow(size: int) -> Run:
    import flatwater as fw

    path = a_file(size << 20)
    return measured(size, fw.Flow(read, path).map(lowered).map(checksum))


@case.contestant("a flow over FileChunks")
def chunks(size: int) -> Run:
    import flatwater as fw

    path = a_file(size << 20)
    return measured(size, fw.Flow(fw.FileChunks(path, PIECE_BYTES)).map(lowered).map(checksum))
