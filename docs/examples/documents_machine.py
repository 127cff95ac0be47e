"""Read the documents that are on this machine, for some seconds, within a budget; then say what was read and what was not.

python documents_machine.py [SECONDS] [DIRECTORY ...]
"""

from __future__ import annotations

import collections
import os
import sys
import sysconfig
import time

import flatwater as fw
from flatwater.source.documents import Report, documents

BUDGET = "160 MiB"  # 128 MiB of it for the process that reads PDF, HTML and DOCX
PLACES = ("/usr/share/doc", "/usr/share/common-licenses", sysconfig.get_paths()["purelib"])
NAMES = "*.[dhmprt][dostx]*"  # .docx, .html, .md, .pdf, .rst, .txt; what else it matches is told by its content


def read(seconds: float = 8.0, places: tuple[str, ...] = PLACES) -> tuple[collections.Counter[str], Report]:
    """Characters by kind of document, and the report. It stops after that time, wherever it is."""
    characters: collections.Counter[str] = collections.Counter()
    until_s = time.monotonic() + seconds
    patterns = [os.path.join(place, "**", NAMES) for place in places if os.path.isdir(place)]
    with fw.Budget(BUDGET), documents(patterns) as reader:
        for piece in reader:
            characters[piece.source.rpartition(".")[2].lower()] += len(piece.text)
            if time.monotonic() >= until_s:
                break
    return characters, reader.report


def main() -> None:
    """Read, and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    with fw.measure("read") as reading:
        characters, report = read(seconds, tuple(sys.argv[2:]) or PLACES)
    for kind, count in characters.most_common():
        print(f"{kind:<5} {count:>12,} characters")
    print("\n".join(str(report).splitlines()[:6]))
    print(f"this process grew by {reading.delta / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
