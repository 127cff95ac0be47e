from functools import cache
from typing import Protocol


class Router(Protocol):
    def shortest(self, a: str, b: str) -> float: ...


class TourPlanner:
    depot = "HAM"

    def __init__(self, router: Router) -> None:
        self.router = router

    @cache
    def _distance(self, a: str, b: str) -> float:
        return self.router.shortest(a, b)

    def length(self, stops: list[str]) -> float:
        route = [self.depot, *stops, self.depot]
        return sum(self._distance(x, y) for x, y in zip(route, route[1:]))
