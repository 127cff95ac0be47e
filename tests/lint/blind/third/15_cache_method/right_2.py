from functools import lru_cache


class Codec:
    @staticmethod
    @lru_cache(maxsize=32)
    def table(polynomial: int) -> tuple[int, ...]:
        entries = []
        for byte in range(256):
            crc = byte
            for _ in range(8):
                crc = (crc >> 1) ^ polynomial if crc & 1 else crc >> 1
            entries.append(crc)
        return tuple(entries)

    def checksum(self, data: bytes) -> int:
        table = self.table(0xEDB88320)
        crc = 0xFFFFFFFF
        for b in data:
            crc = (crc >> 8) ^ table[(crc ^ b) & 0xFF]
        return crc ^ 0xFFFFFFFF
