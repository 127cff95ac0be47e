from functools import cached_property, lru_cache


class Colour:
    def __init__(self, code: str) -> None:
        self.code = code

    @staticmethod
    @lru_cache(maxsize=256)
    def parse(code: str) -> tuple[int, int, int]:
        return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)

    @cached_property
    def luminance(self) -> float:
        r, g, b = self.parse(self.code)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
