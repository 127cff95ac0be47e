from functools import cached_property, lru_cache


@lru_cache(maxsize=256)
def month_name(number: int, language: str) -> str:
    from babel.dates import get_month_names

    return get_month_names(locale=language)[number]


class Invoice:
    def __init__(self, net: float, rate: float, month: int):
        self.net = net
        self.rate = rate
        self.month = month

    @cached_property
    def gross(self) -> float:
        return round(self.net * (1 + self.rate), 2)

    def title(self, language: str = "en") -> str:
        return f"Invoice {month_name(self.month, language)}"
