import struct
from typing import NamedTuple

RECORD = struct.Struct("<IddQ")


class Tick(NamedTuple):
    instrument: int
    bid: float
    ask: float
    nanos: int


class TickFile:
    def __init__(self, filename: str) -> None:
        self.filename = filename

    def replay(self, callback) -> None:
        with open(self.filename, "rb") as f:
            data = f.read()
        for fields in RECORD.iter_unpack(data):
            callback(Tick(*fields))
