"""Read documents into a file of pieces, and go on where the last run stopped, however it ended.

python documents_resume.py DIRECTORY PIECES.jsonl
"""

from __future__ import annotations

import json
import os
import sys

from flatwater.source.documents import documents


def last_position(path: str) -> list[object] | None:
    """The position in the last whole line; what a killed run left half written is cut off."""
    position, whole = None, 0
    if os.path.exists(path):
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    position, whole = json.loads(line)["position"], whole + len(line)
        os.truncate(path, whole)
    return position


def main() -> None:
    """Append a line for each piece: the piece and the position behind it, so that both are there or neither is."""
    folder, path = sys.argv[1:3]
    reader = documents(folder, resume=last_position(path))
    with open(path, "ab") as file:
        for piece in reader:
            line = json.dumps({"piece": piece._asdict(), "position": reader.position})
            file.write(line.encode() + b"\n")
    print(reader.report)


if __name__ == "__main__":
    main()
