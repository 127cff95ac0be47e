import struct
from pathlib import Path

MAGIC = b"\x89PNG\r\n\x1a\n"


def dimensions(picture: Path) -> tuple[int, int]:
    with picture.open("rb") as handle:
        header = handle.read(24)
    if header[:8] != MAGIC:
        raise ValueError(picture)
    width, height = struct.unpack(">II", header[16:24])
    for side in (width, height):
        if side == 0:
            raise ValueError("empty picture")
    return width, height
