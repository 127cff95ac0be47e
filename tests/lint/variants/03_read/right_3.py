import struct


def read_header(path):
    with open(path, "rb") as fh:
        magic = fh.read(4)
        size, flags = struct.unpack("<IH", fh.read(6))
    return magic, size, flags


def uptime():
    with open("/proc/uptime") as fh:
        return float(fh.read().split()[0])
