from functools import lru_cache


class Colour:
    def __init__(self, r: int, g: int, b: int) -> None:
        self.rgb = (r, g, b)

    @staticmethod
    @lru_cache(maxsize=64)
    def gamma_table(gamma_x10: int) -> bytes:
        gamma = gamma_x10 / 10
        return bytes(round(255 * (i / 255) ** gamma) for i in range(256))

    def corrected(self, gamma_x10: int = 22) -> tuple[int, ...]:
        table = self.gamma_table(gamma_x10)
        return tuple(table[v] for v in self.rgb)
