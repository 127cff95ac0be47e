import struct


def read_records(buf: memoryview):
    offset = 0
    while offset < len(buf):
        (size,) = struct.unpack_from("<I", buf, offset)
        offset += 4
        yield bytes(buf[offset:offset + size])
        offset += size
