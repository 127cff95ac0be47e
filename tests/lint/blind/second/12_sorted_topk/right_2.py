from dataclasses import dataclass


@dataclass(frozen=True)
class Carrier:
    name: str
    price: float
    days: int


CARRIERS = (
    Carrier("postal", 4.9, 3),
    Carrier("express", 12.5, 1),
    Carrier("pallet", 39.0, 4),
    Carrier("locker", 3.9, 2),
)


def best_offers(urgent: bool) -> list[Carrier]:
    if urgent:
        return sorted(CARRIERS, key=lambda c: (c.days, c.price))[:2]
    return sorted(CARRIERS, key=lambda c: c.price)[:2]
