from functools import cached_property, lru_cache


@lru_cache(maxsize=256)
def parse_unit(symbol: str) -> tuple[str, int]:
    prefixes = {"k": 3, "M": 6, "G": 9}
    if symbol[0] in prefixes and len(symbol) > 1:
        return symbol[1:], prefixes[symbol[0]]
    return symbol, 0


class Quantity:
    def __init__(self, value: float, symbol: str) -> None:
        self.value = value
        self.symbol = symbol

    @cached_property
    def base(self) -> float:
        return self.value * 10 ** parse_unit(self.symbol)[1]
