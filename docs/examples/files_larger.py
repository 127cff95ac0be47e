"""Hash a file that is larger than the memory of the process that reads it, in a worker of 64 MiB.

python docs/examples/files_larger.py [GIB]
"""

from __future__ import annotations

import os
import sys
import tempfile
import zlib

from flatwater.source import FileChunks
from flatwater.worker import Worker


def checksum(path: str) -> int:
    """Of all bytes, a chunk at a time: `crc32` takes the borrowed view as it is."""
    total = 0
    with FileChunks(path) as chunks:
        for chunk in chunks:
            total = zlib.crc32(chunk, total)
    return total


def checksum_whole(path: str) -> int:
    """The same with the file in one piece."""
    with open(path, "rb") as file:
        return zlib.crc32(file.read())


def main(arguments: list[str]) -> int:
    """0 if the chunks fit and the whole does not."""
    gibibytes = float(arguments[0]) if arguments else 1.0
    with tempfile.NamedTemporaryFile() as file, Worker("64 MiB") as worker:
        os.truncate(file.name, int(gibibytes * (1 << 30)))  # sparse: zeros that take no disk
        done = worker.run(checksum, (file.name,))
        above = (done.peak_rss - done.start_rss) / (1 << 20)
        print(f"in chunks: {done.value:08x}, {above:.1f} MiB above the empty worker")
        try:
            worker.run(checksum_whole, (file.name,))
        except Exception as error:  # noqa: BLE001 - whatever ended it is shown
            print(f"in one piece: {type(error).__name__}")
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
